#include "bundle/container.h"

#include <algorithm>

namespace spl::bundle {
namespace {

constexpr std::size_t kAheadBlockBytes = 1u << 20;
constexpr std::size_t kAheadBlocks = 8;

bool is_encrypted(std::string_view first) {
  return crypto::looks_like_age(first) || crypto::looks_like_armored_age(first);
}

// What was decompressed is to be the tar.
Result<void> check_innermost(PeekSource& decompressed) {
  const std::string_view first = TRY(decompressed.peek(crypto::kAgeArmorMagicBytes));
  if (is_encrypted(first))
    return fail(ErrorCode::kVerification, Cause::kMalformed,
                "bundle malformed: age: a layer of encryption within the compression",
                "a bundle is compressed first, then encrypted");
  if (codec::looks_like_zstd(first))
    return fail(ErrorCode::kVerification, Cause::kMalformed, "bundle malformed: zstd: a second layer of compression");
  return {};
}

}  // namespace

Result<std::string_view> PeekSource::peek(std::size_t bytes) {
  const std::size_t before = held_.size();
  if (before < bytes) {
    held_.resize(bytes);
    held_.resize(before + TRY(base::read_full(in_, std::span(held_).subspan(before))));
  }
  return std::string_view(held_).substr(0, bytes);
}

Result<std::size_t> PeekSource::read(std::span<char> out) {
  if (taken_ < held_.size()) {
    const std::size_t n = held_.copy(out.data(), out.size(), taken_);
    taken_ += n;
    return n;
  }
  return in_.read(out);
}

Result<std::unique_ptr<Container>> Container::open(Source& in, const ReaderOptions& options) {
  std::unique_ptr<Container> container(new Container(in));
  const std::string_view first = TRY(container->outer_.peek(crypto::kAgeArmorMagicBytes));
  if (crypto::looks_like_armored_age(first))
    return fail(ErrorCode::kVerification, Cause::kMalformed, "bundle malformed: age: armoured, a bundle is binary",
                "take the armour off with age --decrypt and --encrypt without --armor");
  Source* source = &container->outer_;
  if (crypto::looks_like_age(first)) {
    container->age_ = TRY(crypto::AgeDecryptSource::open(*source, options.identities, options.passphrase));
    container->opening_ = Opening::of(*container->age_);
    source = container->age_.get();
  }
  container->inner_.emplace(*source);
  const std::string_view inner = TRY(container->inner_->peek(crypto::kAgeArmorMagicBytes));
  if (is_encrypted(inner))
    return fail(ErrorCode::kVerification, Cause::kMalformed, "bundle malformed: age: a second layer of encryption");
  source = &*container->inner_;
  if (inner.size() >= 4 && codec::looks_like_zstd(inner)) {
    container->zstd_.emplace(*source);
    container->decompressed_.emplace(*container->zstd_);
    TRY(check_innermost(*container->decompressed_));
    source = &*container->decompressed_;
  }
  container->ahead_.emplace(*source, kAheadBlockBytes, kAheadBlocks);
  return container;
}

}  // namespace spl::bundle
