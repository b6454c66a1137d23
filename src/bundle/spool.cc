#include "bundle/spool.h"

#include <algorithm>

namespace spl::bundle {
namespace {

constexpr std::size_t kCopyBytes = 1u << 20;

}  // namespace

Result<Spool> Spool::make(env::Env env, const std::string& directory, SpoolKind kind) {
  auto file = TRY(env.fs.open_unnamed(directory));
  std::optional<crypto::Keystream> keystream;
  if (kind == SpoolKind::kEncrypted) {
    std::string key(crypto::kKeystreamKeyBytes, '\0');
    env.random.fill(key);
    keystream.emplace(SecretBytes(key));
    explicit_bzero(key.data(), key.size());
  }
  return Spool(std::move(file), std::move(keystream));
}

Result<void> Spool::append(std::string_view octets) {
  if (keystream_) {
    buffer_.assign(octets);
    keystream_->apply(size_, buffer_);
    octets = buffer_;
  }
  TRY(file_->write_at(size_, octets));
  size_ += octets.size();
  return {};
}

Result<std::size_t> Spool::read_at(std::uint64_t at, std::span<char> out) {
  const std::span<char> piece = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - at)));
  if (TRY(file_->read_at(at, piece)) != piece.size())
    return fail("the spool file is shorter than what was written to it");
  if (keystream_) keystream_->apply(at, piece);
  return piece.size();
}

Result<void> Spool::write_to(Sink& out) {
  buffer_.resize(kCopyBytes);
  for (std::uint64_t at = 0; at < size_;) {
    const std::size_t n = TRY(read_at(at, buffer_));
    TRY(out.write({buffer_.data(), n}));
    at += n;
  }
  return {};
}

}  // namespace spl::bundle
