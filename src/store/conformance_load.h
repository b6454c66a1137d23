// The conformance suite of stores (conformance.h), second part: many records at once, seeded random use against a
// model, and threads.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "store/conformance_model.h"

namespace spl::store {

using conformance::Row;

template <class Backend>
class StoreUnderLoad : public ::testing::Test {
 protected:
  Backend backend_;
  RecordStore& store_ = *backend_.store;
};

TYPED_TEST_SUITE_P(StoreUnderLoad);

TYPED_TEST_P(StoreUnderLoad, ExpectingManyChangesNothingButSpeed) {
  std::vector<Record> records;
  const std::string did = crypto::did_of(conformance::signer().public_key());
  for (std::uint64_t n = 0; n < 400; ++n) {
    records.push_back(conformance::make({.actor = did, .thread = "t" + std::to_string(n % 5), .clock = n}));
    if (n % 3 == 0) records.back().sig = conformance::signer().sign(records.back().canonical);
  }
  TypeParam other;
  std::vector<PutOutcome> outcomes[2];
  std::vector<Row> rows[2];
  for (const bool many : {false, true}) {
    RecordStore& store = many ? *other.store : this->store_;
    auto writer = store.writer().value();
    for (int calls = many ? 2 : 0; calls > 0; --calls) ASSERT_TRUE(writer->expect_many_distinct());
    for (const Record& record : records) outcomes[many].push_back(writer->put(record).value());
    EXPECT_TRUE(writer->contains(records[0].id).value());
    ASSERT_TRUE(writer->commit());
    writer.reset();
    EXPECT_TRUE(store.check());
    // Once there are records it does nothing.
    writer = store.writer().value();
    if (many) {
      ASSERT_TRUE(writer->expect_many_distinct());
    }
    outcomes[many].push_back(writer->put(records[0]).value());
    ASSERT_TRUE(writer->commit());
    writer.reset();
    rows[many] = conformance::all(*store.reader().value());
  }
  EXPECT_EQ(outcomes[0], outcomes[1]);
  EXPECT_EQ(rows[0], rows[1]);
}

TYPED_TEST_P(StoreUnderLoad, ExpectingManyMayBeTakenBackByDroppingTheWriter) {
  {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->expect_many_distinct());
    ASSERT_TRUE(writer->put(conformance::nth(1)));
  }
  using enum PutOutcome;
  EXPECT_EQ(conformance::put(this->store_, {conformance::nth(1), conformance::nth(1)}),
            (std::vector{kInserted, kDuplicate}));
  EXPECT_EQ(conformance::put(this->store_, {conformance::nth(1)}), (std::vector{kDuplicate}));
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreUnderLoad, AnIdThatComesTwiceAgainstThePromiseLeavesNothing) {
  {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->expect_many_distinct());
    bool failed = false;
    for (const std::uint64_t n : {1, 2, 1}) failed = !writer->put(conformance::nth(n)) || failed;
    EXPECT_TRUE(failed || !writer->commit());
  }
  EXPECT_EQ(conformance::count(this->store_), 0u);
  EXPECT_TRUE(this->store_.check());
  EXPECT_EQ(conformance::put(this->store_, {conformance::nth(1)}), (std::vector{PutOutcome::kInserted}));
}

TYPED_TEST_P(StoreUnderLoad, AThreadOf20000RecordsIsReadInEveryOrder) {
  constexpr std::uint64_t kCount = 20'000;
  std::vector<Record> records;
  for (std::uint64_t n = 0; n < kCount; ++n) records.push_back(conformance::nth(n));
  std::mt19937_64 random(6);
  std::shuffle(records.begin(), records.end(), random);
  auto writer = this->store_.writer().value();
  for (const Record& record : records) ASSERT_TRUE(writer->put(record));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  conformance::Model model;
  model.log = records;
  auto reader = this->store_.reader().value();
  model.expect_same(*reader);
  std::uint64_t since = 0;
  std::uint64_t found = 0;
  for (std::vector<Row> page(1); !page.empty();) {
    page.clear();
    ASSERT_TRUE(reader->changes(since, 999, "t", conformance::collect(page)));
    found += page.size();
    if (!page.empty()) since = page.back().sequence;
  }
  EXPECT_EQ(found, kCount);
}

TYPED_TEST_P(StoreUnderLoad, IsTheModelUnderRandomUse) {
  std::mt19937_64 random(20261121);
  const auto below = [&random](std::size_t n) { return random() % n; };
  const std::vector<std::string> threads = {"", "a", "b", "é", ".", "th_consent", "%", std::string(256, 'x'), "c", "d"};
  const std::vector<std::string> actors = {"did:x:a", "did:x:b", crypto::did_of(conformance::signer().public_key())};
  std::vector<Record> pool;  // all that were ever made, kept or not
  const auto draft = [&] {
    conformance::Draft d;
    d.thread = threads[below(below(3) == 0 ? threads.size() : 4)];
    d.actor = actors[below(actors.size())];
    d.clock = below(500);
    std::vector<const Record*> near;
    for (std::size_t i = pool.size() > 60 ? pool.size() - 60 : 0; i < pool.size(); ++i) {
      if (pool[i].thread == d.thread) near.push_back(&pool[i]);
    }
    const auto some = [&] { return near.empty() ? RecordId() : near[below(near.size())]->id; };
    for (std::size_t n = below(3); n > 0 && !near.empty(); --n) d.parents.push_back(some());
    switch (below(20)) {
      case 0:
        d.act = "DO";
        d.body = conformance::naming("cancels", some());
        break;
      case 1:
        d.act = "KNOW";
        d.body = conformance::naming("fulfills", some());
        break;
      case 2:
        d.act = "KNOW";
        d.body = "{\"fulfills\":[\"" + some().hex() + "\",\"" + some().hex() + "\"]}";
        break;
      case 3:
        d.act = "KNOW";
        d.body = "{\"verdict\":\"reject\"}";
        break;
      default:
        d.act =
            std::vector<std::string>{"INTEND", "INTEND", "DO", "CALL", "KNOW", "LEARN", "GET", "PUT", "MAP"}[below(9)];
        d.body = "{\"n\":" + std::to_string(random()) + "}";
    }
    // An INTEND often answers all that ends its thread, so that threads do not all end for good.
    return d;
  };
  conformance::Model model;
  std::set<record::ThreadState> states;
  for (int transaction = 0; transaction < 150; ++transaction) {
    conformance::Model after = model;
    conformance::Model at_mark;
    bool marked = false;
    auto writer = this->store_.writer().value();
    for (std::size_t n = below(60); n > 0; --n) {
      Record record;
      if (pool.empty() || below(5) != 0) {
        conformance::Draft d = draft();
        if (d.act == "INTEND" && below(2) == 0) {
          std::vector<const Record*> on_thread;
          for (const Record& there : after.log) {
            if (there.thread == d.thread) on_thread.push_back(&there);
          }
          const auto endings = record::ThreadFold::of(on_thread).endings();
          d.parents.insert(d.parents.end(), endings.begin(), endings.end());
        }
        record = conformance::make(d);
        pool.push_back(record);
      } else {
        record = pool[below(pool.size())];
      }
      if (below(4) == 0) record.judged_by = below(2) == 0 ? "x" : "y";
      if (below(4) == 0) record.sig = conformance::signer().sign(record.canonical);
      if (below(8) == 0) {
        const RedactedRecord known = conformance::redacted(record);
        ASSERT_EQ(writer->put_redacted(known).value(), after.put_redacted(known));
        continue;
      }
      ASSERT_EQ(writer->put(record).value(), after.put(record));
      if (below(40) == 0) {
        ASSERT_TRUE(writer->mark());
        at_mark = after;
        marked = true;
      } else if (marked && below(30) == 0) {
        ASSERT_TRUE(writer->rollback_to_mark());
        after = at_mark;
      } else if (below(100) == 0) {
        after.settings["s"] = std::to_string(random());
        ASSERT_TRUE(writer->set_setting("s", after.settings["s"]));
      }
    }
    if (transaction % 25 == 0) after.expect_same(*writer);
    if (below(5) != 0) {
      ASSERT_TRUE(writer->commit());
      model = std::move(after);
    }
    writer.reset();
    if (transaction % 10 == 9) {
      auto reader = this->store_.reader().value();
      model.expect_same(*reader);
      for (const ThreadSummary& summary : conformance::summaries(*reader)) states.insert(summary.state);
    }
    if (this->HasFailure()) return;
  }
  EXPECT_GT(model.log.size(), 2000u);
  EXPECT_GE(states.size(), 5u);
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreUnderLoad, WritersTakeTurns) {
  auto first = this->store_.writer().value();
  std::atomic<bool> got{false};
  std::thread second([&] {
    auto writer = this->store_.writer().value();
    got = true;
    EXPECT_EQ(writer->setting("s").value(), "first");
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(got);
  ASSERT_TRUE(first->set_setting("s", "first"));
  ASSERT_TRUE(first->commit());
  first.reset();
  second.join();
  EXPECT_TRUE(got);
}

TYPED_TEST_P(StoreUnderLoad, ManyThreadsMayReadAndWrite) {
  constexpr int kWriters = 3;
  constexpr int kRounds = 20;
  std::atomic<int> writing{kWriters};
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int round = 0; round < kRounds; ++round) {
        auto writer = this->store_.writer().value();
        const auto said = writer->setting("n").value();
        const int n = said ? std::stoi(*said) : 0;
        for (std::uint64_t k = 0; k < 5; ++k) {
          const std::string thread = k % 2 == 0 ? "shared" : "own" + std::to_string(w);
          const std::string actor = "did:x:w" + std::to_string(w);
          const std::uint64_t clock = writer->next_clock(actor, thread).value();
          EXPECT_EQ(writer->put(conformance::make({.actor = actor, .thread = thread, .clock = clock})).value(),
                    PutOutcome::kInserted);
        }
        EXPECT_TRUE(writer->set_setting("n", std::to_string(n + 5)));
        if (round % 4 == 3) continue;  // dropped
        EXPECT_TRUE(writer->commit());
      }
      --writing;
    });
  }
  for (int r = 0; r < 3; ++r) {
    threads.emplace_back([&] {
      std::uint64_t last = 0;
      while (writing > 0) {
        auto reader = this->store_.reader().value();
        const auto rows = conformance::all(*reader);
        EXPECT_EQ(reader->counts().value().records, rows.size());
        EXPECT_EQ(reader->setting("n").value().value_or("0"), std::to_string(rows.size()));
        std::uint64_t sum = 0;
        for (const ThreadSummary& summary : conformance::summaries(*reader)) sum += summary.records;
        EXPECT_EQ(sum, rows.size());
        EXPECT_GE(rows.size(), last) << "time went back";
        last = rows.size();
        EXPECT_EQ(conformance::all(*reader), rows);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(conformance::count(this->store_), kWriters * kRounds * 5u * 3 / 4);
  EXPECT_TRUE(this->store_.check());
}

REGISTER_TYPED_TEST_SUITE_P(StoreUnderLoad, ExpectingManyChangesNothingButSpeed,
                            ExpectingManyMayBeTakenBackByDroppingTheWriter,
                            AnIdThatComesTwiceAgainstThePromiseLeavesNothing, AThreadOf20000RecordsIsReadInEveryOrder,
                            IsTheModelUnderRandomUse, WritersTakeTurns, ManyThreadsMayReadAndWrite);

}  // namespace spl::store
