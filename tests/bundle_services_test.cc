// Services in bundles, through the program and without it: their parts are listed, taken out as files that ordinary
// tools open, compared by content, and brought back by the recipe of docs/formats/bundle.md as it is printed there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle/layout.h"
#include "cli_harness.h"
#include "services_kit.h"
#include "testing/bundle_forge.h"

namespace spl::cli_test {
namespace {

using spl::testing::BundleForge;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAgeKey[] = "AGE-SECRET-KEY-10KZJVY4CQ452VA3SGJ67JH45WRULLGA4SPMUSMEN36UU54RNWKFSNV3E8N";

class BundleServicesTest : public CliTest {
 protected:
  BundleServicesTest() {
    EXPECT_EQ(on("h", {"init"}).code, 0);
    declare("1.0");
    for (const char* name : {"geo", "acme"}) EXPECT_EQ(on("h", {"context", "add", name}).code, 0);
    // A tree with a link that leads out of it, a name that no shell likes, modes and times.
    sh("mkdir -p geo/pages/sub acme/pages geo/code acme/code && cd geo/pages && echo one > a && echo two > 'b c' &&"
       " ln -s /etc/passwd out && echo three > sub/d && chmod 640 a && chmod 751 sub && touch -d @1700000000 a sub");
    sh("echo other > acme/pages/a");
    sh("setfattr -n user.note -v seen geo/pages/a 2>/dev/null || true");
    sh("git init -q --bare geo/code/x.git && git init -q --bare geo/code/empty.git && git init -q --bare "
       "acme/code/y.git");
    commit("geo/code/x.git", "main", "first");
    sh("git -C geo/code/x.git symbolic-ref HEAD refs/heads/main && echo 'The X' > geo/code/x.git/description");
    sh("sqlite3 wiki.db 'CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)'");
  }

  void declare(const std::string& version) {
    write_file(path("h") + "/services/wiki.toml",
               "name = \"wiki\"\nversion = \"" + version +
                   "\"\nschema = 3\n"
                   "[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}/pages\"\n"
                   "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/{context}/code\"\n"
                   "[[surface]]\nname = \"db\"\nkind = \"sqlite\"\npath = \"{data}/wiki.db\"\n");
  }
  // In the service's directory.
  void sh(const std::string& command) {
    const std::string data = path("h") + "/data/wiki";
    ASSERT_EQ(shell("mkdir -p '" + data + "' && cd '" + data + "' && " + command), 0) << command;
  }
  void commit(const std::string& repository, const std::string& branch, const std::string& text) {
    sh("cd " + repository + " && tree=$(git hash-object -w --stdin <<EOF | xargs -I% printf '100644 blob %\\t" + text +
       "\\n' | git mktree\n" + text +
       "\nEOF\n) && id=$(GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000" +
       " +0000' git -c user.name=a -c user.email=a@example.org commit-tree -m " + text +
       " $tree) && git update-ref refs/heads/" + branch + " $id");
  }
  void backup(const std::string& file, Words more = {"--plaintext"}) {
    Words words{"export", "--out", path(file), "--force"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = on("h", words);
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  void extract(const std::string& prefix, const std::string& to) {
    const Ran ran = run({"bundle", "extract", path("a.spl"), prefix, "--to", path(to)});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  // The part's member of a comparison.
  codec::Json part(const codec::Json& report, const std::string& surface, const std::string& context) {
    for (const codec::Json& one : *report.find("parts")->array()) {
      if (text_of(one, "surface") == surface && text_of(one, "context") == context) return one;
    }
    ADD_FAILURE() << "no part " << surface << " of " << context << " in " << report.text();
    return codec::Json::Object{};
  }
  static std::vector<std::uint64_t> counts(const codec::Json& part) {
    return {number_of(part, "added"), number_of(part, "removed"), number_of(part, "changed")};
  }
  codec::Json diff(const std::string& a, const std::string& b, int code) {
    const Ran ran = run({"bundle", "diff", path(a), path(b), "-o", "json"});
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    return json_of(ran.out);
  }
  using Counts = std::vector<std::uint64_t>;
};

TEST_F(BundleServicesTest, AListNamesTheSectionsOfServices) {
  backup("a.spl");
  const Ran text = run({"bundle", "list", path("a.spl"), "--sections", "services/"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("services/wiki/code/geo/  git, 3 files, "));
  EXPECT_THAT(text.out, HasSubstr("services/wiki/pages/acme/  files, 2 files, "));
  EXPECT_THAT(text.out, Not(HasSubstr("identity/")));
  const auto json = json_of(run({"bundle", "list", path("a.spl"), "--sections", "-o", "json"}).out);
  ASSERT_EQ(json.array()->size(), 6u) << json.text();
  const codec::Json& db = (*json.array())[3];
  EXPECT_EQ(text_of(db, "prefix"), "services/wiki/db/@instance/");
  EXPECT_EQ(text_of(db, "service"), "wiki");
  EXPECT_EQ(text_of(db, "surface"), "db");
  EXPECT_EQ(text_of(db, "context"), "");
  EXPECT_EQ(text_of(db, "kind"), "sqlite");
  EXPECT_EQ(number_of(db, "files"), 1u);
  EXPECT_EQ(run({"bundle", "list", path("a.spl"), "--sections", "services/nothing/"}).code, 1);
  EXPECT_THAT(run({"bundle", "list", path("a.spl"), "services/wiki/code/geo/"}).out,
              HasSubstr("services/wiki/code/geo/x.git.bundle\n"));
}

TEST_F(BundleServicesTest, WhatIsExtractedOpensWithOrdinaryToolsAndNothingIsWrittenElsewhere) {
  backup("a.spl");
  write_file(path("sentinel"), "");
  extract("services/wiki/code/geo/", "code");
  EXPECT_EQ(shell("git clone -q '" + path("code/services/wiki/code/geo/x.git.bundle") + "' '" + path("clone") + "'"),
            0);
  EXPECT_EQ(read_file(path("clone/first")), "first\n");
  EXPECT_EQ(names_in(path("code/services/wiki")), (Words{"code"}));
  EXPECT_EQ(names_in(path("code/services/wiki/code")), (Words{"geo"}));
  extract("services/wiki/db/", "db");
  EXPECT_EQ(shell("test $(sqlite3 '" + path("db/services/wiki/db/@instance/wiki.db.sqlite") +
                  "' 'SELECT sum(a) FROM t') = 3"),
            0);
  extract("services/wiki/pages/", "pages");
  EXPECT_EQ(read_file(path("pages/services/wiki/pages/geo/tree/b c")), "two\n");
  EXPECT_EQ(read_file(path("pages/services/wiki/pages/acme/tree/a")), "other\n");
  EXPECT_FALSE(exists(path("pages/services/wiki/pages/geo/tree/out"))) << "a link could lead out";
  EXPECT_EQ(mode_of(path("pages/services/wiki/pages/geo/tree/a")), 0600u);
  extract("services/wiki/", "all");
  EXPECT_EQ(names_in(path("all")), (Words{"services"}));
  EXPECT_EQ(names_in(path("")), (Words{"a.spl", "all", "clone", "code", "db", "h", "pages", "sentinel"}));
}

TEST_F(BundleServicesTest, RepositoriesThatArePackedOtherwiseAreTheSame) {
  backup("a.spl");
  sh("git -c core.compression=0 -c pack.compression=0 -C geo/code/x.git repack -qadF");
  backup("b.spl");
  const auto sections = [&](const std::string& file) {
    return json_of(run({"bundle", "list", path(file), "--sections", "services/wiki/code/geo/", "-o", "json"}).out)
        .text();
  };
  ASSERT_NE(sections("a.spl"), sections("b.spl")) << "this is no test where the octets are the same";
  const Ran ran = run({"bundle", "diff", path("a.spl"), path("b.spl")});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "the same by content; their octets differ\n");
  const auto report = diff("a.spl", "b.spl", 0);
  EXPECT_EQ(text_of(part(report, "code", "geo"), "status"), "same");
  EXPECT_EQ(report.find("parts")->array()->size(), 5u);
}

TEST_F(BundleServicesTest, ADifferenceIsCountedBySurfaceAndContext) {
  backup("a.spl");
  sh("cd geo/pages && echo new > e && rm 'b c' && echo longer > a && touch -d @1800000000 sub/d && mkdir f");
  commit("geo/code/x.git", "main", "second");
  commit("geo/code/x.git", "side", "third");
  sh("git init -q --bare geo/code/z.git");
  sh("sqlite3 wiki.db 'INSERT INTO t VALUES(3)'");
  declare("1.1");
  backup("b.spl");
  const Ran ran = run({"bundle", "diff", path("a.spl"), path("b.spl")});
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("+ services/wiki/pages/geo/tree/e\n"), HasSubstr("- services/wiki/pages/geo/tree/b c\n"),
                    HasSubstr("! services/wiki/code/geo/x.git.bundle\n"),
                    HasSubstr("wiki/pages of geo: 2 added, 1 removed, 1 changed, 1 with another owner or time "
                              "(entries)\n"),
                    HasSubstr("service wiki: version 1.0, schema 3 in the first, version 1.1, schema 3 in the "
                              "second\n"),
                    Not(HasSubstr("acme"))));
  const auto report = diff("a.spl", "b.spl", 7);
  EXPECT_EQ(counts(part(report, "code", "geo")), (Counts{2, 0, 1})) << "a ref and a repository; a ref";
  EXPECT_EQ(counts(part(report, "db", "")), (Counts{0, 0, 1}));
  EXPECT_EQ(text_of(part(report, "code", "acme"), "status"), "same");
  EXPECT_EQ(text_of((*report.find("services")->array())[0], "status"), "differs");
  const auto back = diff("b.spl", "a.spl", 7);
  EXPECT_EQ(counts(part(back, "code", "geo")), (Counts{0, 2, 1}));
  EXPECT_EQ(counts(part(back, "pages", "geo")), (Counts{1, 2, 1}));
}

TEST_F(BundleServicesTest, APartOrAServiceThatOneAloneHasIsADifference) {
  backup("a.spl");
  backup("geo.spl", {"--context", "geo", "--without", "wiki", "--plaintext"});
  const auto without = diff("a.spl", "geo.spl", 7);
  EXPECT_EQ(text_of((*without.find("services")->array())[0], "status"), "only_a");
  EXPECT_EQ(counts(part(without, "code", "geo")), (Counts{0, 3, 0})) << "a ref and two repositories";
  ASSERT_EQ(on("h", {"context", "remove", "acme", "--delete-data", "--without-backup"}).code, 0);
  backup("b.spl");
  const auto report = diff("b.spl", "a.spl", 7);
  EXPECT_EQ(text_of(part(report, "pages", "acme"), "status"), "only_b");
  EXPECT_EQ(counts(part(report, "pages", "acme")), (Counts{1, 0, 0}));
}

// As the driver of Redis writes them; and what says that it is a repository and is none.
TEST_F(BundleServicesTest, KeysAreComparedOneByOne) {
  const auto forge = [&](const std::string& file, bundle::SurfaceKind kind, const std::string& name,
                         const std::string& content, const std::string& facts = {}) {
    BundleForge made;
    const std::string prefix = "services/a/b/@instance/";
    made.add(prefix + name, content);
    if (!facts.empty()) made.add(prefix + facts, "{\"head\":\"refs/heads/main\"}");
    made.edit_manifest = [kind](bundle::Manifest& m) {
      m.services = {{"a", "1", 1, "", {{"b", kind, bundle::SurfaceClass::kSource, false, true, "engine"}}}};
    };
    write_file(path(file), made.tar());
  };
  const auto key = [](const std::string& base64, const std::string& dump) {
    return "{\"key\":\"" + base64 + "\",\"type\":\"string\",\"expires_at_ms\":null,\"dump\":\"" + dump + "\"}\n";
  };
  using enum bundle::SurfaceKind;
  forge("a.spl", kRedis, "db-0.ndjson", key("YQ==", "AA==") + key("Yg==", "AA==") + key("Yw==", "AA=="));
  forge("b.spl", kRedis, "db-0.ndjson",
        key("YQ==", "AA==") + key("Yw==", "AQ==") + key("ZA==", "AA==") + key("ZQ==", ""));
  const auto report = diff("a.spl", "b.spl", 7);
  EXPECT_EQ(counts(part(report, "b", "")), (Counts{2, 1, 1}));
  EXPECT_EQ(text_of(part(report, "b", ""), "items"), "keys");
  EXPECT_EQ(counts(part(diff("a.spl", "a.spl", 0), "b", "")), (Counts{0, 0, 0}));
  forge("c.spl", kRedis, "db-1.ndjson", key("YQ==", "AA=="));
  EXPECT_EQ(counts(part(diff("a.spl", "c.spl", 7), "b", "")), (Counts{1, 3, 0}));
  forge("d.spl", kRedis, "db-0.ndjson", "no key\n");
  const Ran broken = run({"bundle", "diff", path("a.spl"), path("d.spl")});
  EXPECT_EQ(broken.code, 4);
  EXPECT_THAT(broken.err, AllOf(HasSubstr("d.spl"), HasSubstr("db-0.ndjson: a line is no key")));
  forge("e.spl", kGit, "x.bundle", "no bundle", "x.json");
  EXPECT_EQ(run({"bundle", "diff", path("a.spl"), path("e.spl")}).code, 4);
}

class BundleDumpsTest : public ServicesKit {
 protected:
  Ran diff(const std::string& a, const std::string& b) { return run({"bundle", "diff", path(a), path(b)}); }
  void export_to(const std::string& file) {
    const Ran ran = on("h", {"export", "--out", path(file), "--plaintext"});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
};

TEST_F(BundleDumpsTest, DumpsAreComparedBySchemaAndRows) {
  init("h");
  declare_postgres("h");
  declare("h", "shop",
          "version = \"1\"\nafter = [\"pg\"]\n[[surface]]\nname = \"crm\"\nkind = \"postgres\"\n" + postgres_urls("h"));
  start("h");
  ASSERT_EQ(psql("h", "CREATE TABLE t(a integer, b text); INSERT INTO t SELECT i, 'x' FROM generate_series(1, 9) i"),
            "");
  export_to("a.spl");
  ASSERT_EQ(psql("h", "UPDATE t SET b = b WHERE a < 5"), "");
  ASSERT_EQ(psql("h", "SELECT a FROM t LIMIT 1"), "5");
  export_to("b.spl");
  const Ran same = diff("a.spl", "b.spl");
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.out, "the same by content; their octets differ\n");
  ASSERT_EQ(psql("h", "INSERT INTO t VALUES (10, 'x')"), "");
  export_to("c.spl");
  const Ran differs = diff("b.spl", "c.spl");
  EXPECT_EQ(differs.code, 7) << differs.err;
  EXPECT_THAT(differs.out, AllOf(HasSubstr("! services/shop/crm/@instance/dump.pgc"),
                                 HasSubstr("shop/crm: 0 added, 0 removed, 1 changed (dumps)")));
  EXPECT_EQ(left("h"), "");
}

// What stands between the marks of the document, without the fences.
std::string recipe(const std::string& name) {
  const std::string document = read_file(std::string(SPL_SOURCE_DIR) + "/docs/formats/bundle.md");
  const std::string first = "<!-- " + name + ": begin -->\n```sh\n";
  const std::size_t begin = document.find(first);
  const std::size_t end = document.find("```\n<!-- " + name + ": end -->", begin);
  EXPECT_NE(begin, std::string::npos);
  EXPECT_NE(end, std::string::npos);
  return begin == std::string::npos ? "exit 99" : document.substr(begin + first.size(), end - begin - first.size());
}

TEST_F(BundleServicesTest, TheRecipeBringsAServiceBackWithoutSpl) {
  write_file(path("key.txt"), std::string(kAgeKey) + "\n");
  ASSERT_EQ(shell("age-keygen -y '" + path("key.txt") + "' > '" + path("recipient") + "'"), 0);
  std::string recipient = read_file(path("recipient"));
  recipient.pop_back();
  backup("my bundle.spl", {"--recipient", recipient});
  ASSERT_EQ(::mkdir(path("by hand").c_str(), 0700), 0);
  const std::string decrypt = "age --decrypt -i key.txt \"$BUNDLE\" > plain.tar.zst";
  ASSERT_THAT(read_file(std::string(SPL_SOURCE_DIR) + "/docs/formats/bundle.md"), HasSubstr(decrypt));
  const auto go = [&](const std::string& changed) {
    write_file(path("by hand/recipe.sh"), "set -e\nrm -rf x ../restored; cp ../key.txt .\nBUNDLE='" +
                                              path("my bundle.spl") + "'\n" + decrypt + "\n" + changed +
                                              "BUNDLE=$PWD/plain.tar.zst SERVICE=wiki TO='" + path("restored") + "'\n" +
                                              recipe("recipe") + recipe("services recipe"));
    return shell("cd '" + path("by hand") + "' && sh recipe.sh > output 2>&1 </dev/null");
  };
  ASSERT_EQ(go(""), 0) << read_file(path("by hand/output"));
  const std::string data = path("h") + "/data/wiki";
  const std::string to = path("restored");
  for (const char* context : {"geo", "acme"})
    EXPECT_EQ(shell("diff -r --no-dereference '" + data + "/" + context + "/pages' '" + to + "/pages/" + context + "'"),
              0);
  const auto facts = [](const std::string& directory) {
    return "$(cd '" + directory + "' && find . -printf '%p %y %m %U %G %Ts %l\\n' | LC_ALL=C sort | grep -v '^\\. ')";
  };
  EXPECT_EQ(shell("test \"" + facts(data + "/geo/pages") + "\" = \"" + facts(to + "/pages/geo") + "\""), 0);
  EXPECT_EQ(mode_of(to + "/pages/geo"), mode_of(data + "/geo/pages"));
  EXPECT_EQ(
      shell("test \"$(cd '" + data + "/geo/pages' && getfattr a)\" = \"$(cd '" + to + "/pages/geo' && getfattr a)\""),
      0);
  const auto refs = [](const std::string& repository) {
    return "$(git -C '" + repository + "' for-each-ref; git -C '" + repository + "' symbolic-ref HEAD)";
  };
  EXPECT_EQ(shell("test \"" + refs(data + "/geo/code/x.git") + "\" = \"" + refs(to + "/code/geo/x.git") + "\""), 0);
  EXPECT_EQ(read_file(to + "/code/geo/x.git/description"), "The X\n");
  EXPECT_EQ(names_in(to + "/code/geo"), (Words{"empty.git", "x.git"}));
  EXPECT_EQ(names_in(to + "/code/acme"), (Words{"y.git"}));
  EXPECT_EQ(shell("test \"$(sqlite3 '" + data + "/wiki.db' .dump)\" = \"$(sqlite3 '" + to +
                  "/db/@instance/wiki.db' .dump)\""),
            0);
  // It takes no bundle in which a byte of a service was changed.
  EXPECT_NE(go("zstd -q -d --rm plain.tar.zst && sed -i 's/three/thrEe/' plain.tar && mv plain.tar plain.tar.zst\n"),
            0);
  EXPECT_FALSE(exists(to));
}

}  // namespace
}  // namespace spl::cli_test
