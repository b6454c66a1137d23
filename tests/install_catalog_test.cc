// Catalogs, and what spl service install takes from them; bundles that name services.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "install_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CatalogTest : public InstallKit {
 protected:
  void make(const std::string& home) {
    init(home);
    std::filesystem::create_directories(path("catalog"));
    write_file(path(home + "/config.toml"), "catalogs = [\"" + path("catalog") + "\"]\n");
  }
  void in_catalog(const std::string& name, const std::string& rest) {
    write_file(path("catalog/" + name + ".toml"), "name = \"" + name + "\"\n" + rest);
  }
  std::string catalog_line(const std::string& home, const std::string& name) {
    return output_of("env SPL= " + spl_program() + " --home " + path(home) + " service catalog | grep '^" + name +
                     " '");
  }
};

TEST_F(CatalogTest, WhatSplBringsIsListedWithAndWithoutAnInstance) {
  const auto rows = json_of(run({"--home", path("none"), "service", "catalog", "-o", "json"}).out);
  bool found = false;
  for (const auto& row : *rows.array()) {
    EXPECT_EQ(row.find("fault"), nullptr) << text_of(row, "name") << ": " << row.text();
    found = found || text_of(row, "name") == "redis-server";
  }
  EXPECT_TRUE(found);
  EXPECT_FALSE(exists(path("none")));
}

TEST_F(CatalogTest, DirectoriesOfTheConfigurationComeFirst) {
  make("h");
  in_catalog("redis-server", "version = \"77\"\nsummary = \"Ours\"\n");
  in_catalog("wrong", "versoin = \"1\"\n");
  in_catalog("misnamed", "");
  write_file(path("catalog/other.toml"), "name = \"misnamed\"\n");
  EXPECT_THAT(catalog_line("h", "redis-server"), HasSubstr("77"));
  EXPECT_THAT(catalog_line("h", "wrong"), HasSubstr("wrong"));
  const Ran listed = ask("h", {"service", "catalog"});
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.err, HasSubstr("wrong.toml:2: unknown key \"versoin\""));
  EXPECT_THAT(listed.err, HasSubstr("the file is called other.toml"));
  // What is wrong harms nobody but who wants it.
  EXPECT_EQ(ask("h", {"service", "redis-server", "install"}).code, 0);
  const Ran wanted = ask("h", {"service", "wrong", "install"});
  EXPECT_EQ(wanted.code, 2);
  EXPECT_THAT(wanted.err, HasSubstr("wrong.toml:2"));
  EXPECT_FALSE(exists(path("h/services/wrong.toml")));
}

TEST_F(CatalogTest, InstallingPutsTheDeclarationAndThoseItWantsIntoTheHome) {
  make("h");
  in_catalog("web", "version = \"1\"\nafter = [\"base\"]\n# kept\n");
  in_catalog("base", "version = \"2\"\n");
  EXPECT_THAT(catalog_line("h", "web"), HasSubstr(" - "));
  const auto report = json_on("h", {"service", "web", "install"});
  std::vector<std::string> names;
  for (const auto& one : *report.find("services")->array()) {
    names.push_back(text_of(one, "name"));
    EXPECT_TRUE(flag_of(one, "from_catalog"));
    EXPECT_EQ(text_of(one, "state"), "installed");
  }
  EXPECT_THAT(names, ElementsAre("base", "web"));
  EXPECT_EQ(read_file(path("h/services/web.toml")), read_file(path("catalog/web.toml")));
  EXPECT_EQ(mode_of(path("h/services/web.toml")), 0600u);
  EXPECT_THAT(catalog_line("h", "web"), HasSubstr("installed"));
  EXPECT_EQ(ask("h", {"service", "web", "install"}).out, "web: there\n");
  // The home's own stays as it is.
  in_catalog("web", "version = \"2\"\n");
  EXPECT_EQ(ask("h", {"service", "web", "install"}).out, "web: there\n");
  EXPECT_THAT(read_file(path("h/services/web.toml")), HasSubstr("version = \"1\""));
}

TEST_F(CatalogTest, WhatDoesNotFitTheHomeIsRefusedBeforeAnything) {
  make("h");
  declare("h", "mine", "[run]\ncommand = [\"/bin/true\"]\nlisten = [\"tcp:127.0.0.1:7777\"]\n");
  in_catalog("other", "[run]\ncommand = [\"/bin/true\"]\nlisten = [\"tcp:127.0.0.1:7777\"]\n");
  in_catalog("alone", "after = [\"nobody\"]\n");
  const Ran ran = ask("h", {"service", "other", "install"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.err, HasSubstr("is bound by"));
  const Ran alone = ask("h", {"service", "alone", "install"});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.err, HasSubstr("the service nobody, which alone wants"));
  EXPECT_THAT(names_in(path("h/services")), ElementsAre("mine.toml"));
}

TEST_F(CatalogTest, ACatalogThatEverybodyCanWriteIsRefused) {
  make("h");
  in_catalog("web", "version = \"1\"\n");
  ASSERT_EQ(::chmod(path("catalog/web.toml").c_str(), 0646), 0);
  EXPECT_EQ(ask("h", {"service", "web", "install"}).code, 3);
  ASSERT_EQ(::chmod(path("catalog").c_str(), 0777), 0);
  EXPECT_EQ(ask("h", {"service", "catalog"}).code, 3);
  write_file(path("h/config.toml"), "catalogs = [\"" + path("nowhere") + "\"]\n");
  EXPECT_EQ(ask("h", {"service", "catalog"}).code, 2);
}

// What the bundle says of a service is nothing but its name.
TEST_F(CatalogTest, ServicesOfABundleAreTakenFromTheCatalogByName) {
  make("a");
  declare("a", "web",
          "version = \"9\"\n[install]\nsource = \"apt:evil-package\"\n[run]\ncommand = [\"/bin/sleep\", \"1000\"]\n"
          "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n");
  start("a");
  ASSERT_EQ(shell("mkdir -p " + path("a/data/web/files") + " && echo kept >" + path("a/data/web/files/f")), 0);
  ASSERT_EQ(backup("a", "b.spl").code, 0);
  const Words words{"service", "all", "install", "--download", "--for", path("b.spl")};
  const Ran unknown = ask("n", words);
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err,
              HasSubstr("neither this home nor a catalog declares the service web, which the bundle wants"));
  EXPECT_FALSE(exists(path("n/hub.db"))) << "a home that was made for nothing";
  in_catalog("web",
             "version = \"9\"\n[run]\ncommand = [\"/bin/sleep\", \"1001\"]\n"
             "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n");
  std::filesystem::create_directories(path("n"));
  write_file(path("n/config.toml"), "catalogs = [\"" + path("catalog") + "\"]\n");
  const Ran ran = ask("n", words);
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "web: installed, from the catalog\n");
  EXPECT_THAT(read_file(path("n/services/web.toml")), Not(HasSubstr("evil")));
  EXPECT_EQ(ask("n", words).out, "web: there\n");
  ASSERT_EQ(restore("n", "b.spl").code, 0);
  EXPECT_EQ(read_file(path("n/data/web/files/f")), "kept\n");
  EXPECT_EQ(ask("n", {"service", "all", "stop"}).code, 0);
  EXPECT_EQ(ask("n", {"service", "web", "install", "--for", path("b.spl")}).code, 2);
  write_file(path("no-bundle"), "words");
  EXPECT_EQ(ask("n", {"service", "all", "install", "--for", path("no-bundle")}).code, 4);
}

// --- the catalog that spl brings
// --------------------------------------------------------------------------------------
class ShippedTest : public ServicesKit {
 protected:
  // On a bare home: installed, started, filled, backed up; restored in another bare home, and asked.
  void goes_round(const std::string& name, const std::function<std::string(const std::string& home)>& fill,
                  const std::function<std::string(const std::string& home)>& ask_it) {
    if (::geteuid() != 0) GTEST_SKIP() << "the services run as users of their own, for which root is needed";
    init("a");
    const Ran installed = ask("a", {"service", name, "install"});
    if (installed.code == 6) GTEST_SKIP() << "its package is not there: " << installed.out;
    ASSERT_EQ(installed.code, 0) << installed.err;
    start("a");
    fill("a");
    const std::string before = ask_it("a");
    EXPECT_NE(before, "?");
    const Ran backed_up = backup("a", "b.spl");
    ASSERT_EQ(backed_up.code, 0) << backed_up.err;
    ASSERT_EQ(ask("a", {"service", "all", "stop"}).code, 0);
    init("b");
    ASSERT_EQ(ask("b", {"service", "all", "install", "--for", path("b.spl")}).code, 0);
    const Ran restored = restore("b", "b.spl");
    ASSERT_EQ(restored.code, 0) << restored.err << restored.out;
    EXPECT_EQ(ask_it("b"), before);
  }
};

TEST_F(ShippedTest, RedisServer) {
  const auto cli = [this](const std::string& home, const std::string& words) {
    return output_of("redis-cli -s " + run_directory(home, "redis-server") + "/redis.sock " + words);
  };
  goes_round(
      "redis-server", [&](const std::string& home) { return cli(home, "MSET a 1 b 2") + cli(home, "-n 3 SET c 3"); },
      [&](const std::string& home) { return cli(home, "MGET a b") + "," + cli(home, "-n 3 GET c"); });
}

TEST_F(ShippedTest, Postgresql) {
  const auto sql = [this](const std::string& home, const std::string& text) {
    return output_of(
        "su -s /bin/sh postgres -c " +
        quoted("psql -XAtq -v ON_ERROR_STOP=1 -h " + run_directory(home, "postgresql") + " -d app -c " + quoted(text)));
  };
  goes_round(
      "postgresql",
      [&](const std::string& home) {
        return sql(home, "CREATE TABLE t AS SELECT n, md5(n::text) AS m FROM generate_series(1, 1000) AS n");
      },
      [&](const std::string& home) { return sql(home, "SELECT count(*), sum(n), max(m) FROM t"); });
}

}  // namespace
}  // namespace spl::cli_test
