// What every store::RecordStore does with what it keeps beside the records: settings, tokens, and what peers gave of
// records without their bodies. conformance.h says how a test program uses it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/sha256.h"
#include "store/conformance_model.h"

namespace spl::store {

template <class Backend>
class StoreBesideRecords : public ::testing::Test {
 protected:
  Backend backend_;
  RecordStore& store_ = *backend_.store;
};

TYPED_TEST_SUITE_P(StoreBesideRecords);

TYPED_TEST_P(StoreBesideRecords, SettingsAreKeptAndReplaced) {
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->set_setting("a", "1"));
  ASSERT_TRUE(writer->set_setting("a", std::string("2\0é", 4)));
  ASSERT_TRUE(writer->set_setting("", ""));
  EXPECT_EQ(writer->setting("a").value(), std::string("2\0é", 4));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->setting("a").value(), std::string("2\0é", 4));
  EXPECT_EQ(reader->setting("").value(), "");
  EXPECT_EQ(reader->setting("b").value(), std::nullopt);
}

TYPED_TEST_P(StoreBesideRecords, SettingsAreFoundByTheirBeginning) {
  const std::map<std::string, std::string> peers = {
      {"peer:", "0"}, {"peer:a", "1"}, {"peer:a\xFF", "2"}, {"peer:b", "3"}, {"peer:é", "4"}};
  auto writer = this->store_.writer().value();
  for (const auto& [name, value] : peers) ASSERT_TRUE(writer->set_setting(name, value));
  for (const char* other : {"peer", "peer;", "pees", "Peer:a", "", "z"}) ASSERT_TRUE(writer->set_setting(other, "x"));
  EXPECT_EQ(writer->settings_beginning("peer:").value(), peers);
  ASSERT_TRUE(writer->commit());
  writer.reset();
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->settings_beginning("peer:").value(), peers);
  EXPECT_EQ(reader->settings_beginning("peer:a").value(),
            (std::map<std::string, std::string>{{"peer:a", "1"}, {"peer:a\xFF", "2"}}));
  EXPECT_TRUE(reader->settings_beginning("q").value().empty());
  const auto all = reader->settings_beginning("").value();
  EXPECT_EQ(all.at(""), "x");
  EXPECT_EQ(all.at("z"), "x");
}

TYPED_TEST_P(StoreBesideRecords, ARemovedSettingIsGoneOnceThatIsCommitted) {
  {
    auto writer = this->store_.writer().value();
    for (const char* name : {"a", "ab"}) ASSERT_TRUE(writer->set_setting(name, "1"));
    ASSERT_TRUE(writer->commit());
  }
  const auto remove = [this](bool commits) {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->remove_setting("a"));
    ASSERT_TRUE(writer->remove_setting("not there"));
    EXPECT_EQ(writer->setting("a").value(), std::nullopt);
    if (commits) {
      ASSERT_TRUE(writer->commit());
    }
  };
  remove(false);
  EXPECT_EQ(this->store_.reader().value()->setting("a").value(), "1");
  remove(true);
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->setting("a").value(), std::nullopt);
  EXPECT_EQ(reader->setting("ab").value(), "1");
}

TYPED_TEST_P(StoreBesideRecords, TokensAreKeptReplacedAndRemoved) {
  const auto digest = [](char octet) { return Digest::from(std::string(32, octet)); };
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(
      writer->put_token({digest('b'), "bob", {"read", "write"}, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"}));
  ASSERT_TRUE(writer->put_token({digest('a'), "ann", {}, "2026-01-01T00:00:00Z", {}}));
  ASSERT_TRUE(writer->put_token({digest('a'), "eve", {"read"}, "2026-01-02T00:00:00Z", {}}));
  ASSERT_TRUE(writer->put_token({digest('c'), "eve", {"read"}, "2026-01-02T00:00:00Z", {}}));
  EXPECT_TRUE(writer->remove_token(digest('c')).value());
  EXPECT_FALSE(writer->remove_token(digest('c')).value());
  ASSERT_TRUE(writer->commit());
  writer.reset();
  const std::vector<Token> tokens = this->store_.reader().value()->tokens().value();
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].sha256, digest('a'));
  EXPECT_EQ(tokens[0].account, "eve");
  EXPECT_EQ(tokens[0].scopes, std::vector<std::string>{"read"});
  EXPECT_EQ(tokens[0].created_at, "2026-01-02T00:00:00Z");
  EXPECT_EQ(tokens[0].expires_at, std::nullopt);
  EXPECT_EQ(tokens[1].account, "bob");
  EXPECT_EQ(tokens[1].scopes, (std::vector<std::string>{"read", "write"}));
  EXPECT_EQ(tokens[1].expires_at, "2027-01-01T00:00:00Z");
}

TYPED_TEST_P(StoreBesideRecords, ARedactedRecordIsKeptAndIsNoRecord) {
  const Record record = conformance::nth(7, "é");
  RedactedRecord known = conformance::redacted(record);
  known.act = record::Act::kMap;
  known.clock = std::numeric_limits<std::int64_t>::max();
  {
    auto writer = this->store_.writer().value();
    EXPECT_EQ(writer->put(conformance::nth(1)).value(), PutOutcome::kInserted);
    EXPECT_TRUE(writer->put_redacted(known).value());
    RedactedRecord other = known;
    other.peer = "did:x:other";
    EXPECT_FALSE(writer->put_redacted(other).value()) << "known already";
    EXPECT_FALSE(writer->put_redacted(conformance::redacted(conformance::nth(1))).value()) << "it is there";
    EXPECT_EQ(conformance::all_redacted(*writer), std::vector{conformance::text_of(known)});
    EXPECT_TRUE(this->store_.reader().value()->redacted_count().value() == 0);
    ASSERT_TRUE(writer->commit());
  }
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->redacted_count().value(), 1u);
  EXPECT_EQ(conformance::all_redacted(*reader), std::vector{conformance::text_of(known)});
  EXPECT_FALSE(reader->contains(record.id).value());
  EXPECT_TRUE(reader->ids_beginning(record.id.hex(), 1).value().empty());
  EXPECT_FALSE(reader->thread("é").value());
  EXPECT_EQ(reader->next_clock(record.actor, "é").value(), 0u);
  conformance::Model model;
  model.put(conformance::nth(1));
  model.redacted.emplace(known.id, known);
  model.expect_same(*reader);
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreBesideRecords, WhatNoRecordCanHaveIsNotKeptOfARedactedOne) {
  const RedactedRecord good = conformance::redacted(conformance::nth(1));
  auto writer = this->store_.writer().value();
  const auto refused = [&](const auto& spoil) {
    RedactedRecord bad = good;
    spoil(bad);
    const auto put = writer->put_redacted(bad);
    return !put && put.error().code == ErrorCode::kUsage;
  };
  EXPECT_TRUE(refused([](RedactedRecord& r) { r.thread = std::string(257, 'x'); }));
  EXPECT_TRUE(refused([](RedactedRecord& r) { r.thread = "\x01"; }));
  EXPECT_TRUE(refused([](RedactedRecord& r) { r.actor = ""; }));
  EXPECT_TRUE(refused([](RedactedRecord& r) { r.peer = ""; }));
  EXPECT_TRUE(refused([](RedactedRecord& r) { r.clock = std::uint64_t{1} << 63; }));
  EXPECT_EQ(writer->redacted_count().value(), 0u);
  EXPECT_TRUE(writer->put_redacted(good).value());
}

TYPED_TEST_P(StoreBesideRecords, RedactedRecordsComeInOrderOfIdAndAVisitorMayEndThat) {
  std::vector<RecordId> ids;
  auto writer = this->store_.writer().value();
  for (std::uint64_t n = 0; n < 100; ++n) {
    const RedactedRecord known = conformance::redacted(conformance::nth(n));
    EXPECT_TRUE(writer->put_redacted(known).value());
    ids.push_back(known.id);
  }
  std::ranges::sort(ids);
  std::vector<RecordId> seen;
  ASSERT_TRUE(writer->redacted([&seen](const RedactedRecord& known) -> Result<void> {
    seen.push_back(known.id);
    return {};
  }));
  EXPECT_EQ(seen, ids);
  int visits = 0;
  const auto stopped = writer->redacted([&visits](const RedactedRecord&) -> Result<void> {
    ++visits;
    return fail(ErrorCode::kStop, "enough");
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStop);
  EXPECT_EQ(visits, 1);
}

TYPED_TEST_P(StoreBesideRecords, TheWholeRecordTakesThePlaceOfTheRedactedOne) {
  const Record record = conformance::nth(1);
  const Record other = conformance::nth(2);
  {
    auto writer = this->store_.writer().value();
    EXPECT_TRUE(writer->put_redacted(conformance::redacted(record)).value());
    EXPECT_TRUE(writer->put_redacted(conformance::redacted(other)).value());
    ASSERT_TRUE(writer->commit());
  }
  const auto put = [&](bool commits) {
    auto writer = this->store_.writer().value();
    EXPECT_EQ(writer->put(record).value(), PutOutcome::kInserted);
    EXPECT_EQ(writer->redacted_count().value(), 1u);
    EXPECT_FALSE(writer->put_redacted(conformance::redacted(record)).value());
    if (commits) {
      ASSERT_TRUE(writer->commit());
    }
  };
  put(false);
  EXPECT_EQ(this->store_.reader().value()->redacted_count().value(), 2u);
  put(true);
  auto reader = this->store_.reader().value();
  EXPECT_EQ(conformance::all_redacted(*reader), std::vector{conformance::text_of(conformance::redacted(other))});
  EXPECT_EQ(reader->counts().value().records, 1u);
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreBesideRecords, ARolledBackMarkRestoresBoth) {
  const Record record = conformance::nth(1);
  const Record late = conformance::nth(2);
  auto writer = this->store_.writer().value();
  EXPECT_EQ(writer->put(conformance::nth(0)).value(), PutOutcome::kInserted);
  EXPECT_TRUE(writer->put_redacted(conformance::redacted(record)).value());
  ASSERT_TRUE(writer->mark());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(writer->put(record).value(), PutOutcome::kInserted);
    EXPECT_TRUE(writer->put_redacted(conformance::redacted(late)).value());
    ASSERT_TRUE(writer->rollback_to_mark());
    EXPECT_FALSE(writer->contains(record.id).value());
    EXPECT_EQ(conformance::all_redacted(*writer), std::vector{conformance::text_of(conformance::redacted(record))});
  }
  EXPECT_EQ(writer->put(late).value(), PutOutcome::kInserted);
  EXPECT_EQ(writer->put(record).value(), PutOutcome::kInserted);
  EXPECT_EQ(writer->redacted_count().value(), 0u);
}

TYPED_TEST_P(StoreBesideRecords, ClearedRecordsTakeTheRedactedOnesAway) {
  auto writer = this->store_.writer().value();
  EXPECT_TRUE(writer->put_redacted(conformance::redacted(conformance::nth(1))).value());
  ASSERT_TRUE(writer->clear_records());
  EXPECT_EQ(writer->redacted_count().value(), 0u);
  EXPECT_TRUE(writer->put_redacted(conformance::redacted(conformance::nth(1))).value());
}

TYPED_TEST_P(StoreBesideRecords, ManyRecordsTakeTheirRedactedOnesAwayToo) {
  {
    auto writer = this->store_.writer().value();
    for (std::uint64_t n = 0; n < 10; ++n)
      EXPECT_TRUE(writer->put_redacted(conformance::redacted(conformance::nth(n * 50))).value());
    ASSERT_TRUE(writer->commit());
  }
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->expect_many_distinct());
  for (std::uint64_t n = 0; n < 201; ++n) ASSERT_EQ(writer->put(conformance::nth(n)).value(), PutOutcome::kInserted);
  EXPECT_FALSE(writer->put_redacted(conformance::redacted(conformance::nth(50))).value());
  EXPECT_TRUE(writer->put_redacted(conformance::redacted(conformance::nth(1000))).value());
  ASSERT_TRUE(writer->commit());
  writer.reset();
  EXPECT_EQ(this->store_.reader().value()->redacted_count().value(), 6u);
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreBesideRecords, AChangeOfWhatTakesEffectIsToldByItsCommit) {
  const Record plain = conformance::nth(1);
  const Record bare =
      conformance::make({.actor = crypto::did_of(conformance::signer().public_key()), .thread = "th_consent"});
  Record filled = bare;
  filled.sig = conformance::signer().sign(bare.canonical);
  std::uint64_t last = this->store_.authority_generation();
  const auto has_changed = [&] { return std::exchange(last, this->store_.authority_generation()) != last; };
  conformance::put(this->store_, {plain});
  EXPECT_FALSE(has_changed()) << "an ordinary thread";
  {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->put(bare));
    EXPECT_FALSE(has_changed()) << "not committed yet";
  }
  EXPECT_FALSE(has_changed()) << "nor ever";
  conformance::put(this->store_, {bare});
  EXPECT_TRUE(has_changed());
  conformance::put(this->store_, {bare, plain});
  EXPECT_FALSE(has_changed()) << "there already";
  conformance::put(this->store_, {filled});
  EXPECT_TRUE(has_changed()) << "a signature";
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->clear_records());
  ASSERT_TRUE(writer->commit());
  EXPECT_TRUE(has_changed()) << "taken away";
}

TYPED_TEST_P(StoreBesideRecords, ArrivalsAreThoseOfTheTransactionsThatPutSomething) {
  auto& clock = this->backend_.clock;
  const auto now = [&clock] {
    return std::chrono::floor<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  };
  const std::int64_t begin = now();
  conformance::put(this->store_, {conformance::nth(1), conformance::nth(2)});
  conformance::put(this->store_, {conformance::nth(3)});
  clock.advance(std::chrono::seconds(10));
  conformance::put(this->store_, {conformance::nth(3)});  // there already
  {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->mark());
    ASSERT_TRUE(writer->put(conformance::nth(4)));
    ASSERT_TRUE(writer->rollback_to_mark());
    ASSERT_TRUE(writer->mark());
    ASSERT_TRUE(writer->put(conformance::nth(5)));
    ASSERT_TRUE(writer->commit());
  }
  clock.advance(std::chrono::seconds(10));
  {
    ASSERT_TRUE(this->store_.writer().value()->put(conformance::nth(6)));
  }  // not committed
  const auto reader = this->store_.reader().value();
  std::vector<std::int64_t> arrived;
  ASSERT_TRUE(reader->changes(0, 100, {}, [&](const StoredRecord& row) -> Result<void> {
    arrived.push_back(TRY(reader->arrival(row.sequence))->at - begin);
    return {};
  }));
  EXPECT_EQ(arrived, (std::vector<std::int64_t>{0, 0, 0, 10}));
  EXPECT_EQ(reader->first_arrived_since(begin).value(), 1u);
  EXPECT_EQ(reader->first_arrived_since(begin + 1).value(), 4u);
  EXPECT_EQ(reader->first_arrived_since(begin + 11).value(), std::nullopt);
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->clear_records());
  EXPECT_FALSE(writer->arrival(1).value());
}

TYPED_TEST_P(StoreBesideRecords, TheNewestComeFirst) {
  conformance::put(this->store_, {conformance::nth(1), conformance::nth(2), conformance::nth(3), conformance::nth(4)});
  const auto reader = this->store_.reader().value();
  std::vector<std::uint64_t> all;
  std::string last_thread;
  ASSERT_TRUE(reader->newest_first(1, {}, [&](const StoredRecord& row) -> Result<void> {
    if (all.empty()) last_thread = TRY(parse_row(row)).thread;
    all.push_back(row.sequence);
    return {};
  }));
  EXPECT_EQ(all, (std::vector<std::uint64_t>{4, 3, 2}));
  std::vector<std::uint64_t> forward;
  ASSERT_TRUE(reader->changes(0, 100, last_thread, [&](const StoredRecord& row) -> Result<void> {
    forward.push_back(row.sequence);
    return {};
  }));
  std::vector<std::uint64_t> backward;
  ASSERT_TRUE(reader->newest_first(0, last_thread, [&](const StoredRecord& row) -> Result<void> {
    backward.insert(backward.begin(), row.sequence);
    return {};
  }));
  EXPECT_EQ(backward, forward);
  EXPECT_TRUE(
      reader->newest_first(0, "none", [](const StoredRecord&) -> Result<void> { return fail("there is one"); }));
}

TYPED_TEST_P(StoreBesideRecords, AnswersAreKeptUntilTheyAreTooOld) {
  const Digest one = crypto::sha256("one");
  const Digest other = crypto::sha256("other");
  auto writer = this->store_.writer().value();
  EXPECT_FALSE(writer->kept_answer(one).value());
  ASSERT_TRUE(writer->keep_answer(one, {100, crypto::sha256("asked"), "{\"id\":\"x\"}"}, 0));
  ASSERT_TRUE(writer->keep_answer(other, {200, crypto::sha256("asked"), "y"}, 100));
  const auto kept = writer->kept_answer(one).value();
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->made_at, 100);
  EXPECT_EQ(kept->request, crypto::sha256("asked"));
  EXPECT_EQ(kept->answer, "{\"id\":\"x\"}");
  ASSERT_TRUE(writer->keep_answer(other, {300, crypto::sha256("more"), "z"}, 101));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  const auto reader = this->store_.reader().value();
  EXPECT_FALSE(reader->kept_answer(one).value());
  EXPECT_EQ(reader->kept_answer(other).value()->answer, "z");
}

REGISTER_TYPED_TEST_SUITE_P(StoreBesideRecords, SettingsAreKeptAndReplaced, SettingsAreFoundByTheirBeginning,
                            ARemovedSettingIsGoneOnceThatIsCommitted, TokensAreKeptReplacedAndRemoved,
                            ARedactedRecordIsKeptAndIsNoRecord, WhatNoRecordCanHaveIsNotKeptOfARedactedOne,
                            RedactedRecordsComeInOrderOfIdAndAVisitorMayEndThat,
                            TheWholeRecordTakesThePlaceOfTheRedactedOne, ARolledBackMarkRestoresBoth,
                            ClearedRecordsTakeTheRedactedOnesAway, ManyRecordsTakeTheirRedactedOnesAwayToo,
                            AChangeOfWhatTakesEffectIsToldByItsCommit,
                            ArrivalsAreThoseOfTheTransactionsThatPutSomething, TheNewestComeFirst,
                            AnswersAreKeptUntilTheyAreTooOld);

}  // namespace spl::store
