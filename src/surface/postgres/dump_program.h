// pg_dump and pg_restore: which of those that are installed, and how they are run. No environment of this process
// reaches them; a password does by a file (0600) in the scratch directory, and never by an argument. One thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "env/child_process.h"
#include "surface/part.h"
#include "surface/postgres/address.h"

namespace spl::surface {

struct DumpProgram {
  std::string path;     // or the name alone, where PATH leads to it
  int major = 0;        // 15
  std::string version;  // "15.18"
};

// The oldest installed one that knows a server of this major version: a newer one writes what an older machine cannot
// read, and says what an older server does not know. Code kUnavailable where there is none. `name` is "pg_dump" or
// "pg_restore".
Result<DumpProgram> find_dump_program(env::FileSystem& fs, std::string_view name, int major, base::Progress& progress);
// The newest one, which reads what any older pg_dump wrote.
Result<DumpProgram> find_newest_dump_program(env::FileSystem& fs, std::string_view name, base::Progress& progress);
// The number before the point: of "15.18", of "postgresql 15.18"; 0 of what has none.
int major_of(std::string_view version);

// A password's file, for as long as it is needed.
class PasswordFile {
 public:
  static Result<PasswordFile> make(const Surroundings& surroundings, const SecretBytes& password);
  PasswordFile(PasswordFile&& other) noexcept : fs_(other.fs_), path_(std::exchange(other.path_, {})) {}
  PasswordFile& operator=(PasswordFile&&) = delete;
  PasswordFile(const PasswordFile&) = delete;
  PasswordFile& operator=(const PasswordFile&) = delete;
  ~PasswordFile();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  PasswordFile(env::FileSystem& fs, std::string path) : fs_(&fs), path_(std::move(path)) {}
  env::FileSystem* fs_;
  std::string path_;
};

// The program with these words after it. `password` may be null.
env::ChildOptions dump_program_options(const DumpProgram& program, std::vector<std::string> words,
                                       const PasswordFile* password);
// "--schema=" of exactly this name: what pg_dump takes there is a pattern.
std::string schema_word(std::string_view schema);

}  // namespace spl::surface
