// What is beside the rows of a database, or names it: views, triggers, events, sequences, directories.
#include <gmock/gmock.h>

#include <filesystem>

#include "surface/mariadb/mariadb_exchange.h"
#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/mariadb_test_util.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MariadbObjects : public MariadbDriver {
 protected:
  MariadbServer& server() { return fixture_.server(); }
  std::string one(const std::string& sql) {
    auto admin = server().as_admin();
    const MariadbRows rows = must(admin.query(sql));
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) text += (i == 0 ? "" : "\n") + rows.text(i, 0);
    return text;
  }
  void as_admin(const std::vector<std::string>& statements) {
    auto admin = server().as_admin();
    fixture_.run(admin, statements);
  }
  std::string texts_of_views(const std::string& database) {
    auto admin = server().as_admin();
    must(admin.run("USE " + database));
    std::string text;
    const MariadbRows names = must(admin.query(
        "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '" + database + "' ORDER BY 1"));
    for (std::size_t i = 0; i < names.size(); ++i)
      text += must(admin.query("SHOW CREATE VIEW " + mariadb_name(names.text(i, 0)))).text(0, 1) + "\n";
    return text;
  }
  MariadbTarget target() {
    return must(MariadbTarget::of(fixture_.surroundings().env.clock, fixture_.place(1), kMariadbId));
  }
  std::string staged(RestorePart& part, SpooledPart& files) {
    files.rewind();
    std::string mark = must(part.stage(files, progress_));
    must(part.check(mark, progress_));
    return mark;
  }
};

TEST_F(MariadbObjects, AViewThatIsBrokenStaysAsideAndComesBack) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  as_admin({"CREATE DATABASE db_1", "CREATE TABLE db_1.gone (a INT)", "CREATE TABLE db_1.own (a INT)",
            "CREATE DEFINER=nobody@nowhere VIEW db_1.of_nobody AS SELECT a FROM db_1.own",
            "CREATE VIEW db_1.broken AS SELECT a FROM db_1.gone",
            "CREATE DEFINER=nobody@nowhere VIEW db_1.broken_too AS SELECT a FROM db_1.broken", "DROP TABLE db_1.gone"});
  const std::string before = texts_of_views("db_1");
  EXPECT_THAT(before, HasSubstr("`nobody`@`nowhere` SQL SECURITY DEFINER VIEW `broken_too`"));
  const auto part = restore(fixture_.place(1));
  const std::string mark = staged(*part, files);
  for (int i = 0; i < 2; ++i) {
    must(part->swap(mark));
    EXPECT_EQ(one("SELECT count(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'db_1' AND TABLE_NAME LIKE "
                  "'%broken%'"),
              "0");
    const auto live = must(part->count_live());
    EXPECT_NE(std::ranges::find(live, Count{"views", 2}), live.end());
    must(part->swap_back(mark));
    EXPECT_EQ(texts_of_views("db_1"), before);
  }
  must(part->swap(mark));
  must(part->discard(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
}

TEST_F(MariadbObjects, ADefaultTakesNumbersFromTheSequenceBesideIt) {
  as_admin(
      {"CREATE DATABASE db_0", "CREATE SEQUENCE db_0.`s``1`",
       "CREATE TABLE db_0.t (id INT DEFAULT nextval(db_0.`s``1`) PRIMARY KEY, x INT DEFAULT (nextval(db_0.`s``1`) + "
       "100), c VARCHAR(40) DEFAULT 'nextval(`a`.`b`)' COMMENT 'nextval(`a`.`b`)')",
       "INSERT INTO db_0.t(c) VALUES ('first')"});
  SpooledPart files = taken(fixture_.place(0));
  const auto part = restore(fixture_.place(1));
  const std::string mark = staged(*part, files);
  must(part->swap(mark));
  must(part->swap_back(mark));
  must(part->swap(mark));
  const std::string made = must(server().as_admin().query("SHOW CREATE TABLE db_1.t")).text(0, 1);
  EXPECT_THAT(made, HasSubstr("`id` int(11) NOT NULL DEFAULT nextval(`db_1`.`s``1`)"));
  EXPECT_THAT(made, HasSubstr("DEFAULT (nextval(`db_1`.`s``1`) + 100)"));
  EXPECT_THAT(made, HasSubstr("DEFAULT 'nextval(`a`.`b`)' COMMENT 'nextval(`a`.`b`)'"));
  must(part->discard(mark));
  as_admin({"DROP DATABASE db_0", "INSERT INTO db_1.t(c) VALUES ('second')"});
  EXPECT_EQ(one("SELECT id > 1 AND x > 101 FROM db_1.t WHERE c = 'second'"), "1");

  as_admin({"CREATE DATABASE other", "CREATE SEQUENCE other.s", "CREATE DATABASE db_0",
            "CREATE TABLE db_0.t (id INT DEFAULT nextval(other.s))"});
  const auto refused = fixture_.backup(fixture_.place(0))->plan(progress_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("a sequence of the database other"));
}

// Events run whenever the server lets them.
class MariadbEvents : public MariadbObjects {
 protected:
  void SetUp() override { as_admin({"SET GLOBAL event_scheduler = ON"}); }
  void TearDown() override { as_admin({"SET GLOBAL event_scheduler = OFF"}); }
};

TEST_F(MariadbEvents, RunOnlyAfterTheCommit) {
  SpooledPart files = part_of(
      "CREATE TABLE ran (a INT);\nDELIMITER ;;\n"
      "/*!50106 CREATE*/ /*!50117 DEFINER=`root`@`localhost`*/ /*!50106 EVENT `do` ON SCHEDULE EVERY 1 SECOND STARTS "
      "'2020-01-01 00:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'DISABLE' DO INSERT INTO ran VALUES (1) */ ;;\n"
      "CREATE EVENT quiet ON SCHEDULE EVERY 1 SECOND DISABLE DO INSERT INTO ran VALUES (2) ;;\n"
      "DELIMITER ;\nDO sleep(2.5);\n");
  as_admin({"CREATE DATABASE db_1 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci"});
  const auto part = restore(fixture_.place(1));
  const std::string mark = staged(*part, files);
  EXPECT_EQ(one("SELECT count(*) FROM " + mariadb_name(target().fresh(), "ran")), "0");
  const std::string states =
      "SELECT concat(EVENT_NAME, ' ', STATUS) FROM information_schema.EVENTS WHERE "
      "EVENT_SCHEMA = 'db_1' ORDER BY 1";
  for (int i = 0; i < 2; ++i) {
    must(part->swap(mark));
    EXPECT_EQ(one(states), "do DISABLED\nquiet DISABLED");
    must(part->retire(mark));
    EXPECT_EQ(one(states), "do ENABLED\nquiet DISABLED");
    if (i == 0) must(part->swap_back(mark));
  }
  while (one("SELECT count(*) FROM db_1.ran") == "0")
    fixture_.surroundings().env.clock.sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(one("SELECT DEFINER FROM information_schema.EVENTS WHERE EVENT_NAME = 'do'"), "notes@localhost");
  must(part->discard(mark));
}

TEST_F(MariadbObjects, AnEventWhoseTimeHasPassedIsNotLost) {
  as_admin({"CREATE DATABASE db_0 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci", "USE db_0",
            "SET SESSION timestamp = 86400",
            "CREATE DEFINER=notes@localhost EVENT past ON SCHEDULE AT '2020-01-01 00:00:00' DO SELECT 1",
            "CREATE DEFINER=notes@localhost EVENT ended ON SCHEDULE EVERY 1 DAY STARTS '2019-01-01 00:00:00' ENDS "
            "'2020-01-01 00:00:00' DO "
            "SELECT 1"});
  SpooledPart files = taken(fixture_.place(0));
  as_admin({"CREATE DATABASE db_1 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci", "USE db_1",
            "SET SESSION timestamp = 86400", "CREATE EVENT old_one ON SCHEDULE AT '2020-01-01 00:00:00' DO SELECT 1"});
  const std::string before = fixture_.state(fixture_.place(1));
  const auto part = restore(fixture_.place(1));
  const std::string mark = staged(*part, files);
  must(part->swap(mark));
  must(part->swap_back(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  must(part->swap(mark));
  must(part->retire(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  must(part->discard(mark));
}

TEST_F(MariadbObjects, WhoHoldsATableWithATriggerIsNotWaitedFor) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  fixture_.fill(fixture_.place(1), 2);
  const std::string before = fixture_.state(fixture_.place(1));
  const auto part = restore(fixture_.place(1));
  const std::string mark = staged(*part, files);
  const auto hold = [&] {
    auto holder = server().as_notes("db_1");
    fixture_.run(holder, {"START TRANSACTION", "SELECT * FROM `odd ``näme`"});
    return holder;
  };
  {
    const auto holder = hold();
    must(part->swap(mark));
  }
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  {
    const auto holder = hold();
    must(part->swap_back(mark));
  }
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  auto holder = server().as_admin();
  fixture_.run(holder, {"USE " + mariadb_name(target().fresh()), "LOCK TABLES child WRITE"});
  must(part->discard(mark));
}

TEST_F(MariadbObjects, WhatIsDiscardedInTheMiddleOfAnExchangeLeavesTheOldStateWhole) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  fixture_.fill(fixture_.place(1), 2);
  const std::string before = fixture_.state(fixture_.place(1));
  const std::string traces = fixture_.traces();
  const std::string mark = staged(*restore(fixture_.place(1)), files);
  const MariadbTarget to = target();
  {
    auto admin = server().as_admin();
    must(RestoreBook(admin, to).note_old());
    must(drop_programs(admin, fixture_.surroundings().env.clock, "db_1"));
  }
  EXPECT_NE(fixture_.state(fixture_.place(1)), before);
  must(restore(fixture_.place(1))->discard(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), before);
  EXPECT_EQ(fixture_.traces(), traces);
}

TEST_F(MariadbObjects, ADatabaseWhoseNameIsAlmostTheSameIsAnothers) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  fixture_.fill(fixture_.place(1), 2);
  as_admin({"CREATE DATABASE DB_1", "USE DB_1", "CREATE TABLE t (a INT)", "CREATE PROCEDURE theirs() SELECT 1",
            "CREATE EVENT theirs ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
            "CREATE TRIGGER theirs BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
            "CREATE VIEW theirs AS SELECT a FROM t"});
  const std::string theirs = fixture_.dump("DB_1");
  auto session = server().as_admin();
  must(session.run("USE DB_1"));
  const auto part = restore(fixture_.place(1));
  const std::string mark = staged(*part, files);
  auto holder = server().as_notes("db_1");
  fixture_.run(holder, {"START TRANSACTION", "SELECT * FROM child"});
  must(part->swap(mark));
  must(part->discard(mark));
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  EXPECT_EQ(fixture_.dump("DB_1"), theirs);
  EXPECT_TRUE(session.run("SELECT 1")) << "a session there is nobody's to end";
  as_admin({"DROP DATABASE DB_1"});
}

TEST_F(MariadbObjects, ATriggerWhoseHeadNamesItsDatabaseComesIntoAnother) {
  as_admin({"CREATE DATABASE db_0", "CREATE TABLE db_0.t (a INT)", "CREATE TABLE db_0.log (a INT)",
            "CREATE TRIGGER db_0 . tr BEFORE INSERT ON `db_0`.t FOR EACH ROW SET NEW.a = 7",
            "CREATE PROCEDURE db_0.clear() DELETE FROM db_0.log"});
  auto part = fixture_.backup(fixture_.place(0));
  const BackupPlan plan = must(part->plan(progress_));
  std::string warnings;
  for (const std::string& warning : plan.warnings) warnings += warning + "\n";
  EXPECT_THAT(warnings, HasSubstr("the texts of clear name the database db_0"));
  SpooledPart files = taken(fixture_.place(0));
  bring(fixture_.place(1), files);
  as_admin({"INSERT INTO db_1.t VALUES (1)"});
  EXPECT_EQ(one("SELECT a FROM db_1.t"), "7");
}

TEST_F(MariadbObjects, TextsInEncodingsWithBackslashesWithinCharactersComeBack) {
  as_admin({"CREATE DATABASE db_0 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci", "USE db_0",
            "CREATE TABLE t (a VARCHAR(20))", "SET NAMES sjis",
            "CREATE DEFINER=notes@localhost PROCEDURE a_sjis() SELECT '\x95\x5c', \"\x83\x5c\" /* \x95\x5c' */",
            "CREATE DEFINER=notes@localhost TRIGGER b_sjis BEFORE INSERT ON t FOR EACH ROW SET NEW.a = '\x95\x5c'",
            "CREATE DEFINER=notes@localhost EVENT c_sjis ON SCHEDULE EVERY 1 DAY DISABLE DO SET @a = '\x95\x5c'",
            "CREATE DEFINER=notes@localhost VIEW d_sjis AS SELECT '\x95\x5c' AS x", "SET NAMES gbk",
            "CREATE DEFINER=notes@localhost FUNCTION e_gbk() RETURNS TEXT CHARSET gbk "
            "RETURN '\x81\x5c;'"});
  SpooledPart files = taken(fixture_.place(0));
  bring(fixture_.place(1), files);
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
  as_admin({"INSERT INTO db_1.t VALUES ('')"});
  EXPECT_EQ(one("SELECT hex(convert(a USING sjis)) FROM db_1.t"), "955C");
  EXPECT_EQ(one("SELECT hex(convert(db_1.e_gbk() USING gbk))"), "815C3B");
}

TEST_F(MariadbObjects, FilesOutsideOfTheServersDirectoryComeBackInside) {
  const std::string outside = server().directory() + "/outside";
  std::filesystem::create_directory(outside);
  std::filesystem::permissions(outside, std::filesystem::perms::all);
  as_admin({"CREATE DATABASE db_0", "CREATE TABLE db_0.t (a INT) DATA DIRECTORY '" + outside + "'",
            "INSERT INTO db_0.t VALUES (4)",
            "CREATE TABLE db_0.parts (a INT) ENGINE = MyISAM PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (9) "
            "DATA DIRECTORY = '" +
                outside + "' INDEX DIRECTORY = '" + outside + "')",
            "INSERT INTO db_0.parts VALUES (5)"});
  const BackupPlan plan = must(fixture_.backup(fixture_.place(0))->plan(progress_));
  std::string warnings;
  for (const std::string& warning : plan.warnings) warnings += warning + "\n";
  EXPECT_THAT(warnings, HasSubstr("parts, t: files outside of the server's data directory"));
  SpooledPart files = streamed(*opened(fixture_.place(0), Consistency::kCrash));
  bring(fixture_.place(1), files);
  EXPECT_EQ(one("SELECT a FROM db_1.t UNION ALL SELECT a FROM db_1.parts"), "4\n5");
  for (const char* table : {"t", "parts"}) {
    const std::string made = must(server().as_admin().query("SHOW CREATE TABLE db_1." + std::string(table))).text(0, 1);
    EXPECT_THAT(made, Not(HasSubstr("DIRECTORY")));
  }
}

TEST_F(MariadbObjects, ATableThatCannotBeOpenedIsNotPassedOver) {
  as_admin({"CREATE DATABASE db_0", "CREATE TABLE db_0.fine (a INT)", "CREATE TABLE db_0.torn (a INT) ENGINE = MyISAM",
            "FLUSH TABLES"});
  const std::string file = server().directory() + "/data/db_0/torn.frm";
  std::filesystem::resize_file(file, 100);
  const auto plan = fixture_.backup(fixture_.place(0))->plan(progress_);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("cannot open the table torn"));
  for (const char* ending : {"frm", "MYI", "MYD"})
    std::filesystem::remove(server().directory() + "/data/db_0/torn." + ending);
}

TEST_F(MariadbObjects, ADatabaseGetsAnotherNameAndEndedWaysAreGoneToTheirEnd) {
  const Place from = fixture_.place(0);
  const Place to = fixture_.place(1);
  const auto named = [](Place place) {
    place.database = MariadbFixture::copy(place).database.value_or(Fixture::name_of(place));
    return place;
  };
  const Place old_place = named(MariadbFixture::copy(from));
  const Place new_place = named(MariadbFixture::copy(to));
  fixture_.fill(from, 1);
  as_admin({"USE db_0", "CREATE TABLE taking (n INT DEFAULT nextval(counts))",
            "CREATE DEFINER=nobody@nowhere TRIGGER db_0.headed BEFORE INSERT ON db_0.noted FOR EACH ROW SET @a = 1",
            "CREATE DEFINER=notes@localhost EVENT runs ON SCHEDULE EVERY 1 DAY DO SELECT 1"});
  const std::string traces = fixture_.traces();
  // What a default and a head name is the other database now.
  const auto state = [&](int n) {
    std::string text = fixture_.state(fixture_.place(n));
    const std::string own = n == 0 ? "db_0" : "db_1";
    for (const std::string& name : {"`" + own + "`.", own + "."}) {
      for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) text.erase(at, name.size());
    }
    return text;
  };
  const std::string before = state(0);
  const env::Env machine = fixture_.surroundings().env;
  const auto move = [&](const Place& place, const Place& there) {
    return must(must(mariadb_data(machine, place))->move_to(there, TakenName::kStops, progress_));
  };
  EXPECT_EQ(move(old_place, new_place), 0U);
  EXPECT_EQ(state(0), "");
  EXPECT_EQ(state(1), before);
  EXPECT_EQ(fixture_.traces(), traces);
  EXPECT_EQ(move(old_place, new_place), 0U) << "done already";
  EXPECT_EQ(move(new_place, old_place), 0U);
  EXPECT_EQ(state(0), before);

  // Ended when all is written down, or when the tables have gone.
  for (const bool have_tables_gone : {false, true}) {
    for (const bool goes_on : {true, false}) {
      {
        auto admin = server().as_admin();
        const MariadbTarget here = must(MariadbTarget::of(machine.clock, old_place, "0"));
        const MariadbTarget there = must(MariadbTarget::of(machine.clock, new_place, "0"));
        RestoreBook book(admin, there);
        must(book.begin());
        must(read_programs(admin, "db_0", [&](const MariadbProgram& program) {
          return book.add_program(ProgramsOf::kFresh, program);
        }));
        must(book.add_defaults_of("db_0"));
        must(book.finish(must(find_database(admin, "db_0")).value(), "notes@localhost"));
        must(drop_programs(admin, machine.clock, "db_0", {"seen"}));
        must(book.drop_defaults("db_0"));
        if (have_tables_gone) {
          must(drop_programs(admin, machine.clock, "db_0"));
          must(book.note_old());
          fixture_.run(admin, {"CREATE DATABASE db_1", "CREATE DATABASE " + mariadb_name(there.old())});
          std::string sql = "RENAME TABLE " + book.rename_to_live();
          for (const std::string& name : must(list_stored(admin, "db_0")))
            sql += ", " + mariadb_name("db_0", name) + " TO " + mariadb_name("db_1", name);
          fixture_.run(admin, {"SET foreign_key_checks = 0", sql});
        }
      }
      if (goes_on) {
        EXPECT_EQ(move(old_place, new_place), 0U);
        EXPECT_EQ(state(1).empty(), false);
        EXPECT_EQ(state(0), "");
      }
      EXPECT_EQ(move(new_place, old_place), 0U);
      EXPECT_EQ(state(0), before);
      EXPECT_EQ(state(1), "");
      EXPECT_EQ(fixture_.traces(), traces);
    }
  }
  as_admin({"CREATE DATABASE db_1", "CREATE TABLE db_1.theirs (a INT)"});
  const auto data = must(mariadb_data(machine, old_place));
  const auto taken = data->move_to(new_place, TakenName::kStops, progress_);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().cause, Cause::kFileExists);
  EXPECT_EQ(must(data->move_to(new_place, TakenName::kStaysBehind, progress_)), 1U);
  EXPECT_EQ(state(0), before);
}

}  // namespace
}  // namespace spl::surface
