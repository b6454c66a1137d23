// TOML of any bytes, as config.toml may hold: parsed or refused with a line of the text, and never the end of the
// process.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/toml_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = spl::codec::parse_toml(text);
  if (table) return 0;
  SPL_CHECK(!table.error().why.empty());
  SPL_CHECK(table.error().line >= 1);
  SPL_CHECK(table.error().line <= 1 + static_cast<std::size_t>(std::ranges::count(text, '\n')));
  return 0;
}
