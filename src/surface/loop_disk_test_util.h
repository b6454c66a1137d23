// A file system of a kind, in a file that is mounted. For tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "testing/temp_directory.h"

namespace spl::surface {

class LoopDisk {
 public:
  // `kind` is what mkfs.KIND makes. `why_not()` says why it is not mounted.
  explicit LoopDisk(const std::string& kind, const std::string& options = "") {
    if (::geteuid() != 0) {
      why_not_ = "only root may mount a file system";
    } else if (!run("command -v mkfs." + kind)) {
      why_not_ = "mkfs." + kind + " is not installed";
    } else if (!run("truncate -s 512M " + image() + " && mkfs." + kind + " -q " + image() + " && mkdir " + path())) {
      why_not_ = "mkfs." + kind + " fails";
    } else if (!run("mount -o loop" + (options.empty() ? "" : "," + options) + " " + image() + " " + path())) {
      why_not_ = "this kernel mounts no " + kind + " from a file";
    }
  }
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;
  ~LoopDisk() {
    if (!why_not_.empty()) return;
    EXPECT_TRUE(run("umount " + path())) << "something is still open below " << path();
  }

  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::string path() const { return directory_.path() + "/disk"; }
  // Whether a shell says that it went well.
  static bool run(const std::string& command) {
    return std::system(("{ " + command + " ; } >/dev/null 2>&1").c_str()) == 0;
  }

 private:
  [[nodiscard]] std::string image() const { return directory_.path() + "/image"; }
  testing::TempDirectory directory_;
  std::string why_not_;
};

}  // namespace spl::surface
