// Symbolic links that the owner of a home has arranged, as stow, Nix and mounted secrets do.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

namespace fs = std::filesystem;

class CliLinksTest : public CliTest {
 protected:
  // What has this name in the home goes elsewhere, and is a link there.
  void move_out(const std::string& name) {
    std::string flat = name;
    std::ranges::replace(flat, '/', '_');
    const std::string to = path("elsewhere/" + flat);
    fs::create_directories(path("elsewhere"));
    fs::rename(path("h/" + name), to);
    fs::create_symlink(to, path("h/" + name));
  }
  bool is_link(const std::string& name) { return fs::is_symlink(path("h/" + name)); }
};

TEST_F(CliLinksTest, AreFollowedWhateverOfTheHomeTheyAre) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"context", "add", "acme"}).code, 0);
  fs::create_directories(path("data/notes"));
  write_file(
      path("h/services/notes.toml"),
      "name = \"notes\"\n[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"" + path("data/notes") + "\"\n");
  for (const char* name : {"config.toml", "contexts.toml", "services/notes.toml", "services",
                           "identity/private_key.bin", "identity", "secrets", "data", "logs", "hub.db"})
    move_out(name);
  const auto works = [this] {
    EXPECT_EQ(on("h", {"status"}).code, 0);
    EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 0);
    EXPECT_EQ(on("h", {"identity", "verify"}).code, 0);
    EXPECT_EQ(json_on("h", {"context", "list"}).array()->size(), 1u);
    const Ran doctor = on("h", {"doctor"});
    EXPECT_EQ(doctor.code, 0) << doctor.out;
    for (const char* bad : {"warn ", "stop "}) EXPECT_EQ(doctor.out.find(bad), std::string::npos) << doctor.out;
    const Ran exported = on("h", {"export", "--out", path("b.spl"), "--force", "--plaintext"});
    EXPECT_EQ(exported.code, 0) << exported.err;
  };
  works();
  start_daemon("h");
  works();
  EXPECT_EQ(on("h", {"stop"}).code, 0);
  EXPECT_NE(read_file(path("elsewhere/logs/spl.log")).find("daemon stopped"), std::string::npos);
  EXPECT_FALSE(exists(path("h/hub.db-wal")));
  // What spl writes stays where its owner has put it.
  ASSERT_EQ(on("h", {"context", "add", "other"}).code, 0);
  EXPECT_TRUE(is_link("contexts.toml"));
  EXPECT_NE(read_file(path("elsewhere/contexts.toml")).find("other"), std::string::npos);
  for (const char* name : {"config.toml", "identity", "logs", "hub.db"}) EXPECT_TRUE(is_link(name)) << name;
}

// Not to be told from no file at all, that would be an export that is not encrypted.
TEST_F(CliLinksTest, ThatLeadToNothingAreErrors) {
  make_home("h", 1);
  for (const char* name : {"config.toml", "contexts.toml"}) {
    move_out(name);
    fs::rename(path(std::string("elsewhere/") + name), path("away"));
    const Ran ran = on("h", {"export", "--out", path("b.spl")});
    EXPECT_NE(ran.code, 0) << name;
    EXPECT_NE(ran.err.find(std::string(name) + ": it is a symbolic link to "), std::string::npos) << ran.err;
    EXPECT_FALSE(exists(path("b.spl")));
    fs::rename(path("away"), path(std::string("elsewhere/") + name));
  }
  EXPECT_EQ(on("h", {"export", "--out", path("b.spl")}).code, 0);
  fs::remove(path("h/config.toml"));
  fs::create_symlink("config.toml", path("h/config.toml"));
  const Ran circle = on("h", {"status"});
  EXPECT_NE(circle.err.find("leads in a circle"), std::string::npos) << circle.err;
}

TEST_F(CliLinksTest, AreJudgedByWhatTheyLeadTo) {
  make_home("h", 1);
  move_out("identity");
  ::chmod(path("elsewhere/identity").c_str(), 0755);
  const Ran open = on("h", {"doctor"});
  EXPECT_EQ(open.code, 1) << open.out << open.err;
  EXPECT_NE(open.out.find("can be read by others"), std::string::npos) << open.out;
  ::chmod(path("elsewhere/identity").c_str(), 0700);
  EXPECT_EQ(on("h", {"doctor"}).code, 0);
}

TEST_F(CliLinksTest, OfRunAreMadeWhatARebootHasTakenAway) {
  make_home("h", 1);
  move_out("run");
  fs::remove_all(path("elsewhere/run"));
  EXPECT_EQ(on("h", {"do", "x", "--thread", "t"}).code, 0);
  fs::remove_all(path("elsewhere/run"));
  start_daemon("h");
  EXPECT_TRUE(exists(path("elsewhere/run/spl.pid")));
}

// A restore swaps what is at the path: a link would be swapped, and not what it leads to.
TEST_F(CliLinksTest, WhereTheyAreNotFollowedAreToldToBeLinks) {
  make_home("h", 1);
  fs::create_directories(path("real"));
  write_file(path("real/x"), "x");
  fs::create_symlink(path("real"), path("tree"));
  fs::create_symlink(path("real/x"), path("x.sqlite"));
  for (const auto& [kind, at] :
       {std::pair("files", "tree"), std::pair("git", "tree"), std::pair("sqlite", "x.sqlite")}) {
    write_file(path("h/services/notes.toml"), std::string("name = \"notes\"\n[[surface]]\nname = \"one\"\nkind = \"") +
                                                  kind + "\"\npath = \"" + path(at) + "\"\n");
    const Ran ran = on("h", {"export", "--out", path("b.spl"), "--plaintext"});
    EXPECT_NE(ran.code, 0);
    EXPECT_NE(ran.err.find(path(at) + " is a symbolic link"), std::string::npos) << kind << ran.err;
  }
  const Ran out = on("h", {"export", "--records-only", "--out", path("x.sqlite"), "--force"});
  EXPECT_EQ(out.code, 2);
  EXPECT_NE(out.err.find(path("x.sqlite") + " is a symbolic link"), std::string::npos) << out.err;
}

TEST_F(CliLinksTest, OfASecretsFileAreFollowed) {
  make_home("h", 1);
  write_file(path("..data"), "\"notes/key\" = \"value\"\n");
  fs::create_symlink(path("..data"), path("secrets.toml"));
  const Input key{.environment = {{"SPL_SECRET_KEY_FILE", path("key")}}};
  EXPECT_EQ(on("h", {"secret", "set", "--from", path("secrets.toml")}, key).code, 0);
  fs::rename(path("key"), path("real_key"));
  fs::create_symlink(path("real_key"), path("key"));
  EXPECT_EQ(on("h", {"secret", "set", "--from", path("secrets.toml")}, key).code, 0);
}

}  // namespace
}  // namespace spl::cli_test
