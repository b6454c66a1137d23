#include "codec/zstd.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "codec/little_endian.h"

namespace spl::codec {
namespace {

constexpr std::uint32_t kFrameMagic = 0xFD2FB528;
constexpr std::uint32_t kSkippableMagic = 0x184D2A50;  // and the 15 after it
constexpr std::uint32_t kSkippableMagicMask = 0xFFFFFFF0;
constexpr std::size_t kSkippableHeaderBytes = 8;
constexpr std::size_t kFrameHeaderBytesMax = 18;
constexpr std::size_t kBufferBytes = 256u << 10;
constexpr int kWindowLogMax = 27;
static_assert(kZstdWindowBytesMax == std::uint64_t{1} << kWindowLogMax);

constexpr std::string_view kWindowFault = "window is over 128 MiB";

std::unexpected<Error> refuse(std::string_view rule) {
  return fail(
      ErrorCode::kVerification, "zstd: " + std::string(rule),
      rule == kWindowFault ? "it was compressed with --long: unpack it with zstd -d --long=31, and take that" : "");
}

bool is_skippable(std::uint32_t magic) {
  return (magic & kSkippableMagicMask) == kSkippableMagic;
}

// Looks at what a frame's header declares before the library acts on it: its own check of the
// window is left out where the whole frame fits the caller's buffers. `header` is
// kFrameHeaderBytesMax octets, or all there are.
std::string_view frame_fault(std::string_view header) {
  constexpr std::string_view kTruncated = "truncated in a frame header";
  if (header.size() < 6) return kTruncated;
  const auto descriptor = static_cast<unsigned char>(header[4]);
  const bool single_segment = (descriptor & 0x20) != 0;
  if ((descriptor & 0x08) != 0) return "reserved bit of a frame header is set";
  if ((descriptor & 0x03) != 0) return "a frame wants a dictionary";
  if (!single_segment) {
    const auto window = static_cast<unsigned char>(header[5]);
    const std::uint64_t power = std::uint64_t{1024} << (window >> 3);
    return power + power / 8 * (window & 7) > kZstdWindowBytesMax ? kWindowFault : "";
  }
  // The content is the window, and its size stands where the window would.
  const std::size_t size_bytes = std::size_t{1} << (descriptor >> 6);
  if (header.size() < 5 + size_bytes) return kTruncated;
  std::uint64_t content = 0;
  for (std::size_t i = size_bytes; i > 0; --i) content = content << 8 | static_cast<unsigned char>(header[4 + i]);
  return content > kZstdWindowBytesMax ? kWindowFault : "";
}

std::unexpected<Error> library_error(std::size_t code) {
  std::string message = std::string("zstd: ") + ZSTD_getErrorName(code);
  const bool memory = ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation;
  return fail(memory ? ErrorCode::kFailed : ErrorCode::kVerification, std::move(message));
}

}  // namespace

bool looks_like_zstd(std::string_view first4) {
  if (first4.size() < 4) return false;
  const std::uint32_t magic = load_le32(first4, 0);
  return magic == kFrameMagic || is_skippable(magic);
}

ZstdCompressor::ZstdCompressor(int level) : context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
  SPL_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level)));
  SPL_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1)));
}

ZstdCompressor::~ZstdCompressor() {
  ZSTD_freeCCtx(context_);
}

void ZstdCompressor::compress_frame(std::string_view in, std::string& out) {
  const std::size_t at = out.size();
  const std::size_t bound = ZSTD_compressBound(in.size());
  std::size_t written = 0;
  out.resize_and_overwrite(at + bound, [&](char* text, std::size_t) {
    written = ZSTD_compress2(context_, text + at, bound, in.data(), in.size());
    return ZSTD_isError(written) ? at : at + written;
  });
  // With room for any result, the library has only memory to run out of.
  if (ZSTD_isError(written)) throw std::bad_alloc();
}

ZstdSource::ZstdSource(Source& in) : context_(ZSTD_createDCtx()), buffer_(in, kBufferBytes) {
  if (context_ == nullptr) throw std::bad_alloc();
  SPL_CHECK(!ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kWindowLogMax)));
}

ZstdSource::~ZstdSource() {
  ZSTD_freeDCtx(context_);
}

Result<std::size_t> ZstdSource::read(std::span<char> out) {
  if (error_) return std::unexpected(*error_);
  auto result = decompress(out);
  if (!result) error_ = result.error();
  return result;
}

Result<std::size_t> ZstdSource::decompress(std::span<char> out) {
  for (;;) {
    switch (state_) {
      case State::kFirst:
      case State::kBetween:
        TRY(begin_frame());
        break;
      case State::kSkippable:
        TRY(skip());
        break;
      case State::kFrame:
        if (const std::size_t n = TRY(decompress_some(out)); n > 0) return n;
        break;
      case State::kEnd:
        return 0;
    }
  }
}

// Between frames: finds out what comes.
Result<void> ZstdSource::begin_frame() {
  const bool first = state_ == State::kFirst;
  const auto held = TRY(buffer_.peek(kFrameHeaderBytesMax));
  const std::string_view header(held.data(), held.size());
  if (header.empty() && !first) return end();
  if (seek_table_ended_) return refuse("bytes after the seek table");
  if (!looks_like_zstd(header))
    return refuse(first ? "it does not begin with a frame" : "bytes after a frame that are no frame");
  if (is_skippable(load_le32(header, 0))) return begin_skippable(header);
  if (const auto fault = frame_fault(header.substr(0, kFrameHeaderBytesMax)); !fault.empty()) return refuse(fault);
  ends_in_content_ = false;
  state_ = State::kFrame;
  return {};
}

Result<void> ZstdSource::end() {
  if (!ends_in_content_) return refuse("after the last frame that holds something, only a seek table may stand");
  state_ = State::kEnd;
  return {};
}

Result<void> ZstdSource::begin_skippable(std::string_view header) {
  if (header.size() < kSkippableHeaderBytes) return refuse("truncated in a skippable frame");
  skip_bytes_ = load_le32(header, 4);
  keeps_skipped_ = load_le32(header, 0) == kSeekTableMagic && skip_bytes_ <= kSeekTableBytesMax - kSkippableHeaderBytes;
  if (keeps_skipped_) skipped_ = header.substr(0, kSkippableHeaderBytes);
  buffer_.take(kSkippableHeaderBytes);
  state_ = State::kSkippable;
  return {};
}

Result<void> ZstdSource::skip() {
  while (skip_bytes_ > 0) {
    const auto held = TRY(buffer_.peek(1));
    if (held.empty()) return refuse("truncated in a skippable frame");
    const std::size_t n = std::min<std::uint64_t>(skip_bytes_, held.size());
    if (keeps_skipped_) skipped_.append(held.data(), n);
    buffer_.take(n);
    skip_bytes_ -= n;
  }
  state_ = State::kBetween;
  return end_skippable();
}

// Finds out whether it was the seek table.
Result<void> ZstdSource::end_skippable() {
  if (keeps_skipped_ && looks_like_seek_table(skipped_)) {
    TRY(parse_seek_table(skipped_));
    if (TRY(seek_table_bytes(skipped_)) != skipped_.size()) return refuse("seek table: its size is wrong");
    seek_table_ended_ = true;
  } else {
    ends_in_content_ = false;
  }
  skipped_ = {};
  return {};
}

// May make nothing: where the input so far gives no output, and at the end of a frame.
Result<std::size_t> ZstdSource::decompress_some(std::span<char> out) {
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  // First without more input: what the library holds back goes first.
  const auto held = buffer_.held();
  ZSTD_inBuffer input{held.data(), held.size(), 0};
  const std::size_t hint = ZSTD_decompressStream(context_, &output, &input);
  if (ZSTD_isError(hint)) return library_error(hint);
  buffer_.take(input.pos);
  if (output.pos > 0) ends_in_content_ = true;
  if (hint == 0) {
    state_ = State::kBetween;
  } else if (output.pos == 0 && TRY(buffer_.peek(1)).empty()) {
    return refuse("truncated in a frame");
  }
  return output.pos;
}

std::string zstd_library_version() {
  return ::ZSTD_versionString();
}

}  // namespace spl::codec
