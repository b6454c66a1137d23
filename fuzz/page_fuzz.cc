// What a peer answers: a page of its log and each of its elements, and the fields that sign it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "federation/page.h"
#include "http/signature.h"
#include "http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto page = spl::federation::parse_page(text, 100)) {
    for (const std::string_view element : page->elements) {
      const spl::federation::Element checked = spl::federation::check_element(element, "did:key:peer");
      // One of the three, always.
      const int kinds = (checked.record ? 1 : 0) + (checked.redacted ? 1 : 0) + (checked.refusal.empty() ? 0 : 1);
      if (kinds != 1) std::abort();
      if (checked.record &&
          spl::record::check_content(checked.record->id, checked.record->canonical).has_value() == false)
        std::abort();
    }
  }
  const std::size_t half = text.find('\n');
  const spl::http::Fields fields{
      {"signature-input", std::string(text.substr(0, half))},
      {"signature", half == std::string_view::npos ? "" : std::string(text.substr(half + 1))}};
  if (const auto received = spl::http::received_signature(fields); received && *received) {
    // What was read is what is signed.
    if (spl::http::parameters_text((*received)->input).empty()) std::abort();
  }
  if (const auto url = spl::http::Url::parse(text)) {
    const auto again = spl::http::Url::parse(url->text());
    if (!again || again->text() != url->text()) std::abort();
  }
  return 0;
}
