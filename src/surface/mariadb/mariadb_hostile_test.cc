#include <filesystem>

#include "surface/mariadb/mariadb_test_util.h"

namespace spl::surface {
namespace {

// What a dump tries to do to somebody else.
class HostileMariadb : public MariadbDriver {
 protected:
  void SetUp() override {
    auto admin = fixture_.server().as_admin();
    fixture_.run(admin, {"CREATE DATABASE victim", "CREATE TABLE victim.t (a INT)", "INSERT INTO victim.t VALUES (1)"});
    traces_ = fixture_.traces();
  }
  // The error of staging it, after which nothing of it is left.
  Error refused(const std::string& dump, Trust signer = Trust::kStranger) {
    SpooledPart files = part_of("CREATE TABLE mine (a INT);\n" + dump);
    const auto part = restore(place(), signer);
    const auto staged = part->stage(files, progress_);
    EXPECT_FALSE(staged) << dump;
    EXPECT_EQ(fixture_.traces(), traces_) << dump;
    EXPECT_EQ(fixture_.state(place()), "");
    return staged ? Error{} : staged.error();
  }
  Place place() { return fixture_.place(1); }

  std::string traces_;
};

TEST_F(HostileMariadb, WhatTheLoadingUserMayNotDoIsAStop) {
  for (const char* statement : {"CREATE USER evil@'%' IDENTIFIED BY 'x'",
                                "GRANT ALL ON *.* TO evil@'%' IDENTIFIED BY 'x'",
                                "INSERT INTO victim.t VALUES (2)",
                                "INSERT INTO mine SELECT a FROM victim.t",
                                "DROP DATABASE victim",
                                "CREATE DATABASE other",
                                "USE victim",
                                "USE mysql",
                                "SELECT * FROM mysql.global_priv",
                                "SELECT 1 INTO OUTFILE '/tmp/spl-evil'",
                                "LOAD DATA INFILE '/etc/passwd' INTO TABLE mine",
                                "INSERT INTO mine SELECT length(load_file('/etc/passwd')) FROM victim.t",
                                "SET GLOBAL max_connections = 1",
                                "SHUTDOWN",
                                "INSTALL SONAME 'ha_federatedx'",
                                "FLUSH TABLES WITH READ LOCK",
                                "CREATE TABLE elsewhere (a INT) DATA DIRECTORY '/tmp'",
                                "CREATE TABLE parts (a INT) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (5) "
                                "DATA DIRECTORY = '/tmp' INDEX DIRECTORY = '/tmp')",
                                "BEGIN NOT ATOMIC CREATE TABLE elsewhere (a INT) DATA DIRECTORY '/tmp'; END",
                                "SET PASSWORD FOR notes@localhost = PASSWORD('x')",
                                "CREATE VIEW v AS SELECT * FROM victim.t",
                                "CREATE ALGORITHM=MERGE DEFINER=root@localhost VIEW v AS SELECT * "
                                "FROM victim.t",
                                "ALTER DATABASE victim CHARACTER SET latin1",
                                "RENAME TABLE mine TO victim.mine",
                                "CREATE TABLE victim.evil (a INT)",
                                "CHANGE MASTER TO MASTER_HOST='evil'",
                                "EXECUTE IMMEDIATE 'DROP DATABASE victim'",
                                "SET SESSION AUTHORIZATION root@localhost"}) {
    const Error error = refused(std::string(statement) + ";");
    EXPECT_TRUE(error.code == ErrorCode::kStop || error.code == ErrorCode::kVerification)
        << statement << ": " << error.message;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/spl-evil"));
}

TEST_F(HostileMariadb, AFileOfThisSideIsGivenToNobody) {
  const Error error = refused("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE mine;");
  EXPECT_EQ(error.code, ErrorCode::kVerification) << error.message;
}

TEST_F(HostileMariadb, CommandsOfTheClientProgramAreNone) {
  const std::string touched = fixture_.path("touched");
  for (const std::string& line :
       std::vector<std::string>{"\\! touch " + touched, "system touch " + touched,
                                "SELECT 1;\n\\! touch " + touched + "\n;", "tee " + touched, "pager cat > " + touched,
                                "source /etc/passwd", "/*!999999 \\! touch " + touched + " */ x"}) {
    const Error error = refused(line + ";\n");
    EXPECT_EQ(error.code, ErrorCode::kVerification) << line << ": " << error.message;
    EXPECT_FALSE(std::filesystem::exists(touched)) << line;
  }
}

TEST_F(HostileMariadb, ATransactionThatWouldOutliveItsSessionIsNotBegun) {
  const Error error = refused(
      "XA START 'x';\nINSERT INTO mine VALUES (1);\nXA END 'x';\n"
      "XA PREPARE 'x';\n");
  EXPECT_EQ(error.code, ErrorCode::kVerification) << error.message;
  auto admin = fixture_.server().as_admin();
  EXPECT_EQ(must(admin.query("XA RECOVER")).size(), 0U);
}

TEST_F(HostileMariadb, OneStatementIsOne) {
  // Cut elsewhere than the server would.
  const Error error = refused("DELIMITER ;;\nSELECT 1; DROP DATABASE victim ;;\n");
  EXPECT_EQ(error.code, ErrorCode::kVerification) << error.message;
}

TEST_F(HostileMariadb, TheDefinerOfAnotherIsNot) {
  SpooledPart files = part_of(
      "CREATE TABLE mine (a INT);\n"
      "DELIMITER ;;\n"
      "CREATE DEFINER=`root`@`localhost` PROCEDURE p() SQL SECURITY DEFINER DELETE FROM victim.t ;;\n"
      "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER tr BEFORE INSERT ON mine FOR EACH ROW "
      "DELETE FROM victim.t */;;\n"
      "CREATE DEFINER=root@localhost EVENT e ON SCHEDULE EVERY 1 SECOND DO DELETE FROM victim.t ;;\n");
  auto admin = fixture_.server().as_admin();
  // Their rights are on this database alone.
  fixture_.run(admin,
               {"CREATE USER splone@localhost IDENTIFIED BY 'x'", "GRANT ALL ON `db\\_1`.* TO splone@localhost"});
  Place own = place();
  own.url = SecretBytes("mariadb://splone:x@/db_1?socket=" + fixture_.server().socket());
  const auto part = restore(own, Trust::kStranger);
  const std::string mark = must(part->stage(files, progress_));
  must(part->check(mark, progress_));
  must(part->swap(mark));
  const MariadbRows definers = must(admin.query(
      "SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'db_1' UNION ALL SELECT "
      "DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'db_1' UNION ALL SELECT DEFINER FROM "
      "information_schema.EVENTS WHERE EVENT_SCHEMA = 'db_1'"));
  ASSERT_EQ(definers.size(), 3U);
  for (std::size_t i = 0; i < definers.size(); ++i) EXPECT_EQ(definers.text(i, 0), "splone@localhost");
  // Whoever runs it, it can do no more than the service's own user.
  EXPECT_FALSE(admin.run("INSERT INTO db_1.mine VALUES (1)"));
  EXPECT_FALSE(admin.run("CALL db_1.p()"));
  EXPECT_EQ(must(admin.query("SELECT count(*) FROM victim.t")).number(0, 0), 1U);
  must(part->discard(mark));
}

TEST_F(HostileMariadb, WhatWouldRunWithEverybodysRightsIsAStop) {
  Place place = fixture_.place(1);
  const std::string socket = fixture_.server().socket();
  place.url = SecretBytes("mariadb:///db_1?socket=" + socket + "&user=root&password=root%27s%20own%3Asecret");
  const std::string dump = "CREATE TABLE t (a INT);\nCREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a = 1;\n";
  SpooledPart files = part_of(dump);
  const auto refused = restore(place, Trust::kStranger)->stage(files, progress_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kStop) << refused.error().message;
  EXPECT_EQ(fixture_.traces(), traces_);
  // This instance's own are as they were.
  files.rewind();
  EXPECT_TRUE(restore(place, Trust::kOwn)->stage(files, progress_));
}

TEST_F(HostileMariadb, FilesThatAreNoDumpAreRefused) {
  for (const char* dump : {"", "\n-- nothing\n", "SELECT 'unfinished", "PGDMP", "{\"a\": 1};"}) {
    SpooledPart files = part_of(dump);
    const auto staged = restore(place())->stage(files, progress_);
    ASSERT_FALSE(staged) << dump;
    EXPECT_EQ(staged.error().code, ErrorCode::kVerification) << staged.error().message;
    EXPECT_EQ(fixture_.traces(), traces_);
  }
}

}  // namespace
}  // namespace spl::surface
