// A strict pull parser of JSON (RFC 8259 with the rules of records.md): no repeated names, no
// broken UTF-8, no unpaired surrogates, nothing deeper than kJsonDepthMax, nothing after the value.
// It turns any value into its canonical form in one pass, and finds out faster that a value is in that form already.
// One thread; the text outlives the cursor. After an error the cursor is of no use.
#pragma once

#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace spl::codec {

enum class JsonType : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

class JsonCursor {
 public:
  // `depth_used` is how deep the text already stands in something larger.
  explicit JsonCursor(std::string_view text, int depth_used = 0)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), depth_(depth_used) {}

  // Walks into an object or an array. Every begin_ is followed by next_ until it says false.
  Result<void> begin_object();
  // The next member's name; its value must be taken before the next call. Repeated names are found
  // at the end of the object for values taken by canonical(), and by the caller for objects that it
  // walks itself.
  Result<bool> next_member(std::string& name);
  Result<void> begin_array();
  Result<bool> next_element();

  // What the next value is, by its first character; the value itself may still be broken.
  Result<JsonType> peek();
  // Appends the next value in canonical form.
  Result<void> canonical(std::string& out);
  // Passes the next value where it is in canonical form already, and says where it stands. False, and the cursor where
  // it was, for any other and for a few canonical ones (objects with escapes in their names).
  bool skip_canonical(std::string_view& value);
  // Passes exactly these octets, or nothing.
  bool skip_text(std::string_view text);
  // The next value, which must be a string, decoded.
  Result<std::string> string();
  // The next value, which must be a number, as it is written.
  Result<std::string_view> number();
  Result<bool> boolean();
  Result<void> null();
  // Nothing but white space is left.
  Result<void> end();

 private:
  struct Member {
    std::string_view name;  // decoded
    std::size_t begin;      // of `"name":value` in the output
    std::size_t end;
  };

  std::unexpected<Error> error() const;
  [[nodiscard]] bool set_error(const char* why);
  void skip_space();
  bool expect(char c, const char* why);
  bool canonical_value(std::string& out);
  bool canonical_object(std::string& out);
  bool canonical_array(std::string& out);
  bool canonical_number(std::string& out);
  // Copies a string with its quotes; `raw` is set to the decoded text where it is a plain part of
  // the input.
  bool canonical_string(std::string& out, std::string_view* raw);
  bool copy_escape(std::string& out, bool& plain);
  bool hex4(std::uint32_t& unit);
  bool sort_members(std::string& out, std::size_t first, std::size_t members_begin);
  bool skip_octet(char c) {
    const bool there = at_ < end_ && *at_ == c;
    at_ += there ? 1 : 0;
    return there;
  }
  bool skip_canonical_value();
  bool skip_canonical_object();
  bool skip_canonical_array();
  bool skip_canonical_number();
  bool skip_canonical_string(std::string_view* plain_text);
  bool enter();
  void leave() { --depth_; }

  const char* begin_;
  const char* at_;
  const char* end_;
  int depth_;
  bool first_ = false;  // no member or element of the innermost container was taken yet
  const char* why_ = nullptr;
  std::vector<Member> members_;           // of all objects that canonical_object is in
  std::forward_list<std::string> names_;  // decoded names that are not plain parts of the input
};

// The decoded text of a canonical JSON string with its quotes.
Result<std::string> decode_json_string(std::string_view quoted);
// Appends the canonical form of a whole JSON text.
Result<void> canonicalize_json(std::string_view text, std::string& out);

}  // namespace spl::codec
