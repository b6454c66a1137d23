// spl service X install of archives: from an https server, through the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "install_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class InstallTest : public InstallKit {
 protected:
  void make(const std::string& home) {
    init(home);
    serve();
  }
  // What is below software/, by name; "" for nothing.
  std::string software(const std::string& home) {
    return exists(path(home + "/software")) ? output_of("cd " + path(home + "/software") + " && find . | sort") : "";
  }
  // A run that must fail and leave nothing.
  std::string refused(int code, const std::string& where, const std::string& sha256) {
    declare_archive("h", where, sha256);
    const Ran ran = install("h");
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    EXPECT_THAT(software("h"), ::testing::AnyOf("", "."));
    return ran.err;
  }
};

TEST_F(InstallTest, AnArchiveIsUnpackedAndItsProgramRuns) {
  make("h");
  for (const std::string name : {"a.tar.zst", "a.tar.gz", "a.tar.xz", "a.tar"}) {
    SCOPED_TRACE(name);
    declare_archive("h", "/files/" + name, make_archive(name));
    const Ran ran = install("h");
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("notes: installed\n"));
    EXPECT_EQ(software("h"),
              ".\n./notes\n./notes/1.4.0\n./notes/1.4.0/.spl-archive\n./notes/1.4.0/bin\n./notes/1.4.0/bin/notes\n"
              "./notes/1.4.0/lib\n./notes/1.4.0/lib/link\n./notes/1.4.0/lib/same\n./notes/1.4.0/lib/settings");
    EXPECT_EQ(mode_of(path("h/software/notes/1.4.0/bin/notes")), 0755u);
    EXPECT_EQ(mode_of(path("h/software/notes/1.4.0/lib/settings")), 0644u);
    EXPECT_EQ(mode_of(path("h/software/notes/1.4.0")), 0755u);
    start("h");
    ASSERT_EQ(ask("h", {"service", "notes", "stop"}).code, 0);
    std::filesystem::remove_all(path("h/software"));
  }
}

TEST_F(InstallTest, WhatIsThereIsNotFetchedAgain) {
  make("h");
  declare_archive("h", "/files/a.tar.gz", make_archive("a.tar.gz"));
  ASSERT_EQ(install("h").code, 0);
  const int before = requests();
  const Ran again = install("h");
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "notes: there\n");
  EXPECT_EQ(requests(), before);
  const Ran all = ask("h", {"service", "all", "install"});
  EXPECT_EQ(all.code, 0) << all.err;
}

TEST_F(InstallTest, WithoutDownloadItSaysWhatItWouldFetch) {
  make("h");
  declare_archive("h", "/files/a.tar.gz", make_archive("a.tar.gz"));
  const Ran ran = ask("h", {"service", "notes", "install"});
  EXPECT_EQ(ran.code, 6);
  EXPECT_EQ(ran.out, "notes: missing: would download " + url("/files/a.tar.gz") + " to " +
                         path("h/software/notes/1.4.0") + "\n");
  EXPECT_EQ(requests(), 0);
  EXPECT_EQ(software("h"), "");
  const auto report = json_on("h", {"service", "notes", "install"}, {.environment = environment_}, 6);
  EXPECT_EQ(text_of((*report.find("services")->array())[0], "state"), "missing");
}

TEST_F(InstallTest, RedirectsLeadToHttpsAlone) {
  make("h");
  const std::string digest = make_archive("a.tar.gz");
  EXPECT_THAT(refused(3, "/to-http/a.tar.gz", digest), HasSubstr("it leads away from https"));
  declare_archive("h", "/moved/a.tar.gz", digest);
  const Ran ran = install("h");
  EXPECT_EQ(ran.code, 0) << ran.err;
}

TEST_F(InstallTest, ABrokenDownloadLeavesNothing) {
  make("h");
  const std::string digest = make_archive("a.tar.gz");
  EXPECT_THAT(refused(4, "/files/a.tar.gz", std::string(64, '0')), HasSubstr("its sha256 is " + digest));
  EXPECT_THAT(refused(6, "/cut/a.tar.gz", digest), HasSubstr("it was cut off"));
  EXPECT_THAT(refused(6, "/files/none.tar.gz", digest), HasSubstr("404"));
  environment_.erase("SSL_CERT_FILE");
  EXPECT_THAT(refused(3, "/files/a.tar.gz", digest), HasSubstr("certificate"));
}

TEST_F(InstallTest, AnArchiveThatIsCutOffIsRefusedWhateverItsDigestSays) {
  make("h");
  make_archive("a.tar.gz");
  for (const std::string name : {"a.tar.zst", "a.tar.gz", "a.tar.xz", "a.tar"}) {
    make_archive(name);
    // Within the headers of its entries, however small they are packed.
    const auto bytes = std::filesystem::file_size(path("www/" + name));
    std::filesystem::resize_file(path("www/" + name), name == "a.tar" ? 700 : bytes / 2);
    EXPECT_THAT(refused(4, "/files/" + name, digest_of(name)), HasSubstr("the archive from")) << name;
  }
  write_file(path("www/empty"), "");
  refused(4, "/files/empty", digest_of("empty"));
  write_file(path("www/words"), std::string(4096, 'x'));
  EXPECT_THAT(refused(4, "/files/words", digest_of("words")), HasSubstr("no header"));
}

TEST_F(InstallTest, ADownloadThatIsInterruptedOrKilledLeavesNothing) {
  make("h");
  declare_archive("h", "/endless", std::string(64, '0'));
  const auto begin = [&] {
    auto process = std::make_unique<Process>(Words{"--home", path("h"), "service", "notes", "install", "--download"},
                                             Input{.environment = environment_});
    wait_until(
        [&] { return output_of("find " + path("h/software") + " -name archive -size +100k").ends_with("/archive"); },
        "the archive grows");
    return process;
  };
  auto interrupted = begin();
  ::kill(interrupted->pid(), SIGINT);
  EXPECT_EQ(interrupted->wait().code, 128 + SIGINT);
  EXPECT_THAT(software("h"), ::testing::AnyOf("", "."));
  auto killed = begin();
  ::kill(killed->pid(), SIGKILL);
  (void)killed->wait();
  EXPECT_THAT(software("h"), HasSubstr(".new-"));
  declare_archive("h", "/files/a.tar.gz", make_archive("a.tar.gz"));
  ASSERT_EQ(install("h").code, 0);
  EXPECT_THAT(software("h"), Not(HasSubstr(".new-")));
}

TEST_F(InstallTest, HostileEntriesAreRefusedByName) {
  make("h");
  struct Case {
    const char* python;
    const char* message;
  };
  for (const Case& one : {
           Case{"add('/etc/x', 'x')", "/etc/x: path is absolute"},
           Case{"add('../x', 'x')", "../x: path has a component \"..\""},
           Case{"add('a/../../x', 'x')", "a/../../x: path has a component"},
           Case{"add('a', type=tarfile.SYMTYPE, linkname='/etc')", "a: the link leads out of the directory"},
           Case{"add('a/b', type=tarfile.SYMTYPE, linkname='../../etc')", "a/b: the link leads out of the directory"},
           Case{"add('a/b/c', 'x')\nadd('s', type=tarfile.SYMTYPE, linkname='a/b/../../..')",
                "s: the link goes up again"},
           Case{"add('a', type=tarfile.SYMTYPE, linkname='b')\nadd('a/x', 'x')", "a/x: what stands before it"},
           Case{"add('a', type=tarfile.LNKTYPE, linkname='/etc/passwd')", "a: path is absolute"},
           Case{"add('s', type=tarfile.SYMTYPE, linkname='x')\nadd('a', type=tarfile.LNKTYPE, linkname='s')",
                "a: it is a hard link to no file before it"},
           Case{"add('a', type=tarfile.CHRTYPE, devmajor=1, devminor=3)", "a: it is no file, directory or link"},
           Case{"add('a', type=tarfile.FIFOTYPE)", "a: it is no file, directory or link"},
           Case{"add('a', 'x', mode=0o4755)", "a: it is setuid or setgid"},
           Case{"add('a', 'x', mode=0o2755)", "a: it is setuid or setgid"},
           Case{"add('a', 'x')\nadd('a', 'y')", "a: it is there twice"},
           Case{"add('a', 'x')\nadd('a/b', 'y')", "a/b: what stands before it"},
           Case{"add('.spl-archive', 'x')", ".spl-archive: that name is spl's own"},
           Case{"pass", "there is nothing in it"},
       }) {
    SCOPED_TRACE(one.python);
    const std::string digest = make_tar("hostile.tar", one.python);
    EXPECT_THAT(refused(4, "/files/hostile.tar", digest), HasSubstr(one.message));
  }
  EXPECT_FALSE(exists("/etc/x"));
}

TEST_F(InstallTest, AnotherArchiveOfTheSameVersionIsRefused) {
  make("h");
  declare_archive("h", "/files/a.tar.gz", make_archive("a.tar.gz"));
  ASSERT_EQ(install("h").code, 0);
  declare_archive("h", "/files/b.tar.xz", make_archive("b.tar.xz"));
  const Ran ran = install("h");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("give the declaration another version"));
}

TEST_F(InstallTest, ADaemonInstallsAsTheCommandDoes) {
  make("h");
  environment_["SPL_TEST"] = "";
  ASSERT_EQ(ask("h", {"serve", "--daemon", "--port", "0"}).code, 0);
  declare_archive("h", "/files/a.tar.gz", make_archive("a.tar.gz"));
  environment_.erase("SSL_CERT_FILE");  // the daemon has it
  const Ran ran = install("h");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("notes: installed"));
  EXPECT_EQ(ask("h", {"stop"}).code, 0);
}

TEST_F(InstallTest, SecretsThatAreMissingAreTold) {
  make("h");
  declare_archive("h", "/files/a.tar.gz", make_archive("a.tar.gz"),
                  "[[secret]]\nhandle = \"notes/password\"\nrequired = true\n"
                  "[[secret]]\nhandle = \"notes/other\"\n");
  const Ran ran = install("h");
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("secrets that are missing: notes/password;"));
  environment_["SPL_SECRET_KEY_FILE"] = path("key");
  ASSERT_EQ(on("h", {"secret", "set", "notes/password"}, {.text = "v", .environment = environment_}).code, 0);
  EXPECT_THAT(install("h").out, Not(HasSubstr("secrets that are missing")));
}

}  // namespace
}  // namespace spl::cli_test
