#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/encoding.h"
#include "base/words.h"
#include "bundle/part_files.h"
#include "db/examination.h"
#include "env/acting_user.h"
#include "surface/sqlite/database_files.h"
#include "surface/sqlite/sqlite.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::uint32_t kParentMode = 0750;
constexpr std::uint32_t kFileMode = 0640;
constexpr std::string_view kSuffix = ".sqlite";
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::array kBeside{kSqliteLog, kSqliteIndex, kSqliteJournal};

std::unexpected<Error> no_part(const std::string& subject, const std::string& path, const std::string& why) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, subject + ": " + base::escaped(path, 200) + ": " + why);
}

class SqliteRestore final : public RestorePart {
 public:
  SqliteRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : fs_(surroundings.env.fs),
        place_(std::move(place)),
        request_(std::move(request)),
        files_(place_.path),
        prefix_(std::string(kOwnNamePrefix) + request_.id + "-") {}

  Result<void> inspect(std::vector<Finding>& findings) override;
  Result<std::string> stage(PartSource& files, base::Progress& progress) override;
  Result<std::vector<StagedThing>> staged_at(std::string_view mark) override;
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override;
  Result<void> swap(std::string_view mark) override;
  Result<void> swap_back(std::string_view mark) override;
  Result<std::vector<Count>> count_live() override;
  Result<bool> has_other(std::string_view mark) override;
  Result<void> discard(std::string_view mark) override;

 private:
  using Marks = std::map<std::string, std::uint64_t>;  // name to inode
  Result<Marks> read_mark(std::string_view mark) const;
  Result<std::string> name_of(const codec::TarEntry& entry) const;
  Result<void> write_file(const std::string& path, const codec::TarEntry& entry, PartSource& files,
                          base::Progress& progress);
  Result<std::vector<std::string>> others();
  Result<bool> is_inode(const std::string& path, std::uint64_t inode);
  Result<void> take_beside(const std::string& from, const std::string& to);
  Result<void> remove_beside(const std::string& path);
  Result<void> require_closed(const std::string& path);
  Result<std::vector<Count>> count(const std::vector<std::string>& paths, base::Progress& progress);
  Result<void> sync() { return fs_.sync_directory(files_.directory()); }
  [[nodiscard]] std::string live(const std::string& name) const { return files_.path_of(name); }
  // The staged file, or the one that was live before.
  [[nodiscard]] std::string other(const std::string& name) const { return files_.path_of(prefix_ + name); }

  env::FileSystem& fs_;
  const Place place_;
  const RestoreRequest request_;
  const DatabaseFiles files_;
  const std::string prefix_;
};

Result<void> SqliteRestore::inspect(std::vector<Finding>& findings) {
  const auto there = TRY(files_.list(fs_));
  if (!there.empty() && request_.data == InTheWay::kStops)
    findings.push_back({"data", FindingStatus::kStop, place_.subject, "data is in the way: " + live(there.front()),
                        "--replace puts the bundle's in its place, and keeps it as previous"});
  return {};
}

// The name that an entry's file gets.
Result<std::string> SqliteRestore::name_of(const codec::TarEntry& entry) const {
  const std::string_view path = entry.path;
  const auto name =
      path.ends_with(kSuffix) ? bundle::decoded_name(path.substr(0, path.size() - kSuffix.size())) : std::nullopt;
  if (!name || entry.type != codec::TarType::kFile) return no_part(place_.subject, entry.path, "is no database");
  // Where there is one database its name is the declaration's: the context may have another name here.
  if (!files_.is_pattern()) return files_.name();
  if (name->find('/') == std::string::npos && files_.means(*name)) return *name;
  return fail(ErrorCode::kStop, place_.subject + ": the name " + base::escaped(*name, 100) + " does not match " +
                                    base::escaped(place_.path, 200));
}

Result<void> SqliteRestore::write_file(const std::string& path, const codec::TarEntry& entry, PartSource& files,
                                       base::Progress& progress) {
  const auto file = TRY(fs_.open(path, env::OpenMode::kCreateNew));
  std::string buffer(kPieceBytes, '\0');
  std::uint64_t at = 0;
  for (;;) {
    if (progress.cancelled()) return base::fail_cancelled("nothing was restored");
    const std::size_t n = TRY(files.read(buffer));
    if (n == 0) break;
    if (at == 0 && !std::string_view(buffer.data(), n).starts_with(kMagic))
      return no_part(place_.subject, entry.path, "does not begin as a SQLite database");
    TRY(file->write_at(at, std::string_view(buffer.data(), n)));
    at += n;
  }
  return file->sync();
}

Result<std::string> SqliteRestore::stage(PartSource& files, base::Progress& progress) {
  TRY(discard({}));
  TRY(make_directories_for(fs_, files_.directory(), kParentMode, place_.owner));
  const env::AsFileUser as(TRY(who_names_in(fs_, files_.directory(), place_.owner)));
  std::string mark;
  std::set<std::string> names;
  while (const auto entry = TRY(files.next())) {
    const std::string name = TRY(name_of(*entry));
    if (!names.insert(name).second)
      return no_part(place_.subject, entry->path, "is a second database, and the surface has one");
    const std::string path = other(name);
    progress.update("writing databases", names.size(), 0, "databases");
    TRY(write_file(path, *entry, files, progress));
    const auto before = TRY(fs_.info(live(name)));
    if (place_.owner) {
      TRY(fs_.set_owner(path, place_.owner->uid, place_.owner->gid));
    } else if (before) {
      // Where this process may not, the file is its own, as all that it writes.
      (void)fs_.set_owner(path, before->uid, before->gid);
    }
    TRY(fs_.set_mode(path, before ? before->mode & 0777 : kFileMode));
    mark += (mark.empty() ? "" : " ") + std::to_string(TRY(fs_.info(path))->inode) + ":" + bundle::encoded_name(name);
  }
  TRY(sync());
  return mark.empty() ? std::string("none") : mark;
}

Result<SqliteRestore::Marks> SqliteRestore::read_mark(std::string_view mark) const {
  Marks marks;
  if (mark == "none") return marks;
  for (const std::string& word : base::split(mark, ' ')) {
    std::uint64_t inode = 0;
    const std::size_t colon = word.find(':');
    const auto [end, error] = std::from_chars(word.data(), word.data() + std::min(colon, word.size()), inode);
    const auto name = colon == std::string::npos ? std::nullopt : bundle::decoded_name(word.substr(colon + 1));
    if (error != std::errc() || end != word.data() + colon || !name || !files_.means(*name))
      return fail(place_.subject + ": \"" + base::escaped(mark, 80) + "\" is no mark of staged databases");
    marks.emplace(*name, inode);
  }
  return marks;
}

Result<bool> SqliteRestore::is_inode(const std::string& path, std::uint64_t inode) {
  const auto info = TRY(fs_.info(path));
  return info && info->inode == inode;
}

// Names whose staged or previous file there is, with what stands beside those.
Result<std::vector<std::string>> SqliteRestore::others() {
  std::vector<std::string> names;
  if (!TRY(fs_.info(files_.directory()))) return names;
  for (const std::string& found : TRY(fs_.list(files_.directory()))) {
    if (!found.starts_with(prefix_)) continue;
    std::string name = found.substr(prefix_.size());
    std::string database = name;
    for (const std::string_view beside : kBeside) {
      if (database.ends_with(beside)) database.resize(database.size() - beside.size());
    }
    if (files_.means(database)) names.push_back(std::move(name));
  }
  return names;
}

Result<void> SqliteRestore::take_beside(const std::string& from, const std::string& to) {
  for (const std::string_view beside : kBeside) {
    const std::string path = from + std::string(beside);
    if (TRY(fs_.info(path))) TRY(fs_.rename(path, to + std::string(beside)));
  }
  return {};
}

Result<void> SqliteRestore::remove_beside(const std::string& path) {
  for (const std::string_view beside : kBeside) TRY(fs_.remove(path + std::string(beside)));
  return {};
}

Result<void> SqliteRestore::swap(std::string_view mark) {
  const Marks marks = TRY(read_mark(mark));
  const env::AsFileUser as(TRY(who_names_in(fs_, files_.directory(), place_.owner)));
  for (const auto& [name, inode] : marks) {
    if (TRY(is_inode(live(name), inode))) continue;
    if (!TRY(is_inode(other(name), inode)))
      return fail(place_.subject + ": what was staged is not there any more: " + other(name));
    if (TRY(fs_.info(live(name)))) {
      // A log of the live one belongs to it, and to no other.
      TRY(take_beside(live(name), other(name)));
      TRY(sync());
      TRY(fs_.exchange(live(name), other(name)));
    } else {
      TRY(remove_beside(live(name)));
      TRY(fs_.rename_to_new(other(name), live(name)));
    }
  }
  // What the bundle does not have goes aside.
  for (const std::string& name : TRY(files_.list(fs_))) {
    if (marks.contains(name) || TRY(fs_.info(other(name)))) continue;
    TRY(take_beside(live(name), other(name)));
    TRY(fs_.rename_to_new(live(name), other(name)));
  }
  return sync();
}

Result<void> SqliteRestore::swap_back(std::string_view mark) {
  const Marks marks = TRY(read_mark(mark));
  const env::AsFileUser as(TRY(who_names_in(fs_, files_.directory(), place_.owner)));
  for (const auto& [name, inode] : marks) {
    if (!TRY(is_inode(live(name), inode)) && TRY(fs_.info(other(name))) && !TRY(is_inode(other(name), inode))) {
      // The service has put another file in its place since.
      TRY(remove_beside(live(name)));
      TRY(fs_.rename(other(name), live(name)));
    } else if (TRY(is_inode(live(name), inode))) {
      // A service may have written to it meanwhile: that goes.
      TRY(remove_beside(live(name)));
      if (TRY(fs_.info(other(name)))) {
        TRY(fs_.exchange(live(name), other(name)));
      } else {
        TRY(fs_.rename_to_new(live(name), other(name)));
      }
    }
    if (TRY(fs_.info(live(name)))) TRY(take_beside(other(name), live(name)));
  }
  for (const std::string& name : TRY(others())) {
    if (marks.contains(name) || !files_.means(name)) continue;
    TRY(remove_beside(live(name)));
    TRY(fs_.rename(other(name), live(name)));
    TRY(take_beside(other(name), live(name)));
  }
  return TRY(fs_.info(files_.directory())) ? sync() : Result<void>();
}

Result<std::vector<Count>> SqliteRestore::count(const std::vector<std::string>& paths, base::Progress& progress) {
  std::uint64_t tables = 0;
  std::uint64_t rows = 0;
  for (const std::string& path : paths) {
    const db::Examination seen = TRY_IN(place_.subject, db::examine_database(path, progress));
    tables += seen.tables;
    rows += seen.rows;
  }
  return std::vector<Count>{{"databases", paths.size()}, {"tables", tables}, {"rows", rows}};
}

Result<std::vector<StagedThing>> SqliteRestore::staged_at(std::string_view mark) {
  std::vector<StagedThing> things;
  if (mark.empty()) return things;
  for (const auto& [name, inode] : TRY(read_mark(mark)))
    things.push_back({files_.is_pattern() ? name : std::string(), other(name)});
  return things;
}

// A log or a journal is part of what a command has written, and would be left behind by the switch.
Result<void> SqliteRestore::require_closed(const std::string& path) {
  for (const std::string_view beside : {kSqliteLog, kSqliteJournal}) {
    const auto info = TRY(fs_.info(path + std::string(beside)));
    if (info && info->size_bytes > 0)
      return fail(place_.subject + ": a command has left the staged database open: " + path + std::string(beside),
                  "it must close the database before it ends");
  }
  return remove_beside(path);
}

Result<std::vector<Count>> SqliteRestore::check(std::string_view mark, base::Progress& progress) {
  std::vector<std::string> paths;
  for (const auto& [name, inode] : TRY(read_mark(mark))) {
    if (!TRY(is_inode(other(name), inode)))
      return fail(place_.subject + ": what was staged is not there any more: " + other(name));
    TRY(require_closed(other(name)));
    paths.push_back(other(name));
  }
  return count(paths, progress);
}

Result<std::vector<Count>> SqliteRestore::count_live() {
  std::vector<std::string> paths;
  for (const std::string& name : TRY(files_.list(fs_))) paths.push_back(live(name));
  base::NoProgress progress;
  return count(paths, progress);
}

Result<bool> SqliteRestore::has_other(std::string_view /*mark*/) {
  return !TRY(others()).empty();
}

Result<void> SqliteRestore::discard(std::string_view /*mark*/) {
  const auto names = TRY(others());
  const env::AsFileUser as(TRY(who_names_in(fs_, files_.directory(), place_.owner)));
  for (const std::string& name : names) TRY(fs_.remove(other(name)));
  return names.empty() ? Result<void>() : sync();
}

}  // namespace

std::unique_ptr<RestorePart> sqlite_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<SqliteRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
