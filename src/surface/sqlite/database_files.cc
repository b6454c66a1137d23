#include "surface/sqlite/database_files.h"

#include <algorithm>

#include "base/encoding.h"
#include "surface/glob.h"
#include "surface/sqlite/sqlite.h"
#include "surface/tree_walk.h"

namespace spl::surface {

DatabaseFiles::DatabaseFiles(const std::string& path)
    : directory_(env::parent_of(path)), pattern_(path.substr(path.rfind('/') + 1)) {}

bool DatabaseFiles::means(std::string_view name) const {
  if (name.starts_with(kOwnNamePrefix)) return false;
  if (!is_pattern()) return name == pattern_;
  for (const std::string_view beside : {kSqliteLog, kSqliteIndex, kSqliteJournal}) {
    if (name.ends_with(beside)) return false;
  }
  return matches_glob(pattern_, name);
}

Result<std::vector<std::string>> DatabaseFiles::list(env::FileSystem& fs) const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name, const env::FileInfo& info) -> Result<void> {
    if (info.type != env::FileType::kFile)
      return fail(ErrorCode::kUsage,
                  base::escaped(path_of(name), 200) +
                      (info.type == env::FileType::kSymlink ? " is a symbolic link" : " is no file"),
                  "declare the path of the database itself");
    names.push_back(name);
    return {};
  };
  if (!is_pattern()) {
    if (const auto info = TRY(fs.info(path_of(pattern_)))) TRY(add(pattern_, *info));
    return names;
  }
  if (!TRY(fs.info(directory_))) return names;
  for (const std::string& name : TRY(fs.list(directory_))) {
    if (!means(name)) continue;
    if (const auto info = TRY(fs.info(path_of(name)))) TRY(add(name, *info));
  }
  return names;
}

}  // namespace spl::surface
