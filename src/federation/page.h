// A page of a peer's log, as it is read: hostile to its last octet. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/record.h"
#include "store/record_store.h"

namespace spl::federation {

inline constexpr std::size_t kCursorBytesMax = 256;

struct Page {
  std::vector<std::string_view> elements;  // parts of the text, or of `remade`
  std::unique_ptr<std::string> remade;     // those that were not in canonical form; a short text moves with its string
  std::string next_cursor;
  bool has_more = false;
};

// `text` outlives the page. Code kVerification, cause kPeerMisbehaves, where it is none: more than `records_max`
// records are none, too.
Result<Page> parse_page(std::string_view text, std::size_t records_max);

// What one element is, once it was checked: its form, its id, its signature where it has one, that it is on no reserved
// thread.
struct Element {
  std::optional<Record> record;
  std::optional<store::RedactedRecord> redacted;
  std::string refusal;  // why it is neither
};
Element check_element(std::string_view text, const std::string& peer);

}  // namespace spl::federation
