// The Debian package, made as script/package makes it, and bare Debian 12 systems to install it in (script/bare-root).
#pragma once

#include <filesystem>
#include <string>

#include "cli_harness.h"

namespace spl::cli_test {

class PackageKit : public CliTest {
 protected:
  void SetUp() override;  // skips where what makes a package is not installed
  static bool has(const std::string& tool);
  // Skips where no bare system can be made.
  static void need_bare_roots();

  // What a shell's command says on both outputs, when it ends with this code.
  std::string said(const std::string& command, int code = 0);
  // The path of a package, made in a directory of its own; `before` is done before in the same shell.
  std::string make_package(const std::string& directory, const std::string& options = "",
                           const std::string& before = "");
  // A bare system in a new directory; its path.
  std::string make_root(const std::string& name, const std::string& packages = "");
  // Runs the words of a shell that ends at the first error, in a root. Its processes and mounts end with it. `outside`
  // is done before, as root of this machine, in the same namespace of mounts: what it mounts below the root is there.
  std::string inside(const std::string& root, const std::string& words, const std::string& outside = "");
  static std::string apt(const std::string& words) {
    return "apt-get -qq --yes -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 " + words;
  }

 private:
  int runs_ = 0;
};

}  // namespace spl::cli_test
