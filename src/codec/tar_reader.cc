#include <algorithm>
#include <cstring>
#include <utility>

#include "base/encoding.h"
#include "codec/tar.h"
#include "codec/tar_format.h"

namespace spl::codec {
namespace {

constexpr std::size_t kBufferBytes = 256u << 10;
static_assert(kTarPaxBytesMax <= kBufferBytes);

std::unexpected<Error> refuse(std::string_view rule) {
  return fail(ErrorCode::kVerification, "tar: " + std::string(rule));
}

std::unexpected<Error> refuse_entry(std::string_view path, std::string_view rule) {
  return fail(ErrorCode::kVerification, base::escaped(path, kTarPathShownBytesMax) + ": " + std::string(rule));
}

std::unexpected<Error> refuse_header(std::uint64_t offset, std::string_view rule) {
  return refuse("header at byte " + std::to_string(offset) + ": " + std::string(rule));
}

// Of a pax header and what it says so far.
std::unexpected<Error> refuse_pax(const ustar::Pax& pax, std::uint64_t offset, std::string_view rule) {
  return pax.path.value_or("").empty() ? refuse_header(offset, rule) : refuse_entry(*pax.path, rule);
}

}  // namespace

TarReader::TarReader(Source& in, std::uint64_t offset) : in_(in), buffer_(in, kBufferBytes), offset_(offset) {}

template <class T>
Result<T> TarReader::remember(Result<T> result) {
  if (!result) error_ = result.error();
  return result;
}

Result<std::optional<TarEntry>> TarReader::next() {
  if (error_) return std::unexpected(*error_);
  return remember(next_entry());
}

Result<std::size_t> TarReader::read(std::span<char> out) {
  if (error_) return std::unexpected(*error_);
  return remember(read_content(out));
}

Result<void> TarReader::append_content(std::string& out) {
  if (error_) return std::unexpected(*error_);
  while (remaining_ > 0) out += TRY(remember(take_content()));
  return {};
}

Result<std::optional<TarEntry>> TarReader::next_entry() {
  if (ended_) return std::nullopt;
  while (remaining_ > 0) TRY(take_content());
  TRY(check_padding(size_));
  size_ = 0;
  path_.clear();

  const std::uint64_t header_offset = offset_;
  const char* block = TRY(take(kTarBlock));
  if (ustar::all_zero(block, kTarBlock)) {
    TRY(check_end());
    ended_ = true;
    return std::nullopt;
  }
  ustar::Pax pax;
  if (block[ustar::kType.at] == ustar::kPaxType) {
    TRY(read_pax(block, pax));
    block = TRY(take(kTarBlock));
    if (block[ustar::kType.at] == ustar::kPaxType || ustar::all_zero(block, kTarBlock))
      return refuse_pax(pax, header_offset, "pax header without an entry after it");
  }

  if (const auto fault = ustar::frame_fault(block); !fault.empty()) return refuse_header(offset_ - kTarBlock, fault);
  ustar::Header header;
  TarEntry entry;
  std::string_view fault = ustar::parse_header(block, header);
  ustar::join_path(header, pax, entry.path);
  if (fault.empty()) fault = ustar::make_entry(header, pax, entry);
  if (!fault.empty()) {
    return entry.path.empty() ? refuse_header(offset_ - kTarBlock, fault) : refuse_entry(entry.path, fault);
  }
  entry.header_offset = header_offset;
  path_ = entry.path;
  size_ = remaining_ = entry.size_bytes;
  return entry;
}

// The views of `pax` are into pax_text_.
Result<void> TarReader::read_pax(const char* block, ustar::Pax& pax) {
  const std::uint64_t at = offset_ - kTarBlock;
  if (const auto fault = ustar::frame_fault(block); !fault.empty()) return refuse_header(at, fault);
  ustar::Header header;
  std::string_view fault = ustar::parse_header(block, header);
  if (fault.empty()) fault = ustar::pax_header_fault(header);
  if (!fault.empty()) return refuse_header(at, fault);

  const std::size_t bytes = header.size;
  pax_text_.assign(TRY(take(bytes)), bytes);
  fault = ustar::parse_pax(pax_text_, pax);
  if (!fault.empty()) return refuse_pax(pax, at, fault);
  path_ = pax.path.value_or("");
  return check_padding(bytes);
}

// The next `bytes` octets, which stay where they are until the next call.
Result<const char*> TarReader::take(std::size_t bytes) {
  const auto octets = TRY(buffer_.peek(bytes));
  if (octets.size() < bytes) return truncated();
  buffer_.take(bytes);
  offset_ += bytes;
  return octets.data();
}

// What the buffer has of the content, filled again where it is empty.
Result<std::string_view> TarReader::take_content() {
  const std::size_t held = TRY(buffer_.peek(1)).size();
  if (held == 0) return truncated();
  const std::size_t bytes = std::min<std::uint64_t>(held, remaining_);
  remaining_ -= bytes;
  return std::string_view(TRY(take(bytes)), bytes);
}

Result<std::size_t> TarReader::read_content(std::span<char> out) {
  const std::size_t wanted = std::min<std::uint64_t>(out.size(), remaining_);
  if (wanted == 0) return 0;
  // What is large goes past the buffer.
  if (buffer_.held().empty() && wanted >= kBufferBytes) {
    const std::size_t n = TRY(in_.read(out.first(wanted)));
    if (n == 0) return truncated();
    remaining_ -= n;
    offset_ += n;
    return n;
  }
  const auto held = TRY(buffer_.peek(1));
  if (held.empty()) return truncated();
  const std::size_t n = std::min(wanted, held.size());
  std::memcpy(out.data(), held.data(), n);
  buffer_.take(n);
  remaining_ -= n;
  offset_ += n;
  return n;
}

Result<void> TarReader::check_padding(std::uint64_t size_bytes) {
  const std::size_t bytes = tar_padding(size_bytes);
  if (bytes == 0) return {};
  if (ustar::all_zero(TRY(take(bytes)), bytes)) return {};
  constexpr std::string_view kRule = "padding is not zero";
  if (path_.empty()) return refuse_header(offset_, kRule);
  return refuse_entry(path_, kRule);
}

// After the first of the two zero blocks.
Result<void> TarReader::check_end() {
  do {
    const char* block = TRY(take(kTarBlock));
    if (!ustar::all_zero(block, kTarBlock)) return refuse("bytes after the end that are not zero");
  } while (offset_ % kTarRecord != 0);
  if (!TRY(buffer_.peek(1)).empty()) return refuse("bytes after the end");
  return {};
}

std::unexpected<Error> TarReader::truncated() const {
  const std::string rule = "truncated at byte " + std::to_string(offset_ + buffer_.held().size());
  return path_.empty() ? refuse(rule) : refuse_entry(path_, rule);
}

}  // namespace spl::codec
