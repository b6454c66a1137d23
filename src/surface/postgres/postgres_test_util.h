// A PostgreSQL server of the tests' own, on a private socket, started once a program; and databases in it. For tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/words.h"
#include "env/child_process.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "surface/driver_test_util.h"
#include "surface/postgres/connection.h"
#include "surface/postgres/dump_program.h"
#include "surface/postgres/postgres.h"
#include "surface/spooled_part.h"
#include "testing/free_port.h"

namespace spl::surface {

inline constexpr const char* kAdminPassword = "admin's own:secret";
inline constexpr const char* kNotesPassword = "pa:ss\\w'ord 1";

class PostgresServer {
 public:
  static PostgresServer& instance() {
    static PostgresServer server;
    return server;
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  ~PostgresServer() {
    keeper_.reset();
    if (server_) {
      server_->close_input();
      server_->limit_waits(std::chrono::seconds(20), nullptr);
      (void)server_->wait();
    }
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  [[nodiscard]] const std::string& socket_directory() const { return directory_; }
  [[nodiscard]] const std::string& port() const { return port_; }
  // A url of the role "notes", or of the superuser.
  [[nodiscard]] std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?host=" + directory_ + "&port=" + port_ +
           "&user=notes&password=pa%3Ass%5Cw%27ord%201";
  }
  [[nodiscard]] std::string admin_url(const std::string& database = "postgres") const {
    return "postgresql:///" + database + "?host=" + directory_ + "&port=" + port_ +
           "&user=postgres&password=admin%27s%20own%3Asecret";
  }

  ServerConnection connect(const std::string& url) {
    return must(ServerConnection::open(must(ServerAddress::parse(SecretBytes(url))), clock_, nullptr));
  }
  ServerConnection as_admin(const std::string& database = "postgres") { return connect(admin_url(database)); }
  ServerConnection as_notes(const std::string& database) { return connect(url(database)); }

  // Who is let in, and how.
  void set_access(const std::string& lines) {
    std::ofstream(data() + "/pg_hba.conf") << lines;
    // A session hears of it after the server itself has read the file: nobody is let in between.
    const std::string loaded = "SELECT pg_conf_load_time()";
    const std::string before = must(as_admin_by_file().query(loaded)).text(0, 0);
    must(as_admin_by_file().run("SELECT pg_reload_conf()"));
    for (int i = 0; i < 500; ++i) {
      if (must(as_admin_by_file().query(loaded)).text(0, 0) != before) return;
      clock_.sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "the server did not read its files again";
  }
  static constexpr const char* kUsualAccess = "local all all scram-sha-256\n";
  [[nodiscard]] const std::string& user_name() const { return user_name_; }
  [[nodiscard]] std::string data() const { return directory_ + "/data"; }
  env::Clock& clock() { return clock_; }

 private:
  PostgresServer() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spl-pg-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = pattern;
    // The server refuses to be root's.
    if (::geteuid() == 0) {
      auto account = must(env::find_user("postgres"));
      if (!account) account = must(env::find_user("nobody"));
      user_ = account->ids;
      user_name_ = account->name;
      EXPECT_EQ(::chown(directory_.c_str(), user_->uid, user_->gid), 0);
    } else {
      user_name_ = must(env::find_user(::geteuid()))->name;
    }
    must(env::output_of_command(as_user({"cp", "-a", made_data(), data()}), {}, {}));
    std::ofstream(data() + "/pg_hba.conf") << kUsualAccess;
    port_ = testing::free_port();
    env::ChildOptions options = program("postgres", {"-D", data(), "-k", directory_, "-p", port_});
    for (const char* setting :
         {"listen_addresses=127.0.0.1", "ssl=on", "fsync=off", "full_page_writes=off", "shared_buffers=16MB",
          "max_connections=30", "autovacuum=off", "max_wal_size=256MB", "wal_level=minimal", "max_wal_senders=0",
          "max_parallel_workers=0", "jit=off", "max_locks_per_transaction=256"}) {
      options.arguments.emplace_back("-c");
      options.arguments.emplace_back(setting);
    }
    // It ends when its standard input does, and so with the test, however that ends.
    const std::vector<std::string> around{"sh", "-c", "\"$@\" </dev/null & read -r line; kill -QUIT $!; wait $!", "sh"};
    options.arguments.insert(options.arguments.begin(), around.begin(), around.end());
    server_ = must(env::ChildProcess::start(options));
    const auto address = must(ServerAddress::parse(SecretBytes(admin_url())));
    for (int i = 0; i < 300; ++i) {
      if (ServerConnection::open(address, clock_, nullptr)) break;
      clock_.sleep_for(std::chrono::milliseconds(50));
    }
    auto admin = as_admin();
    must(admin.run("CREATE ROLE notes LOGIN PASSWORD " + sql_text(kNotesPassword) + "; CREATE ROLE reader"));
  }

  // initdb takes longer than most tests: a data directory that is made once for every program of the tests, by renaming
  // a whole one to its name, and copied.
  std::string made_data() {
    const std::string binaries = std::filesystem::path(path_of("initdb")).parent_path().parent_path().filename();
    const std::string made = (std::filesystem::temp_directory_path() /
                              ("spl-pg-data1-" + binaries + "-" + user_name_ + "-" + std::to_string(::geteuid())))
                                 .string();
    struct stat info{};
    if (::lstat(made.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
        info.st_uid == (user_ ? user_->uid : ::geteuid()) && std::filesystem::exists(made + "/PG_VERSION"))
      return made;
    std::ofstream(directory_ + "/password") << kAdminPassword << "\n";
    ::chmod((directory_ + "/password").c_str(), 0644);
    const std::string fresh = directory_ + "/made";
    run("initdb", {"-D", fresh, "-U", "postgres", "--pwfile=" + directory_ + "/password", "-A", "scram-sha-256",
                   "--no-sync", "--wal-segsize=1", "-E", "UTF8", "--locale=C.UTF-8"});
    must(env::output_of_command(
        as_user({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-days", "3650", "-subj", "/CN=localhost", "-keyout", fresh + "/server.key", "-out",
                 fresh + "/server.crt"}),
        {}, {}));
    // Who comes second has one, too.
    return ::rename(fresh.c_str(), made.c_str()) == 0 ? made : fresh;
  }

  // A session that a change of pg_hba.conf does not end.
  ServerConnection& as_admin_by_file() {
    if (!keeper_) keeper_ = std::make_unique<ServerConnection>(as_admin());
    return *keeper_;
  }

  static std::string path_of(const std::string& name) {
    std::string path;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql"))
      path = std::max(path, (entry.path() / "bin" / name).string());
    return path;
  }
  env::ChildOptions as_user(std::vector<std::string> words) {
    env::ChildOptions options{.arguments = std::move(words), .environment = {"LC_ALL=C", "PATH=/usr/bin:/bin"}};
    options.user = user_;
    return options;
  }
  env::ChildOptions program(const std::string& name, std::vector<std::string> words) {
    words.insert(words.begin(), path_of(name));
    return as_user(std::move(words));
  }
  void run(const std::string& name, std::vector<std::string> words) {
    must(env::output_of_command(program(name, std::move(words)), {}, {}));
  }

  env::SystemClock clock_;
  std::string directory_;
  std::optional<env::UserIds> user_;
  std::string user_name_;
  std::string port_ = "5432";
  std::unique_ptr<env::ChildProcess> server_;
  std::unique_ptr<ServerConnection> keeper_;
};

// What is in the databases of the tests, and how it is seen. Each goes with what it has made.
class PostgresFixture {
 public:
  PostgresFixture() {
    for (const char* name : {"/spool", "/scratch"}) EXPECT_TRUE(fs_.make_directory(directory_ + name));
    clean();
  }
  PostgresFixture(const PostgresFixture&) = delete;
  PostgresFixture& operator=(const PostgresFixture&) = delete;
  ~PostgresFixture() {
    clean();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  const Surroundings& surroundings() { return surroundings_; }
  PostgresServer& server() { return server_; }
  [[nodiscard]] std::string scratch() const { return directory_ + "/scratch"; }
  env::FileSystem& fs() { return fs_; }

  static Place copy(const Place& place) {
    Place made;
    made.kind = place.kind;
    made.subject = place.subject;
    made.url = place.url.copy();
    made.admin_url = place.admin_url.copy();
    made.schema = place.schema;
    made.database = place.database;
    return made;
  }
  std::unique_ptr<BackupPart> backup(Place place) { return postgres_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    return postgres_restore(surroundings_, std::move(place), std::move(request));
  }

  bool has_database(const std::string& name) {
    return server_.as_admin().query("SELECT FROM pg_database WHERE datname = $1", {name})->size() > 0;
  }
  void make_database(const std::string& name) {
    if (!has_database(name)) must(server_.as_admin().run("CREATE DATABASE " + name + " OWNER notes"));
  }

  // As pg_dump has it, owners and rights with it; without what differs from run to run.
  std::string dump(const std::string& database, const std::vector<std::string>& words = {}) {
    const auto address = must(ServerAddress::parse(SecretBytes(server_.admin_url(database))));
    base::NoProgress progress;
    const auto program = must(find_dump_program(fs_, "pg_dump", 15, progress));
    const auto password = must(PasswordFile::make(surroundings_, address.password()));
    std::vector<std::string> all{"--inserts", "--dbname=" + address.argument()};
    all.insert(all.end(), words.begin(), words.end());
    std::string text;
    for (const std::string& line :
         base::split(must(env::output_of_command(dump_program_options(program, all, &password), {}, {})), '\n')) {
      if (!line.empty() && !line.starts_with("--") && !line.starts_with("\\")) text += line + "\n";
    }
    return text;
  }

  // What every kind has, in the current schema. `variant` 2 can be put over 1 while somebody reads that.
  static std::string objects(int variant) {
    if (variant == 2)
      return "DELETE FROM child; DELETE FROM \"odd \"\"näme\"; INSERT INTO \"odd \"\"näme\"(id, t) VALUES (1000, "
             "'other');"
             "DELETE FROM parted; INSERT INTO parted VALUES (1, 'p1'); CREATE TABLE extra(x integer);"
             "INSERT INTO extra SELECT generate_series(1, 50)";
    return "CREATE TYPE mood AS ENUM ('sad', 'o''k');"
           "CREATE DOMAIN positive AS integer CHECK (VALUE > 0);"
           "CREATE TABLE \"odd \"\"näme\" (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, t text NOT NULL, "
           "m mood DEFAULT 'sad', p positive DEFAULT 7, twice integer GENERATED ALWAYS AS (length(t) * 2) STORED);"
           "INSERT INTO \"odd \"\"näme\"(t) SELECT 'row ' || i || chr(10) || 'ü' FROM generate_series(1, 100) i;"
           "CREATE TABLE child (n serial, parent integer REFERENCES \"odd \"\"näme\"(id), j jsonb);"
           "INSERT INTO child(parent, j) SELECT i, '{\"a\": [1, null]}' FROM generate_series(1, 20) i;"
           "CREATE TABLE parted (k integer, v text) PARTITION BY RANGE (k);"
           "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);"
           "CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);"
           "CREATE INDEX ON parted(k); INSERT INTO parted SELECT i, 'v' || i FROM generate_series(0, 19) i;"
           "CREATE SEQUENCE \"Counts\" START 5; SELECT nextval('\"Counts\"');"
           "CREATE VIEW seen AS SELECT t, m FROM \"odd \"\"näme\" WHERE id < 10;"
           "CREATE MATERIALIZED VIEW summed AS SELECT count(*) AS c FROM child; CREATE UNIQUE INDEX ON summed(c);"
           "CREATE FUNCTION one_more(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN RETURN i + 1; "
           "END$f$;"
           "CREATE INDEX by_more ON child(one_more(parent));"
           "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN NEW.t := NEW.t || '!'; RETURN NEW; "
           "END$f$;"
           "CREATE TRIGGER note BEFORE UPDATE ON \"odd \"\"näme\" FOR EACH ROW EXECUTE FUNCTION noted();"
           "COMMENT ON TABLE child IS 'It''s a \"child\" — ü'; COMMENT ON COLUMN child.j IS 'json';"
           "ALTER TABLE child ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON child USING (parent > 0)";
  }

  std::string traces_beside(const std::vector<std::string>& databases) {
    std::string text;
    auto admin = server_.as_admin();
    const Rows names = must(admin.query(
        "SELECT 'database ' || datname FROM pg_database UNION ALL SELECT 'role ' || rolname FROM pg_roles ORDER BY 1"));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (std::ranges::find(databases, names.text(i, 0).substr(names.text(i, 0).find(' ') + 1)) == databases.end())
        text += names.text(i, 0) + "\n";
    }
    for (const char* below : {"/spool", "/scratch"}) {
      for (const std::string& name : must(fs_.list(directory_ + below))) text += name + "\n";
    }
    return text;
  }

 private:
  static std::string make_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spl-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    return pattern;
  }
  void clean() {
    auto admin = server_.as_admin();
    const Rows databases = must(
        admin.query("SELECT datname FROM pg_database WHERE datname IN ('db_0', 'db_1', 'app') OR datname LIKE 'spl%'"));
    for (std::size_t i = 0; i < databases.size(); ++i)
      must(admin.run("DROP DATABASE " + sql_name(databases.text(i, 0)) + " WITH (FORCE)"));
    const Rows roles = must(admin.query("SELECT rolname FROM pg_roles WHERE rolname LIKE 'spl%'"));
    for (std::size_t i = 0; i < roles.size(); ++i) must(admin.run("DROP ROLE " + sql_name(roles.text(i, 0))));
  }

  PostgresServer& server_ = PostgresServer::instance();
  std::string directory_ = make_directory();
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  Surroundings surroundings_{
      {fs_, clock_, random_, log_}, {directory_ + "/spool", spool::Secrecy::kEncrypted}, directory_ + "/scratch"};
};

enum class Split : std::uint8_t { kNone, kDatabase };

// A database, named by the url or by the split.
template <Split split>
class OneDatabase : public PostgresFixture {
 public:
  static std::string name(int n) { return "db_" + std::to_string(n); }
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kPostgres;
    place.subject = "notes/crm";
    place.url = SecretBytes(server().url(split == Split::kNone ? name(n) : "nowhere"));
    place.admin_url = SecretBytes(server().admin_url());
    if (split == Split::kDatabase) place.database = name(n);
    return place;
  }
  static std::string name_of(const Place& place) {
    return place.database ? *place.database : must(ServerAddress::parse(place.url)).database();
  }
  void fill(const Place& place, int variant) {
    const std::string database = name_of(place);
    const bool fresh = !has_database(database);
    make_database(database);
    auto notes = server().as_notes(database);
    must(notes.run("SET search_path = public"));
    if (fresh) {
      must(notes.run(objects(1)));
      must(
          notes.run("CREATE SCHEMA \"Other one\"; CREATE TABLE \"Other one\".t(a text); INSERT INTO \"Other one\".t "
                    "VALUES ('x'); CREATE EXTENSION hstore; CREATE TABLE h(h hstore); INSERT INTO h VALUES ('a=>1');"
                    "SELECT lo_from_bytea(0, '\\x0001ff'); SELECT lo_from_bytea(4711, '\\x02')"));
    }
    if (variant == 2) must(notes.run(objects(2)));
  }
  std::string state(const Place& place) {
    const std::string database = name_of(place);
    // What has a number that the server gives is seen by what it holds.
    return has_database(database) ? dump(database) : "";
  }
  std::string traces() { return traces_beside({"db_0", "db_1"}); }
};

// Schemas of one database.
class OneSchema : public PostgresFixture {
 public:
  OneSchema() { make_database("app"); }
  static std::string name(int n) { return n == 0 ? "ctx_geo" : "ctx \"mind\" ü"; }
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kPostgres;
    place.subject = "notes/crm";
    place.url = SecretBytes(server().url("app"));
    place.admin_url = SecretBytes(server().admin_url());
    place.schema = name(n);
    return place;
  }
  void fill(const Place& place, int variant) {
    auto notes = server().as_notes("app");
    const std::string schema = sql_name(*place.schema);
    const bool fresh = must(notes.query("SELECT FROM pg_namespace WHERE nspname = $1", {*place.schema})).size() == 0;
    if (fresh)
      must(notes.run("CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public; CREATE SCHEMA " + schema +
                     "; COMMENT ON SCHEMA " + schema + " IS 'of a context'"));
    must(notes.run("SET search_path = " + schema));
    if (fresh) {
      must(notes.run(objects(1)));
      must(notes.run("CREATE TABLE h(h public.hstore); INSERT INTO h VALUES ('a=>1')"));
    }
    if (variant == 2) must(notes.run(objects(2)));
  }
  std::string state(const Place& place) {
    auto admin = server().as_admin("app");
    if (must(admin.query("SELECT FROM pg_namespace WHERE nspname = $1", {*place.schema})).size() == 0) return "";
    std::string text = dump("app", {schema_word(*place.schema)});
    const std::string named = sql_name(*place.schema);
    for (const std::string& written : {named, *place.schema}) {
      for (std::size_t at = 0; (at = text.find(written, at)) != std::string::npos; at += 1)
        text.replace(at, written.size(), "S");
    }
    return text;
  }
  std::string traces() {
    std::string text = traces_beside({});
    auto admin = server().as_admin("app");
    const Rows names = must(admin.query(
        "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'ctx%' AND nspname NOT LIKE 'pg_toast%' ORDER BY 1"));
    for (std::size_t i = 0; i < names.size(); ++i) text += "schema " + names.text(i, 0) + "\n";
    const Rows rights = must(admin.query("SELECT datacl FROM pg_database WHERE datname = 'app'"));
    return text + rights.text(0, 0);
  }
};

inline constexpr const char* kId = "0123456789abcdef";

// What every test below does with a part.
template <class Fixture>
class PostgresDriverOf : public ::testing::Test {
 protected:
  std::chrono::nanoseconds in(std::chrono::milliseconds time) {
    return fixture_.surroundings().env.clock.since_boot() + time;
  }
  std::unique_ptr<BackupPart> opened(const Place& place) {
    auto part = fixture_.backup(PostgresFixture::copy(place));
    must(part->plan(progress_));
    must(part->prepare(progress_));
    must(part->open(Writers::kPaused, in(std::chrono::seconds(20))));
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
        PostgresFixture::copy(place),
        {.id = kId, .data = InTheWay::kIsReplaced, .signer = signer, .bytes = 1, .engine = std::move(engine)});
  }
  SpooledPart part_of(std::string_view archive) {
    SpooledPart made = spool();
    must(made.add(std::string(kDumpArchive), archive));
    made.rewind();
    return made;
  }
  std::string engine_of(const Place& place) {
    return must(fixture_.backup(PostgresFixture::copy(place))->plan(progress_)).engine;
  }
  std::vector<Finding> findings(RestorePart& part) {
    std::vector<Finding> found;
    must(part.inspect(found));
    return found;
  }
  static std::string stops(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& finding : findings) {
      if (finding.status == FindingStatus::kStop) text += finding.check + ": " + finding.message + "\n";
    }
    return text;
  }

  Fixture fixture_;
  base::NoProgress progress_;
};

// What is in dump.pgc, the part's one file.
inline std::string archive_of(SpooledPart& files) {
  files.rewind();
  const auto entry = must(files.next());
  EXPECT_EQ(entry->path, kDumpArchive);
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
