#include "codec/json_cursor.h"

#include <algorithm>
#include <cstring>

#include "base/encoding.h"
#include "base/utf8.h"
#include "codec/json_number.h"

namespace spl::codec {
namespace {

// Octets of a string that need a closer look: controls, the quote, the backslash, and all beyond
// ASCII.
bool is_plain(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

// Eight octets at once (the SWAR tests of "Bit Twiddling Hacks": has-zero-byte and has-less).
bool all_plain(const char* p) {
  std::uint64_t word = 0;
  std::memcpy(&word, p, 8);
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  return ((word | (word - kOnes * 0x20) | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash)) & kHighs) ==
         0;
}

const char* skip_plain(const char* p, const char* end) {
  while (end - p >= 8 && all_plain(p)) p += 8;
  while (p < end && is_plain(*p)) ++p;
  return p;
}

// The length of the escape at the start of `text` where canonical text would write it, 0 elsewhere.
std::size_t canonical_escape_bytes(std::string_view text) {
  if (text.size() < 2) return 0;
  if (std::string_view("\"\\bfnrt").find(text[1]) != std::string_view::npos) return 2;
  // The control characters that have no shorter escape.
  constexpr std::string_view kNumbered = "00010203040506070b0e0f101112131415161718191a1b1c1d1e1f";
  if (text.size() < 6 || !text.starts_with("\\u00")) return 0;
  for (std::size_t at = 0; at < kNumbered.size(); at += 2) {
    if (kNumbered.substr(at, 2) == text.substr(4, 2)) return 6;
  }
  return 0;
}

}  // namespace

std::unexpected<Error> JsonCursor::error() const {
  return fail(ErrorCode::kUsage,
              "JSON: " + std::string(why_ == nullptr ? "broken" : why_) + " at byte " + std::to_string(at_ - begin_));
}

bool JsonCursor::set_error(const char* why) {
  if (why_ == nullptr) why_ = why;
  return false;
}

void JsonCursor::skip_space() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
}

bool JsonCursor::expect(char c, const char* why) {
  skip_space();
  if (at_ == end_ || *at_ != c) return set_error(why);
  ++at_;
  return true;
}

bool JsonCursor::enter() {
  if (++depth_ > base::kJsonDepthMax) return set_error("nested deeper than 128 levels");
  return true;
}

Result<void> JsonCursor::begin_object() {
  if (!expect('{', "an object is wanted") || !enter()) return error();
  first_ = true;
  return {};
}

Result<bool> JsonCursor::next_member(std::string& name) {
  skip_space();
  if (at_ < end_ && *at_ == '}') {
    ++at_;
    leave();
    first_ = false;
    return false;
  }
  if (!first_ && !expect(',', "a comma or the end of the object is wanted")) return error();
  first_ = false;
  name = TRY(string());
  if (!expect(':', "a colon is wanted")) return error();
  return true;
}

Result<void> JsonCursor::begin_array() {
  if (!expect('[', "an array is wanted") || !enter()) return error();
  first_ = true;
  return {};
}

Result<bool> JsonCursor::next_element() {
  skip_space();
  if (at_ < end_ && *at_ == ']') {
    ++at_;
    leave();
    first_ = false;
    return false;
  }
  if (!first_ && !expect(',', "a comma or the end of the array is wanted")) return error();
  first_ = false;
  return true;
}

Result<JsonType> JsonCursor::peek() {
  skip_space();
  if (at_ == end_) {
    (void)set_error("a value is wanted");
    return error();
  }
  switch (*at_) {
    case '{':
      return JsonType::kObject;
    case '[':
      return JsonType::kArray;
    case '"':
      return JsonType::kString;
    case 't':
    case 'f':
      return JsonType::kBoolean;
    case 'n':
      return JsonType::kNull;
    default:
      return JsonType::kNumber;
  }
}

Result<void> JsonCursor::canonical(std::string& out) {
  std::string_view as_it_is;
  if (skip_canonical(as_it_is)) {
    out += as_it_is;
  } else if (!canonical_value(out)) {
    return error();
  }
  return {};
}

bool JsonCursor::skip_canonical(std::string_view& value) {
  const char* const from = at_;
  const int depth = depth_;
  if (!skip_canonical_value()) {
    at_ = from;
    depth_ = depth;
    return false;
  }
  value = {from, static_cast<std::size_t>(at_ - from)};
  return true;
}

Result<std::string> JsonCursor::string() {
  skip_space();
  const char* const from = at_;
  std::string_view raw;
  if (skip_canonical_string(&raw) && raw.data() != nullptr) return std::string(raw);
  at_ = from;
  std::string quoted;
  if (!canonical_string(quoted, nullptr)) return error();
  return decode_json_string(quoted);
}

Result<std::string_view> JsonCursor::number() {
  skip_space();
  bool is_integer = false;
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const std::size_t length = scan_json_number(rest, is_integer);
  if (length == 0) {
    (void)set_error("a number is wanted");
    return error();
  }
  at_ += length;
  return rest.substr(0, length);
}

Result<bool> JsonCursor::boolean() {
  skip_space();
  if (skip_text("true")) return true;
  if (skip_text("false")) return false;
  (void)set_error("true or false is wanted");
  return error();
}

Result<void> JsonCursor::null() {
  skip_space();
  if (skip_text("null")) return {};
  (void)set_error("null is wanted");
  return error();
}

Result<void> JsonCursor::end() {
  skip_space();
  if (at_ == end_) return {};
  (void)set_error("something after the value");
  return error();
}

bool JsonCursor::skip_text(std::string_view text) {
  if (static_cast<std::size_t>(end_ - at_) < text.size() || std::memcmp(at_, text.data(), text.size()) != 0)
    return false;
  at_ += text.size();
  return true;
}

bool JsonCursor::skip_canonical_value() {
  if (at_ == end_) return false;
  switch (*at_) {
    case '{':
      return skip_canonical_object();
    case '[':
      return skip_canonical_array();
    case '"':
      return skip_canonical_string(nullptr);
    case 't':
      return skip_text("true");
    case 'f':
      return skip_text("false");
    case 'n':
      return skip_text("null");
    default:
      return skip_canonical_number();
  }
}

bool JsonCursor::skip_canonical_object() {
  ++at_;
  if (++depth_ > base::kJsonDepthMax) return false;
  if (!skip_octet('}')) {
    std::string_view before;
    for (bool first = true;; first = false) {
      // Names without escapes are in the order of their own octets; ascending ones are not repeated.
      std::string_view name;
      if (!skip_canonical_string(&name) || name.data() == nullptr || (!first && !(before < name))) return false;
      before = name;
      if (!skip_octet(':') || !skip_canonical_value() || at_ == end_) return false;
      const char c = *at_++;
      if (c == '}') break;
      if (c != ',') return false;
    }
  }
  leave();
  return true;
}

bool JsonCursor::skip_canonical_array() {
  ++at_;
  if (++depth_ > base::kJsonDepthMax) return false;
  if (!skip_octet(']')) {
    for (;;) {
      if (!skip_canonical_value() || at_ == end_) return false;
      const char c = *at_++;
      if (c == ']') break;
      if (c != ',') return false;
    }
  }
  leave();
  return true;
}

bool JsonCursor::skip_canonical_number() {
  bool is_integer = false;
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const std::size_t length = scan_json_number(rest, is_integer);
  if (length == 0) return false;
  const std::string_view written = rest.substr(0, length);
  if (!is_integer || written == "-0") {
    std::string canonical;
    if (!append_canonical_number(canonical, written, is_integer) || canonical != written) return false;
  }
  at_ += length;
  return true;
}

// `plain_text` is set to what stands between the quotes where nothing there is escaped.
bool JsonCursor::skip_canonical_string(std::string_view* plain_text) {
  if (!skip_octet('"')) return false;
  const char* const start = at_;
  bool plain = true;
  for (;;) {
    at_ = skip_plain(at_, end_);
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ == '\\') {
      const std::size_t length = canonical_escape_bytes({at_, static_cast<std::size_t>(end_ - at_)});
      if (length == 0) return false;
      plain = false;
      at_ += length;
    } else {
      std::uint32_t code_point = 0;
      const std::size_t length = base::decode_utf8({at_, static_cast<std::size_t>(end_ - at_)}, code_point);
      if (length == 0 || code_point < 0x20) return false;
      at_ += length;
    }
  }
  if (plain_text != nullptr && plain) *plain_text = {start, static_cast<std::size_t>(at_ - start)};
  ++at_;
  return true;
}

bool JsonCursor::canonical_value(std::string& out) {
  skip_space();
  if (at_ == end_) return set_error("a value is wanted");
  switch (*at_) {
    case '{':
      return canonical_object(out);
    case '[':
      return canonical_array(out);
    case '"':
      return canonical_string(out, nullptr);
    case 't':
      out += "true";
      return skip_text("true") || set_error("unknown word");
    case 'f':
      out += "false";
      return skip_text("false") || set_error("unknown word");
    case 'n':
      out += "null";
      return skip_text("null") || set_error("unknown word");
    default:
      return canonical_number(out);
  }
}

bool JsonCursor::canonical_number(std::string& out) {
  bool is_integer = false;
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const std::size_t length = scan_json_number(rest, is_integer);
  if (length == 0) return set_error("a value is wanted");
  if (!append_canonical_number(out, rest.substr(0, length), is_integer))
    return set_error("a number too large for a double");
  at_ += length;
  return true;
}

bool JsonCursor::canonical_array(std::string& out) {
  ++at_;
  if (!enter()) return false;
  out.push_back('[');
  skip_space();
  if (at_ < end_ && *at_ == ']') {
    ++at_;
  } else {
    for (;;) {
      if (!canonical_value(out)) return false;
      skip_space();
      if (at_ == end_) return set_error("the array does not end");
      const char c = *at_++;
      if (c == ']') break;
      if (c != ',') return set_error("a comma or the end of the array is wanted");
      out.push_back(',');
    }
  }
  out.push_back(']');
  leave();
  return true;
}

bool JsonCursor::canonical_object(std::string& out) {
  ++at_;
  if (!enter()) return false;
  const std::size_t first = out.size();
  const std::size_t members_begin = members_.size();
  bool sorted = true;
  out.push_back('{');
  skip_space();
  if (at_ < end_ && *at_ == '}') {
    ++at_;
  } else {
    for (;;) {
      skip_space();
      if (at_ == end_ || *at_ != '"') return set_error("a name is wanted");
      Member member{{}, out.size(), 0};
      if (!canonical_string(out, &member.name)) return false;
      if (member.name.data() == nullptr) {
        auto decoded = decode_json_string(std::string_view(out).substr(member.begin));
        if (!decoded) return set_error("a broken name");
        member.name = names_.emplace_front(std::move(*decoded));
      }
      if (members_.size() > members_begin && !(members_.back().name < member.name)) sorted = false;
      if (!expect(':', "a colon is wanted")) return false;
      out.push_back(':');
      const std::size_t index = members_.size();
      members_.push_back(member);
      if (!canonical_value(out)) return false;
      members_[index].end = out.size();
      skip_space();
      if (at_ == end_) return set_error("the object does not end");
      const char c = *at_++;
      if (c == '}') break;
      if (c != ',') return set_error("a comma or the end of the object is wanted");
      out.push_back(',');
    }
  }
  if (!sorted && !sort_members(out, first, members_begin)) return false;
  members_.resize(members_begin);
  if (members_begin == 0) names_.clear();
  out.push_back('}');
  leave();
  return true;
}

bool JsonCursor::sort_members(std::string& out, std::size_t first, std::size_t members_begin) {
  const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(members_begin);
  std::sort(begin, members_.end(), [](const Member& a, const Member& b) { return a.name < b.name; });
  for (auto it = begin; it + 1 < members_.end(); ++it) {
    if (it->name == (it + 1)->name) return set_error("a name stands twice");
  }
  const std::string unsorted = out.substr(first);
  out.resize(first);
  out.push_back('{');
  for (auto it = begin; it != members_.end(); ++it) {
    if (it != begin) out.push_back(',');
    out.append(unsorted, it->begin - first, it->end - it->begin);
  }
  return true;
}

bool JsonCursor::canonical_string(std::string& out, std::string_view* raw) {
  if (at_ == end_ || *at_ != '"') return set_error("a string is wanted");
  ++at_;
  out.push_back('"');
  const char* const start = at_;
  bool plain = true;  // the decoded text is the input's
  for (;;) {
    const char* const run = at_;
    at_ = skip_plain(at_, end_);
    out.append(run, at_);
    if (at_ == end_) return set_error("the string does not end");
    const auto c = static_cast<unsigned char>(*at_);
    if (c == '"') break;
    if (c == '\\') {
      if (!copy_escape(out, plain)) return false;
    } else if (c < 0x20) {
      return set_error("a control character in a string");
    } else {
      std::uint32_t code_point = 0;
      const std::size_t length = base::decode_utf8({at_, static_cast<std::size_t>(end_ - at_)}, code_point);
      if (length == 0) return set_error("invalid UTF-8");
      out.append(at_, length);
      at_ += length;
    }
  }
  if (raw != nullptr && plain) *raw = {start, static_cast<std::size_t>(at_ - start)};
  ++at_;
  out.push_back('"');
  return true;
}

bool JsonCursor::hex4(std::uint32_t& unit) {
  if (end_ - at_ < 4) return set_error("a broken \\u escape");
  unit = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = *at_;
    std::uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return set_error("a broken \\u escape");
    }
    unit = unit << 4 | digit;
    ++at_;
  }
  return true;
}

bool JsonCursor::copy_escape(std::string& out, bool& plain) {
  plain = false;
  ++at_;
  if (at_ == end_) return set_error("the string does not end");
  char decoded = 0;
  switch (*at_++) {
    case '"':
      out += "\\\"";
      return true;
    case '\\':
      out += "\\\\";
      return true;
    case 'b':
      out += "\\b";
      return true;
    case 'f':
      out += "\\f";
      return true;
    case 'n':
      out += "\\n";
      return true;
    case 'r':
      out += "\\r";
      return true;
    case 't':
      out += "\\t";
      return true;
    case '/':
      out.push_back('/');
      return true;
    case 'u':
      break;
    default:
      return set_error("an unknown escape");
  }
  std::uint32_t unit = 0;
  if (!hex4(unit)) return false;
  if (unit >= 0xDC00 && unit <= 0xDFFF) return set_error("an unpaired surrogate");
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    std::uint32_t low = 0;
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return set_error("an unpaired surrogate");
    at_ += 2;
    if (!hex4(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return set_error("an unpaired surrogate");
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  if (unit >= 0x20 && unit != '"' && unit != '\\') {
    base::append_utf8(out, unit);
    return true;
  }
  decoded = static_cast<char>(unit);
  std::string quoted;
  base::append_json_string(quoted, {&decoded, 1});
  out.append(quoted, 1, quoted.size() - 2);
  return true;
}

Result<std::string> decode_json_string(std::string_view quoted) {
  std::string out;
  out.reserve(quoted.size());
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      out.push_back(quoted[i]);
      continue;
    }
    switch (quoted[++i]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        // Canonical text escapes only characters below U+0020 this way.
        const std::string octet = TRY(base::from_hex(quoted.substr(i + 3, 2)));
        out += octet;
        i += 4;
        break;
      }
      default:
        out.push_back(quoted[i]);
    }
  }
  return out;
}

Result<void> canonicalize_json(std::string_view text, std::string& out) {
  JsonCursor cursor(text);
  TRY(cursor.canonical(out));
  return cursor.end();
}

}  // namespace spl::codec
