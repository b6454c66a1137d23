// [[migration]] through the program: data of an older version of a service, brought to the schema of the one that is
// here while it is staged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSurfaces[] =
    "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n"
    "[[surface]]\nname = \"db\"\nkind = \"sqlite\"\npath = \"{data}/notes.db\"\n";

// A service that looks at the schema of its data before it does anything, as many do.
constexpr char kServe[] = R"sh(#!/bin/sh
[ "$(cat "$1/files/schema")" = "$2" ] || { echo "data of schema $(cat "$1/files/schema"), I want $2" >&2; exit 1; }
sqlite3 "$1/notes.db" "SELECT $3 FROM notes" >/dev/null || exit 1
echo $$ >"$1/up"
exec sleep 1000
)sh";

// One step a call: 1 has notes(v), 2 has notes(text), 3 has notes(text, length).
constexpr char kMigrate[] = R"sh(#!/bin/sh
set -e
db=$SPL_STAGED_DB
case $2 in
  2) sqlite3 "$db" "ALTER TABLE notes RENAME v TO text" ;;
  3) sqlite3 "$db" "ALTER TABLE notes ADD length; UPDATE notes SET length = length(text)" ;;
  *) echo "no way to $2" >&2; exit 7 ;;
esac
echo "to $2"
echo "$2" >"$1/files/schema"
)sh";

class MigrationTest : public ServicesKit {
 protected:
  MigrationTest() : serve_(write_script("serve", kServe)), migrate_(write_script("migrate", kMigrate)) {}

  std::string declaration(int schema, const std::string& column, const std::string& migrations) {
    return "version = \"" + std::to_string(schema) + "\"\nschema = " + std::to_string(schema) +
           "\n[run]\ncommand = [\"" + serve_ + "\", \"{data}\", \"" + std::to_string(schema) + "\", \"" + column +
           "\"]\nhealth = [\"/bin/sh\", \"-c\", \"kill -0 $(cat $0/up)\", \"{data}\"]\nstart_timeout_ms = 5000\n" +
           kSurfaces + migrations;
  }
  std::string step(int from, int to, const std::string& argument = {}) {
    return "[[migration]]\nfrom = " + std::to_string(from) + "\nto = " + std::to_string(to) + "\ncommand = [\"" +
           migrate_ + "\", \"{staging}\", \"" + (argument.empty() ? std::to_string(to) : argument) + "\"]\n";
  }
  void make_data(const std::string& home, int schema) {
    const std::string data = path(home) + "/data/notes";
    const std::string columns = schema == 1 ? "v" : schema == 2 ? "text" : "text, length";
    ASSERT_EQ(shell("mkdir -p " + data + "/files && echo " + std::to_string(schema) + " >" + data +
                    "/files/schema && sqlite3 " + data + "/notes.db \"CREATE TABLE notes(" + columns +
                    "); INSERT INTO notes VALUES('abc'" + (schema == 3 ? ",3" : "") + ")\""),
              0);
  }
  // The home a has data of the first version, and a.spl is its bundle.
  void make_old() {
    init("a");
    declare("a", "notes", declaration(1, "v", ""));
    make_data("a", 1);
    ASSERT_EQ(backup("a", "a.spl").code, 0);
  }
  std::string notes(const std::string& home) {
    return output_of("sqlite3 " + path(home) + "/data/notes/notes.db 'SELECT * FROM notes'");
  }
  std::string did(const std::string& home) { return text_of(json_on(home, {"identity", "show"}), "did"); }

  const std::string serve_;
  const std::string migrate_;
};

TEST_F(MigrationTest, OlderDataComesToTheSchemaThatIsHereStepByStep) {
  make_old();
  init("b");
  declare("b", "notes", declaration(3, "length", step(2, 3) + step(1, 2)));
  const auto looked = json_on("b", {"service", "all", "restore", "--from", path("a.spl"), "--dry-run"});
  EXPECT_THAT(looked.text(), HasSubstr("its data goes from schema 1 to 3 by 2 migrations"));
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(notes("b"), "abc|3");
  EXPECT_THAT(read_file(path("b") + "/logs/services/notes.log"), HasSubstr("to 2\nto 3\n"));
  EXPECT_THAT(ask("b", {"service", "notes", "status"}).out, HasSubstr("running"));
  EXPECT_EQ(left("b"), "");
}

TEST_F(MigrationTest, AStepThatFailsTakesAllBackAndIsNamed) {
  make_old();
  init("b");
  declare("b", "notes", declaration(3, "length", step(1, 2) + step(2, 3, "nowhere")));
  make_data("b", 3);
  start("b");
  const Ran ran = restore("b", "a.spl", {"--replace", "--expect-did", did("a")});
  EXPECT_EQ(ran.code, 1) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("the migration from schema 2 to 3"));
  EXPECT_THAT(ran.err, HasSubstr("no way to nowhere"));
  EXPECT_EQ(notes("b"), "abc|3");
  EXPECT_THAT(ask("b", {"service", "notes", "status"}).out, HasSubstr("running"));
  EXPECT_EQ(left("b"), "");
  EXPECT_EQ(shell("test -z \"$(ls -A " + path("b") + "/restores)\""), 0);
}

TEST_F(MigrationTest, DataThatTheServiceDoesNotTakeAfterThemTakesAllBack) {
  make_old();
  init("b");
  declare("b", "notes", declaration(3, "length", step(1, 2) + step(2, 3)));
  make_data("b", 3);
  start("b");
  // It says that it has done it.
  write_script("migrate", "#!/bin/sh\necho 3 >$1/files/schema\n");
  const Ran ran = restore("b", "a.spl", {"--replace", "--expect-did", did("a")});
  EXPECT_NE(ran.code, 0) << ran.out;
  EXPECT_THAT(ran.err, HasSubstr("start notes"));
  EXPECT_EQ(notes("b"), "abc|3");
  EXPECT_THAT(ask("b", {"service", "notes", "status"}).out, HasSubstr("running"));
}

TEST_F(MigrationTest, WhereNoWayLeadsOrTheBundleIsNewerItIsAStop) {
  make_old();
  init("b");
  declare("b", "notes", declaration(3, "length", step(2, 3)));
  const Ran no_way = restore("b", "a.spl");
  EXPECT_EQ(no_way.code, 5) << no_way.err;
  EXPECT_THAT(no_way.err, HasSubstr("no [[migration]] leads from the one to the other"));
  make_data("b", 3);
  ASSERT_EQ(backup("b", "b.spl").code, 0);
  const Ran newer = restore("a", "b.spl", {"--replace", "--expect-did", did("b")});
  EXPECT_EQ(newer.code, 5) << newer.err;
  EXPECT_THAT(newer.err, HasSubstr("its data has schema 3, the service here has 1"));
  EXPECT_THAT(newer.err, HasSubstr("install a newer version"));
}

TEST_F(MigrationTest, TheStagedCommandComesAfterThem) {
  make_old();
  init("b");
  const std::string fix =
      write_script("fix", "#!/bin/sh\n[ $(cat $1/files/schema) = 2 ] && echo fixed >$1/files/fixed\n");
  declare("b", "notes", declaration(2, "text", step(1, 2) + "[restore]\nstaged = [\"" + fix + "\", \"{staging}\"]\n"));
  const Ran ran = restore("b", "a.spl");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_file(path("b") + "/data/notes/files/fixed"), "fixed\n");
}

// In engines: the surfaces' URLs lead to what is staged, and not to what is live.
class EngineMigrationTest : public ServicesKit {};

TEST_F(EngineMigrationTest, ASchemaOfAContextIsMigratedByItsUrl) {
  if (postgres_binaries().empty()) GTEST_SKIP() << "wants PostgreSQL";
  const auto declared = [&](const std::string& home, int schema, const std::string& more) {
    return "schema = " + std::to_string(schema) + "\n[[surface]]\nname = \"crm\"\nkind = \"postgres\"\n" +
           postgres_urls(home) + "split = { schema = \"ctx_{context}\" }\n" + more;
  };
  init("a");
  declare_postgres("a");
  add_contexts("a", {"geo"});
  declare("a", "shop", declared("a", 1, ""));
  start("a");
  ASSERT_EQ(psql("a", "CREATE SCHEMA ctx_geo; CREATE TABLE ctx_geo.t(v int); INSERT INTO ctx_geo.t VALUES (1), (2)"),
            "");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  const std::string migrate =
      write_script("migrate",
                   "#!/bin/sh\nset -e\n[ -d $SPL_STAGED_CRM ]\nexec psql -XAtq -v ON_ERROR_STOP=1 "
                   "\"$(cat $1/crm/geo)\" -c 'ALTER TABLE t ADD w int DEFAULT 7' -c 'INSERT INTO t VALUES (3)'\n");
  declare("a", "shop",
          declared("a", 2, "[[migration]]\nfrom = 1\nto = 2\ncommand = [\"" + migrate + "\", \"{staging}\"]\n"));
  const Ran ran = restore("a", "a.spl", {"--replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(psql("a", "SELECT string_agg(v || '-' || w, ' ' ORDER BY v) FROM ctx_geo.t"), "1-7 2-7 3-7");
  ASSERT_EQ(ask("a", {"service", "all", "restore", "--previous"}).code, 0);
  EXPECT_EQ(psql("a", "SELECT string_agg(v::text, ' ' ORDER BY v) FROM ctx_geo.t"), "1 2");
  EXPECT_EQ(left("a"), "");
}

TEST_F(EngineMigrationTest, AWholeDatabaseIsMigratedByItsUrl) {
  if (postgres_binaries().empty()) GTEST_SKIP() << "wants PostgreSQL";
  init("a");
  declare_postgres("a");
  const std::string surface = "[[surface]]\nname = \"crm\"\nkind = \"postgres\"\n" + postgres_urls("a");
  declare("a", "shop", "schema = 1\n" + surface);
  start("a");
  ASSERT_EQ(psql("a", "CREATE TABLE t(v int); INSERT INTO t VALUES (1), (2)"), "");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  const std::string migrate = write_script("migrate",
                                           "#!/bin/sh\nexec psql -XAtq -v ON_ERROR_STOP=1 \"$SPL_STAGED_CRM\" -c "
                                           "'ALTER TABLE t RENAME v TO w' -c 'DELETE FROM t WHERE w = 1'\n");
  declare("a", "shop", "schema = 2\n" + surface + "[[migration]]\nfrom = 1\nto = 2\ncommand = [\"" + migrate + "\"]\n");
  const Ran ran = restore("a", "a.spl", {"--replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(psql("a", "SELECT w FROM t"), "2");
  ASSERT_EQ(ask("a", {"service", "all", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(left("a"), "");
}

TEST_F(EngineMigrationTest, ADatabaseOfRedisIsMigratedByItsUrlAndAPrefixIsAStop) {
  init("a");
  declare_cache("a");
  add_contexts("a", {"geo"});
  const auto declared = [&](int schema, const std::string& split, const std::string& more) {
    return "schema = " + std::to_string(schema) + "\n[[surface]]\nname = \"memory\"\nkind = \"redis\"\nurl = \"" +
           cache_url("a") + "\"\nsplit = { " + split + " }\n" + more;
  };
  const std::string by_id = "database = \"{context_id}\"";
  declare("a", "shop", declared(1, by_id, ""));
  start("a");
  ASSERT_EQ(ask_redis("a", 1, {"SET", "note", "old"}), "OK");
  ASSERT_EQ(backup("a", "a.spl").code, 0);
  const std::string migrate = write_script("migrate",
                                           "#!/bin/sh\nset -e\nurl=$(cat $1/memory/geo)\nsocket=${url#unix:}\n"
                                           "[ \"$(redis-cli -s ${socket%%\\?*} -n ${url##*db=} GET note)\" = old ]\n"
                                           "redis-cli -s ${socket%%\\?*} -n ${url##*db=} MSET note new more 1\n");
  const std::string step = "[[migration]]\nfrom = 1\nto = 2\ncommand = [\"" + migrate + "\", \"{staging}\"]\n";
  declare("a", "shop", declared(2, by_id, step));
  const Ran ran = restore("a", "a.spl", {"--replace"});
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ask_redis("a", 1, {"GET", "note"}), "new");
  EXPECT_EQ(ask_redis("a", 1, {"GET", "more"}), "1");
  ASSERT_EQ(ask("a", {"service", "all", "restore", "--discard-previous"}).code, 0);
  EXPECT_EQ(left("a"), "");

  declare("a", "shop", declared(1, "prefix = \"{context}:\"", ""));
  ASSERT_EQ(backup("a", "p.spl", {"--allow-stray"}).code, 0);
  declare("a", "shop", declared(2, "prefix = \"{context}:\"", step));
  const Ran stopped = restore("a", "p.spl", {"--replace"});
  EXPECT_EQ(stopped.code, 5) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("keys that are no database of their own"));
}

}  // namespace
}  // namespace spl::cli_test
