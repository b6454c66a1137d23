// A MariaDB server of the tests' own, on a private socket, started once a program; and databases in it. For tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/words.h"
#include "env/child_process.h"
#include "surface/driver_test_util.h"
#include "surface/mariadb/mariadb.h"
#include "surface/mariadb/mariadb_session.h"
#include "surface/spooled_part.h"

namespace spl::surface {

inline constexpr const char* kRootPassword = "root's own:secret";
inline constexpr const char* kUserPassword = "pa:ss\\w'ord 1";

class MariadbServer {
 public:
  static MariadbServer& instance() {
    static MariadbServer server;
    return server;
  }
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;
  ~MariadbServer() {
    if (server_) {
      server_->close_input();
      server_->limit_waits(std::chrono::seconds(20), nullptr);
      (void)server_->wait();
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  // A url of the user "notes", or of root.
  [[nodiscard]] std::string url(const std::string& database = "") const {
    return "mariadb://notes:pa%3Ass%5Cw%27ord%201@/" + database + "?socket=" + socket();
  }
  [[nodiscard]] std::string admin_url() const {
    return "mariadb:///?socket=" + socket() + "&user=root&password=root%27s%20own%3Asecret";
  }
  [[nodiscard]] std::string socket() const { return directory_ + "/s"; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  env::Clock& clock() { return clock_; }

  MariadbSession connect(const std::string& url) {
    return must(MariadbSession::open(must(MariadbAddress::parse(SecretBytes(url))), clock_, nullptr));
  }
  MariadbSession as_admin() { return connect(admin_url()); }
  MariadbSession as_notes(const std::string& database) { return connect(url(database)); }

  // What another of MariaDB's programs says, as root.
  std::string said_by(const std::string& program, std::vector<std::string> words) {
    const std::string file = directory_ + "/client.cnf";
    std::ofstream(file) << "[client]\nuser=root\npassword=\"" << kRootPassword << "\"\nsocket=" << socket() << "\n";
    words.insert(words.begin(), {program, "--defaults-file=" + file});
    return must(env::output_of_command({.arguments = words, .environment = {"LC_ALL=C", "PATH=/usr/bin:/bin"}}, {},
                                       {.output_bytes_max = 16u << 20}));
  }

 private:
  MariadbServer() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spl-my-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    // The server refuses to be root's.
    if (::geteuid() == 0) {
      user_ = must(env::find_user("nobody"))->ids;
      EXPECT_EQ(::chown(directory_.c_str(), user_->uid, user_->gid), 0);
    }
    must(env::output_of_command(as_user({"cp", "-a", made_data(), directory_ + "/data"}), {}, {}));
    env::ChildOptions options = as_user(
        {"mariadbd", "--no-defaults", "--datadir=" + directory_ + "/data", "--socket=" + socket(), "--skip-networking",
         "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=24M", "--innodb-log-file-size=8M",
         "--max-connections=60", "--event-scheduler=OFF", "--local-infile=1", "--performance-schema=OFF",
         "--pid-file=" + directory_ + "/pid", "--log-error=" + directory_ + "/log", "--skip-name-resolve"});
    // It ends when its standard input does, and so with the test, however that ends.
    const std::vector<std::string> around{"sh", "-c", "\"$@\" </dev/null & read -r line; kill -KILL $!; wait $!", "sh"};
    options.arguments.insert(options.arguments.begin(), around.begin(), around.end());
    server_ = must(env::ChildProcess::start(options));
    const auto first = must(MariadbAddress::parse(SecretBytes("mariadb:///?user=root&socket=" + socket())));
    for (int i = 0; i < 600; ++i) {
      auto admin = MariadbSession::open(first, clock_, nullptr);
      if (admin) {
        must(admin->run("SET PASSWORD = PASSWORD(" + mariadb_text(kRootPassword) + ")"));
        must(admin->run("CREATE USER notes@localhost IDENTIFIED BY " + mariadb_text(kUserPassword)));
        for (const char* database : {"db_0", "db_1"})
          must(admin->run("GRANT ALL ON " + mariadb_grant_name(database) + ".* TO notes@localhost"));
        return;
      }
      clock_.sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("no mariadbd");
  }

  // mariadb-install-db takes longer than most tests: a data directory that is made once for every program of the tests,
  // by renaming a whole one to its name, and copied.
  std::string made_data() {
    const std::string made =
        (std::filesystem::temp_directory_path() / ("spl-my-data1-" + std::to_string(::geteuid()))).string();
    struct stat info{};
    if (::lstat(made.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
        info.st_uid == (user_ ? user_->uid : ::geteuid()) && std::filesystem::exists(made + "/mysql"))
      return made;
    const std::string fresh = directory_ + "/made";
    must(env::output_of_command(
        as_user({"mariadb-install-db", "--no-defaults", "--datadir=" + fresh, "--skip-test-db", "--skip-name-resolve",
                 "--auth-root-authentication-method=normal", "--innodb-log-file-size=8M"}),
        {}, {}));
    // Who comes second has one, too.
    return ::rename(fresh.c_str(), made.c_str()) == 0 ? made : fresh;
  }

  env::ChildOptions as_user(std::vector<std::string> words) {
    // A server that starts removes what any other left, and uses, as "#sql..." in its temporary directory: one of its
    // own.
    env::ChildOptions options{
        .arguments = std::move(words),
        .environment = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR=" + directory_}};
    options.user = user_;
    options.working_directory = directory_;
    return options;
  }

  env::SystemClock clock_;
  std::string directory_;
  std::optional<env::UserIds> user_;
  std::unique_ptr<env::ChildProcess> server_;
};

// Databases of the tests, and how they are seen. Each fixture goes with what it has made.
class MariadbFixture : public DriverRoom {
 public:
  MariadbFixture() { clean(); }
  MariadbFixture(const MariadbFixture&) = delete;
  MariadbFixture& operator=(const MariadbFixture&) = delete;
  ~MariadbFixture() { clean(); }

  MariadbServer& server() { return server_; }

  static Place copy(const Place& place) {
    Place made;
    made.kind = place.kind;
    made.subject = place.subject;
    made.url = place.url.copy();
    made.admin_url = place.admin_url.copy();
    made.database = place.database;
    return made;
  }
  std::unique_ptr<BackupPart> backup(Place place) { return mariadb_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    request.keep_directory = path("kept/" + request.id);
    if (request.engine.empty()) request.engine = "mariadb 10.11.0 charset utf8mb4 collate utf8mb4_swedish_ci";
    return mariadb_restore(surroundings_, std::move(place), std::move(request));
  }

  bool has_database(const std::string& name) {
    return must(server_.as_admin().query("SHOW DATABASES LIKE " + mariadb_text(name))).size() > 0;
  }
  void run(MariadbSession& session, const std::vector<std::string>& statements) {
    for (const std::string& statement : statements) {
      const auto done = session.run(statement);
      EXPECT_TRUE(done) << done.error().message << "\n" << statement;
    }
  }

  // What every kind has. `variant` 2 can be put over 1 while somebody reads that.
  static std::vector<std::string> objects(int variant) {
    if (variant == 2)
      return {"DELETE FROM child",
              "DELETE FROM `odd ``näme`",
              "INSERT INTO `odd ``näme`(id, t) VALUES (1, 'other')",
              "DELETE FROM parted",
              "INSERT INTO parted VALUES (1, 'p1')",
              "CREATE TABLE extra(x INT)",
              "INSERT INTO extra SELECT seq FROM seq_1_to_50"};
    return {
        "CREATE TABLE `odd ``näme` (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(60) NOT NULL, m ENUM('sad', "
        "'o''k;') DEFAULT 'sad', twice INT GENERATED ALWAYS AS (length(t) * 2) STORED, thrice INT AS (id * 3) "
        "VIRTUAL, CHECK (t <> ';')) COMMENT 'It''s; a \"comment\" — ü'",
        "INSERT INTO `odd ``näme`(t) SELECT concat('row ', seq, char(10), 'ü 🎉 \\\\ '' ; -- /*') FROM "
        "seq_1_to_100",
        "CREATE TABLE child (n SERIAL, parent INT, j JSON, FOREIGN KEY (parent) REFERENCES `odd ``näme`(id))",
        "INSERT INTO child(parent, j) SELECT seq, '{\"a\": [1, null]}' FROM seq_1_to_20",
        "CREATE TABLE parted (k INT PRIMARY KEY, v TEXT) PARTITION BY RANGE (k) (PARTITION p1 VALUES LESS THAN "
        "(10), PARTITION p2 VALUES LESS THAN MAXVALUE)",
        "INSERT INTO parted SELECT seq, concat('v', seq) FROM seq_0_to_19", "CREATE SEQUENCE counts START WITH 5",
        "CREATE TABLE noted (what VARCHAR(100))",
        "CREATE FUNCTION one_more(i INT) RETURNS INT DETERMINISTIC RETURN i + 1",
        "CREATE PROCEDURE `both`(IN x INT) BEGIN DECLARE y INT; SET y = x; /* ; */ SELECT ';;', y; -- DELIMITER ;\n"
        "END",
        // By their names the first would be made before what it reads.
        "CREATE VIEW seen AS SELECT t, m FROM `odd ``näme` WHERE id < 10",
        "CREATE VIEW a_view AS SELECT t, one_more(1) AS two FROM seen",
        "CREATE TRIGGER note BEFORE UPDATE ON `odd ``näme` FOR EACH ROW SET NEW.t = concat(NEW.t, '!')",
        "CREATE TRIGGER note_2 BEFORE UPDATE ON `odd ``näme` FOR EACH ROW INSERT INTO noted VALUES ('second')",
        "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE COMMENT 'daily' DO DELETE FROM noted"};
  }

  // As mariadb-dump has it, with what the database itself has.
  std::string dump(const std::string& database) {
    if (!has_database(database)) return "";
    const MariadbRows defaults = must(
        server_.as_admin().query("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = " +
                                 mariadb_text(database)));
    return defaults.text(0, 0) + "\n" +
           server_.said_by("mariadb-dump", {"--skip-comments", "--hex-blob", "--routines", "--triggers", "--events",
                                            "--order-by-primary", "--skip-extended-insert",
                                            "--default-character-set=utf8mb4", database});
  }

  std::string traces() {
    std::string text;
    auto admin = server_.as_admin();
    for (const char* sql :
         {"SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('db_0', 'db_1') ORDER BY 1",
          "SELECT concat(User, '@', Host) FROM mysql.global_priv ORDER BY 1",
          "SELECT concat(User, '@', Host, ' ', Db) FROM mysql.db ORDER BY 1",
          "SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER LIKE 'spl%'"}) {
      const MariadbRows rows = must(admin.query(sql));
      for (std::size_t i = 0; i < rows.size(); ++i) text += rows.text(i, 0) + "\n";
    }
    for (const char* below : {"spool", "scratch", "kept"}) {
      for (const std::string& name : must(fs_.list(path(below)))) text += name + "\n";
    }
    return text;
  }

 private:
  void clean() {
    auto admin = server_.as_admin();
    must(admin.run("SET SESSION foreign_key_checks = 0"));
    const MariadbRows databases = must(
        admin.query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql', 'sys', "
                    "'information_schema', 'performance_schema')"));
    for (std::size_t i = 0; i < databases.size(); ++i)
      must(admin.run("DROP DATABASE " + mariadb_name(databases.text(i, 0))));
    const MariadbRows users = must(admin.query("SELECT User, Host FROM mysql.global_priv WHERE User LIKE 'spl%'"));
    for (std::size_t i = 0; i < users.size(); ++i)
      must(admin.run("DROP USER " + mariadb_name(users.text(i, 0)) + "@" + mariadb_name(users.text(i, 1))));
  }

  MariadbServer& server_ = MariadbServer::instance();
};

enum class NamedBy : bool { kUrl, kSplit };

// A database, named by the url or by the split.
template <NamedBy named>
class OneMariadbDatabase : public MariadbFixture {
 public:
  static std::string name(int n) { return "db_" + std::to_string(n); }
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kMariadb;
    place.subject = "notes/crm";
    place.url = SecretBytes(server().url(named == NamedBy::kUrl ? name(n) : ""));
    place.admin_url = SecretBytes(server().admin_url());
    if (named == NamedBy::kSplit) place.database = name(n);
    return place;
  }
  static std::string name_of(const Place& place) {
    return place.database ? *place.database : must(MariadbAddress::parse(place.url)).database();
  }
  void fill(const Place& place, int variant) {
    const std::string database = name_of(place);
    const bool is_fresh = !has_database(database);
    auto admin = server().as_admin();
    if (is_fresh) must(admin.run("CREATE DATABASE " + database + " CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci"));
    auto notes = server().as_notes(database);
    if (is_fresh) run(notes, objects(1));
    if (variant == 2) run(notes, objects(2));
  }
  std::string state(const Place& place) { return dump(name_of(place)); }
};

inline constexpr const char* kMariadbId = "0123456789abcdef";

// What every test below does with a part.
class MariadbDriver : public ::testing::Test {
 protected:
  using Fixture = OneMariadbDatabase<NamedBy::kUrl>;

  std::chrono::nanoseconds in(std::chrono::milliseconds time) {
    return fixture_.surroundings().env.clock.since_boot() + time;
  }
  std::unique_ptr<BackupPart> opened(const Place& place, Consistency wanted = Consistency::kQuiesced) {
    auto part = fixture_.backup(MariadbFixture::copy(place));
    must(part->plan(progress_));
    must(part->prepare(progress_));
    EXPECT_EQ(must(part->open(Writers::kPaused, in(std::chrono::seconds(20)))), wanted);
    part->release();
    return part;
  }
  SpooledPart spool() { return must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool)); }
  SpooledPart streamed(BackupPart& part) {
    SpooledPart files = spool();
    must(part.stream(files, progress_));
    files.rewind();
    return files;
  }
  SpooledPart taken(const Place& place) { return streamed(*opened(place)); }
  std::unique_ptr<RestorePart> restore(const Place& place, Trust signer = Trust::kOwn, std::string engine = "") {
    return fixture_.restore(
        MariadbFixture::copy(place),
        {.id = kMariadbId, .data = InTheWay::kIsReplaced, .signer = signer, .bytes = 1, .engine = std::move(engine)});
  }
  SpooledPart part_of(std::string_view dump) {
    SpooledPart made = spool();
    must(made.add(std::string(kMariadbDump), dump));
    made.rewind();
    return made;
  }
  // Staged, looked through and brought live.
  void bring(const Place& place, SpooledPart& files, const std::string& engine = "") {
    auto part = restore(place, Trust::kOwn, engine);
    files.rewind();
    const std::string mark = must(part->stage(files, progress_));
    must(part->check(mark, progress_));
    must(part->swap(mark));
    must(part->discard(mark));
  }
  std::vector<Finding> findings(RestorePart& part) {
    std::vector<Finding> found;
    must(part.inspect(found));
    return found;
  }
  static std::string of_status(const std::vector<Finding>& findings, FindingStatus status) {
    std::string text;
    for (const Finding& finding : findings) {
      if (finding.status == status) text += finding.check + ": " + finding.message + "\n";
    }
    return text;
  }

  Fixture fixture_;
  base::NoProgress progress_;
};

// What is in dump.sql, the part's one file.
inline std::string dump_of(SpooledPart& files) {
  files.rewind();
  const auto entry = must(files.next());
  EXPECT_EQ(entry->path, kMariadbDump);
  std::string octets;
  {
    PartContent content(files);
    octets = must(base::read_all(content, 64u << 20));
  }
  EXPECT_FALSE(must(files.next()));
  files.rewind();
  return octets;
}

}  // namespace spl::surface
