// The records of an instance as they came: what `spl log` shows. Any thread, each with its own reader.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "record/record.h"
#include "store/record_store.h"

namespace spl::operation {

enum class LogOrder : bool { kNewestFirst, kOldestFirst };

// Only records that all of it fits.
struct LogQuery {
  std::optional<std::string> thread;
  std::optional<std::string> actor;
  std::optional<record::Act> act;
  std::optional<std::string> name_space;  // body.namespace: this one, or one below it
  std::optional<std::int64_t> since;      // seconds since 1970: by the time of arrival
  std::optional<std::string> text;        // somewhere in the record
  std::uint64_t limit = ~std::uint64_t{0};
  LogOrder order = LogOrder::kNewestFirst;
};

struct LoggedRecord {
  const store::StoredRecord& row;
  const Record& record;
  std::optional<std::int64_t> arrived_at;  // seconds since 1970; nothing of what a store of an older version had
};
using LogVisitor = std::function<Result<void>(const LoggedRecord&)>;

// Each is checked against its id.
Result<void> read_log(store::StoreReader& reader, const LogQuery& query, const LogVisitor& visit);

}  // namespace spl::operation
