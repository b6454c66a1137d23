// NDJSON: records, one a line. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/record.h"

namespace spl::record {

struct ParsedLines {
  std::vector<Record> records;
  std::uint64_t lines_read = 0;  // the wrong one is the last of them
  std::optional<Error> error;    // of the line after the last record; it does not name the line
};

// A record that is to be put: as parse_record_line() takes it, or without a clock (Record::lacks_clock) and then
// without a signature.
Result<Record> parse_record_to_put(std::string_view json);
// Whole lines, each as parse_record_to_put() takes it; empty ones are passed over, and a line may end with CR LF. Ends
// at the first that is wrong.
ParsedLines parse_record_lines(std::string_view text);

}  // namespace spl::record
