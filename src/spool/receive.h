// What comes in, taken whole before anything is done with it: whoever sends slowly keeps no writer waiting. It may hold
// a private key, so that what lies on the disk is encrypted. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/seekable.h"
#include "base/stream.h"
#include "spool/spool.h"

namespace spl::spool {

inline constexpr std::uint64_t kReceivedBytesMax = 1ull << 40;

class Received final : public base::SeekableSource {
 public:
  // Reads `in` to its end; the file, where one is needed, is in `directory`. `beginning` comes before it. `phase` is
  // what `progress` is told. Cause kCancelled where `progress` is cancelled, kTooLarge for more than kReceivedBytesMax.
  static Result<Received> all_of(env::Env env, const std::string& directory, Source& in, base::Progress& progress,
                                 std::string_view phase, std::string_view beginning = {});
  Result<std::size_t> read(std::span<char> out) override;
  [[nodiscard]] std::optional<std::uint64_t> seekable_bytes() const override { return spool_.size_bytes(); }
  Result<void> seek(std::uint64_t offset) override;

 private:
  explicit Received(Spool spool) : spool_(std::move(spool)) {}

  Spool spool_;
  std::uint64_t at_ = 0;
};

}  // namespace spl::spool
