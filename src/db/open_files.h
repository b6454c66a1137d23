// Whether the files of an open database are still those at their paths: not removed, not replaced, not on a volume that
// another took the place of. What is written to files that are not is gone with the process that has them open. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/sqlite.h"

namespace spl::db {

class OpenFiles {
 public:
  // Looks at the database file that `connection` has just opened by `path` with the default VFS, and at its write-ahead
  // log where there is one by now. An error where the file is another already.
  static Result<OpenFiles> of(Connection& connection, const std::string& path);
  // Compares device and inode of each with what is at its path now. Allocates nothing: it is asked after a commit, too.
  [[nodiscard]] bool are_in_place() const noexcept;

 private:
  struct Identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool operator==(const Identity&) const = default;
  };
  struct File {
    std::string path;
    Identity identity;
  };
  static std::optional<Identity> look(const std::string& path) noexcept;
  std::vector<File> files_;
};

}  // namespace spl::db
