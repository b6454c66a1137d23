#include "base/stream.h"

#include <algorithm>

namespace spl::base {

Result<std::size_t> read_full(Source& source, std::span<char> out) {
  std::size_t total = 0;
  while (total < out.size()) {
    const std::size_t n = TRY(source.read(out.subspan(total)));
    if (n == 0) break;
    total += n;
  }
  return total;
}

Result<std::string> read_all(Source& source, std::size_t max_bytes) {
  std::string all;
  for (;;) {
    const std::size_t at = all.size();
    all.resize(std::min(max_bytes, at + (64 << 10) - 1) + 1);  // one more than is allowed shows what is over
    const std::size_t n = TRY(read_full(source, std::span(all).subspan(at)));
    all.resize(at + n);
    if (all.size() > max_bytes) return fail("more than " + std::to_string(max_bytes) + " bytes");
    if (n == 0) return all;
  }
}

}  // namespace spl::base
