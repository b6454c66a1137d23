// Rights: what is asked ahead, what everybody has, and sessions that end when they should.
#include "surface/mariadb/mariadb_rights.h"

#include <gmock/gmock.h>

#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/mariadb_test_util.h"
#include "testing/sim_file_system.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

TEST(MariadbRights, AreReadFromWhatTheServerSays) {
  MariadbRights rights;
  for (const char* line :
       {"GRANT `TRIGGER ON role` TO `u`@`h` WITH ADMIN OPTION",
        "GRANT RELOAD, CREATE USER ON *.* TO `u`@`h` IDENTIFIED BY PASSWORD '*00' REQUIRE SSL WITH GRANT OPTION",
        "GRANT ALL PRIVILEGES ON `crm\\_x`.* TO `u`@`h`", "GRANT SELECT, INSERT ON `a%`.* TO `u`@`h`",
        "GRANT EVENT ON `ab%`.* TO `u`@`h`", "GRANT DELETE ON `abc`.* TO PUBLIC",
        "GRANT SELECT (`a`, `b``)`), UPDATE ON `d`.`t``x` TO `u`@`h`", "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `u`@`h`",
        "SET DEFAULT ROLE `r` FOR `u`@`h`", "GRANT", "GRANT SELECT", "GRANT SELECT ON `x", ""})
    rights.add(line);
  EXPECT_TRUE(rights.has_everywhere("RELOAD"));
  EXPECT_TRUE(rights.may_give());
  EXPECT_FALSE(rights.has_everywhere("SELECT"));
  EXPECT_TRUE(rights.has("TRIGGER", "crm_x"));
  EXPECT_FALSE(rights.has("TRIGGER", "crmXx"));
  EXPECT_TRUE(rights.has("SELECT", "axe"));
  // The server takes the grant that says most, and those of everybody besides.
  EXPECT_FALSE(rights.has("SELECT", "abc"));
  EXPECT_TRUE(rights.has("EVENT", "abc"));
  EXPECT_TRUE(rights.has("DELETE", "abc"));
  EXPECT_TRUE(rights.has_on_table("UPDATE", "d", "t`x"));
  EXPECT_FALSE(rights.has_on_table("SELECT", "d", "t`x"));
  EXPECT_EQ(rights.missing({"RELOAD", "TRIGGER", "EVENT"}, "axe"), "TRIGGER, EVENT");

  const auto beyond = [](const char* line) {
    MariadbRights one;
    one.add(line);
    return one.beyond("db_1");
  };
  EXPECT_EQ(beyond("GRANT USAGE ON *.* TO `u`@`h`"), "");
  EXPECT_EQ(beyond("GRANT ALL PRIVILEGES ON `db\\_1`.* TO `u`@`h`"), "");
  EXPECT_EQ(beyond("GRANT SELECT ON `db_1`.`t` TO `u`@`h`"), "");
  EXPECT_EQ(beyond("GRANT SELECT ON `db_1`.* TO `u`@`h`"), "SELECT on db_1");
  EXPECT_EQ(beyond("GRANT SELECT ON `db\\_%`.* TO `u`@`h`"), "SELECT on db\\x5c_%");
  EXPECT_EQ(beyond("GRANT SELECT ON `x`.`t` TO PUBLIC"), "SELECT on x.t");
  EXPECT_EQ(beyond("GRANT FILE ON *.* TO `u`@`h`"), "FILE on all databases");
}

class RightsOnMariadb : public MariadbDriver {
 protected:
  void as_admin(const std::vector<std::string>& statements) {
    auto admin = fixture_.server().as_admin();
    fixture_.run(admin, statements);
  }
  SecretBytes url_of(const std::string& user, const std::string& database) {
    return SecretBytes("mariadb://" + user + ":x@/" + database + "?socket=" + fixture_.server().socket());
  }
  Place place_of(const std::string& user, int n) {
    Place place = fixture_.place(n);
    place.url = url_of(user, fixture_.name(n));
    place.admin_url = {};
    return place;
  }
  bool has_user(const std::string& name) {
    auto admin = fixture_.server().as_admin();
    return must(admin.query("SELECT 1 FROM mysql.global_priv WHERE User LIKE " + mariadb_text(name))).size() > 0;
  }
};

TEST_F(RightsOnMariadb, ABackupByWhoMayNotSeeAllIsRefused) {
  fixture_.fill(fixture_.place(0), 1);
  as_admin({"CREATE USER spl_r@localhost IDENTIFIED BY 'x'"});
  const std::vector<std::string> wanted{"SELECT", "SHOW VIEW", "TRIGGER", "EVENT", "SELECT on mysql.proc"};
  for (const std::string& missing : wanted) {
    for (const std::string& right : wanted) {
      const bool is_of_routines = right.ends_with("proc");
      const std::string what = is_of_routines ? "SELECT ON mysql.proc" : right + " ON `db\\_0`.*";
      as_admin({"GRANT " + what + " TO spl_r@localhost"});
      if (right == missing) as_admin({"REVOKE " + what + " FROM spl_r@localhost"});
    }
    const auto plan = fixture_.backup(place_of("spl_r", 0))->plan(progress_);
    ASSERT_FALSE(plan) << missing;
    EXPECT_EQ(plan.error().code, ErrorCode::kRefused);
    EXPECT_THAT(plan.error().message, HasSubstr("it lacks " + missing));
  }
  // A view calls a function.
  as_admin({"GRANT SELECT ON mysql.proc TO spl_r@localhost", "GRANT EXECUTE ON `db\\_0`.* TO spl_r@localhost"});
  SpooledPart files = taken(place_of("spl_r", 0));
  EXPECT_THAT(dump_of(files), HasSubstr("TRIGGER note"));
}

TEST_F(RightsOnMariadb, ARestoreByWhoMayNotIsStoppedAhead) {
  as_admin({"CREATE USER spl_a@localhost IDENTIFIED BY 'x'",
            "GRANT CREATE, DROP, CREATE USER, SELECT ON *.* TO spl_a@localhost WITH GRANT OPTION"});
  Place place = fixture_.place(1);
  place.admin_url = url_of("spl_a", "");
  const std::string stops = of_status(findings(*restore(place)), FindingStatus::kStop);
  EXPECT_THAT(stops, HasSubstr("rights: "));
  for (const char* right : {"RELOAD", "TRIGGER", "EVENT", "SHOW VIEW", "SET USER", "CONNECTION ADMIN"})
    EXPECT_THAT(stops, HasSubstr(right));
  as_admin({"GRANT ALL ON *.* TO spl_a@localhost WITH GRANT OPTION"});
  EXPECT_EQ(of_status(findings(*restore(place)), FindingStatus::kStop), "");
}

TEST_F(RightsOnMariadb, TheLoadingUserGoesAlsoWhereNobodyMayListUsers) {
  as_admin({"CREATE USER spladmin@localhost IDENTIFIED BY 'x'", "GRANT ALL ON *.* TO spladmin@localhost",
            "REVOKE SELECT ON *.* FROM spladmin@localhost",
            "GRANT ALL ON `spl\\_%`.* TO spladmin@localhost WITH GRANT OPTION"});
  Place place = fixture_.place(1);
  place.admin_url = url_of("spladmin", "");
  SpooledPart files = part_of("CREATE TABLE t (a INT);\nSHUTDOWN;\n");
  EXPECT_FALSE(restore(place)->stage(files, progress_));
  EXPECT_FALSE(has_user("spl\\_%"));
}

TEST_F(RightsOnMariadb, WhatEverybodyMayDoAStrangersDumpMayNot) {
  const auto code = [&](Trust signer) {
    SpooledPart files = part_of("CREATE TABLE t (a INT);\n");
    auto part = restore(fixture_.place(1), signer);
    const auto staged = part->stage(files, progress_);
    if (staged) must(part->discard(*staged));
    return staged ? "" : staged.error().message;
  };
  as_admin({"CREATE DATABASE victim", "CREATE TABLE victim.t (a INT)"});
  EXPECT_EQ(code(Trust::kStranger), "");
  as_admin({"GRANT SELECT ON victim.t TO PUBLIC"});
  EXPECT_THAT(code(Trust::kStranger), HasSubstr("everybody has SELECT on victim.t"));
  EXPECT_EQ(code(Trust::kOwn), "");
  as_admin({"REVOKE SELECT ON victim.t FROM PUBLIC", "CREATE USER ''@localhost",
            "GRANT INSERT ON `vic%`.* TO ''@localhost"});
  EXPECT_THAT(code(Trust::kStranger), HasSubstr("everybody has rights on victim"));
  as_admin({"DROP USER ''@localhost"});
  EXPECT_EQ(code(Trust::kStranger), "");
}

TEST_F(RightsOnMariadb, AStrangersTriggerDoesNotGetRightsOnOtherDatabases) {
  as_admin({"CREATE USER spl_w@localhost IDENTIFIED BY 'x'", "GRANT ALL ON `db_1`.* TO spl_w@localhost"});
  Place place = fixture_.place(1);
  place.url = url_of("spl_w", "db_1");
  const auto code = [&](const std::string& dump) {
    SpooledPart files = part_of(dump);
    auto part = restore(place, Trust::kStranger);
    const auto staged = part->stage(files, progress_);
    if (staged) must(part->discard(*staged));
    return staged ? "" : staged.error().message;
  };
  const std::string trigger =
      "CREATE TABLE t (a INT);\nCREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a = 1;\n";
  EXPECT_THAT(code(trigger), HasSubstr("has ALL PRIVILEGES on db_1"));
  EXPECT_EQ(code("CREATE TABLE t (a INT);\nCREATE VIEW v AS SELECT a FROM t;\n"), "");
  as_admin({"REVOKE ALL ON `db_1`.* FROM spl_w@localhost", "GRANT ALL ON `db\\_1`.* TO spl_w@localhost"});
  EXPECT_EQ(code(trigger), "");
}

TEST_F(RightsOnMariadb, FilesOfTablesWithoutALogAreSyncedOrNamed) {
  as_admin({"CREATE DATABASE db_1", "CREATE TABLE db_1.fine (a INT)"});
  auto admin = fixture_.server().as_admin();
  const env::Env machine = fixture_.surroundings().env;
  const MariadbTarget target = must(MariadbTarget::of(machine.clock, fixture_.place(1), kMariadbId));
  const auto left = [&](const env::Env& seen) {
    return must(make_files_durable(admin, seen, target, {"db_1"}, "db_1"));
  };
  testing::SimFileSystem elsewhere;
  const env::Env other{elsewhere, machine.clock, machine.random, machine.log};
  EXPECT_EQ(left(other), "");
  as_admin({"CREATE TABLE db_1.logged (a INT) ENGINE = Aria"});
  EXPECT_EQ(left(other), "");
  as_admin({"CREATE TABLE db_1.loose (a INT) ENGINE = MyISAM"});
  EXPECT_EQ(left(machine), "");
  EXPECT_EQ(left(other), "loose of the engine MyISAM");
}

// Is cancelled when it has been asked some times.
class SoonCancelled final : public base::Progress {
 public:
  void update(std::string_view /*step*/, std::uint64_t /*done*/, std::uint64_t /*total*/,
              std::string_view /*unit*/) override {}
  bool cancelled() override { return ++asked_ > kTimes; }

 private:
  static constexpr int kTimes = 5;
  int asked_ = 0;
};

TEST_F(RightsOnMariadb, AnAnswerIsNotWaitedForLongerThanItIsWanted) {
  auto admin = fixture_.server().as_admin();
  SoonCancelled progress;
  admin.limit_waits(&progress);
  // It begins at once, and ends in an hour.
  const auto begun = fixture_.surroundings().env.clock.since_boot();
  const auto ended = admin.run(
      "SELECT repeat('x', 40000), sleep(seq > 3) FROM mysql.help_topic JOIN (SELECT 1 AS seq UNION ALL SELECT 5) AS s "
      "LIMIT 3600");
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause, Cause::kCancelled) << ended.error().message;
  EXPECT_LT(fixture_.surroundings().env.clock.since_boot() - begun, std::chrono::seconds(30));
}

TEST_F(RightsOnMariadb, AnAnswerOfAnyLengthWantsNoRoom) {
  as_admin({"CREATE DATABASE db_0"});
  auto admin = fixture_.server().as_admin();
  must(admin.run("USE db_0"));
  const std::string long_one = "SELECT repeat('x', 1000000) FROM seq_1_to_70";
  must(admin.run(long_one));
  must(admin.run("SELECT 1"));
  const auto whole = admin.query(long_one);
  ASSERT_FALSE(whole);
  EXPECT_THAT(whole.error().message, HasSubstr("is longer than any that is expected"));
}

}  // namespace
}  // namespace spl::surface
