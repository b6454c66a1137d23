#include <gmock/gmock.h>

#include <thread>

#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_test_util.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

TEST_F(MariadbDriver, EveryTypeOfAColumnComesBack) {
  const Place from = fixture_.place(0);
  auto admin = fixture_.server().as_admin();
  fixture_.run(admin, {"CREATE DATABASE db_0 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci"});
  auto notes = fixture_.server().as_notes("db_0");
  fixture_.run(
      notes,
      {"CREATE TABLE numbers (a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT ZEROFILL, d BIGINT UNSIGNED, e "
       "DECIMAL(60,30), "
       "f FLOAT, g DOUBLE, h BIT(33), i BOOLEAN)",
       "INSERT INTO numbers VALUES (-128, 65535, 7, 18446744073709551615, "
       "-123456789012345678901234567890.123456789012345678901234567891, 1.17549e-38, 2.2250738585072014e-308, "
       "b'100000000000000000000000000000001', TRUE), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
       "CREATE TABLE times (a DATE, b DATETIME(6), c TIMESTAMP(6) NULL, d TIME(6), e YEAR)",
       "INSERT INTO times VALUES ('0000-00-00', '9999-12-31 23:59:59.999999', '2001-02-03 04:05:06.000007', "
       "'-838:59:59.999999', 2155)",
       "CREATE TABLE texts (a CHAR(10) CHARACTER SET latin1, b VARCHAR(100) CHARACTER SET utf16, c LONGTEXT CHARACTER "
       "SET cp1251, d TEXT COLLATE utf8mb4_bin, e SET('x','y;z'), f INET6, g UUID, h JSON)",
       "INSERT INTO texts VALUES ('\u00e9 ', 'a\u20ac', '\u0439', concat('\U0001f389', char(0), char(26), '\\\\n\"'), "
       "'x', '::1', '123e4567-e89b-12d3-a456-426655440000', '{\"\u00fc\": null}')",
       "CREATE TABLE octets (a BINARY(4), b VARBINARY(300), c TINYBLOB, d LONGBLOB, e POINT, f GEOMETRY)",
       "INSERT INTO octets VALUES (x'00ff', x'', x'00', repeat(x'0a0d5c27001aff', 100000), POINT(1, 2), "
       "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326))",
       "CREATE TABLE `rules` (a INT DEFAULT (1 + 2), b VARCHAR(10) INVISIBLE DEFAULT 'x', c INT CHECK (c > 0), "
       "FULLTEXT "
       "KEY (b), KEY (a DESC) COMMENT 'k')",
       "INSERT INTO `rules`(c) VALUES (1)",
       "CREATE TABLE counted (i INT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 77",
       "CREATE TABLE versioned (a INT) WITH SYSTEM VERSIONING", "INSERT INTO versioned VALUES (1)",
       "CREATE TABLE my (a INT PRIMARY KEY) ENGINE = MyISAM", "INSERT INTO my VALUES (3), (1)",
       "CREATE TABLE ar (a INT) ENGINE = Aria", "INSERT INTO ar VALUES (2)"});
  fixture_.run(notes, {"SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
                       "CREATE PROCEDURE quotes() BEGIN SELECT 'a\\', \"a\" FROM numbers; /* ' */ END",
                       "SET sql_mode = 'ORACLE'", "CREATE PACKAGE pack AS FUNCTION f RETURN INT; END",
                       "CREATE PACKAGE BODY pack AS FUNCTION f RETURN INT AS BEGIN RETURN 3; END; END"});
  SpooledPart files = streamed(*opened(from, Consistency::kCrash));
  const Place to = fixture_.place(1);
  bring(to, files);
  EXPECT_EQ(fixture_.state(to), fixture_.state(from));
  EXPECT_EQ(must(fixture_.server().as_notes("db_1").query("SELECT a, length(d) FROM octets")).text(0, 1), "700000");
}

TEST_F(MariadbDriver, ADatabaseWithoutATableComesBack) {
  auto admin = fixture_.server().as_admin();
  fixture_.run(admin, {"CREATE DATABASE db_0 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci",
                       "CREATE DEFINER=notes@localhost FUNCTION db_0.one() RETURNS INT RETURN 1"});
  SpooledPart files = taken(fixture_.place(0));
  bring(fixture_.place(1), files);
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
}

TEST_F(MariadbDriver, TheDumpLoadsByTheProgramOfMariadb) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  const std::string dump = dump_of(files);
  EXPECT_THAT(dump, HasSubstr("CREATE DEFINER=`notes`@`localhost` PROCEDURE `both`"));
  EXPECT_EQ(dump.find("db_0"), std::string::npos);
  auto admin = fixture_.server().as_admin();
  fixture_.run(admin, {"CREATE DATABASE db_1 CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci"});
  const std::string file = fixture_.path("dump.sql");
  must(env::write_file_atomically(fixture_.fs(), file, dump));
  fixture_.server().said_by("mariadb", {"--comments", "db_1", "--execute=source " + file});
  EXPECT_EQ(fixture_.state(fixture_.place(1)), fixture_.state(fixture_.place(0)));
}

TEST_F(MariadbDriver, ALongWriteOfSomebodyElseIsNotWaitedForLongerThanThePause) {
  fixture_.fill(fixture_.place(0), 1);
  auto part = fixture_.backup(fixture_.place(0));
  must(part->plan(progress_));
  must(part->prepare(progress_));
  // Its statement waits for a row that another holds, as the statement of a frozen writer would.
  auto holder = fixture_.server().as_notes("db_0");
  fixture_.run(holder, {"START TRANSACTION", "UPDATE parted SET v = 'held' WHERE k = 1"});
  auto server = fixture_.server().as_admin();
  std::thread writer([this] {
    auto waiting = fixture_.server().as_notes("db_0");
    must(waiting.run("UPDATE parted SET v = 'late' WHERE k = 1"));
  });
  while (must(server.query("SELECT ID FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Updating%'")).size() == 0)
    fixture_.surroundings().env.clock.sleep_for(std::chrono::milliseconds(5));
  const auto deadline = in(std::chrono::seconds(2));
  const auto opened = part->open(Writers::kPaused, deadline);
  part->release();
  EXPECT_TRUE(opened) << opened.error().message;
  // Nobody stands behind a lock that was given up.
  must(holder.run("INSERT INTO parted VALUES (500, 'after')"));
  must(holder.run("COMMIT"));
  writer.join();
  SpooledPart files = streamed(*part);
  const std::string dump = dump_of(files);
  EXPECT_EQ(dump.find("held"), std::string::npos);
  EXPECT_EQ(dump.find("after"), std::string::npos);
}

TEST_F(MariadbDriver, WhatIsMadeOrChangedDuringTheDumpIsNotInIt) {
  fixture_.fill(fixture_.place(0), 1);
  const auto part = opened(fixture_.place(0));
  auto notes = fixture_.server().as_notes("db_0");
  fixture_.run(notes, {"CREATE TABLE later (a INT)", "INSERT INTO child(parent) VALUES (1)"});
  SpooledPart files = streamed(*part);
  EXPECT_EQ(dump_of(files).find("later"), std::string::npos);
  const auto other = opened(fixture_.place(0));
  fixture_.run(notes, {"CREATE PROCEDURE later() SELECT 1"});
  SpooledPart none = spool();
  const auto streamed = other->stream(none, progress_);
  ASSERT_FALSE(streamed);
  EXPECT_THAT(streamed.error().message, HasSubstr("was changed during the backup"));
}

TEST_F(MariadbDriver, ATableCannotBeDroppedUntilItIsRead) {
  fixture_.fill(fixture_.place(0), 1);
  const auto part = opened(fixture_.place(0));
  auto notes = fixture_.server().as_notes("db_0");
  must(notes.run("SET lock_wait_timeout = 0"));
  EXPECT_FALSE(notes.run("TRUNCATE child"));
  SpooledPart files = streamed(*part);
  EXPECT_THAT(dump_of(files), HasSubstr("(20,20,"));
  EXPECT_TRUE(notes.run("TRUNCATE child"));
}

TEST_F(MariadbDriver, TheUrlsUserIsLetIntoADatabaseThatIsNew) {
  fixture_.fill(fixture_.place(0), 1);
  SpooledPart files = taken(fixture_.place(0));
  Place place = fixture_.place(1);
  place.database = "ctx_new";
  const std::string traces = fixture_.traces();
  auto part = restore(place);
  const std::string mark = must(part->stage(files, progress_));
  must(part->swap(mark));
  EXPECT_EQ(must(fixture_.server().as_notes("ctx_new").query("SELECT count(*) FROM child")).number(0, 0), 20U);
  must(part->swap_back(mark));
  must(part->discard(mark));
  EXPECT_EQ(fixture_.traces(), traces);
}

TEST_F(MariadbDriver, AnEngineIsReadBack) {
  const auto engine = MariadbEngine::parse("mariadb 10.11.19 charset utf8mb4 collate utf8mb4_bin; mariadb 9.9");
  EXPECT_EQ(engine.text(), "mariadb 10.11.19 charset utf8mb4 collate utf8mb4_bin");
  EXPECT_EQ(engine.series(), 1011U);
  for (const char* text : {"", "mariadb", "mariadb x", "postgresql 15.1", "mariadb 10.", "mariadb '; collate `"})
    EXPECT_EQ(MariadbEngine::parse(text).series(), 0U) << text;
  EXPECT_EQ(MariadbEngine::parse("mariadb 99999.1 charset '").series(), 9900U);
  const Place place = fixture_.place(1);
  EXPECT_THAT(of_status(findings(*restore(place, Trust::kOwn, "mariadb 11.4.2")), FindingStatus::kStop),
              HasSubstr("engine: the server is MariaDB 10.11"));
  EXPECT_EQ(of_status(findings(*restore(place, Trust::kOwn, "mariadb 10.5.1")), FindingStatus::kStop), "");
}

TEST_F(MariadbDriver, NamesOfASplitAreThoseOfItsServer) {
  auto admin = fixture_.server().as_admin();
  fixture_.run(admin, {"CREATE DATABASE ctx_geo", "CREATE DATABASE ctx_old", "CREATE DATABASE other",
                       "CREATE DATABASE spl_0123_new", "CREATE DATABASE ctx_theirs"});
  SplitLook look{.place = fixture_.place(0), .pattern = "ctx_{context}", .others = {}};
  look.place.database = "ctx_geo";
  look.others.push_back(fixture_.place(1));
  look.others[0].database = "ctx_theirs";
  EXPECT_EQ(must(mariadb_split_names(fixture_.surroundings().env, look, progress_)).names,
            (std::vector<std::string>{"ctx_geo", "ctx_old"}));
  const auto data = must(mariadb_data(fixture_.surroundings().env, look.place));
  EXPECT_TRUE(must(data->is_there()));
  must(data->remove());
  must(data->remove());
  EXPECT_FALSE(must(data->is_there()));
}

TEST(MariadbAddress, IsReadFromAUrl) {
  const auto shown = [](const char* url) {
    const auto address = MariadbAddress::parse(SecretBytes(url));
    return address ? address->shown() + (address->password().empty() ? "" : " +") : "none";
  };
  EXPECT_EQ(shown("mariadb:///crm?socket=/run/my/s&user=notes"), "database crm on /run/my/s, as notes");
  EXPECT_EQ(shown("mysql://a%40b:p%3Aw@[::1]:99/c%2Fd"), "database c/d on ::1, port 99, as a@b +");
  EXPECT_EQ(shown("mariadb://u@localhost/x"), "database x on /run/mysqld/mysqld.sock, as u");
  EXPECT_EQ(shown("mariadb://u@localhost:3307/x"), "database x on 127.0.0.1, port 3307, as u");
  for (const char* url : {"", "postgresql:///x", "mariadb://u@h:0/x", "mariadb://u@h:x/x", "mariadb:///x?ssl=1",
                          "mariadb:///x?socket=%0", "mariadb:///%zz"})
    EXPECT_EQ(shown(url), "none") << url;
}

}  // namespace
}  // namespace spl::surface
