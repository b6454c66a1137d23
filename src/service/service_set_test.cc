#include "service/service_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "env/posix_env.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"

namespace spl::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ServiceSetTest : public ::testing::Test {
 protected:
  ServiceSetTest() {
    EXPECT_TRUE(env::make_directories(fs(), paths_.services()));
    EXPECT_TRUE(env::make_directories(fs(), paths_.data()));
  }
  env::FileSystem& fs() { return fs_; }
  env::Env machine() { return {fs_, clock_, random_, log_}; }
  void declare(const std::string& name, const std::string& rest) {
    ASSERT_TRUE(
        env::write_file_atomically(fs(), paths_.services() + "/" + name + ".toml", "name = \"" + name + "\"\n" + rest));
  }
  void contexts(const std::string& text) { ASSERT_TRUE(env::write_file_atomically(fs(), paths_.contexts(), text)); }
  Result<ServiceSet> load() { return ServiceSet::load(machine(), paths_); }
  std::string error() {
    const auto loaded = load();
    if (loaded) return "no error";
    EXPECT_EQ(loaded.error().code, ErrorCode::kUsage);
    return loaded.error().message;
  }

  testing::SimFileSystem fs_;
  testing::FakeClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  home::HomePaths paths_{"/h"};
};

const char kFiles[] = "[[surface]]\nname = \"files\"\nkind = \"files\"\n";
const char kTwoContexts[] = "[[context]]\nname = \"geo\"\nid = 2\n[[context]]\nname = \"acme\"\nid = 1\n";

TEST_F(ServiceSetTest, EnginesStartFirstAndThenWhatComesAfterThem) {
  declare("app",
          "after = [\"web\"]\n[run]\ncommand = [\"/app\"]\n[[surface]]\nname = \"m\"\nkind = \"redis\"\n"
          "url = \"unix:{home}/run/services/zdb/r.sock\"\n");
  declare("web", "[run]\ncommand = [\"/web\"]\n");
  declare("zdb", "[run]\ncommand = [\"/redis\"]\n");
  const auto set = load();
  ASSERT_TRUE(set) << set.error().message;
  std::vector<std::string> names;
  for (const Declaration& service : set->services()) names.push_back(service.name);
  EXPECT_THAT(names, ElementsAre("zdb", "web", "app"));
  EXPECT_TRUE(set->is_engine(*set->find("zdb")));
  EXPECT_FALSE(set->is_engine(*set->find("web")));
}

TEST_F(ServiceSetTest, AnOrderThatGoesRoundIsRefused) {
  declare("a", "after = [\"b\"]\n");
  declare("b", "after = [\"a\"]\n");
  EXPECT_THAT(error(), HasSubstr("circle"));
  declare("b", "after = [\"c\"]\n");
  EXPECT_THAT(error(), HasSubstr("b.toml:1: after names the service c"));
}

TEST_F(ServiceSetTest, PlacesHaveTheirPlaceholdersReplacedAndKnowWhatLiesWithin) {
  contexts(kTwoContexts);
  declare("notes", std::string(kFiles) +
                       "path = \"{data}/{context}\"\nexclude = [\"c/**\"]\n[[surface]]\nname = \"db\"\n"
                       "kind = \"sqlite\"\npath = \"{data}/{context}/a.db\"\n");
  const auto set = load();
  ASSERT_TRUE(set) << set.error().message;
  const Declaration& notes = *set->find("notes");
  const auto parts = set->parts_of(notes, notes.surfaces[0], nullptr);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].section(), "services/notes/files/acme/");
  const auto place = set->place_of(parts[1], {});
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->path, "/h/data/notes/geo");
  EXPECT_THAT(place->inner, ElementsAre("/h/data/notes/geo/a.db", "/h/data/notes/geo/a.db-wal",
                                        "/h/data/notes/geo/a.db-shm", "/h/data/notes/geo/a.db-journal"));
}

TEST_F(ServiceSetTest, SurfacesThatMeetAreRefused) {
  declare("a", std::string(kFiles) + "path = \"/srv/x\"\n");
  declare("b", std::string(kFiles) + "path = \"/srv/x/\"\n");
  EXPECT_THAT(error(), HasSubstr("meets a/files"));
  declare("b", std::string(kFiles) + "path = \"/srv/x/y\"\n");
  EXPECT_EQ(error(), "no error") << "one lies inside the other";
}

TEST_F(ServiceSetTest, SplOwnFilesAndProgramsAreNoState) {
  for (const char* path : {"{home}", "{home}/identity", "/", "{home}/run/x"}) {
    declare("a", std::string(kFiles) + "path = \"" + path + "\"\n");
    EXPECT_THAT(error(), HasSubstr("spl's own")) << path;
  }
  declare("a", "[run]\ncommand = [\"/opt/a/bin/a\"]\n" + std::string(kFiles) + "path = \"/opt/a\"\n");
  EXPECT_THAT(error(), HasSubstr("could change what is run"));
  ASSERT_TRUE(env::make_directories(fs(), "/srv/a"));
  ASSERT_TRUE(env::write_file_atomically(fs(), "/srv/a/conf", "x"));
  declare("a", "[run]\ncommand = [\"/bin/a\", \"/srv/a/conf\"]\n" + std::string(kFiles) + "path = \"/srv/a\"\n");
  EXPECT_THAT(error(), HasSubstr("could change what is run"));
  declare("a", "[run]\ncommand = [\"/bin/a\", \"/srv/a\"]\n" + std::string(kFiles) + "path = \"/srv/a\"\n");
  EXPECT_EQ(error(), "no error") << "a directory is no file";
}

TEST_F(ServiceSetTest, NoTwoServicesBindTheSame) {
  declare("a", "[run]\ncommand = [\"/a\"]\nlisten = [\"tcp:127.0.0.1:80\"]\n");
  declare("b", "[run]\ncommand = [\"/b\"]\nlisten = [\"tcp:127.0.0.1:80\"]\n");
  EXPECT_THAT(error(), HasSubstr("is bound by a as well"));
  declare("b", "[run]\ncommand = [\"/b\"]\nlisten = [\"unix:{run}/" + std::string(100, 'x') + "\"]\n");
  EXPECT_THAT(error(), HasSubstr("at most 107 bytes"));
}

TEST_F(ServiceSetTest, AnEngineIsNeverFrozen) {
  declare("db",
          "[run]\ncommand = [\"/r\"]\n[quiesce]\nmethod = \"freeze\"\n[[surface]]\nname = \"m\"\nkind = \"redis\"\n"
          "url = \"unix:{run}/r.sock\"\n");
  EXPECT_THAT(error(), HasSubstr("an engine is never frozen"));
}

TEST_F(ServiceSetTest, ContextsAreAddedRenamedAndRemoved) {
  auto loaded = Contexts::load(machine(), paths_);
  ASSERT_TRUE(loaded);
  ASSERT_TRUE(loaded->add({"geo", 1, "Geo \"x\"\n"}));
  ASSERT_TRUE(loaded->add({"acme", loaded->free_id(), ""}));
  EXPECT_EQ(loaded->add({"acme", 9, ""}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(loaded->add({"other", 1, ""}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(loaded->add({"Other", 3, ""}).error().code, ErrorCode::kUsage);
  auto again = Contexts::load(machine(), paths_);
  ASSERT_TRUE(again) << again.error().message;
  ASSERT_EQ(again->all().size(), 2u);
  EXPECT_EQ(again->find("geo")->label, "Geo \"x\"\n");
  EXPECT_EQ(again->find("acme")->id, 2u);
  ASSERT_TRUE(again->rename("acme", "acme2"));
  EXPECT_EQ(again->find("acme2")->id, 2u);
  ASSERT_TRUE(again->remove("geo"));
  EXPECT_EQ(again->require("geo").error().cause, Cause::kNotFound);
  EXPECT_EQ(again->free_id(), 1u);
}

TEST_F(ServiceSetTest, ContextsThatAgreeInNameOrNumberAreAnErrorOfTheirLine) {
  contexts("[[context]]\nname = \"a\"\nid = 1\n[[context]]\nname = \"b\"\nid = 1\n");
  EXPECT_THAT(error(), HasSubstr("contexts.toml:4: context.id is there twice"));
  contexts("[[context]]\nname = \"a\"\nid = 1\ncolour = 2\n");
  EXPECT_THAT(error(), HasSubstr("contexts.toml:4: unknown key \"context.colour\""));
}

TEST(AddressOfUrl, SaysWhereADatabaseIsReached) {
  using enum SurfaceKind;
  EXPECT_EQ(address_of_url(kRedis, "unix:/r/redis.sock"), "unix:/r/redis.sock");
  EXPECT_EQ(address_of_url(kRedis, "redis://:pw@db"), "tcp:db:6379");
  EXPECT_EQ(address_of_url(kPostgres, "postgresql:///crm?host=/run/pg"), "unix:/run/pg/.s.PGSQL.5432");
  EXPECT_EQ(address_of_url(kPostgres, "postgresql://u:p@[::1]:99/crm"), "tcp:[::1]:99");
  EXPECT_EQ(address_of_url(kPostgres, "postgresql://%2Frun%2Fpg/crm"), "unix:/run/pg/.s.PGSQL.5432");
  EXPECT_EQ(address_of_url(kMariadb, "mariadb:///crm?user=a&socket=%2Fr%2Fs"), "unix:/r/s");
  EXPECT_EQ(address_of_url(kMariadb, "mariadb://u:p@localhost/crm"), "unix:/run/mysqld/mysqld.sock");
  EXPECT_EQ(address_of_url(kMariadb, "mariadb://u:p@db/crm"), "tcp:db:3306");
}

}  // namespace
}  // namespace spl::service
