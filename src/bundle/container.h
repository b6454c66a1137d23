// age( zstd( tar ) ), where each of age and zstd may be absent: what kind a file is is told by its content. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/read_ahead.h"
#include "base/result.h"
#include "base/stream.h"
#include "bundle/opening.h"
#include "bundle/reader.h"
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
  [[nodiscard]] const Opening& opening() const { return opening_; }

 private:
  explicit Container(Source& in) : outer_(in) {}
  PeekSource outer_;
  std::unique_ptr<crypto::AgeDecryptSource> age_;
  std::optional<PeekSource> inner_;
  std::optional<codec::ZstdSource> zstd_;
  std::optional<PeekSource> decompressed_;
  std::optional<base::ReadAhead> ahead_;
  Opening opening_;
};

}  // namespace spl::bundle
