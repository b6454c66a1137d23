// One tenant of four, whose data is of five kinds, goes from one machine to a bare one and to one with tenants of its
// own. Written and read by the programs that people use for it: a WebDAV client, sqlite3, git, psql, redis-cli.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "services_kit.h"
#include "testing/free_port.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// Apache's server of WebDAV, over the files of every tenant.
constexpr char kDavServer[] = R"conf(
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dav_module /usr/lib/apache2/modules/mod_dav.so
LoadModule dav_fs_module /usr/lib/apache2/modules/mod_dav_fs.so
ServerName localhost
Listen 127.0.0.1:@PORT@
PidFile @RUN@/pid
Mutex pthread
DavLockDB @RUN@/locks
ErrorLog @RUN@/log
DocumentRoot @DATA@
<Directory @DATA@>
  Dav On
  Require all granted
</Directory>
)conf";

class TenantsTest : public ServicesKit {
 protected:
  struct Tenant {
    std::string name;
    std::string canary;  // a word that nobody else's data has
    std::string id;
  };

  // Two engines, a service of files that Apache serves, and one with three databases and repositories.
  void make(const std::string& home, const std::vector<Tenant>& tenants) {
    init(home);
    declare_cache(home);
    declare_postgres(home);
    ports_[home] = testing::free_port();
    std::string conf = kDavServer;
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"@PORT@", ports_[home]}, {"@RUN@", run_directory(home, "dav")}, {"@DATA@", path(home) + "/data/dav"}}) {
      for (std::size_t at = 0; (at = conf.find(from)) != std::string::npos;) conf.replace(at, from.size(), to);
    }
    write_file(path(home + ".conf"), conf);
    declare(home, "dav",
            "version = \"2.4\"\n[run]\n" + std::string(::geteuid() == 0 ? "user = \"www-data\"\n" : "") +
                "command = [\"/usr/sbin/apache2\", \"-DFOREGROUND\", \"-f\", \"" + path(home + ".conf") +
                "\"]\nhealth = \"tcp:127.0.0.1:" + ports_[home] +
                "\"\n[[surface]]\nname = \"files\"\nkind = \"files\"\n" + "path = \"{data}/{context}\"\n");
    declare(home, "desk",
            "version = \"1\"\nafter = [\"cache\", \"pg\"]\n"
            "[[surface]]\nname = \"main\"\nkind = \"sqlite\"\npath = \"{data}/db/{context}.db\"\n"
            "[[surface]]\nname = \"code\"\nkind = \"git\"\npath = \"{data}/{context}/code\"\n"
            "[[surface]]\nname = \"crm\"\nkind = \"postgres\"\nsplit = { schema = \"c_{context}\" }\n" +
                postgres_urls(home) +
                "[[surface]]\nname = \"memory\"\nkind = \"redis\"\nsplit = { database = \"{context_id}\" }\nurl = \"" +
                cache_url(home) + "\"\n" +
                "[[surface]]\nname = \"marks\"\nkind = \"redis\"\nsplit = { prefix = \"{context}:\" }\nurl = \"" +
                cache_url(home) + "\"\n");
    for (const Tenant& tenant : tenants)
      ASSERT_EQ(ask(home, {"context", "add", tenant.name, "--id", tenant.id}).code, 0);
    start(home);
    for (const Tenant& tenant : tenants) fill(home, tenant);
  }

  void fill(const std::string& home, const Tenant& tenant) {
    const std::string& n = tenant.name;
    const std::string& canary = tenant.canary;
    const std::string data = path(home) + "/data/desk/";
    write_file(path("note"), "a note: " + canary + "\n");
    // The directory of a tenant is made by who provides for it, with the service's owner.
    expect_done("install -d -o $(stat -c %u " + path(home) + "/data/dav) -g $(stat -c %g " + path(home) +
                "/data/dav) " + path(home) + "/data/dav/" + n);
    expect_done("printf 'mkcol /" + n + "/letters\\nput " + path("note") + " /" + n +
                "/letters/note.txt\\n' | cadaver " + dav(home) + " && test -s " + path(home) + "/data/dav/" + n +
                "/letters/note.txt");
    expect_done("mkdir -p " + data + "db && sqlite3 " + data + "db/" + n +
                ".db \"CREATE TABLE t(x); INSERT INTO t VALUES('" + canary + "')\"");
    expect_done("mkdir -p " + data + n + "/code && git init -q --bare " + data + n + "/code/site.git && rm -rf " +
                path("work") + " && git init -q -b main " + path("work") + " && cd " + path("work") +
                " && cp ../note . && git add note && git -c user.name=n -c user.email=n@example.org commit -q -m '" +
                canary + "' && git push -q " + data + n + "/code/site.git main");
    EXPECT_EQ(psql(home, "CREATE SCHEMA c_" + n + "; CREATE TABLE c_" + n +
                             ".people(id serial PRIMARY KEY, name text); "
                             "INSERT INTO c_" +
                             n + ".people(name) VALUES ('" + canary + "')"),
              "");
    EXPECT_EQ(redis(home, "-n " + tenant.id + " SET word " + canary), "OK");
    EXPECT_EQ(redis(home, "SET " + n + ":word " + canary), "OK");
  }

  // What the clients say of a tenant, a line each.
  std::vector<std::string> seen(const std::string& home, const std::string& name, const std::string& id) {
    const std::string data = path(home) + "/data/desk/";
    return {
        output_of("rm -f " + path("got") + "; printf 'get /" + name + "/letters/note.txt " + path("got") +
                  "\\n' | cadaver " + dav(home) + " >&2; cat " + path("got")),
        output_of("sqlite3 " + data + "db/" + name + ".db 'SELECT x FROM t'"),
        output_of("rm -rf " + path("clone") + "; git clone -q -b main " + data + name + "/code/site.git " +
                  path("clone") + " && git -C " + path("clone") + " log --format=%s && cat " + path("clone") + "/note"),
        psql(home, "SELECT name FROM c_" + name + ".people"),
        redis(home, "-n " + id + " GET word"),
        redis(home, "GET " + name + ":word"),
    };
  }

  // All that these tenants have on a machine, to the byte, with times, owners and modes.
  std::string everything(const std::string& home, const std::vector<Tenant>& tenants) {
    std::string all;
    for (const Tenant& tenant : tenants) {
      const std::string& n = tenant.name;
      const std::string data = path(home) + "/data/";
      all += output_of("cd " + data + " && find dav/" + n + " desk/" + n + " desk/db/" + n +
                       ".db -printf '%p %y %m %U %G %T@ %s\\n' | LC_ALL=C sort && find dav/" + n + " desk/" + n +
                       " desk/db/" + n + ".db -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum");
      all += output_of("pg_dump -h " + run_directory(home, "pg") + " -U postgres -n c_" + n +
                       " app | grep -v '^--\\|^.restrict\\|^.unrestrict'");
      all += redis(home, "-n " + tenant.id + " --no-raw DUMP word");
      all += redis(home, "-n " + tenant.id + " KEYS '*'");
      all += redis(home, "--no-raw DUMP " + n + ":word");
    }
    EXPECT_THAT(all, Not(HasSubstr("?")));
    return all;
  }

  void expect_done(const std::string& command) {
    EXPECT_EQ(shell("{ " + command + "\n} >" + path("said") + " 2>&1"), 0) << command << "\n"
                                                                           << read_file(path("said"));
  }
  std::string dav(const std::string& home) { return "http://127.0.0.1:" + ports_[home] + "/"; }

 private:
  std::map<std::string, std::string> ports_;
};

TEST_F(TenantsTest, OneOfFourGoesToABareMachineAndToOneWithTenantsOfItsOwn) {
  make("a", {{"geo", "canaryKESTREL", "1"},
             {"geomind", "canaryOSPREY", "2"},
             {"acme", "canaryMERLIN", "3"},
             {"threefold", "canaryHARRIER", "4"}});
  const std::vector<std::string> before = seen("a", "geomind", "2");
  ASSERT_THAT(before, Each(HasSubstr("canaryOSPREY")));

  expect_done("age-keygen -o " + path("key"));
  const std::string recipient = output_of("age-keygen -y " + path("key"));
  const Ran taken = ask("a", {"service", "all", "backup", "--context", "geomind", "--without", "cache", "--without",
                              "pg", "--to", path("geomind.spl"), "--recipient", recipient});
  ASSERT_EQ(taken.code, 0) << taken.err;

  // As ordinary tools open it: what is compressed once more within it is opened too.
  expect_done("mkdir -p " + path("open") + " && age -d -i " + path("key") + " " + path("geomind.spl") +
              " | zstd -dcq >" + path("open.tar") + " && tar -C " + path("open") + " -xf " + path("open.tar"));
  expect_done("cd " + path("open") +
              "/services/desk && pg_restore -f crm.sql crm/geomind/dump.pgc && git clone -q --mirror "
              "$(find code -name '*.bundle' | head -n 1) code.git && git -C code.git log --all -p >code.log && "
              "cut -d'\"' -f4- $(find memory marks -name '*.ndjson') | tr '\"' '\\n' | while read -r word; do "
              "printf %s \"$word\" | base64 -d 2>/dev/null; done >redis.values; true");
  EXPECT_EQ(output_of("grep -rlF canaryOSPREY " + path("open") + "/services | wc -l"), "6")
      << output_of("grep -rlF canaryOSPREY " + path("open"));
  for (const char* other : {"canaryKESTREL", "canaryMERLIN", "canaryHARRIER", "acme", "threefold", "geo[^m]"}) {
    EXPECT_EQ(output_of("grep -rlaE '" + std::string(other) + "' " + path("open") + " " + path("open.tar") + "; true"),
              "")
        << other;
  }

  // Onto a bare machine.
  make("b", {});
  Words how{"--age-identity", path("key")};
  const Ran bare = restore("b", "geomind.spl", how);
  ASSERT_EQ(bare.code, 0) << bare.out << bare.err;
  EXPECT_EQ(seen("b", "geomind", "2"), before);
  EXPECT_EQ(left("b"), "");

  // Onto one where others live, who know its signer by its name only.
  const std::vector<Tenant> others{{"acme", "canaryBUZZARD", "1"}, {"zeta", "canaryGOSHAWK", "3"}};
  make("c", others);
  const std::string untouched = everything("c", others);
  EXPECT_EQ(restore("c", "geomind.spl", how).code, 3) << "a stranger's";
  how.insert(how.end(), {"--expect-did", text_of(json_on("a", {"identity", "show"}), "did")});
  const Ran beside = restore("c", "geomind.spl", how);
  ASSERT_EQ(beside.code, 0) << beside.out << beside.err;
  EXPECT_EQ(seen("c", "geomind", "2"), before);
  EXPECT_EQ(everything("c", others), untouched);

  // And once more, under another name and with another id.
  EXPECT_EQ(restore("c", "geomind.spl", how).code, 5) << "its data is in the way";
  how.insert(how.end(), {"--as", "earth"});
  const Ran again = restore("c", "geomind.spl", how);
  ASSERT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_THAT(again.out, HasSubstr("the schema gets the name c_earth"));
  EXPECT_EQ(seen("c", "earth", "4"), before);
  EXPECT_EQ(seen("c", "geomind", "2"), before);
  EXPECT_EQ(everything("c", others), untouched);
  EXPECT_EQ(left("c"), "");
  // Where it came from nothing has changed.
  EXPECT_EQ(seen("a", "geomind", "2"), before);
  EXPECT_EQ(left("a"), "");
}

}  // namespace
}  // namespace spl::cli_test
