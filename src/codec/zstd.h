// zstd as a bundle has it: independent frames of at most a window, no dictionary, skippable frames
// passed over. Also the seek table (seek_table.h). Sizes in bytes. One thread at a time per object.
// Source: RFC 8878.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/peek_buffer.h"
#include "base/result.h"
#include "base/stream.h"
#include "codec/seek_table.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace spl::codec {

inline constexpr std::uint64_t kZstdWindowBytesMax = 128u << 20;

// Whether a file that begins so (at least 4 octets) is zstd: a frame or a skippable frame.
bool looks_like_zstd(std::string_view first4);

// Makes frames, with one context for all of them.
class ZstdCompressor {
 public:
  explicit ZstdCompressor(int level);
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;
  ~ZstdCompressor();

  // Appends one frame that holds `in`, its size and its checksum. The same octets give the same
  // frame.
  void compress_frame(std::string_view in, std::string& out);

 private:
  ZSTD_CCtx_s* context_;
};

// What the frames of `in`, one after the other, hold. Memory is bounded by the window and the longest seek table
// whatever the input says. Skippable frames and frames of nothing are passed over, but not after the last frame that
// holds something: there nothing may stand but one seek table, which is the last thing of all. So nothing can be
// appended to what has an end of its own inside. What the table says is not compared with the frames: it is a hint.
//
// Errors but those of `in` read "zstd: ..." and have the code kVerification: no zstd frame at the beginning, or
// anything else than a whole frame after one; a window over kZstdWindowBytesMax, a dictionary, a wrong checksum or
// size; a seek table that is malformed or not the last thing. An error is final: every later read answers with it
// again.
class ZstdSource final : public Source {
 public:
  explicit ZstdSource(Source& in);
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;
  ~ZstdSource() override;

  Result<std::size_t> read(std::span<char> out) override;

 private:
  enum class State : std::uint8_t { kFirst, kBetween, kFrame, kSkippable, kEnd };

  Result<std::size_t> decompress(std::span<char> out);
  Result<std::size_t> decompress_some(std::span<char> out);
  Result<void> begin_frame();
  Result<void> end();
  Result<void> begin_skippable(std::string_view header);
  Result<void> skip();
  Result<void> end_skippable();

  ZSTD_DCtx_s* context_;
  base::PeekBuffer buffer_;
  State state_ = State::kFirst;
  std::uint64_t skip_bytes_ = 0;  // of a skippable frame
  bool keeps_skipped_ = false;    // it may be a seek table
  std::string skipped_;           // of it, where it is kept
  bool seek_table_ended_ = false;
  bool ends_in_content_ = false;  // nothing stands after the last frame that held something, but for a seek table
  std::optional<Error> error_;
};

// "1.5.4"
std::string zstd_library_version();

}  // namespace spl::codec
