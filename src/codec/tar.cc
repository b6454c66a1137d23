#include "codec/tar.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/limits.h"
#include "codec/tar_format.h"

namespace spl::codec {
namespace {

using ustar::Field;

constexpr std::string_view kPaxName = "PaxHeaders/entry";

void put_text(char* block, Field field, std::string_view text) {
  text.copy(block + field.at, field.bytes);
}

// Digits but for the last octet, which is the template's NUL.
void put_octal(char* block, std::size_t at, std::size_t digits, std::uint64_t value) {
  for (std::size_t i = digits; i > 0 && value != 0; --i, value >>= 3)
    block[at + i - 1] = static_cast<char>('0' + (value & 7));
}

// A header of a file with mode, owner, size and time 0, without path and checksum.
constexpr std::array<char, kTarBlock> kTemplate = [] {
  std::array<char, kTarBlock> block{};
  for (const Field field : {ustar::kMode, ustar::kUid, ustar::kGid, ustar::kSize, ustar::kMtime, ustar::kDeviceMajor,
                            ustar::kDeviceMinor}) {
    for (std::size_t i = 0; i + 1 < field.bytes; ++i) block[field.at + i] = '0';
  }
  for (std::size_t i = 0; i < ustar::kMagic.bytes; ++i) block[ustar::kMagic.at + i] = ustar::kMagicText[i];
  for (std::size_t i = 0; i < 6; ++i) block[ustar::kChecksum.at + i] = '0';
  block[ustar::kChecksum.at + 7] = ' ';
  return block;
}();

char* append_template(std::string& out) {
  out.append(kTemplate.data(), kTemplate.size());
  return out.data() + out.size() - kTarBlock;
}

void put_checksum(char* block) {
  put_octal(block, ustar::kChecksum.at, 6, ustar::checksum(block));
}

// What a pax header must say of an entry, and how many bytes that takes; 0 where ustar says all.
struct PaxNeed {
  bool path = false;
  bool link = false;
  bool size = false;
  std::size_t bytes = 0;
};

std::size_t digits(std::uint64_t value) {
  std::size_t count = 1;
  for (; value >= 10; value /= 10) ++count;
  return count;
}

// "<length> <key>=<value>\n", where the length counts itself.
std::size_t pax_record_bytes(std::size_t key_bytes, std::size_t value_bytes) {
  const std::size_t rest = 1 + key_bytes + 1 + value_bytes + 1;
  std::size_t total = rest + digits(rest);
  if (digits(total) != digits(rest)) total = rest + digits(total);
  return total;
}

std::size_t slash_bytes(const TarEntry& entry) {
  return entry.type == TarType::kDirectory ? 1 : 0;
}

PaxNeed pax_need(const TarEntry& entry, std::size_t prefix) {
  PaxNeed need;
  need.path = prefix == std::string_view::npos;
  need.link = entry.link.size() > ustar::kLink.bytes;
  need.size = entry.size_bytes > ustar::kSizeMax;
  if (need.path) need.bytes += pax_record_bytes(4, entry.path.size() + slash_bytes(entry));
  if (need.link) need.bytes += pax_record_bytes(8, entry.link.size());
  if (need.size) need.bytes += pax_record_bytes(4, digits(entry.size_bytes));
  return need;
}

void append_pax_record(std::string& out, std::string_view key, std::string_view value, std::string_view slash = {}) {
  out += std::to_string(pax_record_bytes(key.size(), value.size() + slash.size()));
  out += ' ';
  out += key;
  out += '=';
  out += value;
  out += slash;
  out += '\n';
}

void append_pax(std::string& out, const TarEntry& entry, const PaxNeed& need) {
  SPL_CHECK(need.bytes <= kTarPaxBytesMax);
  char* block = append_template(out);
  put_text(block, ustar::kName, kPaxName);
  put_octal(block, ustar::kMode.at, 7, 0600);
  put_octal(block, ustar::kSize.at, 11, need.bytes);
  block[ustar::kType.at] = ustar::kPaxType;
  put_checksum(block);
  if (need.path) append_pax_record(out, "path", entry.path, std::string_view("/", slash_bytes(entry)));
  if (need.link) append_pax_record(out, "linkpath", entry.link);
  if (need.size) append_pax_record(out, "size", std::to_string(entry.size_bytes));
  out.append(tar_padding(need.bytes), '\0');
}

}  // namespace

std::string_view tar_path_fault(std::string_view path) {
  if (path.empty()) return "path is empty";
  if (path.size() > base::kPathBytesMax) return "path is over 4096 bytes";
  if (path.front() == '/') return "path is absolute";
  if (path.find('\0') != path.npos) return "path has a NUL";
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::size_t bytes = end - at;
    if (bytes == 0) return "path has an empty component";
    if (bytes > base::kNameBytesMax) return "path has a component over 255 bytes";
    if (path[at] == '.') {
      if (bytes == 1) return "path has a component \".\"";
      if (bytes == 2 && path[at + 1] == '.') return "path has a component \"..\"";
    }
    at = end + 1;
  }
  return {};
}

std::string_view tar_link_fault(std::string_view link) {
  if (link.empty()) return "link target is empty";
  if (link.size() > base::kPathBytesMax) return "link target is over 4096 bytes";
  if (link.find('\0') != link.npos) return "link target has a NUL";
  return {};
}

void append_tar_header(std::string& out, const TarEntry& entry) {
  SPL_CHECK(tar_path_fault(entry.path).empty());
  SPL_CHECK(entry.mode <= ustar::kModeMax);
  SPL_CHECK(entry.type == TarType::kFile || entry.size_bytes == 0);
  SPL_CHECK(entry.type == TarType::kSymlink ? tar_link_fault(entry.link).empty() : entry.link.empty());

  const std::size_t prefix = ustar::prefix_bytes(entry.path, entry.type);
  const PaxNeed need = pax_need(entry, prefix);
  if (need.bytes > 0) append_pax(out, entry, need);

  char* block = append_template(out);
  std::string_view name = entry.path;
  if (prefix != 0 && prefix != name.npos) {
    put_text(block, ustar::kPrefix, name.substr(0, prefix));
    name.remove_prefix(prefix + 1);
  }
  put_text(block, ustar::kName, name);
  if (entry.type == TarType::kDirectory && name.size() < ustar::kName.bytes) block[name.size()] = '/';
  put_octal(block, ustar::kMode.at, 7, entry.mode);
  if (entry.uid <= ustar::kIdMax) put_octal(block, ustar::kUid.at, 7, entry.uid);
  if (entry.gid <= ustar::kIdMax) put_octal(block, ustar::kGid.at, 7, entry.gid);
  if (!need.size) put_octal(block, ustar::kSize.at, 11, entry.size_bytes);
  const auto mtime = static_cast<std::uint64_t>(entry.mtime_s);  // a time before 1970 is beyond kSizeMax
  if (mtime <= ustar::kSizeMax) put_octal(block, ustar::kMtime.at, 11, mtime);
  block[ustar::kType.at] = static_cast<char>(entry.type);
  if (!entry.link.empty()) put_text(block, ustar::kLink, entry.link);
  put_checksum(block);
}

std::size_t tar_header_bytes(const TarEntry& entry) {
  const PaxNeed need = pax_need(entry, ustar::prefix_bytes(entry.path, entry.type));
  if (need.bytes == 0) return kTarBlock;
  return 2 * kTarBlock + need.bytes + tar_padding(need.bytes);
}

void append_tar_end(std::string& out, std::uint64_t tar_bytes_so_far) {
  SPL_CHECK(tar_bytes_so_far % kTarBlock == 0);
  const std::uint64_t used = (tar_bytes_so_far + 2 * kTarBlock) % kTarRecord;
  out.append(2 * kTarBlock + (used == 0 ? 0 : kTarRecord - used), '\0');
}

}  // namespace spl::codec
