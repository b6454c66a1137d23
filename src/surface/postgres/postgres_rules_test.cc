// Whose what is restored is, what a backup must be able to read, and waits that end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "surface/postgres/archive_list.h"
#include "surface/postgres/postgres_test_util.h"
#include "surface/postgres/session_relay.h"

namespace spl::surface {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

using PostgresRules = PostgresDriverOf<OneDatabase<Split::kDatabase>>;
using PostgresSchemaRules = PostgresDriverOf<OneSchema>;

std::string warnings(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    if (finding.status == FindingStatus::kWarn) text += finding.message + "\n";
  }
  return text;
}

constexpr const char* kOwnersInPublic =
    "SELECT (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()), "
    "string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE relnamespace = 'public'::regnamespace";

TEST_F(PostgresRules, WhatIsRestoredIsOfWhoHasWhatIsLiveAndTheDatabaseKeepsItsOwner) {
  fixture_.fill(fixture_.place(0), 1);
  must(fixture_.server().as_admin().run("CREATE DATABASE db_1"));
  must(
      fixture_.server().as_admin("db_1").run("GRANT CREATE ON SCHEMA public TO notes; CREATE TABLE public.one(a int)"));
  must(fixture_.server().as_notes("db_1").run("CREATE TABLE public.two(a int); CREATE TABLE public.three(a int)"));
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1));
  const auto found = findings(*back);
  EXPECT_EQ(stops(found), "");
  EXPECT_THAT(warnings(found), HasSubstr("2 roles; what is restored will belong to notes"));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  const Rows owners = must(fixture_.server().as_admin("db_1").query(kOwnersInPublic));
  EXPECT_EQ(owners.text(0, 0), "postgres");
  EXPECT_EQ(owners.text(0, 1), "notes");
  // As before.
  must(fixture_.server().as_notes("db_1").run("CREATE TABLE public.four(a int); DROP TABLE public.h"));
  must(back->discard(mark));
}

TEST_F(PostgresSchemaRules, WhatIsRestoredIsOfWhoHasWhatIsLiveAndTheSchemaKeepsItsOwner) {
  fixture_.fill(fixture_.place(0), 1);
  fixture_.fill(fixture_.place(1), 1);
  const std::string schema = sql_name(*fixture_.place(1).schema);
  must(fixture_.server().as_admin("app").run("ALTER SCHEMA " + schema +
                                             " OWNER TO postgres; GRANT USAGE, CREATE ON "
                                             "SCHEMA " +
                                             schema + " TO notes"));
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  const Rows owners = must(fixture_.server().as_admin("app").query(
      "SELECT pg_get_userbyid(nspowner), (SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class c "
      "WHERE c.relnamespace = n.oid) FROM pg_namespace n WHERE nspname = $1",
      {*fixture_.place(1).schema}));
  EXPECT_EQ(owners.text(0, 0), "postgres");
  EXPECT_EQ(owners.text(0, 1), "notes");
  must(fixture_.server().as_notes("app").run("CREATE TABLE " + schema + ".four(a int)"));
  must(back->discard(mark));
}

TEST_F(PostgresRules, TablesWhoseRowsAnExtensionWantsInADumpAreLocked) {
  fixture_.fill(fixture_.place(0), 1);
  must(fixture_.server().as_admin("db_0").run(
      "CREATE TABLE public.configured(a integer); CREATE TABLE public.not_configured(a integer); GRANT SELECT ON "
      "public.configured TO notes; ALTER EXTENSION hstore ADD TABLE public.configured; ALTER EXTENSION hstore ADD "
      "TABLE public.not_configured; SET allow_system_table_mods = on; UPDATE pg_extension SET extconfig = "
      "ARRAY['public.configured'::regclass::oid], extcondition = ARRAY[''] WHERE extname = 'hstore'"));
  const auto part = opened(fixture_.place(0));
  auto admin = fixture_.server().as_admin("db_0");
  const auto locked = [&admin](const std::string& table) {
    const bool is_free =
        admin.run("BEGIN; LOCK TABLE public." + table + " IN ACCESS EXCLUSIVE MODE NOWAIT").has_value();
    admin.roll_back();
    return !is_free;
  };
  EXPECT_TRUE(locked("configured"));
  EXPECT_FALSE(locked("not_configured"));
}

TEST_F(PostgresRules, AnOrderThatIsNotHereIsSaidBeforehand) {
  const auto said = [this](const char* engine) {
    return warnings(findings(*restore(fixture_.place(1), Trust::kOwn, engine)));
  };
  EXPECT_EQ(said("postgresql 15.1 encoding UTF8 collate C.UTF-8 ctype C"), "");
  EXPECT_THAT(said("postgresql 15.1 encoding UTF8 collate xx_XX.UTF-8 ctype C"), HasSubstr("no locale xx_XX.UTF-8"));
  EXPECT_THAT(said("postgresql 15.1 encoding nonsense collate C ctype C"), HasSubstr("nonsense"));
  EXPECT_THAT(said("postgresql 15.1 encoding UTF8 collate C ctype C provider other locale x"), HasSubstr("no other"));
  fixture_.make_database("db_1");
  EXPECT_THAT(said("postgresql 15.1 encoding LATIN1 collate xx_XX ctype C"),
              AllOf(HasSubstr("LATIN1"), HasSubstr("xx_XX"), HasSubstr("C.UTF-8")));
}

TEST_F(PostgresRules, ALibraryThatOrdersTextComesAlong) {
  must(fixture_.server().as_admin().run(
      "CREATE DATABASE db_0 OWNER notes TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE' "
      "LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"));
  must(fixture_.server().as_notes("db_0").run("CREATE TABLE public.t(a text)"));
  const std::string engine = engine_of(fixture_.place(0));
  EXPECT_THAT(engine, HasSubstr(" ctype C.UTF-8 provider icu locale sv-SE"));
  SpooledPart files = taken(fixture_.place(0));
  const auto seen = [this] {
    return must(fixture_.server().as_admin().query(
                    "SELECT datlocprovider::text || daticulocale || datcollate || datctype "
                    "FROM pg_database WHERE datname = 'db_1'"))
        .text(0, 0);
  };
  // Where nothing is the text says it, and what is live afterwards.
  for (const std::string& said : {engine, std::string("postgresql 15.1")}) {
    files.rewind();
    const auto back = restore(fixture_.place(1), Trust::kOwn, said);
    EXPECT_EQ(warnings(findings(*back)), "");
    const std::string mark = must(back->stage(files, progress_));
    must(back->swap(mark));
    EXPECT_EQ(seen(), "isv-SECC.UTF-8");
    must(back->discard(mark));
  }
}

TEST_F(PostgresRules, WhateverSomebodyHasMadeIsInTheWay) {
  for (const std::string& sql :
       std::vector<std::string>{"SELECT lo_create(0)", "CREATE SEQUENCE public.s", "CREATE DOMAIN public.d AS integer",
                                "CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                                "CREATE COLLATION public.c (LOCALE = 'C')",
                                "CREATE TEXT SEARCH CONFIGURATION public.t (PARSER = \"default\")",
                                "CREATE OPERATOR public.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq)",
                                "CREATE SCHEMA s; CREATE TYPE s.m AS ENUM ('x')", "CREATE FOREIGN DATA WRAPPER w"}) {
    must(fixture_.server().as_admin().run("CREATE DATABASE db_1 OWNER notes"));
    const auto part = [this] {
      return fixture_.restore(fixture_.place(1),
                              {.id = kId, .data = InTheWay::kStops, .signer = Trust::kOwn, .engine = {}});
    };
    EXPECT_EQ(stops(findings(*part())), "");
    must(fixture_.server().as_admin("db_1").run(sql));
    EXPECT_THAT(stops(findings(*part())), HasSubstr("data is in the way")) << sql;
    must(fixture_.server().as_admin().run("DROP DATABASE db_1 WITH (FORCE)"));
  }
}

TEST_F(PostgresRules, WhatTheRoleMayNotReadIsFoundByThePlan) {
  for (const auto& [sql, what] : std::vector<std::pair<std::string, std::string>>{
           {"CREATE SCHEMA hidden; CREATE TABLE hidden.t(a integer); GRANT SELECT ON hidden.t TO notes",
            "schema hidden"},
           {"CREATE SEQUENCE public.s", "sequence public.s"},
           {"CREATE TABLE public.t(a integer)", "table public.t"},
           {"SELECT lo_create(999)", "large object 999"}}) {
    fixture_.fill(fixture_.place(0), 1);
    must(fixture_.server().as_admin("db_0").run(sql));
    const auto plan = fixture_.backup(fixture_.place(0))->plan(progress_);
    ASSERT_FALSE(plan) << sql;
    EXPECT_EQ(plan.error().cause, Cause::kDenied);
    EXPECT_THAT(plan.error().message, HasSubstr(what));
    must(fixture_.server().as_admin().run("DROP DATABASE db_0 WITH (FORCE)"));
  }
}

TEST_F(PostgresRules, MorePartsThanTheServerHasConnectionsAreRefusedByThePlan) {
  fixture_.fill(fixture_.place(0), 1);
  SharedViews views;
  Surroundings surroundings = fixture_.surroundings();
  surroundings.views = &views;
  constexpr std::size_t kConnectionsMax = 30;  // of the tests' server
  std::vector<std::unique_ptr<BackupPart>> parts;
  std::optional<Error> error;
  while (parts.size() <= kConnectionsMax && !error) {
    parts.push_back(postgres_backup(surroundings, fixture_.place(0)));
    const auto plan = parts.back()->plan(progress_);
    if (!plan) error = plan.error();
  }
  ASSERT_TRUE(error);
  EXPECT_GT(parts.size(), kConnectionsMax / 2);
  EXPECT_THAT(error->hint, HasSubstr("max_connections"));
  // Those that were not refused can all be opened.
  parts.pop_back();
  for (const auto& part : parts) must(part->prepare(progress_));
  // They are free again with their parts.
  parts.clear();
  must(postgres_backup(surroundings, fixture_.place(0))->plan(progress_));
}

TEST_F(PostgresRules, ATransactionThatTheServerHasUndoneIsNoCommit) {
  auto server = fixture_.server().as_admin();
  must(server.run("BEGIN"));
  must(server.commit());
  must(server.run("BEGIN"));
  EXPECT_FALSE(server.run("SELECT 1/0"));
  EXPECT_FALSE(server.commit());
}

TEST_F(PostgresRules, AServerThatDoesNotAnswerIsGivenUp) {
  auto server = fixture_.server().as_admin();
  pid_t pid = 0;
  std::ifstream(fixture_.server().data() + "/postmaster.pid") >> pid;
  ASSERT_GT(pid, 0);
  server.limit_waits(nullptr, in(milliseconds(300)));
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  const auto begin = in(milliseconds(0));
  const auto slept = server.query("SELECT pg_sleep(300)");
  const auto took = in(milliseconds(0))-begin;
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  ASSERT_FALSE(slept);
  EXPECT_EQ(slept.error().cause, Cause::kTimeout);
  EXPECT_LT(took, seconds(5));
  // Nor does what was asked go on.
  auto admin = fixture_.server().as_admin();
  const auto goes_on = [&admin] {
    return must(admin.query("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(300)'")).size() > 0;
  };
  for (int i = 0; i < 200 && goes_on(); ++i) fixture_.surroundings().env.clock.sleep_for(milliseconds(50));
  EXPECT_FALSE(goes_on());
}

TEST_F(PostgresRules, ADumpThatDoesNotGoOnIsGivenUp) {
  fixture_.make_database("db_0");
  auto session = fixture_.server().as_notes("db_0");
  must(session.run("BEGIN"));
  SessionRelay relay = must(SessionRelay::make(session, fixture_.scratch()));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const env::Descriptor reading(ends[0]);
  const env::Descriptor writing(ends[1]);
  base::StringSink out;
  env::Clock& clock = fixture_.surroundings().env.clock;
  for (const auto& [whole, silence] :
       {std::pair{seconds(60), milliseconds(300)}, std::pair{seconds(0), milliseconds(60000)}}) {
    Patience patience(clock, progress_, "pg_dump", whole, silence);
    const auto served = relay.serve(reading.number(), out, patience);
    ASSERT_FALSE(served);
    EXPECT_EQ(served.error().cause, Cause::kTimeout);
  }
}

TEST_F(PostgresSchemaRules, SomebodyWhoHoldsWhatIsToGoIsNotWaitedForForEver) {
  fixture_.fill(fixture_.place(0), 1);
  fixture_.fill(fixture_.place(1), 2);
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  auto holder = fixture_.server().as_admin("app");
  const Rows staged = must(holder.query("SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname LIKE 'spl%'"));
  must(holder.run("BEGIN; SELECT FROM " + staged.text(0, 0) + ".child"));
  const auto discarded = back->discard(mark);
  ASSERT_FALSE(discarded);
  EXPECT_THAT(discarded.error().hint, HasSubstr("pg_locks"));
  must(holder.run("ROLLBACK"));
  must(back->discard(mark));
}

TEST_F(PostgresRules, AListThatHasNoEndIsRefused) {
  // Nothing of the archive is looked at: what stands in pg_restore's place writes and writes.
  const std::string path = fixture_.scratch() + "/endless";
  must(env::write_file_atomically(fixture_.fs(), path, "#!/bin/sh\nexec cat /dev/zero | tr '\\0' x\n"));
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  std::filesystem::permissions(fixture_.scratch(), std::filesystem::perms(0711));
  std::filesystem::permissions(std::filesystem::path(fixture_.scratch()).parent_path(), std::filesystem::perms(0711));
  SpooledPart files = part_of("PGDMP");
  const auto entry = must(files.next());
  PartContent content(files);
  spool::Spool head = must(spool::Spool::make(fixture_.surroundings().env, fixture_.surroundings().spool));
  const auto list = list_archive({path, 15, "15"}, content, head, progress_);
  must(fixture_.fs().remove(path));
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().cause, Cause::kTooLarge) << list.error().message;
}

}  // namespace
}  // namespace spl::surface
