// The seek table at the end of a bundle: which zstd frame holds which bytes of the tar, in the
// public zstd seekable format (a skippable frame, which zstd and tar pass over). It is a hint and
// never to be believed without checking.
//
// The frames of the table are all frames before it in the file, in order; a skippable frame among
// them has 0 decompressed bytes. Sizes and offsets in bytes. A const SeekTable: any thread. Source:
// zstd, contrib/seekable_format/zstd_seekable_compression_format.md, version 0.1.0; no checksums
// are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace spl::codec {

inline constexpr std::uint32_t kSeekTableMagic = 0x184D2A5E;  // of its skippable frame
inline constexpr std::size_t kSeekFooterBytes = 9;
inline constexpr std::size_t kSeekFramesMax = 1u << 20;
// The longest there can be, with checksums.
inline constexpr std::size_t kSeekTableBytesMax = 8 + 12 * kSeekFramesMax + kSeekFooterBytes;

struct SeekFrame {
  std::uint32_t compressed_bytes = 0;
  std::uint32_t decompressed_bytes = 0;
  bool operator==(const SeekFrame&) const = default;
};

// Where a frame begins in the compressed file and in what it decompresses to.
struct SeekPosition {
  std::size_t frame = 0;
  std::uint64_t compressed_offset = 0;
  std::uint64_t decompressed_offset = 0;
  bool operator==(const SeekPosition&) const = default;
};

class SeekTable {
 public:
  // The next frame. Both sizes must be below 4 GiB.
  void add(std::uint64_t compressed_bytes, std::uint64_t decompressed_bytes);
  // Appends nothing where there are more than kSeekFramesMax frames: a bundle can be read without
  // the table.
  void append_to(std::string& out) const;

  [[nodiscard]] std::span<const SeekFrame> frames() const { return frames_; }
  // The frame that holds the byte at `decompressed_offset`, if one does.
  [[nodiscard]] std::optional<SeekPosition> find(std::uint64_t decompressed_offset) const;

 private:
  std::vector<SeekFrame> frames_;
};

// Whether a whole skippable frame is meant as a seek table: by its magic number and its footer's.
bool looks_like_seek_table(std::string_view frame);
// How long the whole seek table is of which `footer` is the last kSeekFooterBytes: what
// parse_seek_table needs.
Result<std::size_t> seek_table_bytes(std::string_view footer);
// The table that `tail` ends with; nothing may follow it, anything may stand before it. Reads
// tables with checksums too. The errors have the code kVerification.
Result<SeekTable> parse_seek_table(std::string_view tail);

}  // namespace spl::codec
