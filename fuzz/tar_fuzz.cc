// Reads the input as a tar, as it is and with the checksums made right: a fuzzer cannot guess those. What is accepted
// says the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/tar.h"
#include "codec/tar_format.h"

namespace {

using spl::base::StringSource;
using spl::codec::TarEntry;
using spl::codec::TarReader;

void check_entry(const TarEntry& entry) {
  SPL_CHECK(spl::codec::tar_path_fault(entry.path).empty());
  std::string header;
  append_tar_header(header, entry);
  SPL_CHECK(header.size() == tar_header_bytes(entry));
  StringSource source(header);
  TarReader reader(source);
  const auto same = reader.next();
  SPL_CHECK(same && *same);
  SPL_CHECK((*same)->path == entry.path && (*same)->link == entry.link && (*same)->type == entry.type);
  SPL_CHECK((*same)->size_bytes == entry.size_bytes && (*same)->mode == entry.mode);
  SPL_CHECK((*same)->uid == entry.uid && (*same)->gid == entry.gid && (*same)->mtime_s == entry.mtime_s);
}

void read_tar(std::string_view tar) {
  StringSource source(tar);
  TarReader reader(source);
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      SPL_CHECK(entry.error().code == spl::ErrorCode::kVerification);
      SPL_CHECK(!reader.next());
      return;
    }
    if (!*entry) break;
    SPL_CHECK((*entry)->header_offset < reader.offset());
    check_entry(**entry);
    std::string content;
    if (!reader.append_content(content)) return;
    SPL_CHECK(content.size() == (*entry)->size_bytes);
  }
  SPL_CHECK(reader.offset() == tar.size());
  SPL_CHECK(tar.size() % spl::codec::kTarRecord == 0);
}

std::string with_checksums(std::string_view tar) {
  namespace ustar = spl::codec::ustar;
  std::string right(tar);
  for (std::size_t at = 0; at + spl::codec::kTarBlock <= right.size(); at += spl::codec::kTarBlock) {
    char* block = &right[at];
    if (std::string_view(block + ustar::kMagic.at, ustar::kMagic.bytes) != ustar::kMagicText) continue;
    std::uint32_t sum = ustar::checksum(block);
    for (std::size_t i = 6; i > 0; --i, sum /= 8) block[ustar::kChecksum.at + i - 1] = static_cast<char>('0' + sum % 8);
  }
  return right;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view tar(reinterpret_cast<const char*>(data), size);
  read_tar(tar);
  read_tar(with_checksums(tar));
  return 0;
}
