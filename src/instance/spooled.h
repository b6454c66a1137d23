// What came in, taken whole before anything is done with it: whoever sends slowly keeps no writer waiting. What is
// small stays in memory; the rest lies in a file without a name. It may hold a private key, so that what lies there is
// encrypted under a key that never leaves memory. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/stream.h"
#include "bundle/spool.h"
#include "instance/progress.h"

namespace spl::instance {

inline constexpr std::uint64_t kSpooledBytesMax = 1ull << 40;

class Spooled final : public Source {
 public:
  // Reads `in` to its end; the file, where one is needed, is in `directory`. `beginning` comes before it. `phase` is
  // what `progress` is told. Code kFailed where `progress` is cancelled, kUsage for more than kSpooledBytesMax.
  static Result<Spooled> receive(env::Env env, const std::string& directory, Source& in, Progress& progress,
                                 std::string_view phase, std::string_view beginning = {});
  Result<std::size_t> read(std::span<char> out) override;

 private:
  Spooled() = default;
  Result<void> append(env::Env env, const std::string& directory, std::string_view octets);

  std::string held_;  // all of it, while there is no spool
  std::optional<bundle::Spool> spool_;
  std::uint64_t read_bytes_ = 0;
};

}  // namespace spl::instance
