#include "bundle/container.h"

#include <algorithm>

#include "bundle/foreign_file.h"
#include "bundle/layout.h"

namespace spl::bundle {
namespace {

constexpr std::size_t kAheadBlockBytes = 1u << 20;
constexpr std::size_t kAheadBlocks = 8;
constexpr std::size_t kAheadBlocksSought = 2;  // what is not wanted follows

bool is_encrypted(std::string_view first) {
  return crypto::looks_like_age(first) || crypto::looks_like_armored_age(first);
}

// What was decompressed is to be the tar.
Result<void> check_innermost(PeekSource& decompressed) {
  const std::string_view first = TRY(decompressed.peek(kBeginningBytes));
  if (is_encrypted(first))
    return fail(ErrorCode::kVerification, Cause::kMalformed,
                "bundle malformed: age: a layer of encryption within the compression",
                "a bundle is compressed first, then encrypted");
  if (codec::looks_like_zstd(first))
    return fail(ErrorCode::kVerification, Cause::kMalformed, "bundle malformed: zstd: a second layer of compression",
                "take one off with zstd -d");
  return check_beginning(first);
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
  const std::string_view inner = TRY(container->inner_->peek(kBeginningBytes));
  if (is_encrypted(inner))
    return fail(ErrorCode::kVerification, Cause::kMalformed, "bundle malformed: age: a second layer of encryption",
                "take one off with age --decrypt");
  source = &*container->inner_;
  if (inner.size() >= 4 && codec::looks_like_zstd(inner)) {
    container->zstd_.emplace(*source);
    container->decompressed_.emplace(*container->zstd_);
    TRY(check_innermost(*container->decompressed_));
    container->note_beginning(TRY(container->decompressed_->peek(kBeginningBytes)));
    source = &*container->decompressed_;
  } else {
    TRY(check_beginning(inner));
    container->note_beginning(inner);
  }
  container->ahead_.emplace(*source, kAheadBlockBytes, kAheadBlocks);
  return container;
}

void Container::note_beginning(std::string_view first) {
  begins_as_bundle_ = kManifestPath.starts_with(first.substr(0, kManifestPath.size()));
}

Result<Source*> Container::inner_at(std::uint64_t offset) {
  if (!age_) {
    TRY(file_->seek(offset));
    return file_;
  }
  TRY(age_->seek(*file_, offset));
  return age_.get();
}

// Nothing where there is none that can be read: it is a hint.
Result<std::optional<codec::SeekTable>> Container::read_table() {
  const std::uint64_t file_bytes = file_->seekable_bytes().value_or(0);
  const std::uint64_t bytes = age_ ? age_->plain_bytes(file_bytes) : file_bytes;
  const auto tail = [&](std::size_t wanted) -> Result<std::string> {
    std::string text(std::min<std::uint64_t>(wanted, bytes), '\0');
    Source* source = TRY(inner_at(bytes - text.size()));
    text.resize(TRY(base::read_full(*source, text)));
    return text;
  };
  const auto length = codec::seek_table_bytes(TRY(tail(codec::kSeekFooterBytes)));
  if (!length) return std::optional<codec::SeekTable>();
  auto table = codec::parse_seek_table(TRY(tail(*length)));
  return table ? std::optional(std::move(*table)) : std::nullopt;
}

Result<bool> Container::can_skip() {
  if (!zstd_) return true;
  ahead_.reset();
  table_ = TRY(read_table());
  return table_.has_value();
}

Result<void> Container::seek(std::uint64_t tar_offset) {
  ahead_.reset();
  if (!zstd_) {
    ahead_.emplace(*TRY(inner_at(tar_offset)), kAheadBlockBytes, kAheadBlocksSought);
    return {};
  }
  const auto frame = table_ ? table_->find(tar_offset) : std::nullopt;
  zstd_.emplace(*TRY(inner_at(frame ? frame->compressed_offset : 0)));
  std::uint64_t before = tar_offset - (frame ? frame->decompressed_offset : 0);
  std::string passed(kAheadBlockBytes, '\0');
  while (before > 0) {
    const std::size_t n = TRY(zstd_->read(std::span(passed).first(std::min<std::uint64_t>(before, passed.size()))));
    if (n == 0) return fail(ErrorCode::kVerification, "tar: it ends before a section that it should have");
    before -= n;
  }
  ahead_.emplace(*zstd_, kAheadBlockBytes, table_ ? kAheadBlocksSought : kAheadBlocks);
  return {};
}

}  // namespace spl::bundle
