// An instance leaves a home that can no longer be written, and one that has moved comes home again.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CliLeavingTest : public CliTest {
 protected:
  // Runs the lines in a shell of its own mounts, on which SPL is the program, H a home and OUT a directory; its code.
  int among_mounts(const std::string& lines) {
    write_file(path("script"), "set -eu\nSPL=" + spl_program() + "\nD=" + path("disk") +
                                   "\nH=$D/h\nOUT=" + path("out") +
                                   "\nTMPDIR=$OUT\nexport TMPDIR\ntrap '$SPL --home $H stop' EXIT\n" + lines);
    ::mkdir(path("disk").c_str(), 0700);
    ::mkdir(path("out").c_str(), 0700);
    return shell("unshare -m sh " + path("script") + " >" + path("log") + " 2>&1");
  }
  [[nodiscard]] std::string log() const { return read_file(path("log")); }
  static bool can_mount() { return ::geteuid() == 0 && shell("unshare -m true 2>/dev/null") == 0; }

  // The bundle in out/ has `records` records and an export of its number says that it was not noted.
  void expect_unnoted(const std::string& name, std::uint64_t records) {
    const codec::Json report = json_of(read_file(path("out/" + name + ".json")));
    EXPECT_EQ(number_of(report, "record_count"), records);
    ASSERT_NE(report.find("warnings"), nullptr) << report.text();
    EXPECT_THAT(report.find("warnings")->text(), HasSubstr("this export is not noted there"));
    EXPECT_THAT(read_file(path("out/" + name + ".err")), HasSubstr("this export is not noted there"));
    const Ran verified = run({"bundle", "verify", path("out/" + name)});
    EXPECT_EQ(verified.code, 0) << verified.err;
    const codec::Json into = json_on("from-" + name, {"import", path("out/" + name)});
    EXPECT_EQ(number_of(into, "records_inserted"), records);
  }
  std::uint64_t sequence_of(const std::string& bundle) {
    return number_of(json_of(run({"bundle", "show", path(bundle), "-o", "json"}).out), "export_sequence");
  }
};

constexpr const char* kFill = "dd if=/dev/zero of=$D/fill bs=4k 2>/dev/null || true\n";
// An export to a file of this name in OUT.
std::string export_to(const std::string& name, const std::string& options = "") {
  return "$SPL --home $H export --out $OUT/" + name + " -o json " + options + " >$OUT/" + name + ".json 2>$OUT/" +
         name + ".err\n";
}
std::string put(int records) {
  return "i=0; while [ $i -lt " + std::to_string(records) +
         " ]; do i=$((i + 1)); echo '{\"act\":\"DO\",\"actor\":\"did:web:a\",\"body\":{\"n\":'$i'},\"clock\":'$i'," +
         "\"data_type\":\"SCALAR\",\"parents\":[],\"thread\":\"t\"}'; done | $SPL --home $H record put --ndjson\n";
}
const std::string kFullDisk = "mount -t tmpfs -o size=2m none $D\n$SPL --home $H init\n" + put(500);

TEST_F(CliLeavingTest, AHomeOnAFullDiskIsExported) {
  if (!can_mount()) GTEST_SKIP() << "only root can mount a disk to fill";
  const int code = among_mounts(kFullDisk + export_to("before") + kFill + export_to("full") + export_to("again") +
                                "! $SPL --home $H export --move --out $OUT/moved 2>$OUT/moved.err\n"
                                "! $SPL --home $H intend x\n"
                                "rm $D/fill\n" +
                                export_to("after") + "$SPL --home $H intend x\n");
  ASSERT_EQ(code, 0) << log();
  expect_unnoted("full", 500);
  expect_unnoted("again", 500);
  EXPECT_EQ(sequence_of("out/before"), 1U);
  EXPECT_EQ(sequence_of("out/full"), 2U);
  EXPECT_EQ(sequence_of("out/again"), 2U);
  EXPECT_EQ(sequence_of("out/after"), 2U);
  EXPECT_EQ(json_of(read_file(path("out/after.json"))).find("warnings"), nullptr);
  EXPECT_FALSE(exists(path("out/moved")));
  EXPECT_THAT(read_file(path("out/moved.err")), HasSubstr("export refused: the home cannot be written"));
}

TEST_F(CliLeavingTest, AHomeOnAFullDiskWhoseWriterWasKilledIsExported) {
  if (!can_mount()) GTEST_SKIP() << "only root can mount a disk to fill";
  const int code = among_mounts(kFullDisk +
                                "$SPL --home $H serve --daemon --port 0\n"
                                "$SPL --home $H intend last\n"
                                "kill -9 $(cat $H/run/spl.pid)\nsleep 0.2\n" +
                                kFill + export_to("full"));
  ASSERT_EQ(code, 0) << log();
  expect_unnoted("full", 501);
}

TEST_F(CliLeavingTest, ADaemonOnAFullDiskExports) {
  if (!can_mount()) GTEST_SKIP() << "only root can mount a disk to fill";
  const int code = among_mounts(kFullDisk + "$SPL --home $H serve --daemon --port 0\n" + kFill + export_to("full") +
                                "! $SPL --home $H export --move --out $OUT/moved 2>$OUT/moved.err\n"
                                "rm $D/fill\n" +
                                export_to("after") + "$SPL --home $H intend x\n$SPL --home $H stop\n");
  ASSERT_EQ(code, 0) << log();
  expect_unnoted("full", 500);
  EXPECT_EQ(sequence_of("out/after"), 1U);
  EXPECT_THAT(read_file(path("out/moved.err")), HasSubstr("export refused: the home cannot be written"));
}

// Room for a number, and not for the body.
TEST_F(CliLeavingTest, ABodyThatDoesNotFitIntoTheHomeWaitsElsewhereEncrypted) {
  if (!can_mount()) GTEST_SKIP() << "only root can mount a disk to fill";
  const int code = among_mounts(
      "mount -t tmpfs -o size=16m none $D\n$SPL --home $H init\n"
      "head -c 3000000 /dev/urandom | base64 -w 4000 | while read -r l; do i=$((${i:-0} + 1)); echo '{\"act\":\"DO\","
      "\"actor\":\"did:web:a\",\"body\":{\"n\":\"'$l'\"},\"clock\":'$i',\"data_type\":\"SCALAR\",\"parents\":[],"
      "\"thread\":\"t\"}'; done | $SPL --home $H record put --ndjson\n" +
      std::string(kFill) + "truncate -s -1M $D/fill\n" + export_to("near"));
  ASSERT_EQ(code, 0) << log() << read_file(path("out/near.err"));
  EXPECT_EQ(run({"bundle", "verify", path("out/near")}).code, 0);
  EXPECT_EQ(json_of(read_file(path("out/near.json"))).find("warnings"), nullptr) << "the export is noted";
}

TEST_F(CliLeavingTest, AReadOnlyHomeIsExported) {
  if (!can_mount()) GTEST_SKIP() << "only root can mount a directory read-only";
  make_home("disk/h", 2);
  const std::string read_only = "mount --bind $D $D && mount -o remount,ro,bind $D\n";
  ASSERT_EQ(among_mounts(read_only + export_to("closed") + "! $SPL --home $H export --move --out $OUT/m\n"), 0)
      << log();
  expect_unnoted("closed", 4);
  // A writer that was killed has left a log.
  start_daemon("disk/h");
  ASSERT_EQ(on("disk/h", {"intend", "x"}).code, 0);
  ASSERT_EQ(shell("kill -9 $(cat " + path("disk/h/run/spl.pid") + "); sleep 0.2"), 0);
  ASSERT_TRUE(exists(path("disk/h/hub.db-wal")));
  ASSERT_EQ(among_mounts(read_only + export_to("killed")), 0) << log();
  expect_unnoted("killed", 5);
}

TEST_F(CliLeavingTest, AHomeWithoutRightsToWriteIsExported) {
  if (::geteuid() == 0 && shell("command -v setpriv >/dev/null") != 0) GTEST_SKIP() << "setpriv is not installed";
  make_home("disk/h", 1);
  ::mkdir(path("out").c_str(), 0700);
  // As another user, where this one is root: modes do not stop root.
  std::string as;
  if (::geteuid() == 0) {
    as = "cp " + spl_program() + " " + path("spl") + "; chown -R 65534:65534 " + path("") + "; SPL='setpriv " +
         "--reuid=65534 --regid=65534 --clear-groups " + path("spl") + "'; ";
  } else {
    as = "SPL=" + spl_program() + "; ";
  }
  const std::string home = path("disk/h");
  ASSERT_EQ(shell(as + "H=" + home + "; OUT=" + path("out") + "; chmod -R a-w $H; TMPDIR=$OUT; export TMPDIR\n" +
                  export_to("denied") + "r=$?; chmod -R u+w $H; exit $r"),
            0)
      << read_file(path("out/denied.err"));
  expect_unnoted("denied", 2);
}

TEST_F(CliLeavingTest, ALaterBundleBringsAMovedInstanceHome) {
  for (const bool served : {false, true}) {
    SCOPED_TRACE(served ? "with a daemon" : "without a daemon");
    const std::string laptop = served ? "laptop2" : "laptop";
    const std::string server = served ? "server2" : "server";
    const auto bundle = [&](const char* name) { return path(laptop + "." + name); };
    make_home(laptop, 1);
    std::string port;
    if (served) port = std::to_string(start_daemon(laptop));
    ASSERT_EQ(on(laptop, {"export", "--move", "--out", bundle("out")}).code, 0);
    const auto has_moved = [&] {
      const bool moved = json_on(laptop, {"status"}).find("moved_at") != nullptr;
      EXPECT_EQ(on(laptop, {"intend", "no"}).code == 3, moved);
      EXPECT_EQ(on(laptop, {"doctor"}).out.find("has moved") != std::string::npos, moved);
      if (served && shell("command -v curl >/dev/null") == 0) {
        shell("curl -s http://127.0.0.1:" + port + "/health >" + path("health"));
        EXPECT_EQ(read_file(path("health")).find("moved_at") != std::string::npos, moved);
      }
      return moved;
    };
    EXPECT_TRUE(has_moved());

    ASSERT_EQ(on(server, {"import", bundle("out")}).code, 0);
    ASSERT_EQ(on(server, {"do", "there", "--thread", "t"}).code, 0);
    ASSERT_EQ(on(server, {"export", "--move", "--out", bundle("back")}).code, 0);

    // Neither the bundle with which it went nor one that was made here since is later.
    EXPECT_EQ(on(laptop, {"import", bundle("out")}).code, 0);
    EXPECT_TRUE(has_moved());
    ASSERT_EQ(on(laptop, {"export", "--out", bundle("again")}).code, 0);
    EXPECT_EQ(on(laptop, {"import", bundle("again")}).code, 0);
    EXPECT_EQ(on(laptop, {"import", bundle("again"), "--force-overwrite"}).code, 3);
    EXPECT_TRUE(has_moved());

    const codec::Json dry = json_on(laptop, {"import", bundle("back"), "--dry-run"});
    EXPECT_EQ(number_of(dry, "records_inserted"), 1U);
    EXPECT_TRUE(has_moved()) << "a dry run changes nothing";
    const codec::Json home = json_on(laptop, {"import", bundle("back")});
    EXPECT_EQ(number_of(home, "records_inserted"), 1U);
    EXPECT_EQ(text_of(home, "identity"), "same");
    EXPECT_FALSE(has_moved());
    ASSERT_EQ(on(laptop, {"do", "here", "--thread", "t"}).code, 0);

    // And the other way round, with the server as it was left.
    ASSERT_EQ(on(laptop, {"export", "--move", "--out", bundle("out2")}).code, 0);
    ASSERT_EQ(on(server, {"intend", "no"}).code, 3);
    ASSERT_EQ(on(server, {"import", bundle("out2")}).code, 0);
    EXPECT_EQ(on(server, {"do", "there again", "--thread", "t"}).code, 0);
  }
}

TEST_F(CliLeavingTest, WhatWasRecordedHereAndNotThereStaysWhenItComesHome) {
  make_home("laptop", 1);
  ASSERT_EQ(on("laptop", {"export", "--move", "--out", path("a")}).code, 0);
  ASSERT_EQ(on("server", {"import", path("a")}).code, 0);
  // It was taken back, though it had gone.
  ASSERT_EQ(on("laptop", {"move", "cancel"}).code, 0);
  ASSERT_EQ(on("laptop", {"do", "only here", "--thread", "t"}).code, 0);
  ASSERT_EQ(on("laptop", {"export", "--move", "--out", path("b")}).code, 0);
  ASSERT_EQ(on("server", {"do", "only there", "--thread", "u"}).code, 0);
  ASSERT_EQ(on("server", {"export", "--out", path("c")}).code, 0);
  EXPECT_EQ(on("laptop", {"import", path("c")}).code, 3) << "it is as old as the one with which it left";
  ASSERT_EQ(on("server", {"export", "--out", path("d")}).code, 0);
  ASSERT_EQ(on("laptop", {"import", path("d")}).code, 0);
  EXPECT_EQ(number_of(json_on("laptop", {"status"}), "record_count"), 4U);
  EXPECT_EQ(on("laptop", {"intend", "x"}).code, 0);
}

TEST_F(CliLeavingTest, AnotherInstancesBundleBringsNobodyHome) {
  make_home("laptop", 1);
  make_home("other", 1);
  ASSERT_EQ(on("laptop", {"export", "--move", "--out", path("a")}).code, 0);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(on("other", {"export", "--out", path("o" + std::to_string(i))}).code, 0);
  EXPECT_EQ(on("laptop", {"import", path("o2")}).code, 3);
  EXPECT_EQ(on("laptop", {"import", path("o2"), "--force-overwrite"}).code, 3);
  EXPECT_EQ(on("laptop", {"intend", "x"}).code, 3);
}

}  // namespace
}  // namespace spl::cli_test
