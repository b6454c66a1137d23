// A look at a SQLite database that somebody else made, in a process of its own with limits on memory and time: whatever
// is in the file, it ends there. Any thread; one process a look. Sources: https://www.sqlite.org/security.html
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/progress.h"
#include "base/result.h"

namespace spl::db {

struct Examination {
  std::uint64_t tables = 0;  // that hold rows of their own
  std::uint64_t rows = 0;    // in all of them
  // What runs by itself when somebody uses the database.
  std::uint64_t triggers = 0;
  std::uint64_t views = 0;
  std::uint64_t virtual_tables = 0;
};

inline constexpr std::uint64_t kExaminationMemoryMax = 1u << 30;
inline constexpr std::chrono::minutes kExaminationTimeMax{60};

// Opened to read only and unchanging: nobody writes to it meanwhile, and its -wal is not looked at. Code kVerification
// where it is no whole database: integrity_check finds something, or a limit is reached.
Result<Examination> examine_database(const std::string& path, base::Progress& progress);

}  // namespace spl::db
