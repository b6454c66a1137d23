// Manifests of any bytes: what is accepted is written again and read back as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "bundle/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spl::bundle;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)peek_source_did(text);
  const auto manifest = parse_manifest(text);
  if (!manifest) return 0;
  const std::string written = manifest_text(*manifest);
  const auto again = parse_manifest(written);
  SPL_CHECK(again.has_value());
  SPL_CHECK(manifest_text(*again) == written);
  return 0;
}
