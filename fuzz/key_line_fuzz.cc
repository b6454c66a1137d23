// Lines of any octets: what is accepted is just what its key, type, end and body are written as, white space and the
// way that its texts are escaped aside.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/encoding.h"
#include "surface/redis/key_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spl::surface;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = parse_key_line(text);
  if (!line) {
    SPL_CHECK(line.error().code == spl::ErrorCode::kVerification && line.error().cause == spl::Cause::kMalformed);
    return 0;
  }
  SPL_CHECK(!line->large || line->dump.empty());
  SPL_CHECK(line->head.expires_at_ms.value_or(1) > 0);
  std::string again = line->large
                          ? large_key_line(line->head, *line->large)
                          : key_line_begin(line->head) + spl::base::to_base64(line->dump) + std::string(kKeyLineEnd);
  SPL_CHECK(again.size() <= size + 1);
  again.pop_back();
  const auto same = parse_key_line(again);
  SPL_CHECK(same && same->head == line->head && same->dump == line->dump && same->large == line->large);
  return 0;
}
