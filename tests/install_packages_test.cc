// spl service X install of packages and users: the machine's own apt-get and dpkg, with a repository of one small
// package in the test's directory. Root's alone; what it installs is purged afterwards.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "env/descriptor.h"
#include "install_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPackage[] = "spl-test-daemon";

// What a package with a daemon does, as debhelper writes it. The "daemon" makes a file.
constexpr char kMakePackage[] = R"sh(
set -e
cd "$1"
mkdir -p repo lists/partial cache/archives/partial root/DEBIAN root/etc/init.d root/lib/systemd/system
cat >root/DEBIAN/control <<EOF
Package: spl-test-daemon
Version: 1.0
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: a daemon for a test
EOF
cat >root/etc/init.d/spl-test-daemon <<EOF
#!/bin/sh
### BEGIN INIT INFO
# Provides: spl-test-daemon
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
[ "\$1" = stop ] || touch $1/started
EOF
cat >root/lib/systemd/system/spl-test-daemon.service <<EOF
[Service]
ExecStart=/bin/true
[Install]
WantedBy=multi-user.target
EOF
cat >root/DEBIAN/postinst <<'EOF'
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
update-rc.d spl-test-daemon defaults
deb-systemd-helper enable spl-test-daemon.service
while [ -e @HERE@/hold ]; do
  touch @HERE@/holding
  sleep 0.05
done
invoke-rc.d spl-test-daemon start
EOF
cat >root/DEBIAN/postrm <<'EOF'
#!/bin/sh
set -e
[ "$1" = purge ] || exit 0
update-rc.d spl-test-daemon remove
deb-systemd-helper purge spl-test-daemon.service
deb-systemd-helper unmask spl-test-daemon.service
EOF
sed -i "s:@HERE@:$1:" root/DEBIAN/postinst
chmod 755 root/DEBIAN/postinst root/DEBIAN/postrm root/etc/init.d/spl-test-daemon
dpkg-deb --root-owner-group -b root repo/spl-test-daemon.deb
{ cat root/DEBIAN/control; echo "Filename: ./spl-test-daemon.deb"; echo "Size: $(stat -c %s repo/spl-test-daemon.deb)"
  echo "SHA256: $(sha256sum <repo/spl-test-daemon.deb | cut -c1-64)"; } >repo/Packages
echo "deb [trusted=yes] file:$1/repo ./" >sources.list
cat >apt.conf <<EOF
Dir::Etc::sourcelist "$1/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$1/lists";
Dir::State::extended_states "$1/extended_states";
Dir::Cache "$1/cache";
APT::Sandbox::User "root";
EOF
)sh";

// A command for which this machine has no policy of its own on what may start.
constexpr char kWithoutPolicy[] = R"sh(#!/bin/sh
set -e
mkdir -p "$1/apart.d"
mount -t tmpfs none "$1/apart.d"
mkdir "$1/apart.d/upper" "$1/apart.d/work"
mount -t overlay none -o "lowerdir=/usr/sbin,upperdir=$1/apart.d/upper,workdir=$1/apart.d/work" /usr/sbin
rm -f /usr/sbin/policy-rc.d
shift
exec "$@"
)sh";

class PackagesTest : public InstallKit {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root installs packages";
    // They install one and the same package on this machine: one test at a time.
    const std::string lock = (std::filesystem::temp_directory_path() / "spl-packages-test.lock").string();
    machine_ = env::Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(::flock(machine_.number(), LOCK_EX), 0) << lock;
    if (shell("command -v apt-get dpkg-deb deb-systemd-helper unshare >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "apt-get, dpkg-deb, deb-systemd-helper or unshare is missing";
    write_script("apart", kWithoutPolicy);
    if (shell(apart("true")) != 0) GTEST_SKIP() << "no overlay can be mounted here";
    const std::string make = write_script("make-package", kMakePackage);
    ASSERT_EQ(shell("sh " + make + " " + path(".") + " >" + path("made") + " 2>&1"), 0) << read_file(path("made"));
    environment_["APT_CONFIG"] = path("apt.conf");
    purge();
    init("h");
    declare("h", "one", std::string("version = \"1\"\n[install]\nsource = \"apt:") + kPackage + "\"\n" + run_);
  }
  void TearDown() override { purge(); }
  // What the apt-get of a killed spl still does is waited for.
  void purge() {
    EXPECT_EQ(shell(std::string("for n in $(seq 600); do dpkg --purge ") + kPackage + " >" + path("purged") +
                    " 2>&1 && exit 0; sleep 0.1; done; exit 1"),
              0)
        << read_file(path("purged"));
  }

  [[nodiscard]] std::string apart(const std::string& command) const {
    return "unshare -m " + path("apart") + " " + path(".") + " sh -c " + quoted(command);
  }
  [[nodiscard]] std::string spl(const std::string& words) const {
    return "APT_CONFIG=" + environment_.at("APT_CONFIG") + " " + spl_program() + " --home " + path("h") + " " + words;
  }
  bool is_installed() {
    return output_of(std::string("dpkg-query -W -f '${db:Status-Status}' ") + kPackage) == "installed";
  }
  // An install, killed when it has begun; apt-get goes on until "hold" goes.
  [[nodiscard]] std::string killed_install() const {
    return "touch hold; " + spl("service one install --download >killed 2>&1 &") +
           " pid=$!; until [ -e holding ]; do sleep 0.05; done; kill -9 $pid; wait $pid; ";
  }
  static bool is_enabled() { return exists("/etc/systemd/system/multi-user.target.wants/spl-test-daemon.service"); }

  env::Descriptor machine_;  // held from before the package is made to after it is purged
  std::string run_;
};

TEST_F(PackagesTest, APackageIsInstalledAndItsDaemonNeitherStartedNorEnabled) {
  const std::string after =
      "; ls /usr/sbin/policy-rc.d; SPL_INSTALLS= ; printf '#!/bin/sh\\nexit 0\\n' "
      ">/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; [ ! -e " +
      path("started") + " ] && invoke-rc.d spl-test-daemon start && [ -e " + path("started") + " ]";
  const int code = shell(apart(spl("service one install --download >" + path("out") + " 2>" + path("err")) + after));
  EXPECT_EQ(read_file(path("out")),
            "one: installed\n  packages: spl-test-daemon\n  disabled in systemd, since spl runs the service: "
            "spl-test-daemon.service\n")
      << read_file(path("err"));
  EXPECT_EQ(code, 0) << "not started by spl; by invoke-rc.d, where nothing forbids it";
  EXPECT_TRUE(is_installed());
  EXPECT_FALSE(is_enabled());
  const Ran again = ask("h", {"service", "one", "install", "--download"});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "one: there\n");
}

TEST_F(PackagesTest, ThePolicyOfTheMachineIsAskedAndStays) {
  const std::string put = "printf '#!/bin/sh\\nexit $(cat " + path("says") +
                          ")\\n' >/usr/sbin/policy-rc.d; chmod 755 " +
                          "/usr/sbin/policy-rc.d; cp /usr/sbin/policy-rc.d " + path("policy") + "; ";
  const std::string compare = "; echo $? >" + path("code") + "; cmp /usr/sbin/policy-rc.d " + path("policy");
  const std::string install = spl("service one install --download >" + path("out") + " 2>" + path("err"));
  write_file(path("says"), "0");
  EXPECT_EQ(shell(apart(put + install + compare)), 0);
  EXPECT_EQ(read_file(path("code")), "3\n");
  EXPECT_THAT(read_file(path("err")), HasSubstr("would let the package spl-test-daemon start its daemon"));
  EXPECT_FALSE(is_installed());
  write_file(path("says"), "101");
  EXPECT_EQ(shell(apart(put + install + compare)), 0);
  EXPECT_EQ(read_file(path("code")), "0\n") << read_file(path("err"));
  EXPECT_TRUE(is_installed());
  EXPECT_FALSE(exists(path("started")));
}

TEST_F(PackagesTest, WithoutDownloadThePackageIsNamed) {
  const Ran ran = ask("h", {"service", "one", "install"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_EQ(ran.out, "one: missing: would install the package spl-test-daemon with apt-get\n");
  EXPECT_FALSE(is_installed());
}

TEST_F(PackagesTest, APackageThatNobodyHasIsAnErrorThatSaysSo) {
  declare("h", "one", "[install]\nsource = \"apt:spl-no-such-package\"\n");
  EXPECT_EQ(shell(apart(spl("service one install --download 2>" + path("err")))), 6);
  EXPECT_THAT(read_file(path("err")), HasSubstr("Unable to locate package spl-no-such-package"));
}

TEST_F(PackagesTest, AUnitThatTheServiceIsRunByStaysEnabled) {
  declare("h", "one",
          std::string("[install]\nsource = \"apt:") + kPackage + "\"\n[run]\nunit = \"spl-test-daemon.service\"\n");
  EXPECT_EQ(shell(apart(spl("service one install --download >" + path("out")))), 0);
  EXPECT_EQ(read_file(path("out")), "one: installed\n  packages: spl-test-daemon\n");
  EXPECT_TRUE(is_enabled());
  EXPECT_FALSE(exists(path("started")));
}

TEST_F(PackagesTest, AnInstallThatWasCutOffIsFinishedByTheNextOneWithoutItsDaemon) {
  const std::string next = spl("service one install --download >out 2>err &") +
                           " pid=$!; n=0; until ls -l /proc/$pid/fd | grep -q lock-frontend || [ $n = 400 ]; do "
                           "n=$((n + 1)); sleep 0.05; done; rm hold; wait $pid; echo $? >code; "
                           "ls /usr/sbin/policy-rc.d >left 2>&1";
  (void)shell(apart("cd " + path(".") + "; " + killed_install() + next));
  EXPECT_EQ(read_file(path("code")), "0\n") << read_file(path("err"));
  EXPECT_EQ(read_file(path("out")), "one: installed\n  packages: spl-test-daemon\n")
      << "the start of that spl has disabled the unit already";
  EXPECT_TRUE(is_installed());
  EXPECT_FALSE(is_enabled());
  EXPECT_FALSE(exists(path("started"))) << "what the killed one began still has what forbids it";
  EXPECT_THAT(read_file(path("left")), HasSubstr("No such file"));
  EXPECT_EQ(ask("h", {"service", "one", "install"}).out, "one: there\n");
}

TEST_F(PackagesTest, TheDaemonOfAnInstallThatWasCutOffDoesNotStartWithTheMachine) {
  const std::string ends =
      "rm hold; until [ \"$(dpkg-query -W -f '${db:Status-Status}' spl-test-daemon)\" = installed ]; "
      "do sleep 0.05; done";
  (void)shell(apart("cd " + path(".") + "; " + killed_install() + ends));
  EXPECT_TRUE(is_enabled()) << "as the package has it";
  EXPECT_EQ(ask("h", {"context", "add", "geo"}).code, 0);
  EXPECT_FALSE(is_enabled());
  EXPECT_FALSE(exists(path("started")));
}

TEST_F(PackagesTest, SeveralPackagesAreOneInstall) {
  declare("h", "one", std::string("[install]\nsource = \"apt:") + kPackage + " coreutils\"\n");
  const Ran without = ask("h", {"service", "one", "install"});
  EXPECT_EQ(without.code, 6);
  EXPECT_EQ(without.out, "one: missing: would install the packages spl-test-daemon coreutils with apt-get\n");
  EXPECT_EQ(shell(apart(spl("service one install --download >" + path("out")))), 0);
  EXPECT_THAT(read_file(path("out")), HasSubstr("one: installed\n  packages: spl-test-daemon\n"));
  EXPECT_EQ(ask("h", {"service", "one", "install"}).out, "one: there\n");
}

TEST_F(PackagesTest, AUserWhoIsNotRootIsToldWhatAnAdministratorHasToDo) {
  ASSERT_EQ(shell("chown -R nobody " + path("h")), 0);
  const Ran ran = ask("h", {"service", "one", "install", "--download"});
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("an administrator has to install the package spl-test-daemon: apt-get install"));
}

class SystemUserTest : public ServicesKit {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root makes users";
    init("h");
  }
  void TearDown() override {
    (void)shell("userdel " + user_ + " >/dev/null 2>&1; groupdel " + user_ + "-g >/dev/null 2>&1");
  }
  const std::string user_ = "spl-t" + std::to_string(::getpid());
};

TEST_F(SystemUserTest, AUserAndAGroupThatAreMissingAreMade) {
  declare("h", "one",
          "[run]\ncommand = [\"/bin/sleep\", \"1000\"]\nuser = \"" + user_ + "\"\ngroup = \"" + user_ + "-g\"\n");
  const Ran ran = ask("h", {"service", "one", "install"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "one: installed\n  user made: " + user_ + "\n");
  const std::string entry = output_of("getent passwd " + user_);
  EXPECT_THAT(entry, HasSubstr(path("h/data/one") + ":/usr/sbin/nologin"));
  EXPECT_LT(std::stoi(output_of("id -u " + user_)), 1000);
  EXPECT_EQ(ask("h", {"service", "one", "install"}).out, "one: there\n");
  start("h");
  EXPECT_EQ(output_of("stat -c %U:%G " + path("h/data/one")), user_ + ":" + user_ + "-g");
  EXPECT_EQ(ask("h", {"service", "all", "stop"}).code, 0);
}

TEST_F(SystemUserTest, ANameThatNoUserCanHaveIsRefused) {
  declare("h", "one", "[run]\ncommand = [\"/bin/sleep\", \"1000\"]\nuser = \"--root\"\n");
  const Ran ran = ask("h", {"service", "one", "install"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("no user can be given"));
}

}  // namespace
}  // namespace spl::cli_test
