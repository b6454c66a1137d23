// For the conformance suites of stores: records to put, what a store says of them, and a model that a store must be
// like.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/did_key.h"
#include "store/record_store.h"

namespace spl::store::conformance {

// ---- records to put ----

struct Draft {
  std::string act = "DO";
  std::string actor = "did:x:a";
  std::string thread = "t";
  std::uint64_t clock = 0;
  std::string body = "{}";
  std::vector<RecordId> parents = {};
};

inline Record make(const Draft& draft) {
  std::vector<RecordId> parents = draft.parents;
  std::sort(parents.begin(), parents.end());
  parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
  std::string list;
  for (const RecordId& id : parents) list += (list.empty() ? "\"" : ",\"") + id.hex() + "\"";
  std::string thread;
  base::append_json_string(thread, draft.thread);
  return record::parse_record("{\"act\":\"" + draft.act + "\",\"actor\":\"" + draft.actor +
                              "\",\"body\":" + draft.body + ",\"clock\":" + std::to_string(draft.clock) +
                              ",\"data_type\":\"VOID\",\"parents\":[" + list + "],\"thread\":" + thread + "}")
      .value();
}

// The n-th of many records that differ.
inline Record nth(std::uint64_t n, const std::string& thread = "t") {
  return make({.thread = thread, .clock = n, .body = "{\"n\":" + std::to_string(n) + "}"});
}

inline std::string naming(const std::string& member, const RecordId& id) {
  return "{\"" + member + "\":\"" + id.hex() + "\"}";
}

// What a peer that does not give the body gives of a record.
inline RedactedRecord redacted(const Record& record) {
  return {record.id, record.thread, record.actor, record.act, record.clock, "did:x:peer"};
}

inline const crypto::SigningKey& signer() {
  static const crypto::SigningKey key = crypto::SigningKey::from_seed(std::string(32, 'k')).value();
  return key;
}

// ---- what a store says ----

struct Row {
  RecordId id;
  std::uint64_t sequence = 0;
  std::string canonical;
  std::optional<std::string> judged_by;
  std::optional<std::string> sig;
  bool operator==(const Row&) const = default;
};

inline Row row_of(const StoredRecord& stored) {
  Row row{stored.id, stored.sequence, std::string(stored.canonical), {}, {}};
  if (stored.judged_by) row.judged_by = std::string(*stored.judged_by);
  if (stored.sig) row.sig = std::string(*stored.sig);
  return row;
}

inline RecordVisitor collect(std::vector<Row>& rows) {
  return [&rows](const StoredRecord& stored) -> Result<void> {
    rows.push_back(row_of(stored));
    return {};
  };
}

inline std::vector<Row> all(StoreReader& reader) {
  std::vector<Row> rows;
  EXPECT_TRUE(reader.changes(0, UINT64_MAX, {}, collect(rows)));
  return rows;
}

inline std::vector<Row> in_thread(StoreReader& reader, std::string_view thread, RecordOrder order) {
  std::vector<Row> rows;
  EXPECT_TRUE(reader.thread_records(thread, order, collect(rows)));
  return rows;
}

inline std::vector<RecordId> ids(const std::vector<Row>& rows) {
  std::vector<RecordId> list;
  for (const Row& row : rows) list.push_back(row.id);
  return list;
}

inline std::vector<ThreadSummary> summaries(StoreReader& reader) {
  std::vector<ThreadSummary> list;
  EXPECT_TRUE(reader.threads([&list](const ThreadSummary& summary) -> Result<void> {
    list.push_back(summary);
    return {};
  }));
  return list;
}

inline std::string text_of(const RedactedRecord& known) {
  return known.id.hex() + " " + known.thread + " " + known.actor + " " + std::string(record::act_name(known.act)) +
         " " + std::to_string(known.clock) + " " + known.peer;
}

inline std::vector<std::string> all_redacted(StoreReader& reader) {
  std::vector<std::string> list;
  EXPECT_TRUE(reader.redacted([&list](const RedactedRecord& known) -> Result<void> {
    list.push_back(text_of(known));
    return {};
  }));
  return list;
}

inline std::vector<PutOutcome> put(RecordStore& store, const std::vector<Record>& records) {
  auto writer = store.writer().value();
  std::vector<PutOutcome> outcomes;
  for (const Record& record : records) outcomes.push_back(writer->put(record).value());
  EXPECT_TRUE(writer->commit());
  return outcomes;
}

inline std::uint64_t count(RecordStore& store) {
  return store.reader().value()->counts().value().records;
}

// ---- a simple model: the list of records, and everything found by going through it ----

struct Model {
  std::vector<Record> log;  // the record of sequence n is log[n - 1]
  std::map<std::string, std::string> settings;
  std::map<RecordId, RedactedRecord> redacted;

  bool put_redacted(const RedactedRecord& known) {
    return std::ranges::find(log, known.id, &Record::id) == log.end() && redacted.emplace(known.id, known).second;
  }

  PutOutcome put(const Record& record) {
    const auto at = std::ranges::find(log, record.id, &Record::id);
    if (at == log.end()) {
      log.push_back(record);
      redacted.erase(record.id);
      return PutOutcome::kInserted;
    }
    const bool differs = record.judged_by != at->judged_by;
    const bool lacks = !at->sig || (record::is_reserved(at->thread) && !record::signature_is_valid(*at));
    if (lacks && record::signature_is_valid(record)) {
      at->sig = record.sig;
      if (!differs) return PutOutcome::kSigFilled;
    }
    return differs ? PutOutcome::kDiffers : PutOutcome::kDuplicate;
  }

  [[nodiscard]] std::vector<Row> rows(const std::optional<std::string>& thread = {}) const {
    std::vector<Row> list;
    for (std::size_t i = 0; i < log.size(); ++i) {
      if (thread && log[i].thread != *thread) continue;
      Row row{log[i].id, i + 1, log[i].canonical, log[i].judged_by, {}};
      if (log[i].sig) row.sig = std::string(log[i].sig->view());
      list.push_back(row);
    }
    return list;
  }

  void expect_same_redacted(StoreReader& reader) const {
    std::vector<std::string> known;
    for (const auto& [id, of] : redacted) known.push_back(text_of(of));
    EXPECT_EQ(all_redacted(reader), known);
    EXPECT_EQ(reader.redacted_count().value(), known.size());
  }

  // Everything that `reader` says is what the model has. Sequences are compared by their order: a store may leave gaps.
  void expect_same(StoreReader& reader) const {
    std::vector<Row> rows_there = all(reader);
    std::map<RecordId, std::uint64_t> sequences;
    std::map<RecordId, const Record*> records;
    for (std::size_t i = 0; i < rows_there.size(); ++i) {
      if (i > 0) {
        ASSERT_GT(rows_there[i].sequence, rows_there[i - 1].sequence);
      }
      sequences[rows_there[i].id] = std::exchange(rows_there[i].sequence, i + 1);
    }
    ASSERT_EQ(rows_there, rows());
    std::map<std::string, std::vector<const Record*>> threads;  // by directory
    for (const Record& record : log) {
      threads[record::thread_directory(record.thread)].push_back(&record);
      records[record.id] = &record;
    }
    const StoreCounts counts = reader.counts().value();
    EXPECT_EQ(counts.records, log.size());
    EXPECT_EQ(counts.threads, threads.size());
    EXPECT_EQ(reader.log_size().value(), log.size());

    const std::vector<ThreadSummary> found = summaries(reader);
    ASSERT_EQ(found.size(), threads.size());
    std::size_t at = 0;
    std::vector<std::pair<std::string, RecordId>> bundle;
    for (auto& [directory, members] : threads) {
      const std::string& thread = members.front()->thread;
      const auto fold = record::ThreadFold::of({members.begin(), members.end()});
      std::map<std::string, std::uint64_t> clocks;
      for (const Record* record : members) {
        std::uint64_t& next = clocks[record->actor];
        next = std::max(next, record->clock + 1);
      }
      const ThreadSummary alone = reader.thread(thread).value().value();
      for (const ThreadSummary& summary : {found[at], alone}) {
        EXPECT_EQ(summary.thread, thread);
        EXPECT_EQ(summary.state, fold.state()) << thread;
        EXPECT_EQ(summary.records, members.size());
        EXPECT_EQ(summary.last_sequence, sequences[members.back()->id]);
      }
      ++at;
      for (const auto& [actor, next] : clocks) EXPECT_EQ(reader.next_clock(actor, thread).value(), next);
      EXPECT_EQ(reader.next_clock("did:x:nobody", thread).value(), 0u);

      std::vector<RecordId> expected;
      for (const Record* record : members) expected.push_back(record->id);
      EXPECT_EQ(ids(in_thread(reader, thread, RecordOrder::kSequence)), expected);
      std::ranges::sort(members, {}, [](const Record* r) { return std::tie(r->clock, r->id); });
      std::vector<RecordId> by_clock;
      for (const Record* record : members) by_clock.push_back(record->id);
      EXPECT_EQ(ids(in_thread(reader, thread, RecordOrder::kClock)), by_clock);
      std::vector<RecordId> any = ids(in_thread(reader, thread, RecordOrder::kAny));
      std::ranges::sort(any);
      std::ranges::sort(expected);
      EXPECT_EQ(any, expected);
      for (const RecordId& id : expected) bundle.emplace_back(directory, id);
    }

    std::vector<std::pair<std::string, RecordId>> bundle_there;
    EXPECT_TRUE(reader.bundle_order([&](std::string_view directory, const StoredRecord& stored) -> Result<void> {
      bundle_there.emplace_back(std::string(directory), stored.id);
      EXPECT_EQ(stored.sequence, sequences[stored.id]);
      EXPECT_EQ(stored.canonical, records[stored.id]->canonical);
      return {};
    }));
    std::ranges::sort(bundle, {}, [](const auto& e) { return record::record_path(e.first, e.second); });
    EXPECT_EQ(bundle_there, bundle);
    expect_same_redacted(reader);
    for (const auto& [name, value] : settings) EXPECT_EQ(reader.setting(name).value(), value);
  }
};

}  // namespace spl::store::conformance
