// Bundles that want more than to fill a database: whatever a dump tries, the server is as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "surface/postgres/grants.h"
#include "surface/postgres/postgres_test_util.h"

namespace spl::surface {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A comment in the dump that other SQL of its length can stand for.
constexpr std::size_t kRoom = 900;

template <class Fixture>
class HostileOf : public PostgresDriverOf<Fixture> {
 protected:
  // The archive of place 0, whose table has the comment.
  std::string dumped(const std::string& table) {
    auto& fixture = this->fixture_;
    const Place place = fixture.place(0);
    fixture.fill(place, 1);
    const std::string database = place.database.value_or("app");
    must(fixture.server().as_notes(database).run(comment(table)));
    SpooledPart files = this->taken(place);
    return archive_of(files);
  }
  static std::string comment(const std::string& table) {
    return "COMMENT ON TABLE " + table + " IS '" + std::string(kRoom, 'X') + "';";
  }
  SpooledPart with(std::string archive, const std::string& table, std::string sql) {
    const std::string from = comment(table);
    sql.resize(from.size(), ' ');
    const std::size_t at = archive.find(from);
    EXPECT_NE(at, std::string::npos);
    archive.replace(at, from.size(), sql);
    return this->part_of(archive);
  }
  Result<std::string> staged(RestorePart& part, SpooledPart files) { return part.stage(files, this->progress_); }
};

using PostgresHostile = HostileOf<OneDatabase<Split::kDatabase>>;
using PostgresHostileSchema = HostileOf<OneSchema>;

TEST_F(PostgresHostile, WhatOnlyASuperuserMayDoIsAStop) {
  const std::string archive = dumped("public.child");
  fixture_.fill(fixture_.place(1), 2);
  const std::string before = fixture_.state(fixture_.place(1));
  const std::string traces = fixture_.traces();
  const std::string proof = fixture_.server().socket_directory() + "/proof";
  for (const std::string& sql : std::vector<std::string>{
           "ALTER ROLE CURRENT_USER SUPERUSER",
           "COPY public.child TO PROGRAM 'touch " + proof + "'",
           "COPY public.child(j) FROM '/etc/passwd'",
           "CREATE EXTENSION file_fdw",
           "SET SESSION AUTHORIZATION postgres",
           "SET ROLE postgres",
           "GRANT pg_read_server_files TO CURRENT_USER",
           "CREATE ROLE evil",
           "DROP DATABASE db_0",
           "ALTER DATABASE db_1 RENAME TO evil",
           "ALTER DATABASE db_1 SET search_path = evil",
           "ALTER SYSTEM SET log_min_messages = 'panic'",
           "CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e "
           "ON "
           "ddl_command_start EXECUTE FUNCTION public.f()",
           "CREATE FUNCTION public.f() RETURNS integer LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'getpid'",
           "SELECT pg_read_file('/etc/passwd')",
           "UPDATE pg_authid SET rolsuper = true",
           "DO $$ BEGIN EXECUTE 'ALTER ROLE ' || quote_ident(current_user) || ' BYPASSRLS'; END $$",
           "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p",
           "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'; SELECT 1/0",
           "\\! touch " + proof,
       }) {
    const auto part = restore(fixture_.place(1), Trust::kStranger);
    const auto mark = staged(*part, with(archive, "public.child", sql));
    EXPECT_FALSE(mark) << sql;
    if (!mark) {
      EXPECT_EQ(mark.error().code, ErrorCode::kStop) << sql << ": " << mark.error().message;
    }
    must(part->discard(""));
  }
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  EXPECT_EQ(fixture_.traces(), traces);
  EXPECT_FALSE(std::filesystem::exists(proof));
  auto admin = fixture_.server().as_admin();
  EXPECT_EQ(must(admin.query("SELECT FROM pg_db_role_setting")).size(), 0u);
}

TEST_F(PostgresHostile, WhatTheRoleMayDoToItselfGoesWithIt) {
  const std::string archive = dumped("public.child");
  const std::string wanted = fixture_.state(fixture_.place(0));
  const std::string traces = fixture_.traces();
  for (const std::string& sql : std::vector<std::string>{
           "ALTER ROLE CURRENT_USER SET search_path = evil; ALTER ROLE CURRENT_USER PASSWORD 'known'",
           "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET search_path = evil'; "
           "EXECUTE 'ALTER ROLE ALL IN DATABASE ' || quote_ident(current_database()) || ' SET work_mem = ''1GB'''; "
           "EXECUTE 'COMMENT ON DATABASE ' || quote_ident(current_database()) || ' IS ''evil'''; "
           "EXECUTE 'GRANT ALL ON DATABASE ' || quote_ident(current_database()) || ' TO reader'; "
           "END $$",
           "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
           "GRANT ALL ON public.child TO PUBLIC; GRANT SELECT ON public.child TO reader WITH GRANT OPTION; GRANT "
           "UPDATE (j) ON public.child TO reader; GRANT "
           "CREATE ON SCHEMA public TO PUBLIC; GRANT EXECUTE ON FUNCTION public.one_more TO reader; GRANT USAGE ON "
           "TYPE public.mood TO reader; SELECT lo_create(99); GRANT SELECT ON LARGE OBJECT 99 TO PUBLIC; SELECT "
           "lo_unlink(99)",
           "CREATE VIEW public.z AS SELECT 1; GRANT ALL ON public.z TO PUBLIC; ALTER EXTENSION hstore ADD VIEW "
           "public.z",
           "CREATE SCHEMA x; CREATE EXTENSION citext SCHEMA x; GRANT CREATE ON SCHEMA public TO reader; ALTER "
           "EXTENSION citext ADD SCHEMA public",
           "RESET SESSION AUTHORIZATION; RESET ROLE",
           "DO $$ BEGIN EXECUTE 'GRANT ' || quote_ident(current_user) || ' TO reader'; EXCEPTION WHEN OTHERS THEN END "
           "$$",
       }) {
    const auto part = restore(fixture_.place(1), Trust::kStranger);
    const auto mark = staged(*part, with(archive, "public.child", sql));
    must(mark);
    if (!mark) continue;
    must(part->swap(*mark));
    must(part->discard(*mark));
    auto admin = fixture_.server().as_admin();
    EXPECT_EQ(must(admin.query("SELECT FROM pg_db_role_setting")).size(), 0u) << sql;
    EXPECT_EQ(must(admin.query("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'db_1'"))
                  .text(0, 0),
              "");
    {
      auto restored = fixture_.server().as_admin("db_1");
      EXPECT_EQ(must(restored.query("SELECT FROM pg_default_acl")).size(), 0u);
      EXPECT_THAT(must(list_grants(restored, {})), ::testing::IsEmpty()) << sql;
      EXPECT_EQ(
          must(restored.query("SELECT FROM pg_class, aclexplode(relacl) WHERE relname = 'z' AND grantee = 0 UNION "
                              "ALL SELECT FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'public' AND "
                              "privilege_type = 'CREATE' AND pg_get_userbyid(grantee) <> 'pg_database_owner'"))
              .size(),
          0U)
          << sql;
    }
    EXPECT_EQ(fixture_.traces(), traces);
    must(admin.run("DROP DATABASE db_1"));
  }
  EXPECT_EQ(fixture_.state(fixture_.place(0)), wanted);
}

// Functions and operators that stand where PostgreSQL's own do, for whoever looks there first.
TEST_F(PostgresHostile, NothingInTheDumpIsRunWithTheRightsOfTheAdmin) {
  const std::string archive = dumped("public.child");
  const auto part = restore(fixture_.place(1));
  const auto mark = staged(
      *part,
      with(archive, "public.child",
           "CREATE FUNCTION public.evil() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN EXECUTE ''CREATE ROLE evil''; "
           "RETURN 1; END'; CREATE FUNCTION public.quote_ident(text) RETURNS text LANGUAGE sql AS 'SELECT "
           "public.evil()::text'; CREATE FUNCTION public.same(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT "
           "public.evil() = 1'; CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.same);"
           "CREATE VIEW public.pg_class AS SELECT public.evil() AS oid; ALTER TABLE \"Other one\".t ENABLE ROW LEVEL "
           "SECURITY; CREATE POLICY q ON \"Other one\".t USING "
           "(public.evil() = 1)"));
  must(mark);
  ASSERT_TRUE(mark);
  must(part->check(*mark, progress_));
  must(part->swap(*mark));
  must(part->count_live());
  must(part->discard(*mark));
  auto admin = fixture_.server().as_admin();
  EXPECT_EQ(must(admin.query("SELECT FROM pg_roles WHERE rolname = 'evil'")).size(), 0u);
}

TEST_F(PostgresHostile, NothingOfAStrangersBecomesASuperusers) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  auto admin = fixture_.server().as_admin();
  must(admin.run("CREATE DATABASE db_1"));
  must(fixture_.server().as_admin("db_1").run("CREATE TABLE public.t(a integer)"));
  const auto owner = [this] {
    return must(fixture_.server().as_admin("db_1").query(
                    "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE relnamespace = "
                    "'public'::regnamespace"))
        .text(0, 0);
  };
  const auto bring = [&](Place place, Trust signer) {
    files.rewind();
    const auto part =
        fixture_.restore(std::move(place), {.id = kId, .data = InTheWay::kIsReplaced, .signer = signer, .engine = {}});
    EXPECT_EQ(stops(findings(*part)), "");
    const std::string mark = must(part->stage(files, progress_));
    must(part->swap(mark));
    const std::string whose = owner();
    must(part->swap_back(mark));
    must(part->discard(mark));
    return whose;
  };
  // What is live is a superuser's: of a stranger's the url's role has it.
  EXPECT_EQ(bring(fixture_.place(1), Trust::kOwn), "postgres");
  EXPECT_EQ(bring(fixture_.place(1), Trust::kStranger), "notes");
  Place place = fixture_.place(1);
  place.url = SecretBytes(fixture_.server().admin_url());
  const auto part = restore(place, Trust::kStranger);
  EXPECT_THAT(stops(findings(*part)), HasSubstr("the superuser postgres"));
  files.rewind();
  const auto mark = part->stage(files, progress_);
  ASSERT_FALSE(mark);
  EXPECT_EQ(mark.error().code, ErrorCode::kStop);
  EXPECT_THAT(mark.error().message, HasSubstr("superuser"));
  must(part->discard(""));
}

TEST_F(PostgresHostile, AnExtensionThatIsNotTrustedIsMadeForOneselfAlone) {
  fixture_.fill(fixture_.place(0), 1);
  const auto admin_of = [this](const std::string& database) { return fixture_.server().as_admin(database); };
  must(
      admin_of("db_0").run("CREATE SCHEMA \"ext ra\"; CREATE EXTENSION file_fdw SCHEMA \"ext ra\"; ALTER SCHEMA "
                           "\"ext ra\" OWNER TO notes"));
  const std::string before = fixture_.state(fixture_.place(0));
  const std::string traces = fixture_.traces();
  SpooledPart files = taken(fixture_.place(0));
  const auto strangers = restore(fixture_.place(1), Trust::kStranger);
  const auto refused = strangers->stage(files, progress_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStop);
  EXPECT_THAT(refused.error().message, HasSubstr("file_fdw"));
  must(strangers->discard(""));
  files.rewind();
  // Where it is in a dump, its engine's text says.
  const auto own = restore(fixture_.place(1), Trust::kOwn, engine_of(fixture_.place(0)));
  const std::string mark = must(own->stage(files, progress_));
  must(own->swap(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  must(own->discard(mark));
  EXPECT_EQ(fixture_.traces(), traces);
  // What the live database has was wanted there.
  files.rewind();
  const std::string again = must(strangers->stage(files, progress_));
  must(strangers->swap(again));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  must(strangers->discard(again));
}

TEST_F(PostgresHostile, DamagedArchivesEndInAnErrorAndLeaveNothing) {
  const std::string archive = dumped("public.child");
  fixture_.fill(fixture_.place(1), 2);
  const std::string before = fixture_.state(fixture_.place(1));
  const std::string traces = fixture_.traces();
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 6; ++i) {
    std::string changed = archive;
    for (int flips = 0; flips < 40; ++flips)
      changed[random() % (i % 2 == 0 ? 3000 : changed.size())] = static_cast<char>(random() & 0xff);
    const auto part = restore(fixture_.place(1), Trust::kStranger);
    const auto mark = staged(*part, part_of(changed));
    if (!mark) {
      ++refused;
      EXPECT_TRUE(mark.error().code == ErrorCode::kVerification || mark.error().code == ErrorCode::kStop)
          << mark.error().message;
    }
    must(part->discard(""));
    EXPECT_EQ(fixture_.traces(), traces);
    EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  }
  // What has fallen into a row's text nobody can see.
  EXPECT_GE(refused, 3);
}

TEST_F(PostgresHostileSchema, WhatLiesOutsideTheSchemaIsNotTakenOver) {
  const std::string archive = dumped("ctx_geo.child");
  fixture_.fill(fixture_.place(1), 2);
  const std::string before = fixture_.state(fixture_.place(1));
  const std::string traces = fixture_.traces();
  for (const std::string& sql : std::vector<std::string>{
           // They are there where it is loaded, and no further.
           "CREATE SCHEMA evil; CREATE TABLE evil.t(a integer)",
           "CREATE TABLE public.evil(a integer); CREATE SCHEMA spl_evil",
           "SELECT lo_create(0)",
           // Nor is there another one in its place.
           "ALTER SCHEMA ctx_geo RENAME TO evil; CREATE SCHEMA spl_evil",
           "CREATE SCHEMA evil",
       }) {
    const auto part = restore(fixture_.place(1), Trust::kStranger);
    const auto mark = staged(*part, with(archive, "ctx_geo.child", sql));
    if (sql != "CREATE SCHEMA evil") {
      ASSERT_FALSE(mark) << sql;
      EXPECT_TRUE(mark.error().code == ErrorCode::kVerification || mark.error().code == ErrorCode::kStop)
          << sql << mark.error().message;
    } else {
      must(mark);
    }
    must(part->discard(""));
    EXPECT_EQ(fixture_.traces(), traces) << sql;
    auto admin = fixture_.server().as_admin("app");
    EXPECT_EQ(must(admin.query("SELECT FROM pg_class WHERE relname = 'evil' UNION ALL SELECT FROM "
                               "pg_largeobject_metadata"))
                  .size(),
              0u);
  }
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
}

TEST_F(PostgresHostileSchema, WhereAnybodyMayCreateThingsAStrangersDumpIsAStop) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  auto admin = fixture_.server().as_admin("app");
  must(admin.run("GRANT CREATE ON SCHEMA public TO PUBLIC"));
  const auto part = restore(fixture_.place(1), Trust::kStranger);
  EXPECT_THAT(stops(findings(*part)), HasSubstr("anybody may create things in the schema public"));
  const auto mark = staged(*part, part_of(archive_of(files)));
  ASSERT_FALSE(mark);
  EXPECT_EQ(mark.error().code, ErrorCode::kStop);
  EXPECT_THAT(mark.error().hint, HasSubstr("REVOKE CREATE"));
  must(part->discard(""));
  const auto own = restore(fixture_.place(1), Trust::kOwn);
  EXPECT_EQ(stops(findings(*own)), "");
  must(own->stage(files, progress_));
  must(own->discard(""));
}

TEST_F(PostgresHostileSchema, WhyTheSecondDumpFailsIsSaid) {
  const std::string archive = dumped("ctx_geo.parted");
  const auto part = restore(fixture_.place(1), Trust::kStranger);
  const auto mark = staged(*part, with(archive, "ctx_geo.parted", "REVOKE SELECT ON ctx_geo.h FROM CURRENT_USER"));
  ASSERT_FALSE(mark);
  EXPECT_THAT(mark.error().message, AllOf(HasSubstr("pg_dump of what was loaded"), HasSubstr("permission denied")));
  must(part->discard(""));
}

// The second load is in the live database: what its checks call may try something there.
TEST_F(PostgresHostileSchema, WhatAFunctionDoesInTheLiveDatabaseIsAStop) {
  const std::string archive = dumped("ctx_geo.child");
  fixture_.fill(fixture_.place(1), 2);
  const std::string before = fixture_.state(fixture_.place(1));
  const std::string traces = fixture_.traces();
  const auto with_check = [](const std::string& body) {
    return "CREATE FUNCTION ctx_geo.evil(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN " + body +
           "; RETURN true; END$f$; ALTER TABLE ctx_geo.child ADD CHECK (ctx_geo.evil(parent))";
  };
  for (const std::string& body : std::vector<std::string>{
           "PERFORM lo_create(0)",
           "IF EXISTS (SELECT FROM pg_namespace WHERE nspname LIKE 'ctx%mind%') THEN EXECUTE 'CREATE SCHEMA evil'; END "
           "IF",
           "IF current_database() = 'app' THEN EXECUTE 'DROP SCHEMA \"ctx \"\"mind\"\" ü\" CASCADE'; END IF",
           "IF current_database() = 'app' THEN EXECUTE 'CREATE SCHEMA evil'; END IF",
           "IF current_database() = 'app' THEN EXECUTE 'CREATE TABLE public.evil(a integer)'; END IF",
           "IF current_database() = 'app' THEN EXECUTE 'SELECT * FROM \"ctx \"\"mind\"\" ü\".child'; END IF",
       }) {
    const auto part = restore(fixture_.place(1), Trust::kStranger);
    const auto mark = staged(*part, with(archive, "ctx_geo.child", with_check(body)));
    EXPECT_FALSE(mark) << body;
    if (!mark) {
      // Large objects are found where it was loaded.
      EXPECT_EQ(mark.error().code, body.starts_with("PERFORM lo_") ? ErrorCode::kVerification : ErrorCode::kStop)
          << body << ": " << mark.error().message;
    }
    must(part->discard(""));
    EXPECT_EQ(fixture_.traces(), traces) << body;
    auto admin = fixture_.server().as_admin("app");
    EXPECT_EQ(must(admin.query("SELECT FROM pg_largeobject_metadata")).size(), 0u) << body;
  }
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
}

}  // namespace
}  // namespace spl::surface
