#include "codec/seek_table.h"

#include <limits>

#include "base/check.h"
#include "codec/little_endian.h"

namespace spl::codec {
namespace {

constexpr std::uint32_t kFooterMagic = 0x8F92EAB1;
constexpr std::size_t kHeaderBytes = 8;
constexpr unsigned kChecksumFlag = 0x80;
constexpr unsigned kReservedBits = 0x7C;

std::unexpected<Error> refuse(std::string_view rule) {
  return fail(ErrorCode::kVerification, "zstd: seek table: " + std::string(rule));
}

struct Footer {
  std::size_t frames = 0;
  std::size_t entry_bytes = 0;
  [[nodiscard]] std::size_t table_bytes() const { return kHeaderBytes + frames * entry_bytes + kSeekFooterBytes; }
};

Result<Footer> parse_footer(std::string_view tail) {
  if (tail.size() < kSeekFooterBytes) return refuse("shorter than its footer");
  const std::string_view text = tail.substr(tail.size() - kSeekFooterBytes);
  if (load_le32(text, 5) != kFooterMagic) return refuse("not there");
  const unsigned descriptor = static_cast<unsigned char>(text[4]);
  if ((descriptor & kReservedBits) != 0) return refuse("reserved bits are set");
  Footer footer;
  footer.frames = load_le32(text, 0);
  footer.entry_bytes = (descriptor & kChecksumFlag) != 0 ? 12 : 8;
  if (footer.frames > kSeekFramesMax) return refuse("too many frames");
  return footer;
}

}  // namespace

void SeekTable::add(std::uint64_t compressed_bytes, std::uint64_t decompressed_bytes) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  SPL_CHECK(compressed_bytes <= kMax && decompressed_bytes <= kMax);
  frames_.push_back({static_cast<std::uint32_t>(compressed_bytes), static_cast<std::uint32_t>(decompressed_bytes)});
}

void SeekTable::append_to(std::string& out) const {
  if (frames_.size() > kSeekFramesMax) return;
  const auto count = static_cast<std::uint32_t>(frames_.size());
  append_le32(out, kSeekTableMagic);
  append_le32(out, count * 8 + static_cast<std::uint32_t>(kSeekFooterBytes));
  for (const SeekFrame& frame : frames_) {
    append_le32(out, frame.compressed_bytes);
    append_le32(out, frame.decompressed_bytes);
  }
  append_le32(out, count);
  out.push_back('\0');  // the descriptor: no checksums
  append_le32(out, kFooterMagic);
}

std::optional<SeekPosition> SeekTable::find(std::uint64_t decompressed_offset) const {
  SeekPosition position;
  for (const SeekFrame& frame : frames_) {
    if (decompressed_offset - position.decompressed_offset < frame.decompressed_bytes) return position;
    ++position.frame;
    position.compressed_offset += frame.compressed_bytes;
    position.decompressed_offset += frame.decompressed_bytes;
  }
  return std::nullopt;
}

bool looks_like_seek_table(std::string_view frame) {
  return frame.size() >= kHeaderBytes + kSeekFooterBytes && load_le32(frame, 0) == kSeekTableMagic &&
         load_le32(frame, frame.size() - 4) == kFooterMagic;
}

Result<std::size_t> seek_table_bytes(std::string_view footer) {
  return TRY(parse_footer(footer)).table_bytes();
}

Result<SeekTable> parse_seek_table(std::string_view tail) {
  const Footer footer = TRY(parse_footer(tail));
  const std::size_t bytes = footer.table_bytes();
  if (tail.size() < bytes) return refuse("its beginning is missing");
  const std::string_view text = tail.substr(tail.size() - bytes);
  if (load_le32(text, 0) != kSeekTableMagic) return refuse("it is not in a skippable frame");
  if (load_le32(text, 4) != bytes - kHeaderBytes) return refuse("its size is wrong");
  SeekTable table;
  for (std::size_t i = 0; i < footer.frames; ++i) {
    const std::size_t at = kHeaderBytes + i * footer.entry_bytes;
    if (load_le32(text, at) == 0) return refuse("a frame of no bytes");
    table.add(load_le32(text, at), load_le32(text, at + 4));
  }
  return table;
}

}  // namespace spl::codec
