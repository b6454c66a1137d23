// Octets that come and go piece by piece: what lets every operation work on any size in bounded memory.
// A stream is used by one thread at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spl::base {

class Source {
 public:
  virtual ~Source() = default;
  // Fills some of `out` (not empty) and says how much; 0 means the end, and stays the answer.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  // Takes all of `octets` or fails; after a failure the sink is of no use.
  virtual Result<void> write(std::string_view octets) = 0;
};

// Reads until `out` is full or the source ends; the count read.
Result<std::size_t> read_full(Source& source, std::span<char> out);
// Reads to the end; an error where there is more than `max_bytes`.
Result<std::string> read_all(Source& source, std::size_t max_bytes);

class StringSource final : public Source {
 public:
  explicit StringSource(std::string_view octets) : rest_(octets) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = rest_.copy(out.data(), out.size());
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
};

class StringSink final : public Sink {
 public:
  Result<void> write(std::string_view octets) override {
    text += octets;
    return {};
  }
  std::string text;
};

}  // namespace spl::base

namespace spl {
using base::Sink;
using base::Source;
}  // namespace spl
