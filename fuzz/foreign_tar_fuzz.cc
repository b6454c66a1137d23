// Reads the input as a tar of another program's, as it is and with the checksums made right: a fuzzer cannot guess
// those. What is let through is a path that stays below a directory.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/foreign_tar.h"
#include "codec/tar_format.h"

namespace {

using spl::codec::ForeignType;

void read_tar(std::string_view tar) {
  spl::base::StringSource source(tar);
  spl::codec::ForeignTarReader reader(source);
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      SPL_CHECK(entry.error().code == spl::ErrorCode::kVerification);
      return;
    }
    if (!*entry) return;
    SPL_CHECK((*entry)->path.empty() ? (*entry)->type == ForeignType::kDirectory
                                     : spl::codec::tar_path_fault((*entry)->path).empty());
    SPL_CHECK((*entry)->type == ForeignType::kFile || (*entry)->size_bytes == 0);
    std::array<char, 1000> piece{};
    std::uint64_t bytes = 0;
    for (;;) {
      const auto read = reader.read(piece);
      if (!read) return;
      if (*read == 0) break;
      bytes += *read;
    }
    SPL_CHECK(bytes == (*entry)->size_bytes);
  }
}

std::string with_checksums(std::string_view tar) {
  namespace ustar = spl::codec::ustar;
  std::string right(tar);
  for (std::size_t at = 0; at + spl::codec::kTarBlock <= right.size(); at += spl::codec::kTarBlock) {
    char* block = &right[at];
    if (std::string_view(block + ustar::kMagic.at, 5) != "ustar") continue;
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
