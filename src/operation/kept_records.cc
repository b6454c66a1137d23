#include "operation/kept_records.h"

#include <functional>
#include <limits>

#include "base/encoding.h"
#include "record/record_lines.h"

namespace spl::operation {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::size_t kLineBytesMax = 64u << 20;
constexpr std::uint64_t kProgressEvery = 8192;  // records

// Every record of the file, which has as many as the journal says.
Result<void> each_kept(env::Env env, const RestoreJournals& journals, const RestoreJournal& journal,
                       const std::function<Result<void>(const record::Record&)>& visit) {
  const std::string path = journals.records_file(journal.id);
  const auto file = TRY(env.fs.open(path, env::OpenMode::kRead));
  std::string text;
  std::string piece(kPieceBytes, '\0');
  std::uint64_t at = 0;
  std::uint64_t records = 0;
  while (const std::size_t n = TRY(file->read_at(at, piece))) {
    at += n;
    text.append(piece, 0, n);
    if (text.size() > kLineBytesMax) break;
    const std::size_t whole = text.rfind('\n') + 1;
    const auto lines = record::parse_record_lines(std::string_view(text).substr(0, whole));
    if (lines.error) return fail("the kept records cannot be read: " + path + ": " + lines.error->message);
    for (const record::Record& record : lines.records) TRY(visit(record));
    records += lines.records.size();
    text.erase(0, whole);
  }
  if (records == *journal.kept_records && text.empty()) return {};
  return fail("the kept records are damaged: " + path + " has " + std::to_string(records) + " of " +
                  std::to_string(*journal.kept_records),
              "bring the file back from a backup of the home, or remove what is kept with --discard-previous");
}

}  // namespace

Result<std::uint64_t> keep_records(env::Env env, const std::string& path, store::StoreReader& records,
                                   base::Progress& progress) {
  TRY(env::make_directories(env.fs, env::parent_of(path)));
  TRY(env.fs.remove(path));
  const auto file = TRY(env.fs.open(path, env::OpenMode::kCreateNew));
  std::string buffer;
  std::uint64_t at = 0;
  std::uint64_t kept = 0;
  const auto flush = [&]() -> Result<void> {
    TRY(file->write_at(at, buffer));
    at += buffer.size();
    buffer.clear();
    return {};
  };
  constexpr std::uint64_t kAll = std::numeric_limits<std::int64_t>::max();
  TRY(records.changes(0, kAll, std::nullopt, [&](const store::StoredRecord& row) -> Result<void> {
    TRY(record::check_content(row.id, row.canonical));
    record::append_element(buffer, row.id, row.canonical, row.judged_by, row.sig);
    buffer += '\n';
    if (++kept % kProgressEvery == 0) {
      progress.update("keeping the records that are here", kept, 0, "records");
      if (progress.cancelled()) return base::fail_cancelled("nothing was imported");
    }
    return buffer.size() < kPieceBytes ? Result<void>() : flush();
  }));
  TRY(flush());
  TRY(file->sync());
  TRY(env.fs.sync_directory(env::parent_of(path)));
  return kept;
}

Result<void> check_kept_records(env::Env env, const RestoreJournals& journals, const RestoreJournal& journal,
                                base::Progress& progress) {
  if (!journal.kept_records) return {};
  progress.update("checking the records that were kept", 0, *journal.kept_records, "records");
  return each_kept(env, journals, journal, [](const record::Record&) -> Result<void> { return {}; });
}

Result<void> put_records_back(env::Env env, const RestoreJournals& journals, const RestoreJournal& journal,
                              store::RecordStore& store, base::Progress& progress) {
  if (!journal.kept_records) return {};
  const auto writer = TRY(store.writer());
  if (TRY(writer->setting(kRecordsReplacedSetting)) != journal.id) return {};
  TRY(writer->clear_records());
  TRY(writer->expect_many_distinct());
  std::uint64_t put = 0;
  TRY(each_kept(env, journals, journal, [&](const record::Record& record) -> Result<void> {
    TRY(writer->put(record));
    if (++put % kProgressEvery == 0) progress.update("putting the records back", put, *journal.kept_records, "records");
    return {};
  }));
  std::string random(16, '\0');
  env.random.fill(random);
  TRY(writer->new_incarnation(base::to_hex(random)));
  TRY(writer->set_setting(kRecordsReplacedSetting, ""));
  return writer->commit();
}

}  // namespace spl::operation
