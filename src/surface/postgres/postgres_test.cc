#include "surface/postgres/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "surface/conformance.h"
#include "surface/postgres/postgres_test_util.h"

namespace spl::surface {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

INSTANTIATE_TYPED_TEST_SUITE_P(PostgresWhole, DriverConformance, OneDatabase<Split::kNone>);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgresSchema, DriverConformance, OneSchema);

// A database of a split is a whole one under another name: the tests below are all about it.
using PostgresDriver = PostgresDriverOf<OneDatabase<Split::kDatabase>>;
using PostgresSchemaDriver = PostgresDriverOf<OneSchema>;

TEST_F(PostgresDriver, ATruncateThatWaitsForTheBackupDoesNotEmptyIt) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  const std::string before = fixture_.state(place);
  const auto part = opened(place);
  // Both wait for the backup's locks, and stand before pg_dump in every queue.
  const auto change = [this](const std::string& sql) {
    auto notes = fixture_.server().as_notes("db_0");
    must(notes.run("SET lock_timeout = 0; " + sql));
  };
  auto truncates = std::async(std::launch::async, change, "TRUNCATE public.child");
  auto drops = std::async(std::launch::async, change, "DROP TABLE public.h");
  auto admin = fixture_.server().as_admin();
  const auto waiting = [&admin] {
    return must(admin.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).number(0, 0);
  };
  for (int i = 0; i < 400 && waiting() != 2; ++i)
    fixture_.surroundings().env.clock.sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(waiting(), 2U);
  SpooledPart files = streamed(*part);
  truncates.get();
  drops.get();
  EXPECT_NE(fixture_.state(place), before);
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  must(back->discard(mark));
}

TEST_F(PostgresDriver, ALockThatSomebodyHoldsIsWaitedForUntilTheDeadline) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  auto holder = fixture_.server().as_notes("db_0");
  must(holder.run("BEGIN; LOCK TABLE public.child IN ACCESS EXCLUSIVE MODE"));
  const auto part = fixture_.backup(PostgresFixture::copy(place));
  must(part->plan(progress_));
  must(part->prepare(progress_));
  const auto late = part->open(Writers::kPaused, in(std::chrono::milliseconds(300)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().cause, Cause::kTimeout) << late.error().message;
  const auto again = fixture_.backup(PostgresFixture::copy(place));
  must(again->plan(progress_));
  must(again->prepare(progress_));
  auto opening = std::async(std::launch::async,
                            [&] { return again->open(Writers::kPaused, in(std::chrono::seconds(20))).has_value(); });
  fixture_.surroundings().env.clock.sleep_for(std::chrono::milliseconds(200));
  must(holder.run("COMMIT"));
  EXPECT_TRUE(opening.get());
}

TEST_F(PostgresDriver, OpeningIsQuickWhateverTheSize) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  must(fixture_.server().as_notes("db_0").run(
      "CREATE TABLE public.big AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 100000) i"));
  const auto part = fixture_.backup(PostgresFixture::copy(place));
  must(part->plan(progress_));
  must(part->prepare(progress_));
  const auto begin = fixture_.surroundings().env.clock.since_boot();
  must(part->open(Writers::kPaused, in(std::chrono::seconds(20))));
  EXPECT_LT(fixture_.surroundings().env.clock.since_boot() - begin, std::chrono::milliseconds(250));
}

TEST_F(PostgresDriver, ACancelledBackupEndsAtOnceAndLeavesNothing) {
  class Cancelled final : public base::Progress {
   public:
    void update(std::string_view phase, std::uint64_t done, std::uint64_t, std::string_view) override {
      if (phase == "dumping the database" && done > 100000) yes_ = true;
    }
    bool cancelled() override { return yes_; }

   private:
    bool yes_ = false;
  };
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  must(fixture_.server().as_notes("db_0").run(
      "CREATE TABLE public.big AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 100000) i"));
  const auto part = opened(place);
  Cancelled progress;
  SpooledPart files = spool();
  const auto streamed = part->stream(files, progress);
  ASSERT_FALSE(streamed);
  EXPECT_EQ(streamed.error().cause, Cause::kCancelled);
  EXPECT_THAT(must(fixture_.fs().list(fixture_.scratch())), ::testing::IsEmpty());
  // No lock is held any more.
  must(fixture_.server().as_notes("db_0").run("SET lock_timeout = 5000; DROP TABLE public.big"));
}

TEST_F(PostgresDriver, WhatComesAfterTheMomentIsNotTaken) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  const auto part = opened(place);
  must(fixture_.server().as_notes("db_0").run("CREATE TABLE public.later(a integer); DELETE FROM public.parted"));
  SpooledPart files = streamed(*part);
  EXPECT_THAT(archive_of(files), Not(HasSubstr("later")));
}

TEST_F(PostgresDriver, SequencesAreNeverBehindTheirRows) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  SpooledPart files = taken(place);
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  auto notes = fixture_.server().as_notes("db_1");
  EXPECT_TRUE(
      notes.run("INSERT INTO public.\"odd \"\"näme\"(t) VALUES ('next'); INSERT INTO public.child(parent) "
                "VALUES (1)"));
  EXPECT_EQ(must(notes.query("SELECT max(n) FROM public.child")).number(0, 0), 21u);
  EXPECT_EQ(must(notes.query("SELECT nextval('public.\"Counts\"')")).number(0, 0), 6u);
  EXPECT_EQ(must(notes.query("SELECT lo_get(4711)")).text(0, 0), "\\x02");
  must(back->discard(mark));
}

TEST_F(PostgresDriver, WhatIsSetForTheLiveDatabaseStaysWithIt) {
  fixture_.fill(fixture_.place(0), 1);
  fixture_.fill(fixture_.place(1), 2);
  auto admin = fixture_.server().as_admin();
  must(
      admin.run("ALTER DATABASE db_1 SET search_path = 'a b', public; ALTER ROLE notes IN DATABASE db_1 SET work_mem = "
                "'5MB'; ALTER DATABASE db_1 CONNECTION LIMIT 17; COMMENT ON DATABASE db_1 IS 'the notes'"));
  must(admin.run("REVOKE ALL ON DATABASE db_1 FROM PUBLIC; GRANT CONNECT ON DATABASE db_1 TO reader"));
  const auto seen = [&] {
    const Rows rows = must(admin.query(
        "SELECT datacl, datconnlimit, pg_get_userbyid(datdba), shobj_description(oid, 'pg_database'), (SELECT "
        "string_agg(setrole::regrole::text || setconfig::text, ' ' ORDER BY setrole) FROM pg_db_role_setting WHERE "
        "setdatabase = d.oid) FROM pg_database d WHERE datname = 'db_1'"));
    std::string text;
    for (int i = 0; i < 5; ++i) text += rows.text(0, i) + "|";
    return text;
  };
  const std::string before = seen();
  EXPECT_THAT(before, HasSubstr("work_mem"));
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  EXPECT_EQ(seen(), before);
  must(back->swap_back(mark));
  EXPECT_EQ(seen(), before);
  must(back->discard(mark));
}

TEST_F(PostgresDriver, GrantsAndExtensionsAreNamed) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  must(fixture_.server().as_notes("db_0").run(
      "GRANT SELECT ON public.child TO reader; GRANT UPDATE (j) ON public.child TO reader"));
  const auto part = fixture_.backup(PostgresFixture::copy(place));
  const BackupPlan plan = must(part->plan(progress_));
  EXPECT_THAT(plan.engine, AllOf(::testing::StartsWith("postgresql 1"), HasSubstr(" encoding UTF8 collate C.UTF-8 "),
                                 ::testing::ContainsRegex(" extensions hstore [0-9.]+ public$")));
  EXPECT_THAT(base::join(plan.warnings, "\n"), AllOf(HasSubstr("hstore"), HasSubstr("2 grants"),
                                                     HasSubstr("GRANT SELECT ON TABLE public.child TO reader"),
                                                     HasSubstr("GRANT UPDATE (j) ON TABLE public.child TO reader")));
}

// Nothing of spl's but the archive, and nothing in the manifest but a version: somebody else's pg_dump.
TEST_F(PostgresDriver, AnybodysDumpIsRestored) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  const std::string archive = archive_of(files);
  for (const char* engine :
       {"postgresql 15.18", "postgresql 15.18 encoding nonsense%27 collate x ctype y extensions file_fdw 1 public",
        "postgresql 15.18 encoding UTF8 collate not_there ctype not_there", "\x01; ; ;"}) {
    SpooledPart part = part_of(archive);
    const auto back = restore(fixture_.place(1), Trust::kStranger, engine);
    const std::string mark = must(back->stage(part, progress_));
    must(back->check(mark, progress_));
    must(back->swap(mark));
    EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0))) << engine;
    must(back->discard(mark));
    must(fixture_.server().as_admin().run("DROP DATABASE db_1"));
  }
}

TEST_F(PostgresDriver, WhereNoDatabaseIsTheBundlesEncodingAndOrderAreMade) {
  must(fixture_.server().as_admin().run(
      "CREATE DATABASE db_0 OWNER notes TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"));
  must(fixture_.server().as_notes("db_0").run("CREATE TABLE public.t(a text); INSERT INTO public.t VALUES (chr(252))"));
  const std::string engine = engine_of(fixture_.place(0));
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1), Trust::kStranger, engine);
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  EXPECT_EQ(must(fixture_.server().as_admin().query("SELECT pg_encoding_to_char(encoding) || datcollate FROM "
                                                    "pg_database WHERE datname = 'db_1'"))
                .text(0, 0),
            "LATIN1C");
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  must(back->discard(mark));
}

TEST_F(PostgresSchemaDriver, ASchemasExtensionsAreKnownByTheEnginesText) {
  fixture_.fill(fixture_.place(0), 1);
  // Another tenant's, with tables beside it, and one that this one uses there.
  must(fixture_.server().as_admin("app").run(
      "CREATE SCHEMA tenant; CREATE EXTENSION ltree SCHEMA tenant; CREATE TABLE tenant.t(a integer); CREATE SCHEMA "
      "used; CREATE EXTENSION citext SCHEMA used; CREATE TABLE used.t(a integer); GRANT USAGE ON SCHEMA used TO notes; "
      "CREATE SCHEMA \"no tables\"; CREATE EXTENSION pg_trgm SCHEMA \"no tables\""));
  must(fixture_.server().as_notes("app").run("CREATE TABLE ctx_geo.c(a used.citext)"));
  const std::string engine = engine_of(fixture_.place(0));
  EXPECT_THAT(engine,
              AllOf(HasSubstr("citext"), HasSubstr("hstore"), HasSubstr(" no%20tables"), Not(HasSubstr("ltree"))));
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1), Trust::kStranger, engine);
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  must(back->discard(mark));
}

TEST_F(PostgresSchemaDriver, ADumpOfMoreOrLessThanOneSchemaIsRefused) {
  fixture_.fill(fixture_.place(0), 1);
  must(fixture_.server().as_notes("app").run("CREATE SCHEMA ctx_b; CREATE TABLE public.beside(a integer)"));
  Place whole = fixture_.place(0);
  whole.schema.reset();
  SpooledPart two = taken(whole);
  must(fixture_.server().as_notes("app").run("DROP SCHEMA ctx_b"));
  SpooledPart one_and_more = taken(whole);
  must(fixture_.server().as_notes("app").run("DROP SCHEMA ctx_geo CASCADE"));
  SpooledPart none = taken(whole);
  const auto part = restore(fixture_.place(1));
  for (SpooledPart* files : {&two, &one_and_more, &none}) {
    files->rewind();
    const auto mark = part->stage(*files, progress_);
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().code, ErrorCode::kVerification) << mark.error().message;
    must(part->discard(""));
  }
}

TEST_F(PostgresDriver, ClientsOfTheLiveDatabaseAreEndedForTheSwap) {
  fixture_.fill(fixture_.place(0), 1);
  fixture_.fill(fixture_.place(1), 2);
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  auto client = fixture_.server().as_notes("db_1");
  must(client.run("BEGIN; SELECT FROM public.child"));
  must(back->swap(mark));
  EXPECT_FALSE(client.run("SELECT 1"));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  must(back->discard(mark));
}

TEST_F(PostgresDriver, AnArchiveThatEndsTooEarlyIsFoundBeforeTheSwitch) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  const std::string octets = archive_of(files);
  const auto back = restore(fixture_.place(1));
  for (const std::size_t size : {octets.size() / 2, octets.size() / 20, std::size_t{4}, std::size_t{0}}) {
    SpooledPart cut = part_of(octets.substr(0, size));
    const auto half = back->stage(cut, progress_);
    ASSERT_FALSE(half);
    EXPECT_EQ(half.error().code, ErrorCode::kVerification) << half.error().message;
  }
  SpooledPart more = spool();
  must(more.add(std::string(kDumpArchive), octets));
  must(more.add("dump.txt", "more"));
  more.rewind();
  EXPECT_EQ(back->stage(more, progress_).error().code, ErrorCode::kVerification);
  SpooledPart other = spool();
  must(other.add("dump.sql", octets));
  other.rewind();
  EXPECT_EQ(back->stage(other, progress_).error().code, ErrorCode::kVerification);
  must(back->discard(""));
  EXPECT_FALSE(fixture_.has_database("db_1"));
}

// Cancels itself when it hears of a step.
class CancelledAt final : public base::Progress {
 public:
  CancelledAt(std::string phase, int times) : phase_(std::move(phase)), left_(times) {}
  void update(std::string_view phase, std::uint64_t, std::uint64_t, std::string_view) override {
    if (phase == phase_ && left_ > 0) --left_;
  }
  bool cancelled() override { return left_ == 0; }

 private:
  const std::string phase_;
  int left_;
};

TEST_F(PostgresDriver, ARestoreThatIsEndedInTheMiddleLeavesNothingAfterADiscard) {
  fixture_.fill(fixture_.place(0), 1);
  const std::string traces = fixture_.traces();
  SpooledPart files = taken(fixture_.place(0));
  for (const int times : {1, 2}) {
    CancelledAt progress("loading the database", times);
    files.rewind();
    const auto mark = restore(fixture_.place(1))->stage(files, progress);
    ASSERT_FALSE(mark);
    EXPECT_EQ(mark.error().cause, Cause::kCancelled) << mark.error().message;
    EXPECT_TRUE(must(restore(fixture_.place(1))->has_other("")));
    must(restore(fixture_.place(1))->discard(""));
    EXPECT_EQ(fixture_.traces(), traces);
  }
}

TEST_F(PostgresSchemaDriver, ARestoreThatIsEndedInTheMiddleLeavesNothingAfterADiscard) {
  fixture_.fill(fixture_.place(0), 1);
  const std::string traces = fixture_.traces();
  SpooledPart files = taken(fixture_.place(0));
  // The second load of the tables, and the second count, are in the live database.
  for (const auto& [phase, times] : {std::pair{"loading the database", 1}, std::pair{"loading the database", 4},
                                     std::pair{"counting rows", 2}, std::pair{"counting rows", 9}}) {
    CancelledAt progress(phase, times);
    files.rewind();
    const auto mark = restore(fixture_.place(1))->stage(files, progress);
    ASSERT_FALSE(mark) << phase << times;
    EXPECT_EQ(mark.error().cause, Cause::kCancelled) << mark.error().message;
    must(restore(fixture_.place(1))->discard(""));
    EXPECT_EQ(fixture_.traces(), traces);
  }
}

TEST_F(PostgresSchemaDriver, ASchemaBesideLargeObjectsIsRefusedByThePlan) {
  fixture_.fill(fixture_.place(0), 1);
  must(fixture_.server().as_notes("app").run("SELECT lo_create(0)"));
  const auto plan = fixture_.backup(fixture_.place(0))->plan(progress_);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUsage);
  EXPECT_THAT(plan.error().message, HasSubstr("large objects"));
}

TEST_F(PostgresSchemaDriver, NothingOfAnotherSchemaIsTakenOrTouched) {
  fixture_.fill(fixture_.place(0), 1);
  fixture_.fill(fixture_.place(1), 2);
  must(
      fixture_.server().as_notes("app").run("CREATE SCHEMA ctx_geomind; CREATE TABLE ctx_geomind.foreign_to_it(a "
                                            "integer); CREATE SCHEMA \"ctx*\"; CREATE TABLE \"ctx*\".star(b integer)"));
  SpooledPart files = taken(fixture_.place(0));
  EXPECT_THAT(archive_of(files), AllOf(Not(HasSubstr("foreign_to_it")), Not(HasSubstr("mind"))));
  EXPECT_THAT(engine_of(fixture_.place(0)), Not(HasSubstr("mind")));
  // A name with characters of a pattern is a name.
  Place star = fixture_.place(0);
  star.schema = "ctx*";
  SpooledPart of_star = taken(star);
  EXPECT_THAT(archive_of(of_star), AllOf(HasSubstr("star"), Not(HasSubstr("child"))));
}

TEST_F(PostgresSchemaDriver, WhatRefersToTheSchemaFromOutsideIsSaid) {
  fixture_.fill(fixture_.place(0), 1);
  must(
      fixture_.server().as_notes("app").run("CREATE SCHEMA other; CREATE VIEW other.v AS SELECT * FROM ctx_geo.child"));
  const auto part = restore(fixture_.place(0));
  bool warned = false;
  for (const Finding& finding : findings(*part)) warned = warned || finding.message.starts_with("other.v");
  EXPECT_TRUE(warned);
}

TEST_F(PostgresDriver, WhatCannotBeReachedIsSaidWithoutThePassword) {
  const auto said = [&](const std::string& url) {
    Place place = fixture_.place(0);
    place.url = SecretBytes(url);
    place.admin_url = SecretBytes();
    const auto plan = fixture_.backup(PostgresFixture::copy(place))->plan(progress_);
    EXPECT_FALSE(plan);
    std::vector<Finding> found;
    const auto inspected = fixture_.restore(std::move(place), {.id = kId, .engine = {}})->inspect(found);
    EXPECT_FALSE(inspected);
    for (const Error& error : {plan.error(), inspected.error()}) {
      EXPECT_THAT(error.message + error.hint, Not(HasSubstr("hunter2")));
      EXPECT_FALSE(error.hint.empty());
    }
    return plan.error();
  };
  const std::string& host = fixture_.server().socket_directory();
  EXPECT_EQ(said("postgresql:///db_0?host=/nowhere&user=notes&password=hunter2xx").code, ErrorCode::kUnavailable);
  EXPECT_EQ(
      said("postgresql:///db_0?host=" + host + "&port=" + fixture_.server().port() + "&user=notes&password=hunter2xx")
          .code,
      ErrorCode::kUnavailable);
  EXPECT_EQ(said("postgresql://notes:hunter2xx@127.0.0.1:1/db_0").code, ErrorCode::kUnavailable);
  EXPECT_EQ(said("postgresql://notes:hunter2xx@[::1/db_0").code, ErrorCode::kUsage);
  EXPECT_EQ(said("hunter2 is no url").code, ErrorCode::kUsage);
  EXPECT_EQ(said("").code, ErrorCode::kUsage);
  EXPECT_EQ(said("postgresql:///db_0?passfile=/etc/hunter2").code, ErrorCode::kUsage);
  Place place = fixture_.place(0);
  place.database = "not_there";
  const auto plan = fixture_.backup(std::move(place))->plan(progress_);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(plan.error().message, AllOf(HasSubstr("not_there"), Not(HasSubstr("ord 1"))));
}

// The processes that stand below this one, as anybody on the machine sees them.
TEST_F(PostgresDriver, NoPasswordIsInAnArgument) {
  fixture_.fill(fixture_.place(0), 1);
  must(fixture_.server().as_notes("db_0").run(
      "CREATE TABLE public.big AS SELECT i, repeat('x', 200) AS t FROM generate_series(1, 50000) i"));
  std::atomic<bool> over = false;
  std::string arguments;
  std::thread watcher([&] {
    while (!over) {
      // Processes end while they are looked at.
      try {
        for (const auto& process : std::filesystem::directory_iterator("/proc")) {
          std::ifstream stream(process.path() / "cmdline", std::ios::binary);
          std::string line{std::istreambuf_iterator<char>(stream), {}};
          if (line.find("pg_dump") != std::string::npos || line.find("pg_restore") != std::string::npos)
            arguments += line;
        }
      } catch (const std::exception&) {
        continue;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  over = true;
  watcher.join();
  must(back->discard(mark));
  EXPECT_THAT(arguments, AllOf(HasSubstr("pg_dump"), HasSubstr("pg_restore"), HasSubstr("user='spl_")));
  EXPECT_THAT(arguments, AllOf(Not(HasSubstr("ord 1")), Not(HasSubstr("password="))));
  EXPECT_THAT(must(fixture_.fs().list(fixture_.scratch())), ::testing::IsEmpty());
}

TEST_F(PostgresDriver, AnAdminWithoutRightsOrAnOlderServerIsAStop) {
  Place place = fixture_.place(1);
  place.admin_url = SecretBytes(fixture_.server().url("postgres"));
  EXPECT_THAT(stops(findings(*restore(place))), HasSubstr("may not make databases"));
  auto part = fixture_.restore(fixture_.place(1), {.id = kId, .engine = "postgresql 99.1"});
  EXPECT_THAT(stops(findings(*part)), AllOf(HasSubstr("was 99.1"), HasSubstr("pg_restore")));
}

// url's own role, which is no superuser.
TEST_F(PostgresDriver, ARoleThatMayMakeDatabasesAndRolesRestoresWithoutASuperuser) {
  fixture_.fill(fixture_.place(0), 1);
  fixture_.fill(fixture_.place(1), 2);
  auto admin = fixture_.server().as_admin();
  must(admin.run("ALTER ROLE notes CREATEDB CREATEROLE"));
  Place place = fixture_.place(1);
  place.admin_url = SecretBytes();
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(place);
  EXPECT_EQ(stops(findings(*back)), "");
  const std::string mark = must(back->stage(files, progress_));
  must(back->check(mark, progress_));
  must(back->swap(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  must(back->swap_back(mark));
  must(back->discard(mark));
  must(admin.run("ALTER ROLE notes NOCREATEDB NOCREATEROLE"));
}

TEST_F(PostgresSchemaDriver, ARoleThatMayMakeDatabasesAndRolesRestoresWithoutASuperuser) {
  fixture_.fill(fixture_.place(0), 1);
  const std::string traces = fixture_.traces();
  auto admin = fixture_.server().as_admin();
  must(admin.run("ALTER ROLE notes CREATEDB CREATEROLE"));
  Place place = fixture_.place(1);
  place.admin_url = SecretBytes();
  SpooledPart files = taken(fixture_.place(0));
  const auto back = restore(place);
  EXPECT_EQ(stops(findings(*back)), "");
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  must(back->discard(mark));
  must(admin.run("ALTER ROLE notes NOCREATEDB NOCREATEROLE"));
  EXPECT_EQ(fixture_.traces(), traces);
}

// The usual access of Debian's server: Unix users by their names. Root is any of them.
TEST_F(PostgresDriver, RootTakesOnTheUnixUserThatTheServerAsksFor) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user";
  const std::string& user = fixture_.server().user_name();
  fixture_.fill(fixture_.place(0), 1);
  auto admin = fixture_.server().as_admin();
  if (user != "postgres") must(admin.run("CREATE ROLE " + user + " SUPERUSER LOGIN"));
  SpooledPart files = spool();
  const std::string host = fixture_.server().socket_directory();
  Place place = fixture_.place(1);
  place.admin_url =
      SecretBytes("postgresql:///postgres?host=" + host + "&port=" + fixture_.server().port() + "&user=" + user);
  fixture_.server().set_access("local all notes scram-sha-256\nlocal all " + user + " peer\n");
  {
    // pg_dump reads by our session, whoever that is.
    Place from = fixture_.place(0);
    from.url = SecretBytes("postgresql:///db_0?host=" + host + "&port=" + fixture_.server().port() + "&user=" + user);
    files = taken(from);
  }
  const auto back = restore(place);
  const auto refused = back->stage(files, progress_);
  EXPECT_FALSE(refused);
  if (!refused) {
    EXPECT_EQ(refused.error().code, ErrorCode::kStop);
    EXPECT_THAT(refused.error().hint, HasSubstr("pg_hba.conf"));
  }
  must(back->discard(""));
  // As Debian's server is: the role comes in by the network.
  fixture_.server().set_access("local all " + user +
                               " peer\nlocal all all peer\nhost all all 127.0.0.1/32 "
                               "scram-sha-256\n");
  files.rewind();
  {
    const std::string mark = must(back->stage(files, progress_));
    must(back->discard(mark));
  }
  fixture_.server().set_access("local all " + user + " peer\nlocal all all scram-sha-256\n");
  files.rewind();
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  must(back->discard(mark));
  EXPECT_EQ(::geteuid(), 0u);
  fixture_.server().set_access(PostgresServer::kUsualAccess);
  if (user != "postgres") must(admin.run("DROP ROLE " + user));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
}

TEST_F(PostgresDriver, PoliciesThatBindTheOwnerHideNothingFromABackup) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  must(fixture_.server().as_notes("db_0").run(
      "ALTER TABLE public.child FORCE ROW LEVEL SECURITY; DROP MATERIALIZED VIEW "
      "public.summed; ALTER POLICY p ON public.child USING (parent > 15)"));
  const auto refused = fixture_.backup(PostgresFixture::copy(place))->plan(progress_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_THAT(refused.error().message, HasSubstr("child"));
  Place by_admin = PostgresFixture::copy(place);
  by_admin.url = SecretBytes(fixture_.server().admin_url());
  SpooledPart files = taken(by_admin);
  const auto back = restore(fixture_.place(1));
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(place));
  must(back->discard(mark));
}

// Nothing can be lent of a session that is encrypted: pg_dump has one of its own, with the same snapshot.
TEST_F(PostgresDriver, AServerBehindTlsIsBackedUpAndRestored) {
  fixture_.fill(fixture_.place(0), 1);
  const std::string before = fixture_.state(fixture_.place(0));
  fixture_.server().set_access(std::string(PostgresServer::kUsualAccess) +
                               "hostssl all all 127.0.0.1/32 scram-sha-256\n");
  const std::string port = fixture_.server().port();
  Place from = fixture_.place(0);
  from.url = SecretBytes("postgresql://notes:pa%3Ass%5Cw%27ord%201@127.0.0.1:" + port + "/nowhere?sslmode=require");
  const auto part = opened(from);
  must(fixture_.server().as_notes("db_0").run("DELETE FROM public.child"));
  SpooledPart files = streamed(*part);
  Place to = fixture_.place(1);
  to.admin_url = SecretBytes("postgresql://postgres:admin%27s%20own%3Asecret@127.0.0.1:" + port + "/postgres");
  const auto back = restore(to);
  const std::string mark = must(back->stage(files, progress_));
  must(back->swap(mark));
  must(back->discard(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  EXPECT_THAT(must(fixture_.fs().list(fixture_.scratch())), ::testing::IsEmpty());
  fixture_.server().set_access(PostgresServer::kUsualAccess);
}

}  // namespace
}  // namespace spl::surface
