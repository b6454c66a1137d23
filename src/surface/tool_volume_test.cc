// The commands for ZFS and LVM, and what is done with their answers. There is no ZFS and no device mapper where these
// tests run: small scripts stand in for zfs, lvs and lvremove. They show what spl asks and believes, not that the real
// programs do it.
#include "surface/tool_volume.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surface/driver_test_util.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

constexpr const char* kId = "0123456789abcdef";
const std::string kVolume = std::string(32, 'g') + std::string(32, 'v');

class ToolVolumes : public ::testing::Test, public DriverRoom {
 protected:
  ToolVolumes() {
    must(fs_.make_directory(path("bin")));
    surroundings_.snapshot_list = path("snapshots.json");
  }
  // A program that notes how it was called, and then does what `body` says.
  void stand_in(const std::string& name, const std::string& body) {
    const std::string text = "#!/bin/sh\nL=" + path("calls") + "\necho \"" + name + " $*\" >>$L\n" + body + "\n";
    must(env::write_file_atomically(fs_, path("bin") + "/" + name, text, 0755));
  }
  std::string calls() {
    return must(fs_.info(path("calls"))) ? must(env::read_file(fs_, path("calls"), 1u << 20)) : std::string();
  }
  [[nodiscard]] std::string tools() const { return path("bin") + ":/usr/bin:/bin"; }
  VolumeRoom room() { return {surroundings_.env, surroundings_.snapshot_list, tools()}; }
  static ListedSnapshot listed(SnapshotKind kind, std::string where, std::string of) {
    return {.kind = kind, .id = kId, .where = std::move(where), .of = std::move(of), .mark = {}};
  }
  // A data set with one snapshot that bears `mark`.
  void zfs_with(const std::string& mark) {
    stand_in("zfs", "case $1 in get) echo 77;; list) printf 'pool/d@a\\t-\\npool/d@" + tool_name(kId) + "\\t" + mark +
                        "\\n';; esac");
  }
  void lvm_with(const std::string& row) { stand_in("lvs", "echo '  data||xx|yy'; echo '  " + row + "'"); }
};

TEST_F(ToolVolumes, ASnapshotOfZfsIsTriedReadAndRemoved) {
  must(env::make_directories(fs_, path("set") + "/.zfs/snapshot"));
  // It keeps its snapshots as directories, with the marks beside them.
  stand_in("zfs", "D=" + path("set") + R"sh(/.zfs/snapshot
case $1 in
  get) echo 77;;
  snapshot) mkdir "$D/${4#*@}" && mkdir "$D/${4#*@}/below" && echo "${3#*=}" >$D/../mark;;
  list) for s in "$D"/*; do [ -d "$s" ] && printf 'pool/d@%s\t%s\n' "${s##*/}" "$(cat $D/../mark)"; done; true;;
  destroy) rm -r "$D/${2#*@}";;
esac)sh");
  const env::Mount mount{
      .id = 1, .device = "0:1", .root = "/", .point = path("set"), .type = "zfs", .source = "pool/d", .options = {}};
  const FoundVolume found = must(find_zfs_volume(room(), path("set") + "/below", mount));
  EXPECT_EQ(found.why_not, "");
  EXPECT_EQ(found.method, "a ZFS snapshot");
  EXPECT_EQ(found.below, "below");
  EXPECT_EQ(found.key, "zfs 77");
  {
    const auto volume = found.make();
    must(volume->prepare());
    EXPECT_TRUE(must(fs_.list(path("set") + "/.zfs/snapshot")).empty()) << "the trial is removed";
    must(volume->make());
    const env::Descriptor* root = must(volume->root());
    EXPECT_TRUE(env::open_directory_below(*root, found.below));
    EXPECT_EQ(must(room().list().all()).size(), 1u);
  }
  EXPECT_TRUE(must(fs_.list(path("set") + "/.zfs/snapshot")).empty());
  EXPECT_TRUE(must(room().list().all()).empty());
  EXPECT_THAT(calls(), HasSubstr("zfs snapshot -o spl:snapshot="));
}

TEST_F(ToolVolumes, OfZfsOnlyWhatBearsTheMarkOfItsEntryIsRemoved) {
  const std::string destroys = "zfs destroy pool/d@" + tool_name(kId);
  zfs_with("another");
  EXPECT_EQ(must(remove_listed_zfs(listed(SnapshotKind::kZfs, "pool/d", "77"), tools())), Removal::kNothingThere);
  zfs_with(kId);
  EXPECT_EQ(must(remove_listed_zfs(listed(SnapshotKind::kZfs, "pool/d", "78"), tools())), Removal::kNothingThere);
  EXPECT_EQ(must(remove_listed_zfs(listed(SnapshotKind::kZfs, "-r", "77"), tools())), Removal::kNothingThere);
  EXPECT_EQ(must(remove_listed_zfs(listed(SnapshotKind::kZfs, "pool/d@a", "77"), tools())), Removal::kNothingThere);
  EXPECT_EQ(calls().find("destroy"), std::string::npos);
  EXPECT_EQ(must(remove_listed_zfs(listed(SnapshotKind::kZfs, "pool/d", "77"), tools())), Removal::kDone);
  EXPECT_THAT(calls(), HasSubstr(destroys));
}

TEST_F(ToolVolumes, WhereTheProgramIsMissingOrFailsTheEntryStays) {
  const ListedSnapshot entry = listed(SnapshotKind::kZfs, "pool/d", "77");
  EXPECT_FALSE(remove_listed_zfs(entry, path("bin")));
  stand_in("zfs", "exit 1");
  EXPECT_FALSE(remove_listed_zfs(entry, tools()));
}

TEST_F(ToolVolumes, OfLvmOnlyWhatBearsTheMarkAndTheOriginOfItsEntryIsRemoved) {
  stand_in("lvremove", "true");
  const std::string name = tool_name(kId);
  const std::string group(32, 'g');
  const std::string volume(32, 'v');
  const ListedSnapshot entry = listed(SnapshotKind::kLvm, "vg/data", "LVM-" + kVolume);
  for (const std::string& row :
       {name + "|other|" + volume + "|" + group, name + "|" + name + "|" + std::string(32, 'w') + "|" + group,
        name + "|" + name + "|" + volume + "|" + std::string(32, 'h'), "x|" + name + "|" + volume + "|" + group}) {
    lvm_with(row);
    EXPECT_EQ(must(remove_listed_lvm(entry, tools())), Removal::kNothingThere) << row;
  }
  lvm_with(name + "|" + name + "|vvvvvv-vvvv-vvvv-vvvv-vvvv-vvvv-vvvvvv|" + group);
  EXPECT_EQ(calls().find("lvremove"), std::string::npos);
  EXPECT_EQ(must(remove_listed_lvm(entry, tools())), Removal::kDone);
  EXPECT_THAT(calls(), HasSubstr("lvremove -y vg/" + name));
}

TEST_F(ToolVolumes, WhatIsNoLogicalVolumeHasNoSnapshots) {
  const env::Mount mount{
      .id = 1, .device = "0:1", .root = "/", .point = "/x", .type = "ext4", .source = "/dev/x", .options = {}};
  EXPECT_EQ(must(find_lvm_volume(room(), "/x/y", mount)).why_not, "ext4 has no snapshots");
}

}  // namespace
}  // namespace spl::surface
