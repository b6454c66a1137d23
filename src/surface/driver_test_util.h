// What every test of a driver has around it: a disk, clocks, and directories of its own. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "surface/part.h"
#include "testing/temp_directory.h"

namespace spl::surface {

// The value, or the end of the test.
template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result) << result.error().message << " (" << result.error().hint << ")";
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  EXPECT_TRUE(result) << result.error().message << " (" << result.error().hint << ")";
}

class DriverRoom {
 public:
  DriverRoom() {
    for (const char* name : {"spool", "data", "scratch", "kept"}) must(fs_.make_directory(path(name)));
  }
  DriverRoom(const DriverRoom&) = delete;
  DriverRoom& operator=(const DriverRoom&) = delete;
  virtual ~DriverRoom() = default;
  const Surroundings& surroundings() { return surroundings_; }
  env::FileSystem& fs() { return fs_; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  // Where the places are.
  [[nodiscard]] virtual std::string data() const { return path("data"); }

 protected:
  testing::TempDirectory directory_;
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  Surroundings surroundings_{
      {fs_, clock_, random_, log_}, {path("spool"), spool::Secrecy::kEncrypted}, path("scratch")};
};

}  // namespace spl::surface
