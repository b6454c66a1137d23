#include "bundle/checked_batch.h"

#include "bundle/digest.h"
#include "crypto/sha256.h"
#include "record/thread.h"

namespace spl::bundle {
namespace {

// A thread whose directory was worked out last: records of one thread stand together.
struct KnownThread {
  std::string thread;
  std::string directory;
  bool known = false;

  [[nodiscard]] bool lies_in(const std::string& of_thread, std::string_view in_directory) {
    if (!known || thread != of_thread) {
      thread = of_thread;
      directory = record::thread_directory(of_thread);
      known = true;
    }
    return directory == in_directory;
  }
};

Result<Record> check_record(std::string_view path, std::string_view content, KnownThread& known) {
  const RecordPath parts = parts_of_record_path(path);
  Record record = TRY(record::parse_record_file(content, TRY(RecordId::parse(parts.id))));
  if (!known.lies_in(record.thread, parts.directory)) return fail("lies under another thread than its own");
  return record;
}

}  // namespace

CheckedBatch check_batch(RawBatch&& raw, Records records) {
  CheckedBatch checked;
  checked.raw = std::move(raw);
  checked.sha256.reserve(checked.raw.items.size());
  if (records == Records::kGiven) checked.records.reserve(checked.raw.items.size());
  KnownThread known;
  for (const RawBatch::Item& item : checked.raw.items) {
    const std::string_view path = checked.raw.path(item);
    const std::string_view content = checked.raw.content(item);
    std::optional<Record> record;
    if (item.kind == EntryKind::kRecord) {
      auto parsed = check_record(path, content, known);
      if (!parsed) {
        checked.error = malformed(path, parsed.error().message).error();
        break;
      }
      record = std::move(*parsed);
    }
    // A file that is its record's canonical form has the record's id for a digest: it was just computed.
    const bool is_canonical = record && record->canonical.size() == content.size();
    checked.sha256.push_back(is_canonical ? record->id.digest : crypto::sha256(content));
    append_digest_line(checked.digest_lines, checked.sha256.back(), path);
    if (records == Records::kGiven) checked.records.push_back(std::move(record));
  }
  return checked;
}

}  // namespace spl::bundle
