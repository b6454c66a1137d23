// Decompresses the input, as much of it as fits a limit, in small and in large pieces: both say the same. Then takes
// the input's end as a seek table.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/zstd.h"

namespace {

constexpr std::size_t kBytesMax = 256u << 10;

// The first kBytesMax bytes at most; false where there was an error.
bool decompress(std::string_view input, std::size_t piece, std::string& out) {
  spl::base::StringSource in(input);
  spl::codec::ZstdSource source(in);
  while (out.size() < kBytesMax) {
    const std::size_t at = out.size();
    out.resize(at + std::min(piece, kBytesMax - at));
    const auto n = source.read(std::span(out).subspan(at));
    out.resize(at + n.value_or(0));
    if (!n) return false;
    if (*n == 0) break;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string small;
  std::string large;
  const bool small_ok = decompress(input, 4099, small);
  const bool large_ok = decompress(input, kBytesMax, large);
  // Where it fails, how much came before depends on the pieces.
  if (small_ok && large_ok) SPL_CHECK(small == large);

  if (const auto table = spl::codec::parse_seek_table(input)) {
    std::string text;
    table->append_to(text);
    const auto again = spl::codec::parse_seek_table(text);
    SPL_CHECK(again && std::ranges::equal(again->frames(), table->frames()));
  }
  return 0;
}
