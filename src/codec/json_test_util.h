// What the tests of the cursor share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "codec/json_cursor.h"

namespace spl::codec {

// The canonical form, or "refused: " and why.
inline std::string canonical(std::string_view text) {
  // A copy of its own, so that a sanitizer sees every read beyond the end.
  const std::vector<char> exact(text.begin(), text.end());
  std::string out;
  const auto done = canonicalize_json({exact.data(), exact.size()}, out);
  return done ? out : "refused: " + done.error().message;
}

inline bool refused(std::string_view text) {
  return canonical(text).starts_with("refused: JSON: ");
}

// Walks a whole text by begin_ and next_ alone.
inline Result<void> walk(JsonCursor& cursor) {
  switch (TRY(cursor.peek())) {
    case JsonType::kObject: {
      TRY(cursor.begin_object());
      std::string name;
      while (TRY(cursor.next_member(name))) TRY(walk(cursor));
      return {};
    }
    case JsonType::kArray:
      TRY(cursor.begin_array());
      while (TRY(cursor.next_element())) TRY(walk(cursor));
      return {};
    case JsonType::kString:
      TRY(cursor.string());
      return {};
    case JsonType::kBoolean:
      TRY(cursor.boolean());
      return {};
    case JsonType::kNull:
      return cursor.null();
    case JsonType::kNumber:
      break;
  }
  TRY(cursor.number());
  return {};
}

}  // namespace spl::codec
