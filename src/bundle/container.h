// age( zstd( tar ) ), where each of age and zstd may be absent: what kind a file is is told by its content. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/read_ahead.h"
#include "base/result.h"
#include "base/seekable.h"
#include "base/stream.h"
#include "bundle/opening.h"
#include "bundle/reader.h"
#include "codec/seek_table.h"
#include "codec/zstd.h"
#include "crypto/age.h"

namespace spl::bundle {

// A source whose first octets can be looked at before they are read.
class PeekSource final : public Source {
 public:
  explicit PeekSource(Source& in) : in_(in) {}
  // The first octets, at most `bytes`, fewer only where the source is shorter.
  Result<std::string_view> peek(std::size_t bytes);
  Result<std::size_t> read(std::span<char> out) override;

 private:
  Source& in_;
  std::string held_;
  std::size_t taken_ = 0;
};

// The tar in a bundle file. It is read ahead by a thread of its own.
class Container {
 public:
  static Result<std::unique_ptr<Container>> open(Source& in, const ReaderOptions& options);
  [[nodiscard]] Source& tar() { return *ahead_; }
  // Whether it can be sought; what is no file is only read through.
  [[nodiscard]] bool is_file() const { return file_ != nullptr && file_->seekable_bytes().has_value(); }
  // Of a file: whether seek() spares reading: where it is compressed it must have a table. seek() is to follow.
  Result<bool> can_skip();
  // Of a file: tar() is another source from now on, that begins there.
  Result<void> seek(std::uint64_t tar_offset);
  [[nodiscard]] const Opening& opening() const { return opening_; }
  // Whether the tar's first name is the manifest's, or may be, as far as it goes.
  [[nodiscard]] bool begins_as_bundle() const { return begins_as_bundle_; }

 private:
  explicit Container(Source& in) : file_(dynamic_cast<base::SeekableSource*>(&in)), outer_(in) {}
  void note_beginning(std::string_view first);
  // Of what is within the encryption.
  Result<Source*> inner_at(std::uint64_t offset);
  Result<std::optional<codec::SeekTable>> read_table();
  base::SeekableSource* file_;  // null where it is none
  PeekSource outer_;
  std::unique_ptr<crypto::AgeDecryptSource> age_;
  std::optional<PeekSource> inner_;
  std::optional<codec::ZstdSource> zstd_;
  std::optional<PeekSource> decompressed_;
  std::optional<codec::SeekTable> table_;
  std::optional<base::ReadAhead> ahead_;
  Opening opening_;
  bool begins_as_bundle_ = true;
};

}  // namespace spl::bundle
