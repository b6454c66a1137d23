// Records of any bytes: what is accepted is canonical, hashes to its id, and survives its file form and the store's.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "crypto/sha256.h"
#include "record/record.h"
#include "record/thread.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace spl;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto record = record::parse_record_line(text);
  if (!record) return 0;
  SPL_CHECK(crypto::sha256(record->canonical) == record->id.digest);
  const std::string file = record::file_text(*record);
  const auto from_file = record::parse_record_file(file, record->id);
  SPL_CHECK(from_file.has_value());
  SPL_CHECK(from_file->canonical == record->canonical && from_file->judged_by == record->judged_by &&
            from_file->sig == record->sig);
  SPL_CHECK(!record::thread_directory(record->thread).empty());
  (void)record::ThreadFold::of({&*record}).state();
  (void)record::signature_is_valid(*record);
  return 0;
}
