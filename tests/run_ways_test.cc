// Services that systemd, podman or docker run, each really: in a machine of its own (script/vm), for the one that runs
// the tests may have none of them. Long, and for root: in script/test --all. What needs no machine of its own is here,
// too: that what is missing is said.
#include <gmock/gmock.h>
#include <unistd.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;

class RunWays : public CliTest {
 protected:
  // In a home of its own.
  void declare(const std::string& home, const std::string& way) {
    home_ = path(home);
    ASSERT_EQ(ask({"init"}).code, 0);
    write_file(home_ + "/services/notes.toml", "name = \"notes\"\nversion = \"1\"\n[run]\n" + way +
                                                   "\n[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"" +
                                                   path("files") + "\"\n");
  }
  Ran ask(const Words& words) {
    Words all{"--home", home_};
    all.insert(all.end(), words.begin(), words.end());
    return run(all);
  }

 private:
  std::string home_;
};

// Whatever is missing here, of the manager or of the thing itself.
TEST_F(RunWays, WhatIsMissingIsSaidByEverythingThatWouldNeedIt) {
  for (const auto& [home, way] : {std::pair("unit", "unit = \"spl-test-missing.service\""),
                                  std::pair("container", "container = \"spl-test-missing\"")}) {
    declare(home, way);
    for (const Words& words :
         {Words{"service", "notes", "start"}, Words{"service", "notes", "stop"}, Words{"service", "notes", "status"},
          Words{"service", "notes", "pause"}, Words{"service", "notes", "logs"},
          Words{"service", "notes", "backup", "--to", path("x.spl"), "--plaintext"},
          Words{"export", "--out", path("x.spl"), "--plaintext"}}) {
      const Ran ran = ask(words);
      EXPECT_NE(ran.code, 0) << words.at(2);
      EXPECT_THAT(ran.err, HasSubstr("notes")) << words.at(2);
      EXPECT_FALSE(exists(path("x.spl")));
    }
    const Ran doctor = ask({"doctor"});
    EXPECT_NE(doctor.code, 0);
    EXPECT_THAT(doctor.out + doctor.err, HasSubstr("service: notes"));
  }
}

class RunWaysSweep : public CliTest {
 protected:
  void live(const std::string& way) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make the disk of a virtual machine";
    for (const char* tool : {"debootstrap", "qemu-system-x86_64"})
      if (shell(std::string("command -v ") + tool + " >/dev/null") != 0) GTEST_SKIP() << tool << " is not installed";
    const std::string log = path("said");
    EXPECT_EQ(shell("SPL_VM_SECONDS=1750 " SPL_SOURCE_DIR "/script/vm run --file " SPL_BINARY_DIR
                    "/spl --file " SPL_SOURCE_DIR "/tests/run_ways.sh bash run_ways.sh " +
                    way + " >" + log + " 2>&1 </dev/null"),
              0);
    EXPECT_THAT(read_file(log), HasSubstr("all of it\n"));
  }
};

TEST_F(RunWaysSweep, Units) {
  live("units");
}

TEST_F(RunWaysSweep, UnitsOfAUser) {
  live("users");
}

TEST_F(RunWaysSweep, AUnitIsKeptDownOverANewStartOfTheMachine) {
  live("reboot");
}

TEST_F(RunWaysSweep, Podman) {
  live("podman");
}

TEST_F(RunWaysSweep, Docker) {
  live("docker");
}

}  // namespace
}  // namespace spl::cli_test
