#include "operation/bundle_side.h"

#include "base/encoding.h"
#include "codec/tar.h"
#include "crypto/sha256.h"
#include "operation/bundle_files.h"

namespace spl::operation {
namespace {

constexpr std::size_t kReadBytes = 256u << 10;

}  // namespace

BundleSide::BundleSide(bundle::BundleReader& reader, std::string name)
    : reader_(reader), name_(std::move(name)), kinds_(bundle::section_kinds(reader.manifest())) {}

Result<void> BundleSide::next() {
  entry_ = TRY_IN(name_, next_file(reader_));
  if (!entry_) return {};
  path_.assign(entry_->path);
  // The reader has checked that files and sections stand in one order, and each file in a section.
  while (!path_.starts_with(prefix())) ++section_;
  return {};
}

Result<Digest> BundleSide::digest() {
  if (entry_->kind != bundle::EntryKind::kServiceFile) return entry_->sha256;
  const codec::TarEntry& header = *entry_->header;
  crypto::Sha256 sha256;
  sha256.update(std::string(1, static_cast<char>(header.type)) + std::to_string(header.mode) + " " +
                std::to_string(header.link.size()) + " " + header.link);
  buffer_.resize(kReadBytes);
  while (const std::size_t n = TRY(content_.read(buffer_))) sha256.update({buffer_.data(), n});
  return sha256.finish();
}

std::string BundleSide::shown() const {
  return name_ + ": " + base::escaped(path_, codec::kTarPathShownBytesMax);
}

std::unexpected<Error> BundleSide::malformed(std::string_view rule) const {
  auto error = bundle::malformed(path_, rule).error();
  error.message = name_ + ": " + error.message;
  return std::unexpected(std::move(error));
}

Result<std::size_t> BundleSide::Content::read(std::span<char> out) {
  return TRY_IN(side_.name_, side_.reader_.read_content(out));
}

}  // namespace spl::operation
