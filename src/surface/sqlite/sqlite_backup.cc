#include <algorithm>
#include <array>
#include <optional>

#include "base/encoding.h"
#include "bundle/part_files.h"
#include "db/examination.h"
#include "db/sqlite.h"
#include "env/acting_user.h"
#include "surface/sqlite/database_files.h"
#include "surface/sqlite/sqlite.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kReadVersionAt = 19;  // 2 in WAL mode (https://www.sqlite.org/fileformat.html)
constexpr std::string_view kMagic{"SQLite format 3\0", 16};

// One database from the plan to the bundle.
struct Database {
  std::string name;
  std::string entry;                           // in the bundle
  std::optional<db::Connection> reading = {};  // within its transaction
  std::string copied = {};                     // in the scratch directory, where there can be no transaction
};

class SqliteBackup final : public BackupPart {
 public:
  SqliteBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings), fs_(surroundings.env.fs), place_(std::move(place)), files_(place_.path) {}

  Result<BackupPlan> plan(base::Progress& progress) override;
  Result<void> prepare(base::Progress& /*progress*/) override { return {}; }
  Result<Consistency> open(Writers writers, nanoseconds deadline) override;
  Result<void> stream(PartSink& out, base::Progress& progress) override;

 private:
  Result<std::string> header_of(const std::string& path);
  Result<bool> begin_reading(Database& database);
  Result<std::unique_ptr<env::File>> open_live(const std::string& path);
  Result<void> copy_aside(Database& database, nanoseconds deadline);
  Result<void> copy_file(const std::string& from, const std::string& to, nanoseconds deadline);
  // Whose rights what is live is opened with: a link that the service's user has put there leads nowhere else.
  Result<std::optional<env::UserIds>> reader() { return who_names_in(fs_, files_.directory(), place_.owner); }
  [[nodiscard]] std::string scratch(const std::string& name) const {
    return env::join(surroundings_.scratch_directory, name);
  }

  const Surroundings& surroundings_;
  env::FileSystem& fs_;
  const Place place_;
  const DatabaseFiles files_;
  std::vector<Database> databases_;
  std::string buffer_;
};

Result<std::string> SqliteBackup::header_of(const std::string& path) {
  const auto file = TRY(fs_.open(path, env::OpenMode::kRead));
  std::string header(kHeaderBytes, '\0');
  header.resize(TRY(file->read_at(0, header)));
  return header;
}

Result<BackupPlan> SqliteBackup::plan(base::Progress& /*progress*/) {
  BackupPlan plan;
  plan.engine = "sqlite " + db::library_version();
  plan.method = "a read transaction, or a copy in the pause";
  databases_.clear();
  const env::AsFileUser as(TRY(reader()));
  for (const std::string& name : TRY(files_.list(fs_))) {
    const std::string path = files_.path_of(name);
    const std::string header = TRY(header_of(path));
    if (!header.empty() && !header.starts_with(kMagic))
      return fail(place_.subject + ": " + base::escaped(path, 200) + " is no SQLite database, or an encrypted one",
                  "declare it as a surface of the kind files");
    const std::string encoded = bundle::encoded_name(name);
    if (!bundle::decoded_name(encoded))
      return fail(place_.subject + ": the name of " + base::escaped(path, 300) + " is too long for a bundle",
                  "give the database a shorter name");
    plan.bytes += TRY(fs_.info(path)).value_or(env::FileInfo{}).size_bytes;
    ++plan.files;
    databases_.push_back({name, encoded + ".sqlite"});
  }
  // In the order of a bundle, which is not that of the names.
  std::ranges::sort(databases_, {}, &Database::entry);
  return plan;
}

// False where it cannot be read without waiting.
Result<bool> SqliteBackup::begin_reading(Database& database) {
  const std::string path = files_.path_of(database.name);
  const env::AsFileUser as(TRY(reader()));
  const std::string header = TRY(header_of(path));
  if (header.size() < kHeaderBytes || header[kReadVersionAt] != 2) return false;
  auto connection = db::Connection::open(path, db::OpenAs::kReadWrite);
  if (!connection) return false;
  connection->set_busy_timeout_ms(0);
  connection->leave_log_on_close();
  // The transaction begins with the first read.
  if (!connection->execute("BEGIN") || !connection->query_integer("SELECT count(*) FROM sqlite_schema")) return false;
  database.reading = std::move(*connection);
  return true;
}

Result<std::unique_ptr<env::File>> SqliteBackup::open_live(const std::string& path) {
  const env::AsFileUser as(TRY(reader()));
  return fs_.open(path, env::OpenMode::kRead);
}

Result<void> SqliteBackup::copy_file(const std::string& from, const std::string& to, nanoseconds deadline) {
  const auto in = TRY(open_live(from));
  const auto out = TRY(fs_.open(to, env::OpenMode::kCreateNew));
  buffer_.resize(kPieceBytes);
  for (std::uint64_t at = 0;;) {
    if (surroundings_.env.clock.since_boot() > deadline)
      return fail(Cause::kTimeout,
                  place_.subject + ": " + base::escaped(from, 200) + " was not copied within the pause",
                  "put the database into WAL mode, or give its service a longer [quiesce] timeout_ms");
    const std::size_t n = TRY(in->read_at(at, buffer_));
    TRY(out->write_at(at, std::string_view(buffer_.data(), n)));
    at += n;
    if (n < buffer_.size()) return {};
  }
}

// With what stands beside it: a transaction that was under way is rolled back in the copy.
Result<void> SqliteBackup::copy_aside(Database& database, nanoseconds deadline) {
  const std::string path = files_.path_of(database.name);
  const std::string copy = scratch("c" + std::to_string(&database - databases_.data()));
  TRY(copy_file(path, copy, deadline));
  for (const std::string_view beside : {kSqliteJournal, kSqliteLog}) {
    if (TRY(fs_.info(path + std::string(beside))))
      TRY(copy_file(path + std::string(beside), copy + std::string(beside), deadline));
  }
  database.copied = copy;
  return {};
}

Result<Consistency> SqliteBackup::open(Writers writers, nanoseconds deadline) {
  Consistency consistency = writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kFilesystem;
  for (Database& database : databases_) {
    if (TRY(begin_reading(database))) continue;
    TRY(copy_aside(database, deadline));
    // Nothing holds its writers off from a file that is being copied.
    if (writers == Writers::kRunning) consistency = Consistency::kCrash;
  }
  return consistency;
}

Result<void> SqliteBackup::stream(PartSink& out, base::Progress& progress) {
  std::uint64_t done = 0;
  for (Database& database : databases_) {
    progress.update("copying databases", done++, databases_.size(), "databases");
    const auto go_on = [&progress] { return !progress.cancelled(); };
    const std::string copy = scratch("b");
    if (!database.reading) {
      auto opened = db::Connection::open(database.copied, db::OpenAs::kReadWrite);
      database.reading = TRY_IN(place_.subject, std::move(opened));
    }
    const std::string path = files_.path_of(database.name);
    TRY_IN(place_.subject + ": " + base::escaped(path, 200), database.reading->copy_to(copy, go_on));
    database.reading.reset();
    const auto seen = db::examine_database(copy, progress);
    if (!seen) {
      Error error = seen.error();
      if (error.code != ErrorCode::kVerification) return std::unexpected(std::move(error));
      return fail(place_.subject + ": the database " + base::escaped(path, 200) + " is damaged: " + error.message,
                  "mend it, as with the program sqlite3 and its .recover, and back up again");
    }
    const auto file = TRY(fs_.open(copy, env::OpenMode::kRead));
    codec::TarEntry entry;
    entry.path = database.entry;
    entry.size_bytes = TRY(file->size());
    TRY(out.begin(entry));
    buffer_.resize(kPieceBytes);
    for (std::uint64_t at = 0; at < entry.size_bytes;) {
      const std::size_t n = TRY(file->read_at(at, buffer_));
      if (n == 0) return fail(place_.subject + ": a copy became shorter: " + copy);
      TRY(out.write(std::string_view(buffer_.data(), n)));
      at += n;
    }
    TRY(fs_.remove(copy));
    if (!database.copied.empty()) TRY(fs_.remove(database.copied));
  }
  return {};
}

}  // namespace

std::unique_ptr<BackupPart> sqlite_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<SqliteBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
