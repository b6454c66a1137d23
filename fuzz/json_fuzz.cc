// Canonical JSON of any bytes: a form that is reached is its own canonical form, and the document made of it says the
// same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/json.h"
#include "codec/json_cursor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spl::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string canonical;
  const bool good = canonicalize_json(text, canonical).has_value();
  const auto document = Json::parse(text);
  // What is passed as canonical is what the long way, which a space before the text forces, makes of it.
  JsonCursor cursor(text);
  std::string_view skipped;
  if (cursor.skip_canonical(skipped)) {
    std::string long_way;
    SPL_CHECK(canonicalize_json(" " + std::string(skipped), long_way).has_value());
    SPL_CHECK(long_way == skipped);
  }
  if (!good) return 0;
  std::string again;
  SPL_CHECK(canonicalize_json(canonical, again).has_value());
  SPL_CHECK(again == canonical);
  SPL_CHECK(document.has_value());
  // The document keeps order and digits; put into canonical form it is the same text.
  std::string of_document;
  SPL_CHECK(canonicalize_json(document->text(), of_document).has_value());
  SPL_CHECK(of_document == canonical);
  std::string of_pretty;
  SPL_CHECK(canonicalize_json(document->pretty(), of_pretty).has_value());
  SPL_CHECK(of_pretty == canonical);
  return 0;
}
