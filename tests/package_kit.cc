#include "package_kit.h"

#include <unistd.h>

namespace spl::cli_test {

void PackageKit::SetUp() {
  for (const char* tool : {"cpack", "dpkg-deb", "dpkg-shlibdeps"})
    if (!has(tool)) GTEST_SKIP() << tool << " is not installed";
}

bool PackageKit::has(const std::string& tool) {
  return shell("command -v " + tool + " >/dev/null") == 0;
}

void PackageKit::need_bare_roots() {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make a root to install in";
  if (!has("debootstrap")) GTEST_SKIP() << "debootstrap is not installed";
}

std::string PackageKit::said(const std::string& command, int code) {
  const std::string log = path("said" + std::to_string(++runs_));
  EXPECT_EQ(shell("{ " + command + "\n} >" + log + " 2>&1 </dev/null"), code) << command << "\n" << read_file(log);
  return read_file(log);
}

std::string PackageKit::make_package(const std::string& directory, const std::string& options,
                                     const std::string& before) {
  said(before + " " SPL_SOURCE_DIR "/script/package --output " + path(directory) + " " + options);
  const std::vector<std::string> names = names_in(path(directory));
  EXPECT_EQ(names.size(), 1U);
  return names.empty() ? "" : path(directory) + "/" + names.front();
}

std::string PackageKit::make_root(const std::string& name, const std::string& packages) {
  said(SPL_SOURCE_DIR "/script/bare-root " + path(name) + " " + packages);
  return path(name);
}

std::string PackageKit::inside(const std::string& root, const std::string& words, const std::string& outside) {
  write_file(root + "/step", words + "\n");
  write_file(path("enter"), "set -e\n" + outside + "\nexec chroot " + root +
                                " env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8"
                                " DEBIAN_FRONTEND=noninteractive bash -eu /step\n");
  return said("exec unshare --mount --pid --fork --mount-proc=" + root + "/proc sh " + path("enter"));
}

}  // namespace spl::cli_test
