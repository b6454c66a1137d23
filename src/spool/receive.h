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
inline constexpr std::uint64_t kRoomKeptBytes = 16u << 20;  // of its disk: for what the owner does then

// A stream of lines that has none longer than this: one that does not end is known for it long before its end.
class BoundedLines final : public Source {
 public:
  // `beginning` is what came before of the same stream. An error has code kUsage.
  static Result<BoundedLines> after(std::string_view beginning, Source& rest, std::size_t line_bytes_max);
  Result<std::size_t> read(std::span<char> out) override;

 private:
  BoundedLines(Source& rest, std::size_t line_bytes_max) : rest_(&rest), line_bytes_max_(line_bytes_max) {}
  Result<void> follow(std::string_view octets);

  Source* rest_;
  std::size_t line_bytes_max_;
  std::size_t line_bytes_ = 0;  // of the last one, so far
  std::uint64_t line_ = 1;      // its number
};

class Received final : public base::SeekableSource {
 public:
  // Reads `in` to its end; the file, where one is needed, is in `directory`. `beginning` comes before it. `phase` is
  // what `progress` is told. Cause kCancelled where `progress` is cancelled, kTooLarge for more than kReceivedBytesMax,
  // kNoSpace where the disk would be left with less than kRoomKeptBytes.
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
