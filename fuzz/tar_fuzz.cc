// Reads the input as a tar. What is accepted says the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/tar.h"

using spl::base::StringSource;
using spl::codec::TarReader;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view tar(reinterpret_cast<const char*>(data), size);
  StringSource source(tar);
  TarReader reader(source);
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      SPL_CHECK(entry.error().code == spl::ErrorCode::kVerification);
      SPL_CHECK(!reader.next());
      return 0;
    }
    if (!*entry) break;
    SPL_CHECK(spl::codec::tar_path_fault((*entry)->path).empty());
    SPL_CHECK((*entry)->header_offset < reader.offset());
    std::string content;
    if (!reader.append_content(content)) return 0;
    SPL_CHECK(content.size() == (*entry)->size_bytes);

    std::string header;
    append_tar_header(header, **entry);
    // A header alone, and the entry that it says.
    StringSource again(header);
    TarReader second(again);
    const auto same = second.next();
    SPL_CHECK(same && *same);
    SPL_CHECK((*same)->path == (*entry)->path && (*same)->link == (*entry)->link);
    SPL_CHECK((*same)->size_bytes == (*entry)->size_bytes && (*same)->mode == (*entry)->mode);
  }
  SPL_CHECK(reader.offset() == size);
  SPL_CHECK(size % spl::codec::kTarRecord == 0);
  return 0;
}
