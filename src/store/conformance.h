// What every store::RecordStore does, as tests; conformance_load.h has those of bulk, chance and threads,
// conformance_beside.h those of what is kept beside the records. A test program gives them a backend:
//   struct MyBackend { FakeClock clock; std::unique_ptr<RecordStore> store = ...; };  // an empty store of its own,
//   made anew each time INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreConformance, MyBackend);
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreUnderLoad, MyBackend);
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, StoreBesideRecords, MyBackend);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/conformance_model.h"

namespace spl::store {

using conformance::Row;

template <class Backend>
class StoreConformance : public ::testing::Test {
 protected:
  Backend backend_;
  RecordStore& store_ = *backend_.store;
};

TYPED_TEST_SUITE_P(StoreConformance);

TYPED_TEST_P(StoreConformance, IsEmptyAtFirst) {
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->counts().value().records, 0u);
  EXPECT_EQ(reader->counts().value().threads, 0u);
  EXPECT_EQ(reader->log_size().value(), 0u);
  EXPECT_FALSE(reader->contains(RecordId()).value());
  EXPECT_EQ(reader->find(RecordId()).value(), std::nullopt);
  EXPECT_EQ(conformance::all(*reader).size(), 0u);
  EXPECT_EQ(conformance::summaries(*reader).size(), 0u);
  EXPECT_FALSE(reader->thread("").value());
  EXPECT_EQ(conformance::in_thread(*reader, "t", RecordOrder::kClock).size(), 0u);
  EXPECT_EQ(reader->next_clock("did:x:a", "t").value(), 0u);
  EXPECT_EQ(reader->setting(kDidSetting).value(), std::nullopt);
  EXPECT_TRUE(reader->tokens().value().empty());
  EXPECT_TRUE(this->store_.check());
  EXPECT_NE(this->store_.name(), "");
}

TYPED_TEST_P(StoreConformance, HasAnIncarnationThatChangesOnlyWhenTold) {
  const std::string first = this->store_.reader().value()->incarnation().value();
  EXPECT_TRUE(base::from_hex(first));
  EXPECT_EQ(first.size(), 32u);
  TypeParam other;
  EXPECT_NE(other.store->reader().value()->incarnation().value(), first);
  const std::string second(32, 'a');
  {
    auto writer = this->store_.writer().value();
    EXPECT_EQ(writer->incarnation().value(), first);
    ASSERT_TRUE(writer->new_incarnation(second));
    EXPECT_EQ(writer->incarnation().value(), second);
  }
  EXPECT_EQ(this->store_.reader().value()->incarnation().value(), first);
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->new_incarnation(second));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(this->store_.reader().value()->incarnation().value(), second);
}

TYPED_TEST_P(StoreConformance, ClearedRecordsAreGoneAndTheRestStays) {
  const Record old = conformance::nth(1);
  const Record fresh = conformance::nth(2, "u");
  const auto replace = [&](bool commits) {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->clear_records());
    EXPECT_EQ(writer->counts().value().records, 0u);
    EXPECT_FALSE(writer->contains(old.id).value());
    EXPECT_EQ(writer->next_clock("did:x:a", "t").value(), 0u);
    ASSERT_TRUE(writer->expect_many_distinct());
    EXPECT_EQ(writer->put(fresh).value(), PutOutcome::kInserted);
    EXPECT_EQ(writer->put(conformance::nth(0)).value(), PutOutcome::kInserted);
    if (commits) {
      ASSERT_TRUE(writer->commit());
    }
  };
  {
    auto writer = this->store_.writer().value();
    EXPECT_EQ(writer->put(old).value(), PutOutcome::kInserted);
    ASSERT_TRUE(writer->set_setting("kept", "yes"));
    ASSERT_TRUE(writer->commit());
  }
  replace(false);
  EXPECT_TRUE(this->store_.reader().value()->contains(old.id).value());
  EXPECT_EQ(this->store_.reader().value()->counts().value().records, 1u);
  replace(true);
  auto reader = this->store_.reader().value();
  EXPECT_FALSE(reader->contains(old.id).value());
  EXPECT_TRUE(reader->contains(fresh.id).value());
  EXPECT_EQ(reader->counts().value().records, 2u);
  EXPECT_EQ(reader->counts().value().threads, 2u);
  EXPECT_EQ(reader->log_size().value(), 2u);
  EXPECT_EQ(reader->thread("t").value()->records, 1u);
  EXPECT_EQ(reader->setting("kept").value(), "yes");
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreConformance, GivesBackWhatWasPut) {
  Record record =
      conformance::make({.act = "KNOW",
                         .actor = "did:x:\\u0000\\\"",
                         .thread = "é/%.",
                         .clock = INT64_MAX,
                         .body = "{\"big\":123456789012345678901234567890,\"odd\":\"\\u0000\\ud83d\\ude00\\u2028\"}"});
  record.judged_by = std::string("j\0\xF0\x9F\x98\x80", 6);
  record.sig = crypto::Signature::from(std::string(64, '\0'));
  Record plain = conformance::nth(1);
  plain.judged_by = "";
  conformance::put(this->store_, {record, plain});
  auto reader = this->store_.reader().value();
  for (const Record& expected : {record, plain}) {
    EXPECT_TRUE(reader->contains(expected.id).value());
    const Record found = reader->find(expected.id).value().value();
    EXPECT_EQ(found.id, expected.id);
    EXPECT_EQ(found.canonical, expected.canonical);
    EXPECT_EQ(found.act, expected.act);
    EXPECT_EQ(found.actor, expected.actor);
    EXPECT_EQ(found.clock, expected.clock);
    EXPECT_EQ(found.thread, expected.thread);
    EXPECT_EQ(found.judged_by, expected.judged_by);
    EXPECT_EQ(found.sig, expected.sig);
    EXPECT_EQ(found.body(), expected.body());
    EXPECT_EQ(found.parents(), expected.parents());
  }
  conformance::Model model;
  model.put(record);
  model.put(plain);
  EXPECT_EQ(conformance::all(*reader), model.rows());
}

TYPED_TEST_P(StoreConformance, ADuplicateIsASilentNoOp) {
  using enum PutOutcome;
  const Record record = conformance::nth(1);
  EXPECT_EQ(conformance::put(this->store_, {record, record}), (std::vector{kInserted, kDuplicate}));
  EXPECT_EQ(conformance::put(this->store_, {record, conformance::nth(2), record}),
            (std::vector{kDuplicate, kInserted, kDuplicate}));
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->counts().value().records, 2u);
  EXPECT_EQ(reader->thread("t").value()->records, 2u);
  EXPECT_EQ(conformance::all(*reader).size(), 2u);
}

TYPED_TEST_P(StoreConformance, AnAbsentSignatureIsFilledByAValidOneOnly) {
  using enum PutOutcome;
  const Record bare = conformance::make({.actor = crypto::did_of(conformance::signer().public_key())});
  Record invalid = bare;
  invalid.sig = crypto::Signature::from(std::string(64, 'x'));
  Record valid = bare;
  valid.sig = conformance::signer().sign(bare.canonical);
  EXPECT_EQ(conformance::put(this->store_, {bare, invalid}), (std::vector{kInserted, kDuplicate}));
  EXPECT_FALSE(this->store_.reader().value()->find(bare.id).value()->sig);
  EXPECT_EQ(conformance::put(this->store_, {valid, valid, bare, invalid}),
            (std::vector{kSigFilled, kDuplicate, kDuplicate, kDuplicate}));
  EXPECT_EQ(this->store_.reader().value()->find(bare.id).value()->sig, valid.sig);
  EXPECT_EQ(conformance::count(this->store_), 1u);
}

TYPED_TEST_P(StoreConformance, AWrongSignatureThatCameFirstIsCarried) {
  using enum PutOutcome;
  Record invalid = conformance::make({.actor = crypto::did_of(conformance::signer().public_key())});
  invalid.sig = crypto::Signature::from(std::string(64, 'x'));
  Record valid = invalid;
  valid.sig = conformance::signer().sign(invalid.canonical);
  EXPECT_EQ(conformance::put(this->store_, {invalid, valid}), (std::vector{kInserted, kDuplicate}));
  EXPECT_EQ(this->store_.reader().value()->find(invalid.id).value()->sig, invalid.sig);
}

TYPED_TEST_P(StoreConformance, OnAReservedThreadARightSignatureTakesThePlaceOfAWrongOne) {
  using enum PutOutcome;
  const std::string did = crypto::did_of(conformance::signer().public_key());
  Record invalid = conformance::make({.actor = did, .thread = "th_consent"});
  invalid.sig = crypto::Signature::from(std::string(64, 'x'));
  Record valid = invalid;
  valid.sig = conformance::signer().sign(invalid.canonical);
  const auto is_signed = [this, &valid] {
    bool found = false;
    EXPECT_TRUE(this->store_.reader().value()->look(valid.id, [&found](const StoredRecord& row) -> Result<void> {
      found = row.is_signed;
      return {};
    }));
    return found;
  };
  EXPECT_EQ(conformance::put(this->store_, {invalid, invalid}), (std::vector{kInserted, kDuplicate}));
  EXPECT_FALSE(is_signed());
  EXPECT_EQ(conformance::put(this->store_, {valid, invalid, valid}), (std::vector{kSigFilled, kDuplicate, kDuplicate}));
  EXPECT_TRUE(is_signed());
  EXPECT_EQ(this->store_.reader().value()->find(valid.id).value()->sig, valid.sig);
}

TYPED_TEST_P(StoreConformance, IdsAreFoundByTheirBeginning) {
  std::vector<RecordId> ids;
  for (int i = 0; i < 300; ++i) {
    const Record record = conformance::nth(i);
    conformance::put(this->store_, {record});
    ids.push_back(record.id);
  }
  std::ranges::sort(ids);
  const auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->ids_beginning("", 1000).value(), ids);
  EXPECT_EQ(reader->ids_beginning("", 2).value(), std::vector<RecordId>(ids.begin(), ids.begin() + 2));
  for (const RecordId& id : ids) {
    for (const std::size_t digits : {1u, 2u, 3u, 63u, 64u}) {
      const std::string beginning = id.hex().substr(0, digits);
      std::vector<RecordId> expected;
      for (const RecordId& other : ids) {
        if (other.hex().starts_with(beginning)) expected.push_back(other);
      }
      EXPECT_EQ(reader->ids_beginning(beginning, 1000).value(), expected) << beginning;
    }
  }
  const auto writer = this->store_.writer().value();
  const Record late = conformance::nth(1000);
  ASSERT_TRUE(writer->put(late));
  EXPECT_EQ(writer->ids_beginning(late.id.hex(), 2).value(), std::vector{late.id});
  EXPECT_EQ(reader->ids_beginning(late.id.hex(), 2).value(), std::vector<RecordId>());
}

TYPED_TEST_P(StoreConformance, ADifferentJudgedByIsKeptAsFirstSeen) {
  using enum PutOutcome;
  const Record absent = conformance::nth(1);
  Record first = absent;
  first.judged_by = "first";
  Record second = absent;
  second.judged_by = "second";
  EXPECT_EQ(conformance::put(this->store_, {first, second, first, absent}),
            (std::vector{kInserted, kDiffers, kDuplicate, kDiffers}));
  EXPECT_EQ(this->store_.reader().value()->find(first.id).value()->judged_by, "first");
  const Record other = conformance::nth(2);
  Record judged = other;
  judged.judged_by = "late";
  EXPECT_EQ(conformance::put(this->store_, {other, judged}), (std::vector{kInserted, kDiffers}));
  EXPECT_EQ(this->store_.reader().value()->find(other.id).value()->judged_by, std::nullopt);
}

TYPED_TEST_P(StoreConformance, TwoRecordsOfOneClockAreBothKept) {
  const Record a = conformance::make({.clock = 5, .body = "{\"a\":1}"});
  const Record b = conformance::make({.clock = 5, .body = "{\"b\":1}"});
  conformance::put(this->store_, {a, b});
  auto reader = this->store_.reader().value();
  EXPECT_EQ(reader->thread("t").value()->records, 2u);
  EXPECT_EQ(reader->next_clock("did:x:a", "t").value(), 6u);
  EXPECT_EQ(conformance::ids(conformance::in_thread(*reader, "t", RecordOrder::kClock)),
            (std::vector{std::min(a.id, b.id), std::max(a.id, b.id)}));
  EXPECT_EQ(conformance::ids(conformance::in_thread(*reader, "t", RecordOrder::kSequence)), (std::vector{a.id, b.id}));
}

TYPED_TEST_P(StoreConformance, NextClockFollowsTheLargestOfActorAndThread) {
  const auto of = [](const std::string& actor, const std::string& thread, std::uint64_t clock) {
    return conformance::make({.actor = actor, .thread = thread, .clock = clock});
  };
  conformance::put(this->store_, {of("did:x:a", "t", 7), of("did:x:a", "t", 3), of("did:x:b", "t", 0),
                                  of("did:x:a", "u", INT64_MAX)});
  auto writer = this->store_.writer().value();
  EXPECT_EQ(writer->next_clock("did:x:a", "t").value(), 8u);
  EXPECT_EQ(writer->next_clock("did:x:b", "t").value(), 1u);
  EXPECT_EQ(writer->next_clock("did:x:b", "u").value(), 0u);
  EXPECT_EQ(writer->next_clock("did:x:a", "v").value(), 0u);
  EXPECT_FALSE(writer->next_clock("did:x:a", "u"));
  ASSERT_TRUE(writer->put(of("did:x:a", "t", 20)));
  EXPECT_EQ(writer->next_clock("did:x:a", "t").value(), 21u);
  ASSERT_TRUE(writer->put(of("did:x:a", "t", 8)));
  EXPECT_EQ(writer->next_clock("did:x:a", "t").value(), 21u);
}

TYPED_TEST_P(StoreConformance, NobodyElseBringsTheClockOfAKeyToItsEnd) {
  const std::string did = crypto::did_of(conformance::signer().public_key());
  const auto of = [&did](std::uint64_t clock) { return conformance::make({.actor = did, .clock = clock}); };
  const auto signed_of = [&of](std::uint64_t clock) {
    Record record = of(clock);
    record.sig = conformance::signer().sign(record.canonical);
    return record;
  };
  Record forged = of(INT64_MAX - 1);
  forged.sig = conformance::signer().sign("something else");
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->put(of(INT64_MAX)));
  EXPECT_EQ(writer->next_clock(did, "t").value(), 0u);
  for (const Record& record : {signed_of(4), of(6), forged}) ASSERT_TRUE(writer->put(record));
  EXPECT_EQ(writer->next_clock(did, "t").value(), 7u);
  const std::uint64_t far = std::uint64_t{1} << 62;
  ASSERT_TRUE(writer->put(signed_of(far)));
  EXPECT_EQ(writer->next_clock(did, "t").value(), far + 1);
  ASSERT_TRUE(writer->put(signed_of(INT64_MAX)));
  EXPECT_FALSE(writer->next_clock(did, "t"));
}

TYPED_TEST_P(StoreConformance, AReaderSeesOneUnchangingState) {
  const std::string did = crypto::did_of(conformance::signer().public_key());
  const Record bare = conformance::make({.actor = did});
  Record filled = bare;
  filled.sig = conformance::signer().sign(bare.canonical);
  conformance::put(this->store_, {bare, conformance::nth(1)});
  auto before = this->store_.reader().value();
  const auto rows = conformance::all(*before);
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->put(conformance::nth(2)));
  ASSERT_TRUE(writer->put(conformance::nth(3, "u")));
  ASSERT_TRUE(writer->put(filled));
  ASSERT_TRUE(writer->set_setting("s", "v"));
  auto during = this->store_.reader().value();
  const auto expect_old = [&](StoreReader& reader) {
    EXPECT_EQ(conformance::all(reader), rows);
    EXPECT_EQ(reader.counts().value().records, 2u);
    EXPECT_EQ(reader.counts().value().threads, 1u);
    EXPECT_EQ(reader.log_size().value(), 2u);
    EXPECT_EQ(reader.thread("t").value()->records, 2u);
    EXPECT_FALSE(reader.thread("u").value());
    EXPECT_EQ(reader.setting("s").value(), std::nullopt);
    EXPECT_EQ(reader.next_clock("did:x:a", "t").value(), 2u);
    EXPECT_FALSE(reader.find(bare.id).value()->sig);
  };
  expect_old(*before);
  expect_old(*during);
  ASSERT_TRUE(writer->commit());
  writer.reset();
  expect_old(*before);
  expect_old(*during);
  conformance::put(this->store_, {conformance::nth(4)});
  expect_old(*before);
  auto after = this->store_.reader().value();
  EXPECT_EQ(after->counts().value().records, 5u);
  EXPECT_EQ(after->setting("s").value(), "v");
  EXPECT_TRUE(after->find(bare.id).value()->sig);
}

TYPED_TEST_P(StoreConformance, AWriterReadsWhatItWrote) {
  conformance::Model model;
  auto writer = this->store_.writer().value();
  for (std::uint64_t n = 0; n < 30; ++n) {
    const Record record = conformance::nth(n, "t" + std::to_string(n % 3));
    EXPECT_EQ(writer->put(record).value(), model.put(record));
    EXPECT_TRUE(writer->contains(record.id).value());
    EXPECT_EQ(writer->find(record.id).value()->canonical, record.canonical);
    if (n % 7 == 0) model.expect_same(*writer);
  }
  model.expect_same(*writer);
  EXPECT_EQ(conformance::count(this->store_), 0u);
}

TYPED_TEST_P(StoreConformance, AWriterThatIsDroppedLeavesNothing) {
  const Record kept = conformance::nth(0, "kept");
  conformance::put(this->store_, {kept});
  for (int round = 0; round < 2; ++round) {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->put(conformance::nth(1, "new")));
    ASSERT_TRUE(writer->put(conformance::make({.actor = "did:x:new", .thread = "kept", .clock = 9})));
    ASSERT_TRUE(writer->set_setting("s", "v"));
    ASSERT_TRUE(writer->put_token({Digest(), "a", {}, "now", {}}));
  }
  conformance::Model model;
  model.put(kept);
  {
    auto reader = this->store_.reader().value();
    model.expect_same(*reader);
    EXPECT_EQ(reader->setting("s").value(), std::nullopt);
    EXPECT_TRUE(reader->tokens().value().empty());
    EXPECT_EQ(reader->next_clock("did:x:new", "kept").value(), 0u);
  }
  // Names that the dropped writer met first are met anew, in another order.
  for (const Record& record :
       {conformance::nth(5, "other"), conformance::make({.actor = "did:x:z", .thread = "new"}),
        conformance::make({.actor = "did:x:new", .thread = "kept", .clock = 9}), conformance::nth(1, "new")}) {
    model.put(record);
    conformance::put(this->store_, {record});
  }
  model.expect_same(*this->store_.reader().value());
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreConformance, RollbackToTheMarkTakesBackWhatCameAfterIt) {
  conformance::Model model;
  auto writer = this->store_.writer().value();
  const auto put = [&](const Record& record) { EXPECT_EQ(writer->put(record).value(), model.put(record)); };
  put(conformance::nth(1, "a"));
  ASSERT_TRUE(writer->mark());
  put(conformance::nth(2, "b"));
  put(conformance::nth(3, "a"));
  ASSERT_TRUE(writer->mark());  // the first mark is forgotten
  const conformance::Model at_mark = model;
  for (int round = 0; round < 3; ++round) {
    put(conformance::nth(4, "c"));
    put(conformance::make({.actor = "did:x:new", .thread = "a", .clock = 50}));
    ASSERT_TRUE(writer->set_setting("s", "v"));
    model.expect_same(*writer);
    ASSERT_TRUE(writer->rollback_to_mark());
    model = at_mark;
    model.expect_same(*writer);
    EXPECT_EQ(writer->setting("s").value(), std::nullopt);
  }
  put(conformance::nth(6, "d"));
  put(conformance::nth(4, "c"));
  put(conformance::make({.actor = "did:x:new", .thread = "c", .clock = 50}));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  model.expect_same(*this->store_.reader().value());
  EXPECT_TRUE(this->store_.check());
}

TYPED_TEST_P(StoreConformance, AMarkDoesNotOutliveItsWriter) {
  {
    auto writer = this->store_.writer().value();
    ASSERT_TRUE(writer->put(conformance::nth(1)));
    ASSERT_TRUE(writer->mark());
    ASSERT_TRUE(writer->put(conformance::nth(2)));
  }
  EXPECT_EQ(conformance::count(this->store_), 0u);
  auto writer = this->store_.writer().value();
  ASSERT_TRUE(writer->put(conformance::nth(1)));
  ASSERT_TRUE(writer->mark());
  ASSERT_TRUE(writer->put(conformance::nth(2)));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  EXPECT_EQ(conformance::count(this->store_), 2u);
  conformance::put(this->store_, {conformance::nth(3)});
  EXPECT_EQ(conformance::count(this->store_), 3u);
}

TYPED_TEST_P(StoreConformance, ChangesInPagesCoverAllExactlyOnce) {
  std::vector<Record> records;
  for (std::uint64_t n = 0; n < 101; ++n) records.push_back(conformance::nth(n, n % 3 == 0 ? "a" : "b"));
  conformance::put(this->store_, records);
  auto reader = this->store_.reader().value();
  for (const std::uint64_t limit : {1, 7, 34, 67, 100, 101, 1000}) {
    for (const std::optional<std::string>& thread :
         {std::optional<std::string>(), std::optional<std::string>("a"), std::optional<std::string>("b")}) {
      std::vector<Row> found;
      std::uint64_t since = 0;
      for (;;) {
        std::vector<Row> page;
        ASSERT_TRUE(reader->changes(since, limit, thread, conformance::collect(page)));
        ASSERT_LE(page.size(), limit);
        if (page.empty()) break;
        for (const Row& row : page) {
          ASSERT_GT(row.sequence, since);
          since = row.sequence;
        }
        found.insert(found.end(), page.begin(), page.end());
      }
      std::vector<RecordId> expected;
      for (const Record& record : records) {
        if (!thread || record.thread == *thread) expected.push_back(record.id);
      }
      EXPECT_EQ(conformance::ids(found), expected);
    }
  }
  std::vector<Row> none;
  EXPECT_TRUE(reader->changes(0, 0, {}, conformance::collect(none)));
  EXPECT_TRUE(reader->changes(UINT64_MAX, 10, {}, conformance::collect(none)));
  EXPECT_TRUE(reader->changes(UINT64_MAX, 10, "a", conformance::collect(none)));
  EXPECT_TRUE(reader->changes(0, 10, "c", conformance::collect(none)));
  EXPECT_TRUE(none.empty());
}

TYPED_TEST_P(StoreConformance, BundleOrderIsByPath) {
  // In the order of their paths: %%/ %2E/ %25/ %/ ... a-b/ a.b/ a/ ab/: not that of the ids of the threads, and not
  // that of the directories either.
  const std::vector<std::string> threads = {"",
                                            "%",
                                            ".",
                                            "a",
                                            "A",
                                            "_",
                                            "-",
                                            "é",
                                            "a/b",
                                            "a.b",
                                            "a-b",
                                            "ab",
                                            "~",
                                            std::string(250, '!'),
                                            std::string(201, 'a'),
                                            "z"};
  std::vector<Record> records;
  for (std::uint64_t n = 0; n < 90; ++n) records.push_back(conformance::nth(n, threads[n % threads.size()]));
  conformance::put(this->store_, records);
  std::vector<std::pair<std::string, RecordId>> found;
  ASSERT_TRUE(this->store_.reader().value()->bundle_order(
      [&](std::string_view directory, const StoredRecord& stored) -> Result<void> {
        found.emplace_back(std::string(directory), stored.id);
        return {};
      }));
  std::vector<std::pair<std::string, RecordId>> expected;
  for (const Record& record : records) expected.emplace_back(record::thread_directory(record.thread), record.id);
  std::ranges::sort(expected, {}, [](const auto& e) { return record::record_path(e.first, e.second); });
  EXPECT_EQ(found, expected);
}

TYPED_TEST_P(StoreConformance, AnErrorOfAVisitorEndsTheWalkAndIsGivenBack) {
  conformance::put(this->store_, {conformance::nth(1, "a"), conformance::nth(2, "a"), conformance::nth(3, "b")});
  auto reader = this->store_.reader().value();
  int visits = 0;
  const auto stop = [&visits](const auto&...) -> Result<void> {
    ++visits;
    return fail(ErrorCode::kStop, "enough");
  };
  for (const auto& walk : std::vector<std::function<Result<void>()>>{
           [&] { return reader->thread_records("a", RecordOrder::kClock, stop); },
           [&] { return reader->changes(0, 10, {}, stop); }, [&] { return reader->changes(0, 10, "a", stop); },
           [&] { return reader->bundle_order(stop); }, [&] { return reader->threads(stop); }}) {
    visits = 0;
    const auto walked = walk();
    ASSERT_FALSE(walked);
    EXPECT_EQ(walked.error().code, ErrorCode::kStop);
    EXPECT_EQ(visits, 1);
  }
  EXPECT_EQ(conformance::all(*reader).size(), 3u);
}

TYPED_TEST_P(StoreConformance, AVisitorMayAskTheSameReader) {
  conformance::put(this->store_, {conformance::nth(1, "a"), conformance::nth(2, "a"), conformance::nth(3, "b"),
                                  conformance::nth(4, "c")});
  auto reader = this->store_.reader().value();
  std::vector<std::string> seen;
  ASSERT_TRUE(reader->threads([&](const ThreadSummary& summary) -> Result<void> {
    seen.push_back(summary.thread);
    EXPECT_EQ(conformance::in_thread(*reader, summary.thread, RecordOrder::kClock).size(), summary.records);
    EXPECT_EQ(reader->thread(summary.thread).value()->records, summary.records);
    return {};
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "c"}));
  std::size_t records = 0;
  ASSERT_TRUE(reader->changes(0, 10, {}, [&](const StoredRecord& stored) -> Result<void> {
    const std::string canonical(stored.canonical);
    EXPECT_EQ(reader->find(stored.id).value()->canonical, canonical);
    EXPECT_EQ(stored.canonical, canonical);
    ++records;
    return {};
  }));
  EXPECT_EQ(records, 4u);
}

REGISTER_TYPED_TEST_SUITE_P(StoreConformance, IsEmptyAtFirst, HasAnIncarnationThatChangesOnlyWhenTold,
                            ClearedRecordsAreGoneAndTheRestStays, GivesBackWhatWasPut, ADuplicateIsASilentNoOp,
                            AnAbsentSignatureIsFilledByAValidOneOnly, AWrongSignatureThatCameFirstIsCarried,
                            OnAReservedThreadARightSignatureTakesThePlaceOfAWrongOne, IdsAreFoundByTheirBeginning,
                            ADifferentJudgedByIsKeptAsFirstSeen, TwoRecordsOfOneClockAreBothKept,
                            NextClockFollowsTheLargestOfActorAndThread, NobodyElseBringsTheClockOfAKeyToItsEnd,
                            AReaderSeesOneUnchangingState, AWriterReadsWhatItWrote, AWriterThatIsDroppedLeavesNothing,
                            RollbackToTheMarkTakesBackWhatCameAfterIt, AMarkDoesNotOutliveItsWriter,
                            ChangesInPagesCoverAllExactlyOnce, BundleOrderIsByPath,
                            AnErrorOfAVisitorEndsTheWalkAndIsGivenBack, AVisitorMayAskTheSameReader);

}  // namespace spl::store
