// Canonical JSON of any bytes: a form that is reached is its own canonical form, and the document made of it says the
// same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spl::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string canonical;
  const bool good = canonicalize_json(text, canonical).has_value();
  const auto document = Json::parse(text);
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
