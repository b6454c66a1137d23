#include "db/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/check.h"
#include "base/encoding.h"
#include "db/log_index.h"

namespace spl::db {
namespace {

constexpr std::size_t kShownPathBytesMax = 512;

// What SQLite says does not tell a file that is not there from a process that has all the files it may have.
std::string_view hint_of_system(int error) {
  if (error == EMFILE || error == ENFILE) return "raise the limit on open files (ulimit -n) and try again";
  if (error == EFBIG) return "raise the limit on the size of files (ulimit -f) and try again";
  return "";
}

Cause cause_of_system(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return Cause::kNoSpace;
    case EROFS:
      return Cause::kReadOnly;
    case EACCES:
    case EPERM:
      return Cause::kDenied;
    default:
      return Cause::kUnspecified;
  }
}

std::unexpected<Error> sqlite_error(sqlite3* handle, std::string_view what) {
  if (handle == nullptr) return fail("database: " + std::string(what) + ": out of memory");
  const int code = sqlite3_extended_errcode(handle) & 0xFF;
  std::string message = "database: " + std::string(what) + ": " + sqlite3_errmsg(handle);
  const int system = code == SQLITE_CANTOPEN || code == SQLITE_IOERR ? sqlite3_system_errno(handle) : 0;
  if (system != 0) message += ": " + std::generic_category().message(system);
  std::string hint(hint_of_system(system));
  if (!hint.empty()) return fail(std::move(message), std::move(hint));
  Cause cause = cause_of_system(system);
  // The index of the log cannot grow. The system's reason is not kept.
  if (sqlite3_extended_errcode(handle) == SQLITE_IOERR_SHMSIZE) cause = Cause::kNoSpace;
  switch (code) {
    case SQLITE_FULL:
      cause = Cause::kNoSpace;
      hint = "free some disk space";
      if (const char* path = sqlite3_db_filename(handle, "main"); path != nullptr && *path != '\0')
        hint += " where " + base::escaped(path, kShownPathBytesMax) + " is";
      hint += " and try again";
      break;
    case SQLITE_BUSY:
      hint = "another program holds the database; end it and try again";
      break;
    case SQLITE_NOTADB:
      hint = "something else lies there, or its first page is overwritten: bring the database back, or import a bundle";
      hint += " into a new home";
      break;
    case SQLITE_CORRUPT:
      hint = "the database file is damaged; restore a bundle into a new home";
      break;
    case SQLITE_READONLY:
      cause = Cause::kReadOnly;
      [[fallthrough]];
    case SQLITE_CANTOPEN:
      hint = "the file and its directory must be there and writable, to be read too";
      break;
    default:
      break;
  }
  return fail(cause, std::move(message), std::move(hint));
}

std::string_view octets(const void* data, int size) {
  return data == nullptr ? std::string_view("")
                         : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

// https://www.sqlite.org/uri.html
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '-' || c == '_';
    if (plain) {
      uri.push_back(c);
    } else {
      uri.push_back('%');
      base::append_hex(uri, std::string_view(&c, 1));
    }
  }
  return uri;
}

}  // namespace

void keep_temporary_files_in(const std::string& directory) {
  sqlite3_free(sqlite3_temp_directory);
  sqlite3_temp_directory = sqlite3_mprintf("%s", directory.c_str());
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int index, std::int64_t value) {
  SPL_CHECK(sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  SPL_CHECK(sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view octets) {
  const char* data = octets.data() == nullptr ? "" : octets.data();
  SPL_CHECK(sqlite3_bind_blob64(statement_.get(), index, data, octets.size(), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_null(int index) {
  SPL_CHECK(sqlite3_bind_null(statement_.get(), index) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  auto error = sqlite_error(sqlite3_db_handle(statement_.get()), "a statement failed");
  sqlite3_reset(statement_.get());
  return error;
}

Result<void> Statement::run() {
  while (TRY(step())) {
  }
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  // The text first: asking for it may change the size.
  const void* data = sqlite3_column_text(statement_.get(), column);
  return octets(data, sqlite3_column_bytes(statement_.get(), column));
}

std::string_view Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  return octets(data, sqlite3_column_bytes(statement_.get(), column));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::optional<std::string_view> Statement::optional_text(int column) const {
  return is_null(column) ? std::nullopt : std::optional(text(column));
}

std::optional<std::string_view> Statement::optional_blob(int column) const {
  return is_null(column) ? std::nullopt : std::optional(blob(column));
}

void Connection::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

Result<Connection> Connection::open(const std::string& path, OpenAs how, const std::string& vfs) {
  sqlite3* handle = nullptr;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  std::string name = path;
  switch (how) {
    case OpenAs::kCreate:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case OpenAs::kReadWrite:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case OpenAs::kUnchanging:
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      name = uri_of(path) + "?immutable=1";
      break;
  }
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, vfs.empty() ? nullptr : vfs.c_str());
  Connection connection(handle);
  if (code != SQLITE_OK) return sqlite_error(handle, path);
  if (vfs.empty() && how != OpenAs::kUnchanging) reserve_log_index(handle);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  TRY_IN(path, connection.execute("PRAGMA cell_size_check=ON"));
  return connection;
}

Result<void> Connection::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return sqlite_error(handle_.get(), sql.substr(0, 60));
  return {};
}

bool Connection::roll_back() noexcept {
  if (sqlite3_get_autocommit(handle_.get()) != 0) return true;
  return sqlite3_exec(handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr) == SQLITE_OK;
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK)
    return sqlite_error(handle_.get(), sql.substr(0, 60));
  Statement owned;
  owned.statement_.reset(statement);
  return owned;
}

Result<std::int64_t> Connection::query_integer(std::string_view sql) {
  Statement statement = TRY(prepare(sql));
  if (!TRY(statement.step())) return fail("database: no row: " + std::string(sql));
  return statement.integer(0);
}

Result<std::string> Connection::query_text(std::string_view sql) {
  Statement statement = TRY(prepare(sql));
  if (!TRY(statement.step())) return fail("database: no row: " + std::string(sql));
  return std::string(statement.text(0));
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(handle_.get());
}
std::int64_t Connection::last_rowid() const {
  return sqlite3_last_insert_rowid(handle_.get());
}
void Connection::set_busy_timeout_ms(int timeout_ms) {
  sqlite3_busy_timeout(handle_.get(), timeout_ms);
}

bool Connection::has_moved() {
  int moved = 0;
  const int code = sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

Result<void> Connection::use_write_ahead_log() {
  // SQLite reads before it changes the mode, and whoever reads while another changes it fails at once, whatever the
  // busy timeout. To begin a write does wait, until the other is done.
  constexpr int kTriesMax = 100;
  for (int tries = 1;; ++tries) {
    auto done = execute("PRAGMA journal_mode=WAL");
    if (done || sqlite3_errcode(handle_.get()) != SQLITE_BUSY || tries == kTriesMax) return done;
    TRY(execute("BEGIN IMMEDIATE"));
    TRY(execute("COMMIT"));
  }
}

void Connection::leave_log_on_close() {
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Result<void> Connection::copy_to(const std::string& path, const std::function<bool()>& go_on) {
  constexpr int kPagesAtOnce = 4096;
  Connection copy = TRY(open(path, OpenAs::kCreate));
  // Who makes it makes it durable, or throws it away.
  TRY(copy.execute("PRAGMA synchronous=OFF"));
  TRY(copy.execute("PRAGMA journal_mode=OFF"));
  sqlite3_backup* backup = sqlite3_backup_init(copy.handle_.get(), "main", handle_.get(), "main");
  if (backup == nullptr) return sqlite_error(copy.handle_.get(), path);
  int code = SQLITE_OK;
  while (code == SQLITE_OK) {
    code = sqlite3_backup_step(backup, kPagesAtOnce);
    if (code == SQLITE_OK && !go_on()) break;
  }
  const bool cancelled = code == SQLITE_OK;
  sqlite3_backup_finish(backup);
  if (cancelled) return base::fail_cancelled("the database was not copied");
  if (code != SQLITE_DONE) return sqlite_error(copy.handle_.get(), "cannot copy the database into " + path);
  return {};
}

std::string library_version() {
  return ::sqlite3_libversion();
}

}  // namespace spl::db
