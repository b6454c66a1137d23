// Trees to take and to bring back. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "surface/driver_test_util.h"
#include "surface/files/files.h"
#include "surface/tree_walk.h"

namespace spl::surface {

// A directory of the real file system in which the trees are.
class FilesFixture : public DriverRoom {
 public:
  Place place(int n) {
    Place place;
    place.subject = "notes/files";
    place.path = data() + "/tree" + std::to_string(n);
    place.exclude = {"cache/**"};
    return place;
  }

  void write(const std::string& path, std::string_view content) {
    auto file = fs_.open(path, env::OpenMode::kCreate);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE((*file)->truncate(0));
    ASSERT_TRUE((*file)->write_at(0, content));
  }

  void fill(const Place& place, int variant) {
    const std::string& root = place.path;
    ASSERT_TRUE(env::remove_tree(fs_, root));
    ASSERT_TRUE(env::make_directories(fs_, root + "/d/e"));
    const std::string text = "variant " + std::to_string(variant);
    write(root + "/d/f", text);
    write(root + "/d/e/empty", "");
    // In the order of paths it stands between "d" and "d/e".
    ASSERT_TRUE(fs_.make_directory(root + "/d-x"));
    write(root + "/d-x/\x01 odd\nname\xff", std::string(1u << 20, '\0') + text);
    ASSERT_TRUE(fs_.make_symbolic_link("../no/such/" + text, root + "/d/link"));
    ASSERT_TRUE(fs_.make_hard_link(root + "/d/f", root + "/same"));
    ASSERT_TRUE(fs_.set_modified(root + "/d/f", {-5, 123456789}));
    ASSERT_TRUE(fs_.set_mode(root + "/d/e", 0711));
    ASSERT_TRUE(fs_.set_modified(root + "/d", {1'000'000'000, 7}));
    if (variant == 2) write(root + "/only in the second", "");
  }

  std::string state(const Place& place) {
    std::string text;
    if (!*fs_.info(place.path)) return text;
    const TreeFilter all;
    TreeWalk walk(fs_, place.path, all);
    for (;;) {
      const auto entry = walk.next();
      EXPECT_TRUE(entry) << entry.error().message;
      if (!entry || !*entry) return text;
      const env::FileInfo& info = (*entry)->info;
      const std::string path = env::join(place.path, (*entry)->path);
      text += (*entry)->path + " " + std::to_string(static_cast<int>(info.type)) + " " + std::to_string(info.links);
      if (info.type != env::FileType::kSymlink) text += " mode " + std::to_string(info.mode);
      // The root's own time is that of the last name in it.
      if (!(*entry)->path.empty())
        text += " time " + std::to_string(info.modified.seconds) + "." + std::to_string(info.modified.nanoseconds);
      if (info.type == env::FileType::kSymlink) text += " -> " + *fs_.read_symbolic_link(path);
      if (info.type == env::FileType::kFile) text += " = " + *env::read_file(fs_, path, 4u << 20);
      text += "\n";
    }
  }

  std::string traces() {
    std::string names;
    for (const std::string& directory : {data(), directory_.path() + "/spool"}) {
      for (const std::string& name : must(fs_.list(directory))) {
        if (!name.starts_with("tree")) names += name + "\n";
      }
    }
    return names;
  }

  std::unique_ptr<BackupPart> backup(Place place) { return files_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    return files_restore(surroundings_, std::move(place), std::move(request));
  }
};

}  // namespace spl::surface
