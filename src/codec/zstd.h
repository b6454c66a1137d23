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

// Appends a skippable frame of `total_bytes` (8 to 4 GiB) in all, which means nothing.
void append_zstd_padding(std::string& out, std::size_t total_bytes);

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

// What the frames of `in`, one after the other, hold. Memory is bounded by the window whatever the
// input says. Errors but those of `in` read "zstd: ..." and have the code kVerification: no zstd
// frame at the beginning, or anything else than a whole frame after one; a window over
// kZstdWindowBytesMax, a dictionary, a wrong checksum or size. An error is final: every later read
// answers with it again.
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
  Result<void> skip();

  ZSTD_DCtx_s* context_;
  base::PeekBuffer buffer_;
  State state_ = State::kFirst;
  std::uint64_t skip_bytes_ = 0;  // of a skippable frame
  std::optional<Error> error_;
};

}  // namespace spl::codec
