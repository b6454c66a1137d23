#include "codec/foreign_tar.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "codec/tar_format.h"

namespace spl::codec {
namespace {

constexpr std::uint64_t kTextBytesMax = 64u << 10;  // of a pax header, of a long name
constexpr std::uint64_t kContentBytesMax = std::uint64_t{1} << 50;
constexpr std::uint32_t kSetIdBits = 06000;
constexpr std::uint32_t kOwnerExecutes = 0100;
constexpr std::size_t kHeadersMax = 16;  // before one entry

std::unexpected<Error> refuse(std::string_view rule) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, "tar: " + std::string(rule));
}

std::unexpected<Error> refuse_entry(std::string_view path, std::string_view rule) {
  return fail(ErrorCode::kVerification, Cause::kMalformed,
              base::escaped(path, kTarPathShownBytesMax) + ": " + std::string(rule));
}

std::string_view text_in(const char* block, ustar::Field field) {
  const char* begin = block + field.at;
  return {begin, static_cast<std::size_t>(std::find(begin, begin + field.bytes, '\0') - begin)};
}

// Octal digits between spaces and NULs, or, where the first bit is set, the number itself.
std::optional<std::uint64_t> number_in(const char* block, ustar::Field field) {
  const std::string_view octets(block + field.at, field.bytes);
  std::uint64_t value = 0;
  if ((octets.front() & 0x80) != 0) {
    for (std::size_t i = 0; i < octets.size(); ++i) {
      const auto octet = static_cast<unsigned char>(i == 0 ? octets[i] & 0x7f : octets[i]);
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | octet;
    }
    return value;
  }
  const std::size_t begin = octets.find_first_not_of(' ');
  if (begin == std::string_view::npos) return 0;
  const std::size_t end = std::min(octets.find_first_of(std::string_view(" \0", 2), begin), octets.size());
  if (begin == end) return 0;
  const auto [stopped, error] = std::from_chars(octets.data() + begin, octets.data() + end, value, 8);
  if (error != std::errc() || stopped != octets.data() + end) return std::nullopt;
  return value;
}

bool is_header(const char* block) {
  return number_in(block, ustar::kChecksum) == std::optional<std::uint64_t>(ustar::checksum(block));
}

// Of "./a/b/" "a/b".
std::string plain_path(std::string_view path) {
  while (path.starts_with("./")) {
    path.remove_prefix(2);
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  }
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path == "." ? "" : std::string(path);
}

std::string header_path(const char* block) {
  const std::string_view name = text_in(block, ustar::kName);
  // GNU's dialect has other things in the field of the prefix.
  const bool is_posix = std::memcmp(block + ustar::kMagic.at, "ustar\0", 6) == 0;
  const std::string_view prefix = is_posix ? text_in(block, ustar::kPrefix) : std::string_view();
  return prefix.empty() ? std::string(name) : std::string(prefix) + "/" + std::string(name);
}

// The records of a pax header that matter; what is none is a fault.
template <class Take>
std::string_view read_pax(std::string_view text, const Take& take) {
  constexpr std::string_view kMalformed = "pax record is malformed";
  while (!text.empty()) {
    std::size_t bytes = 0;
    const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    const auto digits = static_cast<std::size_t>(after - text.data());
    if (error != std::errc() || bytes < digits + 3 || bytes > text.size() || text[digits] != ' ' ||
        text[bytes - 1] != '\n')
      return kMalformed;
    const std::string_view record = text.substr(digits + 1, bytes - digits - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return kMalformed;
    const std::string_view fault = take(record.substr(0, equals), record.substr(equals + 1));
    if (!fault.empty()) return fault;
    text.remove_prefix(bytes);
  }
  return {};
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<ForeignType> type_of(char flag, std::string_view path) {
  switch (flag) {
    case '\0':
    case '0':
      return path.ends_with('/') ? ForeignType::kDirectory : ForeignType::kFile;
    case '7':
      return ForeignType::kFile;
    case '1':
      return ForeignType::kHardLink;
    case '2':
      return ForeignType::kSymlink;
    case '5':
      return ForeignType::kDirectory;
    default:
      return std::nullopt;
  }
}

std::string_view fault_of(const ForeignEntry& entry, std::uint64_t mode) {
  if (entry.path.empty()) {
    if (entry.type != ForeignType::kDirectory) return "path is empty";
  } else if (const auto fault = tar_path_fault(entry.path); !fault.empty()) {
    return fault;
  }
  const bool is_link = entry.type == ForeignType::kSymlink || entry.type == ForeignType::kHardLink;
  if (is_link) {
    const auto fault = entry.type == ForeignType::kSymlink ? tar_link_fault(entry.link) : tar_path_fault(entry.link);
    if (!fault.empty()) return fault;
  }
  if (entry.type == ForeignType::kFile && (mode & kSetIdBits) != 0) return "it is setuid or setgid";
  if (entry.type != ForeignType::kFile && entry.size_bytes != 0) return "it is no file, and has content";
  if (entry.size_bytes > kContentBytesMax) return "size is too large";
  return {};
}

}  // namespace

Result<const char*> ForeignTarReader::take_block() {
  const auto octets = TRY(buffer_.peek(kTarBlock));
  if (octets.size() < kTarBlock) return refuse("it is cut off");
  buffer_.take(kTarBlock);
  return octets.data();
}

Result<std::string> ForeignTarReader::take_text(std::uint64_t bytes) {
  if (bytes > kTextBytesMax) return refuse("a long name or pax header is over 64 KiB");
  const auto octets = TRY(buffer_.peek(bytes + tar_padding(bytes)));
  if (octets.size() < bytes + tar_padding(bytes)) return refuse("it is cut off");
  std::string text(octets.data(), bytes);
  buffer_.take(bytes + tar_padding(bytes));
  return text;
}

Result<void> ForeignTarReader::skip_content() {
  for (std::uint64_t rest = remaining_ + padding_; rest > 0;) {
    const auto held = TRY(buffer_.peek(1));
    if (held.empty()) return refuse("it is cut off");
    const std::size_t bytes = std::min<std::uint64_t>(rest, held.size());
    buffer_.take(bytes);
    rest -= bytes;
  }
  remaining_ = padding_ = 0;
  return {};
}

// What comes after the end is nobody's; that it comes to an end is for who decompresses to know.
Result<void> ForeignTarReader::drain() {
  for (;;) {
    const auto held = TRY(buffer_.peek(1));
    if (held.empty()) return {};
    buffer_.take(held.size());
  }
}

// A header that says something of the next entry, of the types x, g, L and K.
Result<void> ForeignTarReader::read_extension(char flag, std::uint64_t bytes, Said& said) {
  const std::string text = TRY(take_text(bytes));
  if (flag == 'L' || flag == 'K') {
    (flag == 'L' ? said.path : said.link) = text.substr(0, text.find('\0'));
    return {};
  }
  const std::string_view fault = read_pax(text, [&](std::string_view key, std::string_view value) {
    if (key.starts_with("GNU.sparse.")) return std::string_view("sparse files are not unpacked");
    if (key != "path" && key != "linkpath" && key != "size") return std::string_view();
    if (flag == 'g') return std::string_view("a pax header says the same of all entries");
    if (key == "path") said.path = value;
    if (key == "linkpath") said.link = value;
    if (key == "size") said.size = decimal(value);
    return key == "size" && !said.size ? std::string_view("pax size is no number") : std::string_view();
  });
  if (!fault.empty()) return said.path ? refuse_entry(*said.path, fault) : refuse(fault);
  return {};
}

Result<ForeignEntry> ForeignTarReader::make_entry(const char* block, std::uint64_t size, const Said& said) {
  const std::string path = said.path.value_or(header_path(block));
  const auto type = type_of(block[ustar::kType.at], path);
  if (!type) return refuse_entry(path, "it is no file, directory or link");
  const auto mode = number_in(block, ustar::kMode);
  if (!mode) return refuse_entry(path, "its mode is no number");
  ForeignEntry entry;
  entry.path = plain_path(path);
  entry.type = *type;
  entry.size_bytes = said.size.value_or(size);
  entry.link = said.link.value_or(std::string(text_in(block, ustar::kLink)));
  if (entry.type == ForeignType::kHardLink) entry.link = plain_path(entry.link);
  entry.is_executable = (*mode & kOwnerExecutes) != 0;
  if (const auto fault = fault_of(entry, *mode); !fault.empty()) return refuse_entry(path, fault);
  return entry;
}

Result<std::optional<ForeignEntry>> ForeignTarReader::next() {
  if (ended_) return std::nullopt;
  TRY(skip_content());
  Said said;
  for (std::size_t headers = 0; headers <= kHeadersMax; ++headers) {
    // Some programs end without the zero blocks.
    ended_ = headers == 0 && TRY(buffer_.peek(1)).empty();
    if (ended_) return std::nullopt;
    const char* block = TRY(take_block());
    if (ustar::all_zero(block, kTarBlock)) {
      if (headers > 0) return refuse("a header without an entry after it");
      ended_ = true;
      TRY(drain());
      return std::nullopt;
    }
    if (!is_header(block)) return refuse("it has a block that is no header");
    const auto size = number_in(block, ustar::kSize);
    if (!size) return refuse("a header's size is no number");
    const char flag = block[ustar::kType.at];
    if (flag == 'x' || flag == 'g' || flag == 'L' || flag == 'K') {
      TRY(read_extension(flag, *size, said));
      continue;
    }
    ForeignEntry entry = TRY(make_entry(block, *size, said));
    remaining_ = entry.size_bytes;
    padding_ = tar_padding(entry.size_bytes);
    return entry;
  }
  return refuse("it has too many headers for one entry");
}

Result<std::size_t> ForeignTarReader::read(std::span<char> out) {
  const std::size_t wanted = std::min<std::uint64_t>(out.size(), remaining_);
  if (wanted == 0) return 0;
  const auto held = TRY(buffer_.peek(1));
  if (held.empty()) return refuse("it is cut off");
  const std::size_t bytes = std::min(wanted, held.size());
  std::memcpy(out.data(), held.data(), bytes);
  buffer_.take(bytes);
  remaining_ -= bytes;
  return bytes;
}

}  // namespace spl::codec
