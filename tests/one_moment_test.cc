// A service counts the same number up in five places, one after the other, all the time: whatever a backup shows, it is
// one moment. And a bank's accounts in PostgreSQL agree in every copy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/encoding.h"
#include "base/words.h"
#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;

// Into Redis, PostgreSQL, SQLite, a file and a record, and again. Where it begins anew it goes on from the highest.
constexpr char kCounter[] = R"py(
import http.client, json, os, socket, sqlite3, sys
data, redis_path, pg, door = sys.argv[1:5]

class Http(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(door)

http_ = Http("localhost")
redis = redis_client(redis_path)
sql = psql_client(pg, "app")
os.makedirs(data + "/files", exist_ok=True)
db = sqlite3.connect(data + "/count.db", isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("CREATE TABLE IF NOT EXISTS count(n INTEGER)")
sql("CREATE TABLE IF NOT EXISTS count(n bigint)")
n = max([int(sql("SELECT coalesce(max(n), 0) FROM count")[0]),
         db.execute("SELECT coalesce(max(n), 0) FROM count").fetchone()[0]])
value = redis("GET", "count")
n = max(n, int(value) if value.isdigit() else 0)
if os.path.exists(data + "/files/count"):
    n = max(n, int(open(data + "/files/count").read()))
while True:
    n += 1
    redis("SET", "count", n)
    sql("INSERT INTO count VALUES (%d)" % n)
    db.execute("INSERT INTO count VALUES(?)", (n,))
    with open(data + "/files/count.new", "w") as f:
        f.write(str(n))
    os.rename(data + "/files/count.new", data + "/files/count")
    http_.request("POST", "/v1/records", json.dumps({"thread": "th_count", "actor": "did:sync:instance:0123456789abcdef",
        "act": "DO", "data_type": "SCALAR", "parents": [], "body": {"n": n}}), {"content-type": "application/json"})
    answer = http_.getresponse()
    text = answer.read()
    if answer.status != 201:
        sys.exit(text.decode())
)py";

class OneMoment : public ServicesKit {
 protected:
  // A home with a daemon, both engines and the counter beside them.
  void make(const std::string& home) {
    init(home);
    declare_cache(home);
    declare_postgres(home);
    const std::string program = write_script("counter", std::string(kPythonClients) + kCounter);
    declare(home, "counter",
            "version = \"1\"\nafter = [\"cache\", \"pg\"]\n[run]\ncommand = [\"" + program + "\", \"{data}\", \"" +
                cache_socket(home) + "\", \"" + run_directory(home, "pg") + "\", \"{home}/run/spl.sock\"]\n" +
                "[quiesce]\nmethod = \"freeze\"\n"
                "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/files\"\n"
                "[[surface]]\nname = \"db\"\nkind = \"sqlite\"\npath = \"{data}/count.db\"\n"
                "[[surface]]\nname = \"crm\"\nkind = \"postgres\"\n" +
                postgres_urls(home) + "[[surface]]\nname = \"memory\"\nkind = \"redis\"\nurl = \"" + cache_url(home) +
                "\"\n");
    (void)start_daemon(home);
  }
  // What a bundle has, in the order in which it was written: Redis, PostgreSQL, SQLite, the file, the records.
  std::vector<long> numbers(const std::string& file) {
    const std::string out = path("open");
    std::filesystem::remove_all(out);
    EXPECT_EQ(run({"bundle", "extract", path(file), "", "--to", out}).code, 0);
    const std::string parts = out + "/services/counter/";
    std::vector<long> found;
    // The value as Redis itself reads it.
    const std::string line = read_file(parts + "memory/@instance/db-0.ndjson");
    const auto dump = base::from_base64(text_of(json_of(line.substr(0, line.find('\n'))), "dump"));
    EXPECT_TRUE(dump);
    write_file(path("dump"), dump.value_or(""));
    EXPECT_EQ(redis("a", "-n 15 -x RESTORE it 0 <" + path("dump")), "OK");
    found.push_back(number(redis("a", "-n 15 GET it")));
    EXPECT_EQ(redis("a", "-n 15 DEL it"), "1");
    found.push_back(number(output_of("pg_restore -a -t count -f - " + parts +
                                     "crm/@instance/dump.pgc | grep -E '^[0-9]+$' | sort -n | tail -n 1")));
    found.push_back(number(output_of("sqlite3 " + parts + "db/@instance/count.db.sqlite 'SELECT max(n) FROM count'")));
    found.push_back(number(read_file(parts + "files/@instance/tree/count")));
    found.push_back(number(
        output_of("find " + out + "/records/th_count -type f -exec cat {} + | jq .body.n | sort -n | tail -n 1")));
    return found;
  }
  // How long the writers waited in each of them, in ms.
  std::vector<std::uint64_t> backups(int number_of_backups) {
    make("a");
    start("a");
    wait_until([&] { return number(redis("a", "GET count")) > 20; }, "it does not count");
    std::vector<std::uint64_t> pauses;
    long last = 0;
    for (int i = 0; i < number_of_backups; ++i) {
      const auto report = json_on("a", {"export", "--out", path("a.spl"), "--plaintext", "--force"});
      EXPECT_EQ(text_of(report, "consistency"), "quiesced");
      pauses.push_back(number_of(report, "pause_ms"));
      const std::vector<long> seen = numbers("a.spl");
      // At one moment the first may be one ahead of the last, and the line falls once.
      EXPECT_TRUE(std::ranges::is_sorted(seen, std::greater<>()) && seen.front() - seen.back() <= 1)
          << ::testing::PrintToString(seen) << " in backup " << i;
      EXPECT_GT(seen.back(), last) << "it goes on between backups";
      last = seen.front();
      if (HasFailure()) break;
    }
    return pauses;
  }
  static long number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos ? std::stol(text) : -1;
  }
};

TEST_F(OneMoment, FilesRecordsAndThreeDatabasesAgreeInEveryBackup) {
  EXPECT_EQ(backups(5).size(), 5U);
}

// A hundred, and what the pause was.
using OneMomentSweep = OneMoment;
TEST_F(OneMomentSweep, FilesRecordsAndThreeDatabasesAgreeInAHundredBackups) {
  std::vector<std::uint64_t> pauses = backups(100);
  ASSERT_EQ(pauses.size(), 100U);
  std::ranges::sort(pauses);
  std::printf("pause in ms: least %lu, median %lu, greatest %lu\n", pauses.front(), pauses[50], pauses.back());
}

// A bank, and eight clients of it that nothing pauses.
class Bank : public ServicesKit {
 protected:
  void make(const std::string& home) {
    init(home);
    declare_postgres(home);
    declare(
        home, "bank",
        "version = \"1\"\nafter = [\"pg\"]\n[[surface]]\nname = \"crm\"\nkind = \"postgres\"\n" + postgres_urls(home));
    start(home);
  }
  [[nodiscard]] std::string pgbench() const { return postgres_binaries() + "/pgbench"; }
  std::string sums(const std::string& home) {
    return psql(home,
                "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history), "
                "(SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(delta) FROM pgbench_history), "
                "(SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(delta) FROM pgbench_history), "
                "(SELECT count(*) FROM pgbench_accounts)");
  }
  long history(const std::string& home) {
    const std::string number = psql(home, "SELECT count(*) FROM pgbench_history");
    return number == "?" ? -1 : std::stol(number);
  }
};

TEST_F(Bank, AccountsTellersBranchesAndHistoryAgreeInEveryCopy) {
  make("a");
  make("b");
  ASSERT_NE(output_of(pgbench() + " -h " + run_directory("a", "pg") + " -U app -i -q -s 1 app >&2"), "?");
  declare("a", "clients",
          "version = \"1\"\nafter = [\"pg\"]\n[run]\ncommand = [\"" + pgbench() + "\", \"-h\", \"" +
              run_directory("a", "pg") +
              "\", \"-U\", \"app\", \"-c\", \"8\", \"-T\", \"3600\", \"-n\", \"app\"]\n"
              "[quiesce]\nmethod = \"none\"\n");
  start("a");
  wait_until([&] { return history("a") > 100; }, "nobody pays");
  long before = 0;
  for (int i = 0; i < 10; ++i) {
    const Ran taken = backup("a", "a.spl", {"--without", "clients"});
    ASSERT_EQ(taken.code, 0) << taken.err;
    const Ran put = restore("b", "a.spl", i == 0 ? Words{} : Words{"--replace"});
    ASSERT_EQ(put.code, 0) << put.out << put.err;
    EXPECT_EQ(sums("b"), "t|t|t|100000");
    const long then = history("b");
    EXPECT_GT(then, before) << "they go on";
    before = then;
    EXPECT_EQ(ask("b", {"service", "all", "restore", "--discard-previous"}).code, 0);
  }
  EXPECT_EQ(left("b"), "");
}

}  // namespace
}  // namespace spl::cli_test
