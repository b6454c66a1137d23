#include "codec/mtree.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/check.h"
#include "base/encoding.h"
#include "codec/json.h"

namespace spl::codec {
namespace {

constexpr std::string_view kRoot = ".";
constexpr std::uint64_t kOwnerMax = (std::uint64_t{1} << 32) - 2;
constexpr std::uint32_t kModeMax = 07777;
constexpr std::uint32_t kNanosecondsMax = 999'999'999;
constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kAttributeNameBytesMax = 255;
constexpr std::size_t kAttributeBytesMax = 64u << 10;

bool stands_as_itself(char c) {
  return c > 0x20 && c < 0x7f && std::string_view("\\#=*?[").find(c) == std::string_view::npos;
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (stands_as_itself(c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '\\';
    for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + (octet >> shift & 7));
  }
}

// Nothing where it has an octet that is to be escaped, or an escape of one that is not.
std::optional<std::string> unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      if (!stands_as_itself(text[i])) return std::nullopt;
      plain += text[i];
      continue;
    }
    if (i + 3 >= text.size()) return std::nullopt;
    unsigned value = 0;
    for (std::size_t digit = 1; digit <= 3; ++digit) {
      const char c = text[i + digit];
      if (c < '0' || c > '7') return std::nullopt;
      value = value * 8 + static_cast<unsigned>(c - '0');
    }
    if (value > 255 || stands_as_itself(static_cast<char>(value))) return std::nullopt;
    plain += static_cast<char>(value);
    i += 3;
  }
  return plain;
}

std::string_view type_word(TarType type) {
  switch (type) {
    case TarType::kDirectory:
      return "dir";
    case TarType::kSymlink:
      return "link";
    case TarType::kFile:
      break;
  }
  return "file";
}

// Decimal, without leading zeros.
template <class Number>
bool parse_decimal(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  return error == std::errc() && end == text.data() + text.size() && !digits.empty() &&
         (digits == "0" ? digits.size() == text.size() : digits.front() != '0');
}

// Seconds, a point, nine digits; "-0." is no number.
bool parse_time(std::string_view text, MtreeEntry& entry) {
  constexpr std::size_t kDigits = 9;
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.size() - point - 1 != kDigits) return false;
  const std::string_view fraction = text.substr(point + 1);
  if (fraction.find_first_not_of("0123456789") != std::string_view::npos) return false;
  const auto [end, error] = std::from_chars(fraction.data(), fraction.data() + fraction.size(), entry.modified_ns);
  return error == std::errc() && end == fraction.data() + fraction.size() &&
         parse_decimal(text.substr(0, point), entry.modified_s);
}

bool parse_mode(std::string_view text, std::uint32_t& mode) {
  constexpr std::size_t kDigits = 4;
  if (text.size() != kDigits || text.find_first_not_of("01234567") != std::string_view::npos) return false;
  std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return true;
}

// The words of a line after its path: each once, those that must be there, none that must not.
class Words {
 public:
  // The rule that is broken, or nothing.
  std::string take(std::string_view word, MtreeEntry& entry) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return "a word without =";
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    const auto known = std::ranges::find(kNames, name);
    if (known == kNames.end()) return "a word that there is not: " + base::escaped(name, kShown);
    bool& seen = seen_.at(static_cast<std::size_t>(known - kNames.begin()));
    if (seen) return std::string(name) + " stands twice";
    seen = true;
    return is_right(name, value, entry) ? "" : std::string(name) + " has a value that it cannot have";
  }

  [[nodiscard]] std::string end(const MtreeEntry& entry) const {
    for (std::size_t i = 0; i < kAlways; ++i) {
      if (!seen_.at(i)) return std::string(kNames.at(i)) + " is missing";
    }
    if (seen_.at(kLink) != (entry.type == TarType::kSymlink)) return "link does not agree with type";
    if (seen_.at(kInode) && entry.type != TarType::kFile) return "inode is not of a file";
    return {};
  }

 private:
  static constexpr std::array<std::string_view, 7> kNames{"type", "mode", "uid", "gid", "time", "link", "inode"};
  static constexpr std::size_t kAlways = 5;
  static constexpr std::size_t kLink = 5;
  static constexpr std::size_t kInode = 6;
  static constexpr std::size_t kShown = 40;

  static bool is_right(std::string_view name, std::string_view value, MtreeEntry& entry) {
    if (name == "type") {
      for (const TarType type : {TarType::kFile, TarType::kDirectory, TarType::kSymlink}) {
        if (value != type_word(type)) continue;
        entry.type = type;
        return true;
      }
      return false;
    }
    if (name == "mode") return parse_mode(value, entry.mode);
    if (name == "uid") return parse_decimal(value, entry.uid) && entry.uid <= kOwnerMax;
    if (name == "gid") return parse_decimal(value, entry.gid) && entry.gid <= kOwnerMax;
    if (name == "time") return parse_time(value, entry);
    if (name == "inode") return parse_decimal(value, entry.inode) && entry.inode > 0;
    auto link = unescaped(value);
    if (!link || !tar_link_fault(*link).empty()) return false;
    entry.link = std::move(*link);
    return true;
  }

  std::array<bool, kNames.size()> seen_{};
};

// The rule that the line breaks, or nothing.
std::string parse_line(std::string_view line, MtreeEntry& entry) {
  const std::string_view name = line.substr(0, line.find(' '));
  const auto path = unescaped(name);
  if (!path) return "the path is not escaped as it must be";
  if (name != kRoot) {
    if (!path->starts_with("./")) return "the path does not begin with ./";
    entry.path = path->substr(2);
    if (const std::string_view fault = tar_path_fault(entry.path); !fault.empty()) return std::string(fault);
  }
  Words words;
  line.remove_prefix(name.size());
  while (!line.empty()) {
    line.remove_prefix(1);
    const std::string_view word = line.substr(0, line.find(' '));
    if (auto fault = words.take(word, entry); !fault.empty()) return fault;
    line.remove_prefix(word.size());
  }
  if (auto fault = words.end(entry); !fault.empty()) return fault;
  return name == kRoot && entry.type != TarType::kDirectory ? "the root is no directory" : "";
}

std::unexpected<Error> wrong(std::uint64_t line, std::string_view rule) {
  return fail(ErrorCode::kVerification, "line " + std::to_string(line) + ": " + std::string(rule));
}

}  // namespace

void append_mtree_line(std::string& out, const MtreeEntry& entry) {
  SPL_CHECK(entry.mode <= kModeMax && entry.uid <= kOwnerMax && entry.gid <= kOwnerMax);
  SPL_CHECK(entry.modified_ns <= kNanosecondsMax);
  out += kRoot;
  if (!entry.path.empty()) {
    out += '/';
    append_escaped(out, entry.path);
  }
  std::array<char, 5> mode{};
  for (std::size_t i = 0; i < 4; ++i) mode.at(i) = static_cast<char>('0' + (entry.mode >> (9 - 3 * i) & 7));
  const std::string nanoseconds = std::to_string(entry.modified_ns);
  out.append(" type=").append(type_word(entry.type)).append(" mode=").append(mode.data(), 4);
  out.append(" uid=").append(std::to_string(entry.uid)).append(" gid=").append(std::to_string(entry.gid));
  out.append(" time=").append(std::to_string(entry.modified_s)).append(".").append(9 - nanoseconds.size(), '0');
  out += nanoseconds;
  if (entry.type == TarType::kSymlink) {
    out += " link=";
    append_escaped(out, entry.link);
  }
  if (entry.inode != 0) out.append(" inode=").append(std::to_string(entry.inode));
  out += '\n';
}

TarEntry tar_entry_of(const MtreeEntry& entry, std::string_view tree_prefix, std::uint64_t size_bytes) {
  // What ustar can say; tree.mtree alone says the rest.
  constexpr std::uint64_t kUstarOwnerMax = (1u << 21) - 1;
  constexpr std::int64_t kUstarTimeMax = (std::int64_t{1} << 33) - 1;
  TarEntry header;
  header.path = std::string(tree_prefix) + entry.path;
  header.type = entry.type;
  header.size_bytes = entry.type == TarType::kFile ? size_bytes : 0;
  header.mode = entry.mode;
  header.uid = entry.uid <= kUstarOwnerMax ? entry.uid : 0;
  header.gid = entry.gid <= kUstarOwnerMax ? entry.gid : 0;
  header.mtime_s = entry.modified_s >= 0 && entry.modified_s <= kUstarTimeMax ? entry.modified_s : 0;
  header.link = entry.link;
  return header;
}

std::string_view mtree_mismatch(const MtreeEntry& entry, const TarEntry& header, std::string_view tree_prefix) {
  const TarEntry wanted = tar_entry_of(entry, tree_prefix, header.size_bytes);
  if (header.path != wanted.path) return "tree.mtree has another path here";
  if (header.type != wanted.type) return "tree.mtree says another type";
  if (header.link != wanted.link) return "tree.mtree says another target";
  if (header.mode != wanted.mode) return "tree.mtree says another mode";
  if (header.uid != wanted.uid || header.gid != wanted.gid) return "tree.mtree says another owner";
  if (header.mtime_s != wanted.mtime_s) return "tree.mtree says another time";
  return {};
}

Result<std::optional<MtreeEntry>> MtreeLines::take(std::string_view line) {
  ++line_number_;
  if (line.size() > kMtreeLineBytesMax) return wrong(line_number_, "longer than a line can be");
  if (line_number_ == 1) {
    if (line != kMtreeFirstLine.substr(0, kMtreeFirstLine.size() - 1))
      return wrong(line_number_, "the first line is not #mtree");
    return std::nullopt;
  }
  MtreeEntry entry;
  if (const std::string fault = parse_line(line, entry); !fault.empty()) return wrong(line_number_, fault);
  if (has_before_ && entry.path <= path_before_) return wrong(line_number_, "not in ascending order");
  while (!open_directories_.empty() && !entry.path.starts_with(open_directories_.back() + "/") &&
         entry.path > open_directories_.back() + "/")
    open_directories_.pop_back();
  if (const std::size_t slash = entry.path.rfind('/'); slash != std::string::npos) {
    const std::string_view parent = std::string_view(entry.path).substr(0, slash);
    if (std::ranges::find(open_directories_, parent) == open_directories_.end())
      return wrong(line_number_, "its directory has no line before it");
  }
  if (entry.type == TarType::kDirectory && !entry.path.empty()) open_directories_.push_back(entry.path);
  path_before_ = entry.path;
  has_before_ = true;
  return entry;
}

Result<void> MtreeLines::end(std::string_view rest) const {
  if (!rest.empty()) return wrong(line_number_ + 1, "no newline ends it");
  if (line_number_ == 0) return wrong(1, "the first line is not #mtree");
  return {};
}

Result<std::optional<std::string_view>> MtreeReader::next_line() {
  for (;;) {
    const std::size_t newline = buffer_.find('\n', at_);
    if (newline != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(at_, newline - at_);
      at_ = newline + 1;
      return line;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    // A line that is too long is refused before it is whole.
    if (buffer_.size() > kMtreeLineBytesMax) return std::string_view(buffer_);
    if (ended_) {
      TRY(lines_.end(buffer_));
      return std::nullopt;
    }
    const std::size_t held = buffer_.size();
    buffer_.resize(held + kReadBytes);
    const std::size_t n = TRY(in_.read(std::span(buffer_).subspan(held)));
    buffer_.resize(held + n);
    ended_ = n == 0;
  }
}

Result<std::optional<MtreeEntry>> MtreeReader::next() {
  for (;;) {
    const auto line = TRY(next_line());
    if (!line) return std::nullopt;
    if (auto entry = TRY(lines_.take(*line))) return entry;
  }
}

void append_attributes_line(std::string& out, const TreeAttributes& attributes) {
  SPL_CHECK(!attributes.attributes.empty());
  Json::Object values;
  for (const auto& [name, value] : attributes.attributes) values.emplace_back(name, base::to_base64(value));
  out += Json(Json::Object{{"path", base::to_base64(attributes.path)}, {"xattrs", std::move(values)}}).text();
  out += '\n';
}

Result<TreeAttributes> parse_attributes_line(std::string_view line) {
  const auto wrong_line = [](std::string_view rule) { return fail(ErrorCode::kVerification, std::string(rule)); };
  const auto json = Json::parse(line);
  if (!json || json->object() == nullptr) return wrong_line("is no JSON object");
  const Json* path = json->find("path");
  const Json* values = json->find("xattrs");
  if (path == nullptr || path->string() == nullptr || values == nullptr || values->object() == nullptr)
    return wrong_line("has not just path and xattrs");
  TreeAttributes attributes;
  const auto decoded = base::from_base64(*path->string());
  if (!decoded) return wrong_line("path is no base64");
  attributes.path = *decoded;
  if (!attributes.path.empty() && !tar_path_fault(attributes.path).empty()) return wrong_line("path cannot be one");
  for (const auto& [name, value] : *values->object()) {
    if (name.empty() || name.size() > kAttributeNameBytesMax || name.find('\0') != std::string::npos)
      return wrong_line("an attribute's name cannot be one");
    if (!attributes.attributes.empty() && name <= attributes.attributes.back().first)
      return wrong_line("attributes are not ascending");
    const auto octets = base::from_base64(value.string() != nullptr ? *value.string() : std::string("?"));
    if (!octets || octets->size() > kAttributeBytesMax) return wrong_line("an attribute's value cannot be one");
    attributes.attributes.emplace_back(name, *octets);
  }
  if (attributes.attributes.empty()) return wrong_line("xattrs is empty");
  std::string again;
  append_attributes_line(again, attributes);
  again.pop_back();
  if (again != line) return wrong_line("is not written as it must be");
  return attributes;
}

}  // namespace spl::codec
