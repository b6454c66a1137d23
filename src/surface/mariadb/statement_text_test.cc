#include "surface/mariadb/statement_text.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace spl::surface {
namespace {

TEST(StatementText, BeginAsThoseOfADumpDo) {
  for (const char* known :
       {"CREATE TABLE t (a int)", "insert into t values (1)",
        "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`b`*/ /*!50003 TRIGGER t */",
        "/*M!999999\\- enable the sandbox mode */", "/*M!999999\\- enable */ SET NAMES utf8", "/*M!100616 SET @a=1 */",
        "-- XA\n# XA\n /* XA */ DROP TABLE t", "/*!40101 SET NAMES utf8 */", "  "})
    EXPECT_EQ(word_of_no_dump(known), "") << known;
  for (const auto& [statement, word] :
       std::map<std::string, std::string>{{"XA PREPARE 'x'", "XA"},
                                          {"execute immediate 'XA'", "EXECUTE"},
                                          {"/* x */ call p()", "CALL"},
                                          {"/*!50003 HANDLER t OPEN */", "HANDLER"},
                                          {"/*M!100616 SET */ XA START 'x'", "XA"},
                                          {"/*!90000 CREATE */ XA START 'x'", "XA"},
                                          {"/*M!999999 SET */ PREPARE s FROM 'x'", "PREPARE"},
                                          {"/*!99999999999999999999 SET */ PREPARE s FROM 'x'", "PREPARE"},
                                          {"(SELECT 1)", "("}})
    EXPECT_EQ(word_of_no_dump(statement), word) << statement;
}

TEST(StatementText, GoWithoutTheirOwners) {
  EXPECT_EQ(without_owner("CREATE DEFINER=`a``b`@`h` PROCEDURE p() SELECT 1"), "CREATE  PROCEDURE p() SELECT 1");
  EXPECT_EQ(without_owner("/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER t */"),
            "/*!50003 CREATE*/ /*!50017 */ /*!50003 TRIGGER t */");
  EXPECT_EQ(without_owner("/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`a`@`b` SQL SECURITY DEFINER */\n"
                          "/*!50001 VIEW `v` AS select 1 */"),
            "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013  SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 "
            "*/");
  EXPECT_EQ(without_owner("create or replace definer = current_user() view v as select 1"),
            "create or replace  view v as select 1");
  EXPECT_EQ(without_owner("CREATE DEFINER='a'@'b' FUNCTION f() RETURNS INT RETURN 1"),
            "CREATE  FUNCTION f() RETURNS INT RETURN 1");
  EXPECT_EQ(without_owner("ALTER DATABASE `crm` CHARACTER SET latin1 COLLATE latin1_bin"),
            "ALTER DATABASE  CHARACTER SET latin1 COLLATE latin1_bin");
  for (const char* same : {"INSERT INTO t VALUES ('CREATE DEFINER=`a`@`b` VIEW')", "CREATE TABLE `definer` (a int)",
                           "CREATE VIEW v AS SELECT 'DEFINER=`a`@`b`'", "ALTER DATABASE CHARACTER SET latin1",
                           "CREATE DEFINER=", "CREATE"})
    EXPECT_EQ(without_owner(same), same);
}

TEST(StatementText, TheHeadOfATriggerNamesNoDatabase) {
  EXPECT_EQ(without_owner("CREATE DEFINER=`a`@`b` TRIGGER `x`.`t` BEFORE INSERT ON x . u FOR EACH ROW SET @a = x.b"),
            "CREATE  TRIGGER `t` BEFORE INSERT ON u FOR EACH ROW SET @a = x.b");
  EXPECT_EQ(without_owner("/*!50003 CREATE*/ /*!50017 DEFINER=a@b*/ /*!50003 TRIGGER t AFTER UPDATE ON x.`u` FOR */"),
            "/*!50003 CREATE*/ /*!50017 */ /*!50003 TRIGGER t AFTER UPDATE ON `u` FOR */");
  EXPECT_EQ(without_owner("create or replace trigger if not exists x.t before delete on u for each row"),
            "create or replace trigger if not exists t before delete on u for each row");
  for (const char* other :
       {"CREATE TRIGGER", "CREATE TRIGGER x.", "CREATE TRIGGER t BEFORE ON", "CREATE TABLE x.t (a INT)"})
    EXPECT_EQ(without_owner(other), other);
}

TEST(StatementText, ASequenceIsTheOneInTheSameDatabase) {
  EXPECT_EQ(
      with_own_sequences("CREATE TABLE t (a INT DEFAULT nextval(`x`.`s``.`), b INT DEFAULT (1 + lastval( `y`.`z`)), c "
                         "TEXT DEFAULT 'nextval(`x`.`s`)' COMMENT 'it''s \\' nextval(`x`.`s`)') -- nextval(`x`.`s`)"),
      "CREATE TABLE t (a INT DEFAULT nextval(`s``.`), b INT DEFAULT (1 + lastval( `z`)), c "
      "TEXT DEFAULT 'nextval(`x`.`s`)' COMMENT 'it''s \\' nextval(`x`.`s`)') -- nextval(`x`.`s`)");
  EXPECT_EQ(with_own_sequences("nextval(`s`) nextval(`x`"), "nextval(`s`) nextval(`x`");
  EXPECT_EQ(with_database("nextval(`x`.`x`) + lastval(`y`.`x`) + '`x`.'", "x", "`n``w`"),
            "nextval(`n``w`.`x`) + lastval(`y`.`x`) + '`x`.'");
}

TEST(StatementText, TheStateOfAnEventStandsBeforeItsComment) {
  const auto with = [](std::string_view statement, std::string_view state) {
    const auto event = EventStatement::read(statement);
    return event ? event->name + (event->is_enabled ? " on: " : " off: ") + event->with(statement, state) : "none";
  };
  EXPECT_EQ(
      with("CREATE EVENT `e``1` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE ENABLE COMMENT 'DISABLE' DO SET @a = 1",
           "DISABLE"),
      "e`1 on: CREATE EVENT `e``1` ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DISABLE COMMENT 'DISABLE' DO SET @a "
      "= 1");
  EXPECT_EQ(
      with("create definer=a@b event if not exists d.e on schedule at now() + interval (select 1) day do select 1",
           "DISABLE"),
      "e on: create definer=a@b event if not exists d.e on schedule at now() + interval (select 1) day DISABLE do "
      "select 1");
  EXPECT_EQ(with("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE COMMENT 'ENABLE' DO x", "ENABLE"),
            "e off: CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENABLE ON SLAVE COMMENT 'ENABLE' DO x");
  for (const char* other :
       {"CREATE EVENT e ON SCHEDULE EVERY 1 DAY", "ALTER EVENT e ENABLE", "CREATE EVENT", "", "CREATE TABLE e (a INT)"})
    EXPECT_EQ(with(other, "DISABLE"), "none");
}

TEST(StatementText, KindsAreToldApart) {
  EXPECT_EQ(kind_of("CREATE OR REPLACE TEMPORARY TABLE t"), StatementKind::kCreateTable);
  EXPECT_EQ(kind_of("/*!40000 ALTER TABLE `t` DISABLE KEYS */"), StatementKind::kAlterTable);
  EXPECT_EQ(kind_of("ALTER DEFINER = CURRENT_USER() EVENT e ENABLE"), StatementKind::kAlterEvent);
  EXPECT_EQ(kind_of("BEGIN NOT ATOMIC SELECT 1; END"), StatementKind::kCompound);
  EXPECT_EQ(kind_of("BEGIN"), StatementKind::kOther);
  EXPECT_TRUE(names_directory("CREATE TABLE t (a INT) /*!50100 PARTITION BY x (PARTITION p DATA DIRECTORY = '/x') */"));
  EXPECT_FALSE(names_directory("CREATE TABLE t (`directory` INT COMMENT 'DATA DIRECTORY=') /* DIRECTORY */"));
}

}  // namespace
}  // namespace spl::surface
