#include "codec/tar_format.h"

#include "base/limits.h"

namespace spl::codec::ustar {
namespace {

constexpr std::uint64_t kContentBytesMax = std::uint64_t{1} << 62;  // so that no offset overflows

// All `count` octets are octal digits.
bool parse_octal(const char* digits, std::size_t count, std::uint64_t& value) {
  value = 0;
  std::uint64_t bad = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t digit = static_cast<unsigned char>(digits[i]) - std::uint64_t{'0'};
    bad |= digit & ~std::uint64_t{7};
    value = value << 3 | (digit & 7);
  }
  return bad == 0;
}

// Digits up to the field's last octet, which is NUL.
bool parse_number(const char* block, Field field, std::uint64_t& value) {
  const std::size_t digits = field.bytes - 1;
  return parse_octal(block + field.at, digits, value) && block[field.at + digits] == '\0';
}

// The text up to the first NUL or the field's end; false where more than NULs follow it.
bool parse_text(const char* block, Field field, std::string_view& text) {
  const char* begin = block + field.at;
  const void* nul = std::memchr(begin, '\0', field.bytes);
  const std::size_t bytes =
      nul == nullptr ? field.bytes : static_cast<std::size_t>(static_cast<const char*>(nul) - begin);
  text = {begin, bytes};
  return all_zero(begin + bytes, field.bytes - bytes);
}

constexpr std::string_view kMagicRule = "magic or version is not POSIX ustar's";

bool has_magic(const char* block) {
  return std::memcmp(block + kMagic.at, kMagicText.data(), kMagic.bytes) == 0;
}

bool is_device_zero(const char* block, Field field) {
  const char* at = block + field.at;
  return std::memcmp(at, kDeviceText.data(), field.bytes) == 0 || all_zero(at, field.bytes);
}

// Decimal digits without leading zeros.
bool parse_decimal(std::string_view text, std::uint64_t& value) {
  if (text.empty() || text.size() > 19 || text.front() == '0') return false;
  value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return true;
}

std::string_view set_pax(Pax& pax, std::string_view key, std::string_view value) {
  if (key == "path") {
    if (pax.path) return "pax key path is there twice";
    pax.path = value;
    return {};
  }
  if (key == "linkpath") {
    if (pax.link) return "pax key linkpath is there twice";
    pax.link = value;
    return {};
  }
  if (key != "size") return "pax key is not path, linkpath or size";
  if (pax.size) return "pax key size is there twice";
  if (!parse_decimal(value, pax.size.emplace())) return "pax size is not a plain decimal number";
  if (*pax.size <= kSizeMax) return "pax size says what ustar can say";
  if (*pax.size > kContentBytesMax) return "size is too large";
  return {};
}

// A pax header only says what ustar cannot, and the fields that it overrides say nothing else.
std::string_view pax_fault(const Header& header, const Pax& pax, const TarEntry& entry) {
  if (pax.path) {
    if (prefix_bytes(entry.path, entry.type) != std::string_view::npos) return "pax path says what ustar can say";
    if (!header.prefix.empty() || !pax.path->starts_with(header.name)) return "name field differs from the pax path";
  }
  if (pax.link) {
    if (pax.link->size() <= kLink.bytes) return "pax linkpath says what ustar can say";
    if (!pax.link->starts_with(header.link)) return "link field differs from the pax linkpath";
  }
  if (pax.size && header.size != 0) return "size field is not 0 beside a pax size";
  return {};
}

}  // namespace

std::string_view frame_fault(const char* block) {
  const char* sum = block + kChecksum.at;
  std::uint64_t said = 0;
  std::string_view fault;
  if (!parse_octal(sum, 6, said) || sum[6] != '\0' || sum[7] != ' ')
    fault = "checksum is not six octal digits, NUL and space";
  else if (said != checksum(block))
    fault = "checksum is wrong";
  // What is no tar at all is told as that.
  return fault.empty() || has_magic(block) ? fault : kMagicRule;
}

std::string_view parse_header(const char* block, Header& header) {
  header.type = block[kType.at];
  const bool name_ends = parse_text(block, kName, header.name);
  const bool prefix_ends = parse_text(block, kPrefix, header.prefix);
  if (!has_magic(block)) return kMagicRule;
  if (!name_ends) return "bytes after the NUL of the name field";
  if (!prefix_ends) return "bytes after the NUL of the prefix field";
  if (header.name.empty()) return "name field is empty";
  if (!parse_text(block, kLink, header.link)) return "bytes after the NUL of the link field";
  if (!parse_number(block, kMode, header.mode)) return "mode is not octal ended by NUL";
  if (!parse_number(block, kUid, header.uid)) return "owner is not octal ended by NUL";
  if (!parse_number(block, kGid, header.gid)) return "group is not octal ended by NUL";
  if (!parse_number(block, kSize, header.size)) return "size is not octal ended by NUL";
  if (!parse_number(block, kMtime, header.mtime)) return "time is not octal ended by NUL";
  if (header.mode > kModeMax) return "mode is over 07777";
  if (!all_zero(block + kOwners.at, kOwners.bytes)) return "owner or group has a name";
  if (!is_device_zero(block, kDeviceMajor) || !is_device_zero(block, kDeviceMinor)) return "device fields are not zero";
  if (!all_zero(block + kUnused.at, kUnused.bytes)) return "unused bytes of the header are not zero";
  return {};
}

std::string_view pax_header_fault(const Header& header) {
  if (header.mode != 0600 || header.uid != 0 || header.gid != 0 || header.mtime != 0)
    return "pax header has a mode other than 0600, an owner, a group or a time";
  if (!header.link.empty()) return "pax header has a link target";
  if (header.size == 0) return "pax header is empty";
  if (header.size > kTarPaxBytesMax) return "pax header is over 16 KiB";
  return {};
}

std::string_view parse_pax(std::string_view text, Pax& pax) {
  constexpr std::string_view kMalformed = "pax record is malformed";
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    std::uint64_t bytes = 0;  // of the whole record, its length's digits and its newline included
    if (space == text.npos || !parse_decimal(text.substr(0, space), bytes)) return kMalformed;
    if (bytes < space + 2 || bytes > text.size() || text[bytes - 1] != '\n') return kMalformed;
    const std::string_view record = text.substr(space + 1, bytes - space - 2);
    const std::size_t equals = record.find('=');
    if (equals == record.npos) return kMalformed;
    const std::string_view fault = set_pax(pax, record.substr(0, equals), record.substr(equals + 1));
    if (!fault.empty()) return fault;
    text.remove_prefix(bytes);
  }
  return {};
}

void join_path(const Header& header, const Pax& pax, std::string& path) {
  if (pax.path) {
    path = *pax.path;
    return;
  }
  path.reserve(header.prefix.size() + 1 + header.name.size());
  path = header.prefix;
  if (!header.prefix.empty()) path += '/';
  path += header.name;
}

std::string_view make_entry(const Header& header, const Pax& pax, TarEntry& entry) {
  entry.type = static_cast<TarType>(header.type);
  switch (entry.type) {
    case TarType::kFile:
    case TarType::kSymlink:
      break;
    case TarType::kDirectory:
      if (!entry.path.ends_with('/')) return "path of a directory does not end in a slash";
      entry.path.pop_back();
      break;
    default:
      return "type flag is not allowed";
  }
  if (const auto fault = tar_path_fault(entry.path); !fault.empty()) return fault;
  if (const auto fault = pax_fault(header, pax, entry); !fault.empty()) return fault;

  entry.size_bytes = pax.size.value_or(header.size);
  if (entry.type != TarType::kFile && entry.size_bytes != 0) return "size of a directory or symlink is not 0";
  entry.link = pax.link.value_or(header.link);
  if (entry.type == TarType::kSymlink) {
    if (const auto fault = tar_link_fault(entry.link); !fault.empty()) return fault;
  } else if (!entry.link.empty()) {
    return "link target of what is not a symlink";
  }
  entry.mode = static_cast<std::uint32_t>(header.mode);
  entry.uid = header.uid;
  entry.gid = header.gid;
  entry.mtime_s = static_cast<std::int64_t>(header.mtime);
  return {};
}

}  // namespace spl::codec::ustar
