// The Debian package: made twice with the same octets, clean for lintian; installed, upgraded, removed and purged in a
// bare Debian 12 (script/bare-root) and in a machine with systemd (script/vm), where no data of an instance is ever
// lost. Long, and mostly for root: in script/test --all.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/help.h"
#include "package_kit.h"

namespace spl::cli_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

using PackageSweep = PackageKit;

TEST_F(PackageSweep, OneCommitGivesOnePackage) {
  const std::string first = make_package("first");
  EXPECT_THAT(first, ::testing::MatchesRegex(".*/spl_[0-9.]+-1_[a-z0-9]+\\.deb"));
  const std::string second = make_package("second", "", "cd /; umask 027; export TZ=Asia/Tokyo LC_ALL=C;");
  EXPECT_EQ(said("cmp " + first + " " + second), "");
}

TEST_F(PackageSweep, LintianFindsNoError) {
  if (!has("lintian")) GTEST_SKIP() << "lintian is not installed";
  const std::string package = make_package("p");
  said("lintian --allow-root --fail-on error,warning --suppress-tags bogus-mail-host " + package);
}

TEST_F(PackageSweep, ItHasWhatItSays) {
  const std::string package = make_package("p", "--revision 7 --maintainer 'A B <a@example.org>'");
  const std::string fields = said("dpkg-deb --field " + package);
  EXPECT_THAT(fields, HasSubstr("Maintainer: A B <a@example.org>\n"));
  for (const char* needed : {"runit", "libssl3", "libsqlite3-0", "libpq5"})
    EXPECT_THAT(said("dpkg-deb --field " + package + " Depends"), HasSubstr(needed));
  said("dpkg-deb --raw-extract " + package + " " + path("x"));
  said("cd " + path("x") + " && md5sum --check --quiet DEBIAN/md5sums");
  EXPECT_EQ(said("cd " + path("x") + " && find . -type f ! -path './DEBIAN/*' | wc -l"),
            said("wc -l <" + path("x") + "/DEBIAN/md5sums"))
      << "each file has its sum";
  EXPECT_EQ(mode_of(path("x/etc/spl")), 0755U);
  EXPECT_EQ(mode_of(path("x/etc/spl/keys")), 0700U);
  EXPECT_EQ(mode_of(path("x/usr/bin/spl")), 0755U);
  EXPECT_EQ(said("find " + path("x") + " -perm /022 -o -perm /7000"), "");
  EXPECT_EQ(said("find " + path("x") + "/etc -type f"), "") << "nothing that an administrator could have changed";
  const std::string changes = said("zcat " + path("x/usr/share/doc/spl/changelog.Debian.gz"));
  EXPECT_THAT(changes, ::testing::StartsWith("spl (" + said("dpkg-deb --field " + package + " Version").substr(0, 7)));
  EXPECT_THAT(changes, HasSubstr("A B <a@example.org>"));
  for (const auto& declaration : fs::directory_iterator(SPL_SOURCE_DIR "/docs/formats"))
    EXPECT_TRUE(exists(path("x/usr/share/doc/spl/docs/formats/") + declaration.path().filename().string()));
}

TEST_F(PackageSweep, EachCommandHasItsPage) {
  if (!has("man")) GTEST_SKIP() << "man is not installed";
  said("cmake --install " SPL_BINARY_DIR " --prefix " + path("to"));
  Words pages{"spl.1"};
  EXPECT_EQ(read_file(path("to/share/man/man1/spl.1")), cli::man_page({&cli::program()}));
  for (const cli::Command& command : cli::program().commands) {
    pages.push_back("spl-" + command.name + ".1");
    EXPECT_EQ(read_file(path("to/share/man/man1/") + pages.back()), cli::man_page({&cli::program(), &command}));
  }
  std::ranges::sort(pages);
  EXPECT_EQ(names_in(path("to/share/man/man1")), pages);
  for (const std::string& page : pages)
    EXPECT_EQ(said("MANROFFSEQ= MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z " +
                   path("to/share/man/man1/") + page + " 2>&1 >/dev/null"),
              "")
        << page;
}

TEST_F(PackageSweep, ItIsInstalledAnywhere) {
  const std::string to = path("any");
  said("cmake --install " SPL_BINARY_DIR " --prefix " + to);
  EXPECT_THAT(said(to + "/bin/spl --version"), HasSubstr("spl "));
  EXPECT_EQ(read_file(to + "/share/bash-completion/completions/spl"), run({"completion", "bash"}).out);
  EXPECT_EQ(read_file(to + "/share/zsh/vendor-completions/_spl"), run({"completion", "zsh"}).out);
  EXPECT_EQ(read_file(to + "/share/fish/vendor_completions.d/spl.fish"), run({"completion", "fish"}).out);
  EXPECT_THAT(read_file(to + "/share/spl/runit/run"), HasSubstr("exec " + to + "/bin/spl --home"));
  EXPECT_EQ(mode_of(to + "/share/spl/runit/run"), 0755U);
  for (const char* unit : {"spl.service", "spl-services.service"}) {
    EXPECT_THAT(read_file(to + "/lib/systemd/system/" + unit), HasSubstr(to + "/bin/spl --home"));
    if (!has("systemd-analyze")) continue;
    EXPECT_THAT(said("systemd-analyze verify --man=no " + to + "/lib/systemd/system/" + unit), Not(HasSubstr(unit)));
  }
  EXPECT_EQ(names_in(to), (Words{"bin", "lib", "share"}));
}

TEST_F(PackageSweep, ItLivesUnderSystemd) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make the disk of a virtual machine";
  for (const char* tool : {"debootstrap", "qemu-system-x86_64"})
    if (!has(tool)) GTEST_SKIP() << tool << " is not installed";
  const std::string first = make_package("first");
  const std::string second = make_package("second", "--revision 2");
  EXPECT_THAT(said("SPL_VM_SECONDS=1500 " SPL_SOURCE_DIR "/script/vm run --file " + first + " --file " + second +
                   " --file " SPL_SOURCE_DIR "/tests/package_systemd.sh bash package_systemd.sh"),
              HasSubstr("all of it\n"));
}

class BareRootSweep : public PackageKit {
 protected:
  void SetUp() override {
    PackageKit::SetUp();
    if (!IsSkipped()) need_bare_roots();
    if (IsSkipped()) return;
    make_root("root", "man-db");
    first_ = add_package("first", "");
    second_ = add_package("second", "--revision 2");
  }
  // Its path in the root.
  std::string add_package(const std::string& directory, const std::string& options) {
    const fs::path package = make_package(directory, options);
    fs::copy_file(package, root_ / package.filename());
    return "/" + package.filename().string();
  }
  std::string inside(const std::string& words) { return PackageKit::inside(root_, words); }
  // Everything of instances: kinds, modes, owners, names, and what is in it.
  std::string instances() {
    return inside(
        "for top in /var/lib/spl /etc/spl; do find $top -printf '%y %m %U:%G %p\\n'; "
        "find $top -type f -exec sha256sum {} +; done | sort");
  }

  const fs::path root_ = path("root");
  std::string first_;
  std::string second_;
};

constexpr char kService[] = R"(
name    = "notes"
version = "1"
schema  = 1
summary = "Notes"
[run]
command = ["/bin/sleep", "infinity"]
init    = ["/bin/mkdir", "{data}/files"]
[[surface]]
name = "files"
kind = "files"
path = "{data}/files"
[[secret]]
handle = "notes/key"
class  = "portable"
)";

TEST_F(BareRootSweep, NoDataOfAnInstanceIsEverRemoved) {
  inside(apt("install " + first_));
  EXPECT_EQ(inside("find /var/lib/spl /etc/systemd -name '*spl*' 2>/dev/null || true"), "") << "nothing has begun";
  EXPECT_EQ(inside("spl version -o json"), run({"version", "-o", "json"}).out);
  EXPECT_THAT(inside("man spl | tr -s ' \\n' ' '"), HasSubstr("spl service SERVICE backup"));
  EXPECT_THAT(inside("man spl service-account | tr -s ' \\n' ' '"), HasSubstr("spl service-account create"));

  inside("spl init");
  write_file(root_ / "var/lib/spl/services/notes.toml", kService);
  inside("printf secret | spl secret set notes/key");
  EXPECT_EQ(inside("stat -c '%a %U' /etc/spl /etc/spl/keys /etc/spl/keys/*"), "755 root\n700 root\n600 root\n");

  // An upgrade leaves the daemon and the services alone.
  const std::string upgrade = inside(
      "spl serve --daemon --port 0; spl service notes start\n"
      "daemon=$(cat /var/lib/spl/run/spl.pid) service=$(pidof sleep)\n" +
      apt("install " + second_) +
      "\nspl know 'after the upgrade' --thread one\n"
      "[ \"$daemon\" = \"$(cat /var/lib/spl/run/spl.pid)\" ]; kill -0 $daemon\n"
      "spl stop; spl serve --daemon --port 0\n"
      "[ \"$service\" = \"$(pidof sleep)\" ]\n"
      "spl service all stop; spl stop");
  EXPECT_THAT(upgrade, HasSubstr("goes on as version " +
                                 said("dpkg-deb --field " + path("first") + first_ + " Version | tr -d '\\n'")));
  EXPECT_EQ(inside("dpkg-query --show --showformat '${Version}\\n' spl"),
            said("dpkg-deb --field " + path("second") + second_ + " Version"));

  const std::string before = instances();
  EXPECT_THAT(before, HasSubstr("/etc/spl/keys/"));
  EXPECT_THAT(before, HasSubstr("/var/lib/spl/hub.db"));
  inside(apt("remove spl"));
  EXPECT_EQ(inside("command -v spl || echo gone"), "gone\n");
  EXPECT_EQ(instances(), before);
  const std::string purged = inside(apt("purge spl"));
  EXPECT_THAT(purged, HasSubstr("/var/lib/spl is left as it is"));
  EXPECT_THAT(purged, HasSubstr("/etc/spl is left as it is"));
  EXPECT_EQ(instances(), before);

  inside(apt("install " + first_));
  EXPECT_EQ(instances(), before);
  EXPECT_THAT(inside("spl secret check; spl thread records one -o json"), HasSubstr("after the upgrade"));
}

TEST_F(BareRootSweep, WhereNothingWasMadeNothingIsLeft) {
  inside(apt("install " + first_));
  inside(apt("purge spl"));
  EXPECT_EQ(inside("find / -xdev -path /proc -prune -o '(' -name spl -o -name 'spl[-._]*' -o -name _spl ')' -print | "
                   "grep -v '^/spl_' || true"),
            "");
}

}  // namespace
}  // namespace spl::cli_test
