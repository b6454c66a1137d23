// What an operator's monitoring reads, in the Prometheus text format (version 0.0.4): records, pairs, sync, exports and
// imports. docs/ops/METRICS.md lists it. Any thread, on an open instance.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "instance/instance.h"
#include "store/record_store.h"

namespace spl::operation {

inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

Result<std::string> metrics_text(instance::Instance& instance);

// In the transaction that notes a finished one: it is counted, and its time (RFC 3339) is remembered.
Result<void> count_export(store::StoreWriter& writer, std::string_view now);
Result<void> count_import(store::StoreWriter& writer, std::string_view now);

}  // namespace spl::operation
