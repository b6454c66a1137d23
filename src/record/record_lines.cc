#include "record/record_lines.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace spl::record {
namespace {

constexpr std::size_t kRecordBytesTypical = 512;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

// What is good with a clock given, and not without one, lacks it.
Result<Record> parse_record_to_put(std::string_view json) {
  auto record = parse_record_line(json);
  if (record || is_wrapped_record(json)) return record;
  auto draft = parse_record(json, 0);
  if (!draft) return draft;
  if (draft->sig)
    return fail(ErrorCode::kUsage, "a record without a clock has a signature, which cannot be over its clock",
                "sign it with its clock, or leave sig out");
  draft->lacks_clock = true;
  return draft;
}

ParsedLines parse_record_lines(std::string_view text) {
  ParsedLines parsed;
  parsed.records.reserve(text.size() / kRecordBytesTypical + 1);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    ++parsed.lines_read;
    if (line.empty()) continue;
    auto record = parse_record_to_put(line);
    if (!record) {
      parsed.error = std::move(record).error();
      break;
    }
    parsed.records.push_back(std::move(*record));
  }
  return parsed;
}

}  // namespace spl::record
