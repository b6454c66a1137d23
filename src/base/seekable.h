// A source of which one need not read all: a file, and what was received into one. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "base/stream.h"

namespace spl::base {

class SeekableSource : public Source {
 public:
  // How long it is; nothing where it can only be read through, as a pipe.
  [[nodiscard]] virtual std::optional<std::uint64_t> seekable_bytes() const = 0;
  // The next read() begins there, also after the end was met.
  virtual Result<void> seek(std::uint64_t offset) = 0;
};

}  // namespace spl::base
