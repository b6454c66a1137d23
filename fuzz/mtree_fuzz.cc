// Reads the input as a tree.mtree, and each of its lines as one of tree.attrs.ndjson. What is accepted says the same
// when it is written again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/mtree.h"

namespace {

using spl::codec::MtreeEntry;

void read_mtree(std::string_view text) {
  spl::base::StringSource source(text);
  spl::codec::MtreeReader reader(source);
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      SPL_CHECK(entry.error().code == spl::ErrorCode::kVerification);
      return;
    }
    if (!*entry) return;
    // By itself it would lack its directory: as a line of the root alone it need not have one.
    MtreeEntry alone = **entry;
    for (char& c : alone.path) {
      if (c == '/') c = '-';
    }
    if (!spl::codec::tar_path_fault(alone.path).empty() && !alone.path.empty()) continue;
    std::string line(spl::codec::kMtreeFirstLine);
    spl::codec::append_mtree_line(line, alone);
    spl::base::StringSource again_source(line);
    spl::codec::MtreeReader again_reader(again_source);
    const auto again = again_reader.next();
    SPL_CHECK(again && *again && **again == alone);
    if (alone.path.empty()) continue;
    const auto header = spl::codec::tar_entry_of(alone, "tree/", 0);
    SPL_CHECK(spl::codec::mtree_mismatch(alone, header, "tree/").empty());
  }
}

void read_attributes(std::string_view line) {
  const auto attributes = spl::codec::parse_attributes_line(line);
  if (!attributes) {
    SPL_CHECK(attributes.error().code == spl::ErrorCode::kVerification);
    return;
  }
  std::string again;
  spl::codec::append_attributes_line(again, *attributes);
  SPL_CHECK(again == std::string(line) + "\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  read_mtree(text);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    read_attributes(line);
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
  }
  return 0;
}
