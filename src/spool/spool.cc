#include "spool/spool.h"

#include <algorithm>
#include <cstring>

namespace spl::spool {
namespace {

constexpr std::size_t kCopyBytes = 1u << 20;

// Whoever has the choice of a directory is told by the cause that it was this one.
template <class T>
Result<T> of_spool(Result<T> result) {
  if (!result) result.error().cause = result.error().cause == Cause::kNoSpace ? Cause::kNoSpoolSpace : Cause::kSpool;
  return result;
}

}  // namespace

Result<Spool> Spool::make(env::Env env, SpoolOptions options) {
  Spool spool(env, std::move(options));
  if (spool.options_.held_bytes_max == 0) TRY(spool.open_file());
  return spool;
}

Result<void> Spool::open_file() {
  file_ = TRY(of_spool(fs_->open_unnamed(options_.directory)));
  if (options_.secrecy == Secrecy::kPlain) return {};
  std::string key(crypto::kKeystreamKeyBytes, '\0');
  random_->fill(key);
  keystream_.emplace(SecretBytes(key));
  explicit_bzero(key.data(), key.size());
  return {};
}

Result<void> Spool::append_to_file(std::string_view octets) {
  if (keystream_) {
    buffer_.assign(octets);
    keystream_->apply(in_file_bytes_, buffer_);
    octets = buffer_;
  }
  TRY(of_spool(file_->write_at(in_file_bytes_, octets)));
  in_file_bytes_ += octets.size();
  return {};
}

Result<void> Spool::append(std::string_view octets) {
  if (held_.size() + octets.size() <= options_.held_bytes_max) {
    held_ += octets;
    return {};
  }
  if (!file_) TRY(open_file());
  if (!held_.empty()) {
    TRY(append_to_file(held_));
    held_.clear();
  }
  return append_to_file(octets);
}

Result<std::size_t> Spool::read_at(std::uint64_t at, std::span<char> out) {
  if (at >= in_file_bytes_) return held_.copy(out.data(), out.size(), static_cast<std::size_t>(at - in_file_bytes_));
  const auto in_file = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), in_file_bytes_ - at));
  const std::span<char> piece = out.first(in_file);
  if (TRY(file_->read_at(at, piece)) != piece.size())
    return fail("the spool file is shorter than what was written to it");
  if (keystream_) keystream_->apply(at, piece);
  return in_file + held_.copy(out.data() + in_file, out.size() - in_file);
}

Result<void> Spool::write_to(Sink& out) {
  buffer_.resize(kCopyBytes);
  for (std::uint64_t at = 0; at < size_bytes();) {
    const std::size_t n = TRY(read_at(at, buffer_));
    TRY(out.write({buffer_.data(), n}));
    at += n;
  }
  return {};
}

}  // namespace spl::spool
