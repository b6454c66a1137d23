// The fields of a ustar header block and the records of a pax header, for tar.cc and tar_reader.cc
// alone. What refuses something answers with the rule that is broken, or with nothing. Bytes. Any
// thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "codec/tar.h"

namespace spl::codec::ustar {

struct Field {
  std::size_t at;
  std::size_t bytes;
};

inline constexpr Field kName{0, 100};
inline constexpr Field kMode{100, 8};
inline constexpr Field kUid{108, 8};
inline constexpr Field kGid{116, 8};
inline constexpr Field kSize{124, 12};
inline constexpr Field kMtime{136, 12};
inline constexpr Field kChecksum{148, 8};
inline constexpr Field kType{156, 1};
inline constexpr Field kLink{157, 100};
inline constexpr Field kMagic{257, 8};    // with the version
inline constexpr Field kOwners{265, 64};  // uname and gname
inline constexpr Field kDeviceMajor{329, 8};
inline constexpr Field kDeviceMinor{337, 8};
inline constexpr Field kPrefix{345, 155};
inline constexpr Field kUnused{500, 12};

inline constexpr std::string_view kMagicText{"ustar\00000", 8};
inline constexpr std::string_view kDeviceText{"0000000\0", 8};
inline constexpr char kPaxType = 'x';
inline constexpr std::uint64_t kIdMax = 07777777;
inline constexpr std::uint64_t kSizeMax = 077777777777;
inline constexpr std::uint64_t kModeMax = 07777;

inline constexpr char kZeroBlock[kTarBlock] = {};

// Whether `bytes` (at most a block) are all zero.
inline bool all_zero(const char* at, std::size_t bytes) {
  return std::memcmp(at, kZeroBlock, bytes) == 0;
}

// The sum of a block's octets with the checksum field taken as spaces. Two sums a word, in lanes of
// 16 bits that 64 words cannot overflow.
inline std::uint32_t checksum(const char* block) {
  constexpr std::uint64_t kLanes = 0x00FF00FF00FF00FF;
  std::uint64_t lanes = 0;
  for (std::size_t i = 0; i < kTarBlock; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, block + i, 8);
    lanes += (word & kLanes) + ((word >> 8) & kLanes);
  }
  std::uint32_t sum = 0;
  for (int shift = 0; shift < 64; shift += 16) sum += static_cast<std::uint32_t>(lanes >> shift & 0xFFFF);
  for (std::size_t i = 0; i < kChecksum.bytes; ++i) sum -= static_cast<unsigned char>(block[kChecksum.at + i]);
  return sum + kChecksum.bytes * ' ';
}

// How many bytes of `path` go to the prefix field: 0 where the name field has room for all, npos
// where no split fits. A directory's slash is not in `path` but takes room in the name field.
inline std::size_t prefix_bytes(std::string_view path, TarType type) {
  const std::size_t bytes = path.size() + (type == TarType::kDirectory ? 1 : 0);
  if (bytes <= kName.bytes) return 0;
  const std::size_t slash = path.find('/', bytes - kName.bytes - 1);
  return slash <= kPrefix.bytes ? slash : std::string_view::npos;
}

// A header block's fields. The views are into the block.
struct Header {
  std::string_view name;
  std::string_view prefix;
  std::string_view link;
  std::uint64_t mode = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::uint64_t size = 0;
  std::uint64_t mtime = 0;
  char type = 0;
};

// What a pax header says. The views are into its text.
struct Pax {
  std::optional<std::string_view> path;
  std::optional<std::string_view> link;
  std::optional<std::uint64_t> size;
};

// Whether the block is a header at all, so that its name can be believed: the checksum. Of a block that is none,
// whether it is a tar's.
std::string_view frame_fault(const char* block);
// Name and prefix are there even where another field is at fault.
std::string_view parse_header(const char* block, Header& header);
// What only a pax header's own header block must keep to.
std::string_view pax_header_fault(const Header& header);
std::string_view parse_pax(std::string_view text, Pax& pax);
// The path as it is on disk: a directory's with its slash.
void join_path(const Header& header, const Pax& pax, std::string& path);
// The entry of a header and of the pax header before it, if any; `entry.path` is join_path's and
// loses its slash.
std::string_view make_entry(const Header& header, const Pax& pax, TarEntry& entry);

}  // namespace spl::codec::ustar
