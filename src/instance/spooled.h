// What came in, laid on disk before anything is done with it: whoever sends slowly keeps no writer waiting. It may hold
// a private key, so that what lies there is encrypted under a key that never leaves memory. One thread.
#pragma once

#include "base/stream.h"
#include "bundle/spool.h"
#include "instance/progress.h"

namespace spl::instance {

class Spooled final : public Source {
 public:
  // Reads `in` to its end into a file without a name in `directory`. Code kFailed where `progress` is cancelled.
  static Result<Spooled> receive(env::Env env, const std::string& directory, Source& in, Progress& progress);
  Result<std::size_t> read(std::span<char> out) override;

 private:
  explicit Spooled(bundle::Spool spool) : spool_(std::move(spool)) {}
  bundle::Spool spool_;
  std::uint64_t read_bytes_ = 0;
};

}  // namespace spl::instance
