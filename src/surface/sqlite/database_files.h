// The database files that a place means: one, or those in its directory that match. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/file_system.h"

namespace spl::surface {

class DatabaseFiles {
 public:
  // `path` may have a * in its last component.
  explicit DatabaseFiles(const std::string& path);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] bool is_pattern() const { return pattern_.find('*') != std::string::npos; }
  // Whether a name in the directory is one that is meant; never one of what stands beside a database.
  [[nodiscard]] bool means(std::string_view name) const;
  // The only name that there may be, where the place is no pattern.
  [[nodiscard]] const std::string& name() const { return pattern_; }
  [[nodiscard]] std::string path_of(std::string_view name) const { return env::join(directory_, name); }
  // The names that are there, ascending. Code kUsage of a symbolic link, or of anything else that is no file.
  Result<std::vector<std::string>> list(env::FileSystem& fs) const;

 private:
  std::string directory_;
  std::string pattern_;
};

}  // namespace spl::surface
