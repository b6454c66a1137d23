// A part that waits in a spool, entry after entry: taken in from wherever it comes, and given once or more. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "spool/spool.h"
#include "surface/part_stream.h"

namespace spl::surface {

class SpooledPart final : public PartSink, public PartSource {
 public:
  static Result<SpooledPart> make(env::Env env, spool::SpoolOptions options);

  // First all entries in.
  Result<void> begin(const codec::TarEntry& entry) override;
  Result<void> write(std::string_view octets) override;
  // Then out, from the first one on.
  void rewind();
  Result<std::optional<codec::TarEntry>> next() override;
  Result<std::size_t> read(std::span<char> out) override;

  [[nodiscard]] std::uint64_t entries() const { return entries_; }

 private:
  explicit SpooledPart(spool::Spool spool) : spool_(std::move(spool)) {}
  Result<void> read_exactly(std::span<char> out);

  spool::Spool spool_;
  std::uint64_t entries_ = 0;
  std::uint64_t at_ = 0;            // of the spool
  std::uint64_t given_ = 0;         // entries
  std::uint64_t content_left_ = 0;  // of the current entry
};

}  // namespace spl::surface
