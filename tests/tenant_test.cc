// Tenants as the machine's root makes them: each with a Unix user, a home, a daemon and an owner of its own, behind the
// machine's nginx; and what is left of one that failed, or whose making was killed.
#include <gmock/gmock.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kPassword = "correct horse battery";
constexpr int kStranger = 54322;  // of no name, most likely

bool has_user(const std::string& name) {
  return ::getpwnam(name.c_str()) != nullptr;
}

struct Got {
  int status = 0;
  std::string fields;  // of the answer, in lower case
  std::string body;
};

class TenantKit : public CliTest {
 protected:
  void SetUp() override {
    // What this user cannot do the machine's users could not, either: the router is another user.
    ASSERT_EQ(::chmod(path("").c_str(), 0711), 0);
    make_home("machine", 1);
    const int first = 31'000 + ::getpid() % 500 * 2;
    https_ = std::to_string(first);
    write_file(path("machine") + "/config.toml", "catalogs = [\"" + path("catalog") +
                                                     "\"]\n[router]\nnames = [\"box.test\"]\nhttps = " + https_ +
                                                     "\nhttp = " + std::to_string(first + 1) + "\n");
    ASSERT_EQ(::mkdir(path("catalog").c_str(), 0755), 0);
    ASSERT_EQ(::chmod(path("catalog").c_str(), 0755), 0);
  }
  void TearDown() override {
    for (const std::string& tenant : made_) (void)on("machine", {"tenant", "remove", tenant, "--without-backup"});
    (void)on("machine", {"router", "stop"});
  }

  // No other test's, and not one that this machine has.
  static std::string name_of(const std::string& part) { return "t" + std::to_string(::getpid()) + "-" + part; }
  codec::Json create(const std::string& part, Words more = {}, int code = 0) {
    made_.push_back(name_of(part));
    Words words{"tenant", "create", name_of(part)};
    words.insert(words.end(), more.begin(), more.end());
    return json_on("machine", words, {}, code);
  }
  // The names that the machine lists.
  std::vector<std::string> listed() {
    std::vector<std::string> names;
    const codec::Json list = json_on("machine", {"tenant", "list"});
    for (const codec::Json& tenant : *list.array()) names.push_back(text_of(tenant, "name"));
    return names;
  }
  [[nodiscard]] std::string home_of(const std::string& part) const {
    return is_root() ? "/var/lib/spl/tenants/" + name_of(part) : path("machine/tenants/" + name_of(part));
  }
  static bool is_root() { return ::geteuid() == 0; }
  static std::string user_of(const std::string& part) { return "spl-" + name_of(part); }

  // Nothing on the machine speaks of it.
  void expect_gone(const std::string& part) {
    EXPECT_FALSE(has_user(user_of(part)));
    EXPECT_EQ(shell("getent group " + user_of(part) + " >/dev/null"), 2);
    EXPECT_FALSE(exists(home_of(part)));
    EXPECT_FALSE(exists(home_of(part) + ".user"));
    EXPECT_FALSE(exists(path("machine/tenants/" + name_of(part) + ".json")));
    // A word of the pattern in brackets: the shell that looks is not what is looked for.
    EXPECT_NE(shell("pgrep -f -- '[-]-home " + home_of(part) + "' >/dev/null"), 0) << "a process is left";
  }
  // As a Unix user: the exit code of a shell's line.
  static int as_user(const std::string& user, const std::string& line) {
    return shell("setpriv --reuid=" + user + " --regid=" + user + " --init-groups sh -c '" + line +
                 "' >/dev/null 2>&1");
  }

  std::string https_;
  std::vector<std::string> made_;
};

// With users, which only root can make.
class TenantTest : public TenantKit {
 protected:
  void SetUp() override {
    if (!is_root()) GTEST_SKIP() << "only root makes users";
    TenantKit::SetUp();
  }
};

// Behind nginx.
class TenantDoorTest : public TenantTest {
 protected:
  void SetUp() override {
    TenantTest::SetUp();
    if (IsSkipped()) return;
    start_daemon("machine");
    ASSERT_EQ(on("machine", {"router", "start"}).code, 0);
    write_file(path("ca.pem"), on("machine", {"router", "trust"}).out);
  }
  [[nodiscard]] std::string origin(const std::string& part) const {
    return "https://" + (part.empty() ? "" : name_of(part) + ".") + "box.test:" + https_;
  }
  // `words` are curl's, `place` is below the host of the tenant, "" being the machine's.
  Got ask(const std::string& part, const std::string& place, const Words& words = {}) {
    const std::string out = path("answer");
    std::string command = "curl -s -g --max-time 60 --cacert '" + path("ca.pem") + "' -D '" + out + ".head' -o '" +
                          out + "' -w '%{http_code}' --resolve '*:" + https_ + ":127.0.0.1'";
    for (const std::string& word : words) command += " '" + word + "'";
    shell(command + " '" + origin(part) + place + "' > '" + out + ".status'; true");
    Got got;
    got.status = std::atoi(read_file(out + ".status").c_str());
    got.fields = exists(out + ".head") ? read_file(out + ".head") : "";
    std::ranges::transform(got.fields, got.fields.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    got.body = exists(out) ? read_file(out) : "";
    shell("rm -f '" + out + "' '" + out + ".head' '" + out + ".status'");
    return got;
  }
  Got post(const std::string& part, const std::string& place, const std::string& json, Words more = {}) {
    more.insert(more.end(),
                {"-H", "Origin: " + origin(part), "-H", "Content-Type: application/json", "--data-binary", json});
    return ask(part, place, more);
  }
  // With the code of a link; the cookie's name and value.
  std::string claim(const std::string& part, const std::string& url) {
    const Got got = post(part, "/v1/door/claim",
                         "{\"code\":\"" + url.substr(url.find('#') + 1) + "\",\"password\":\"" + kPassword + "\"}");
    EXPECT_EQ(got.status, 200) << got.body;
    const std::size_t at = got.fields.find("set-cookie: ");
    EXPECT_NE(at, std::string::npos) << got.fields;
    return at == std::string::npos ? "" : got.fields.substr(at + 12, got.fields.find(';', at) - at - 12);
  }
  // The same cookie as the browser sends it: its name has capitals.
  static std::string cookie(const std::string& lower) {
    return "Cookie: __Host" + lower.substr(std::string("__host").size());
  }
};

TEST_F(TenantDoorTest, ATenantHasAnOwnerAnAddressAndAUserOfItsOwn) {
  const codec::Json made = create("a");
  EXPECT_THAT(members(made), ::testing::UnorderedElementsAre("name", "home", "user", "address", "did", "claim_url",
                                                             "state", "limits"));
  EXPECT_EQ(text_of(made, "home"), home_of("a"));
  EXPECT_EQ(text_of(made, "user"), user_of("a"));
  EXPECT_EQ(text_of(made, "address"), origin("a") + "/");
  EXPECT_EQ(text_of(made, "state"), "running");
  EXPECT_THAT(text_of(made, "did"), StartsWith("did:key:"));
  EXPECT_THAT(text_of(made, "claim_url"), StartsWith(origin("a") + "/-/enter#"));
  EXPECT_TRUE(has_user(user_of("a")));
  EXPECT_EQ(mode_of(home_of("a")), 0711U);
  EXPECT_EQ(mode_of(path("machine/tenants/" + name_of("a") + ".json")), 0600U);
  EXPECT_EQ(shell("find " + home_of("a") + " ! -user " + user_of("a") + " | grep ."), 1) << "all in it is the user's";
  EXPECT_EQ(shell("test \"$(stat -c %U /proc/$(cat " + home_of("a") + "/run/spl.pid))\" = " + user_of("a")), 0);

  EXPECT_EQ(json_of(ask("a", "/v1/door").body).text(), R"({"claimed":false,"passkey":false})");
  const std::string session = claim("a", text_of(made, "claim_url"));
  EXPECT_THAT(session, StartsWith("__host-spl-" + name_of("a") + "="));
  const Got overview = ask("a", "/v1/overview", {"-H", cookie(session)});
  ASSERT_EQ(overview.status, 200) << overview.body;
  EXPECT_THAT(overview.body, HasSubstr(text_of(made, "did")));

  EXPECT_EQ(text_of(json_on("machine", {"tenant", "stop", name_of("a")}), "state"), "stopped");
  EXPECT_NE(shell("ps -o stat= -u " + user_of("a") + " | grep -qv Z"), 0) << "none of it runs";
  EXPECT_EQ(ask("a", "/v1/overview", {"-H", cookie(session)}).status, 503);
  const codec::Json list = json_on("machine", {"tenant", "list"});
  EXPECT_EQ(text_of(list.array()->at(0), "state"), "stopped");
  EXPECT_EQ(text_of(json_on("machine", {"tenant", "start", name_of("a")}), "state"), "running");
  EXPECT_EQ(ask("a", "/v1/overview", {"-H", cookie(session)}).status, 200) << "the session is still good";

  const codec::Json link = json_on("machine", {"tenant", "link", name_of("a")});
  EXPECT_FALSE(flag_of(link, "claims"));
  const std::string code = text_of(link, "url").substr(text_of(link, "url").find('#') + 1);
  EXPECT_EQ(post("a", "/v1/door/sign-in", "{\"code\":\"" + code + "\"}").status, 200);

  EXPECT_EQ(on("machine", {"tenant", "remove", name_of("a"), "--without-backup"}).code, 0);
  expect_gone("a");
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(TenantDoorTest, OneTenantOpensNothingOfAnother) {
  const codec::Json a = create("a");
  const codec::Json b = create("b");
  const std::string of_a = claim("a", text_of(a, "claim_url"));
  const std::string of_b = claim("b", text_of(b, "claim_url"));
  const std::string of_machine = claim("", text_of(json_on("machine", {"owner", "link"}), "url"));
  const std::string token = of_a.substr(of_a.find('=') + 1);
  EXPECT_EQ(ask("a", "/v1/threads", {"-H", cookie(of_a)}).status, 200);
  EXPECT_EQ(ask("b", "/v1/threads", {"-H", cookie(of_b)}).status, 200);
  // As it is, and under the name that the other one asks for.
  EXPECT_EQ(ask("b", "/v1/threads", {"-H", cookie(of_a)}).status, 401);
  EXPECT_EQ(ask("b", "/v1/threads", {"-H", "Cookie: __Host-spl-" + name_of("b") + "=" + token}).status, 401);
  EXPECT_EQ(ask("", "/v1/threads", {"-H", "Cookie: __Host-spl=" + token}).status, 401);
  EXPECT_EQ(ask("a", "/v1/threads", {"-H", cookie(of_machine)}).status, 401);
  const std::string machines = of_machine.substr(of_machine.find('=') + 1);
  EXPECT_EQ(ask("a", "/v1/threads", {"-H", "Cookie: __Host-spl-" + name_of("a") + "=" + machines}).status, 401);
  EXPECT_NE(text_of(a, "did"), text_of(b, "did"));

  const std::string home = home_of("b");
  const std::string user = user_of("a");
  ASSERT_EQ(as_user(user, "ls " + home_of("a")), 0) << "its own it can read";
  for (const char* file : {"/config.toml", "/door.db", "/hub.db", "/identity", "/logs", "/tenant.json", "/secrets"}) {
    ASSERT_TRUE(exists(home + file) || std::string(file) == "/secrets") << file;
    EXPECT_NE(as_user(user, "test -r " + home + file), 0) << file;
  }
  EXPECT_NE(as_user(user, "ls " + home), 0);
  EXPECT_NE(as_user(user, "ls " + home + ".user"), 0);
  EXPECT_NE(as_user(user, "ls /var/lib/spl/tenants"), 0);
  EXPECT_NE(as_user(user, "cat " + path("machine/tenants/" + name_of("b") + ".json")), 0);
  for (const char* socket : {"/run/spl.sock", "/run/door.sock"}) {
    ASSERT_TRUE(exists(home + socket));
    EXPECT_NE(as_user(user, "curl -s --max-time 20 --unix-socket " + home + socket + " http://x/health"), 0) << socket;
  }
  EXPECT_NE(as_user(user, "kill -TERM $(pgrep -o -u " + user_of("b") + ")"), 0);
}

TEST_F(TenantDoorTest, ThePanelMakesTenantsWithAProofAndShowsNothingOfThem) {
  const std::string session = cookie(claim("", text_of(json_on("machine", {"owner", "link"}), "url")));
  made_.push_back(name_of("a"));
  const std::string body = "{\"name\":\"" + name_of("a") + "\"}";
  EXPECT_EQ(post("", "/v1/tenants", body).status, 401);
  ASSERT_EQ(post("", "/v1/door/proof", "{\"password\":\"" + kPassword + "\"}", {"-H", session}).status, 200);
  const Got made = post("", "/v1/tenants", body, {"-H", session});
  ASSERT_EQ(made.status, 204) << made.body;
  EXPECT_EQ(post("", "/v1/tenants", body, {"-H", session}).status, 409) << "the name is in use";
  const codec::Json rows = json_of(ask("", "/v1/tenants", {"-H", session}).body);
  ASSERT_EQ(rows.array()->size(), 1U);
  const codec::Json& row = rows.array()->at(0);
  EXPECT_EQ(text_of(row, "state"), "running");
  EXPECT_EQ(members(*row.find("limits")).size(), 4U);
  EXPECT_GT(number_of(row, "bytes"), 10'000U);
  EXPECT_TRUE(row.find("last_backup_at")->is_null());
  EXPECT_THAT(rows.text(), Not(HasSubstr("enter#")));
  EXPECT_EQ(post("", "/v1/tenants/" + name_of("a") + "/stop", "", {"-H", session}).status, 204);
  EXPECT_EQ(text_of(json_on("machine", {"tenant", "list"}).array()->at(0), "state"), "stopped");
  EXPECT_EQ(post("", "/v1/tenants/" + name_of("a") + "/start", "", {"-H", session}).status, 204);
  const codec::Json newest = json_on("machine", {"activity"}).array()->at(0);
  EXPECT_EQ(text_of(newest, "action"), "tenant.start");
  EXPECT_EQ(text_of(newest, "who"), "owner");
  EXPECT_EQ(ask("a", "/v1/door").status, 200);
}

// By the tenant's own router, which reaches what the tenant reaches and no more.
TEST_F(TenantDoorTest, WhatATenantsServicesShowIsBelowItsHost) {
  const codec::Json made = create("a");
  write_file(path("echo.toml"), "name = \"echo\"\n[run]\ncommand = [\"/usr/bin/python3\", \"" SPL_SOURCE_DIR
                                "/tests/echo_service.py\", \"{run}/echo.sock\"]\nlisten = [\"unix:{run}/echo.sock\"]\n"
                                "health = \"unix:{run}/echo.sock:/hello\"\nroute = \"echo\"\n");
  ASSERT_EQ(shell("install -o " + user_of("a") + " -m 600 " + path("echo.toml") + " " + home_of("a") + "/services/"),
            0);
  const Ran started = run({"--home", home_of("a"), "service", "echo", "start"});
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_EQ(run({"--home", home_of("a"), "router", "start"}).code, 0);
  const std::string session = cookie(claim("a", text_of(made, "claim_url")));
  EXPECT_EQ(ask("a", "/echo/x").status, 401);
  const Got told = ask("a", "/echo/x", {"-H", session});
  ASSERT_EQ(told.status, 200) << told.body;
  EXPECT_THAT(told.body, HasSubstr(R"(["x-spl-user", "owner"])"));
  EXPECT_THAT(told.body, HasSubstr(R"(["x-forwarded-for", "127.0.0.1"])"));
  EXPECT_THAT(told.body, Not(HasSubstr("__Host-spl")));
  const Got page = ask("a", "/echo/x", {"-H", session, "-H", "Sec-Fetch-Dest: document"});
  EXPECT_EQ(page.status, 302);
  EXPECT_THAT(page.fields, HasSubstr("location: https://echo." + name_of("a") + ".box.test:" + https_ + "/x"));
  EXPECT_EQ(shell("test \"$(stat -c %U /proc/$(cat " + home_of("a") + "/run/router/nginx.pid))\" = " + user_of("a")),
            0);
  EXPECT_EQ(mode_of(home_of("a") + "/run/router/front"), 0710U);
  // What ran before a stop runs after a start.
  ASSERT_EQ(on("machine", {"tenant", "stop", name_of("a")}).code, 0);
  ASSERT_EQ(on("machine", {"tenant", "start", name_of("a")}).code, 0);
  EXPECT_EQ(ask("a", "/echo/x", {"-H", session}).status, 200);
}

TEST_F(TenantTest, ANameThatIsInUseIsRefusedAndOneThatCannotBeIsWrong) {
  create("a");
  EXPECT_EQ(text_of(*create("a", {}, 3).find("error"), "code"), "FILE_EXISTS");
  EXPECT_THAT(listed(), ElementsAre(name_of("a"))) << "the one that is there stays";
  EXPECT_EQ(text_of(json_on("machine", {"tenant", "list"}).array()->at(0), "state"), "running");
  EXPECT_EQ(on("machine", {"tenant", "create", "router"}).code, 3) << "a user spl-router is there";
  EXPECT_EQ(on("machine", {"tenant", "create", name_of("b"), "--name", "box.test"}).code, 3) << "the machine's own";
  EXPECT_EQ(on("machine", {"tenant", "create", name_of("b"), "--name", name_of("a") + ".box.test"}).code, 3);
  for (const char* name : {"", "A", "-a", "a-", "a.b", "../x", "a_b", "0a", "abcdefghijklmnopqrstuvwxyzabcdefghijkl"})
    EXPECT_EQ(on("machine", {"tenant", "create", "--", name}).code, 2) << name;
  EXPECT_EQ(on("machine", {"tenant", "create", name_of("b"), "--context", "x"}).code, 2) << "without a bundle";
  EXPECT_EQ(on("machine", {"tenant", "create", name_of("b"), "--memory", "1"}).code, 2);
  EXPECT_EQ(on("machine", {"tenant", "stop", name_of("b")}).code, 2);
  EXPECT_EQ(on("machine", {"tenant", "remove", name_of("a")}).code, 2) << "what becomes of its data?";
  expect_gone("b");
}

TEST_F(TenantTest, ABundlesIdentityIsAdoptedAndItsCopiesAreNamed) {
  make_home("source", 3);
  ASSERT_EQ(on("source", {"export", "--out", path("whole.spl")}).code, 0);
  const std::string did = text_of(json_on("source", {"identity", "show"}), "did");
  made_.push_back(name_of("a"));
  const Ran first = on("machine", {"tenant", "create", name_of("a"), "--from", path("whole.spl")});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr(did));
  EXPECT_THAT(first.err, HasSubstr("two live copies"));
  made_.push_back(name_of("b"));
  const Ran second = on("machine", {"tenant", "create", name_of("b"), "--from", path("whole.spl")});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("as tenant " + name_of("a")));
  const Ran threads = run({"--home", home_of("a"), "-o", "json", "thread", "list"});
  EXPECT_EQ(json_of(threads.out).array()->size(), 3U);
  EXPECT_EQ(shell("find " + home_of("a") + " ! -user " + user_of("a") + " | grep ."), 1);
}

TEST_F(TenantTest, AnEncryptedBundleIsOpenedByWhatTheLineNames) {
  make_home("source", 1);
  write_file(path("pass"), kPassword + "\n");
  write_file(path("wrong"), "something else\n");
  ASSERT_EQ(on("source", {"export", "--passphrase-file", path("pass"), "--out", path("sealed.spl")}).code, 0);
  create("a", {"--from", path("sealed.spl")}, 4);
  create("a", {"--from", path("sealed.spl"), "--passphrase-file", path("wrong")}, 4);
  expect_gone("a");
  start_daemon("machine");
  create("a", {"--from", path("sealed.spl"), "--passphrase-file", path("pass")});
  EXPECT_EQ(shell("grep -rqF '" + kPassword + "' " + home_of("a") + " " + path("machine")), 1) << "it stands nowhere";
}

TEST_F(TenantTest, WhatFailsLeavesNothing) {
  make_home("source", 2);
  ASSERT_EQ(on("source", {"export", "--out", path("whole.spl")}).code, 0);
  std::string damaged = read_file(path("whole.spl"));
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  write_file(path("damaged.spl"), damaged);
  create("a", {"--from", path("damaged.spl")}, 4);
  expect_gone("a");
  ASSERT_EQ(on("source", {"export", "--no-identity", "--out", path("nobody.spl")}).code, 0);
  create("a", {"--from", path("nobody.spl")}, 3);
  expect_gone("a");
  create("a", {"--from", path("missing.spl")}, 1);
  expect_gone("a");
  const std::string other = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
  create("a", {"--from", path("whole.spl"), "--expect-did", other}, 3);
  expect_gone("a");
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(TenantTest, WhatWouldBeTheWholeMachinesStopsIt) {
  make_home("source", 1);
  const auto declare = [this](const std::string& directory, const std::string& name, const std::string& text) {
    write_file(
        directory + "/" + name + ".toml",
        "name = \"" + name + "\"\n" + text + "[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}\"\n");
    shell("mkdir -p " + path("source/data/" + name) + "; echo x > " + path("source/data/" + name + "/x") +
          "; chmod 644 " + directory + "/" + name + ".toml");
  };
  const std::string network = "[run]\ncommand = [\"/bin/sleep\", \"1000\"]\nlisten = [\"tcp:127.0.0.1:4711\"]\n";
  const std::string package = "[install]\nsource = \"apt:spl-no-such-package\"\n";
  for (const std::string& directory : {path("source/services"), path("catalog")}) {
    declare(directory, "network", network);
    declare(directory, "package", package);
    declare(directory, "plain", "");
  }
  ASSERT_EQ(on("source", {"export", "--plaintext", "--out", path("whole.spl")}).code, 0);
  const codec::Json without_package = create("a", {"--from", path("whole.spl"), "--without", "package"}, 5);
  EXPECT_THAT(text_of(*without_package.find("error"), "message"), HasSubstr("tcp:127.0.0.1:4711"));
  expect_gone("a");
  const codec::Json without_network = create("a", {"--from", path("whole.spl"), "--without", "network"}, 5);
  EXPECT_THAT(text_of(*without_network.find("error"), "message"), HasSubstr("package"));
  expect_gone("a");
  create("a", {"--from", path("whole.spl"), "--without", "network", "--without", "package"});
  EXPECT_EQ(read_file(home_of("a") + "/data/plain/x"), "x\n");
}

TEST_F(TenantTest, ARemovedTenantLeavesItsBundleOrStays) {
  const std::string did = text_of(create("a"), "did");
  write_file(path("taken.spl"), "x");
  EXPECT_EQ(on("machine", {"tenant", "remove", name_of("a"), "--backup-to", path("taken.spl")}).code, 3);
  EXPECT_THAT(listed(), ElementsAre(name_of("a")));
  const Ran removed = on("machine", {"tenant", "remove", name_of("a"), "--backup-to", path("a.spl")});
  ASSERT_EQ(removed.code, 0) << removed.err;
  EXPECT_EQ(mode_of(path("a.spl")), 0600U);
  expect_gone("a");
  EXPECT_EQ(text_of(create("a", {"--from", path("a.spl")}), "did"), did);
}

// Who makes or removes it is killed when `moment` has come; who looks next finds nothing of it.
class TenantKillTest : public TenantTest {
 protected:
  void kill_when(const Words& words, const std::string& what, const std::function<bool()>& moment) {
    Words all{"--home", path("machine"), "tenant"};
    all.insert(all.end(), words.begin(), words.end());
    Process process(all);
    while (!moment()) {
      siginfo_t ended{};
      ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(process.pid()), &ended, WEXITED | WNOHANG | WNOWAIT), 0);
      ASSERT_EQ(ended.si_pid, 0) << "it has ended without " << what;
      ::usleep(1000);
    }
    ::kill(process.pid(), SIGKILL);
    process.wait();
    EXPECT_THAT(listed(), IsEmpty()) << what;
    expect_gone("a");
  }
};

TEST_F(TenantKillTest, WhatWasBeingMadeIsTakenAway) {
  const std::string home = home_of("a");
  const std::vector<std::pair<std::string, std::function<bool()>>> moments{
      {"its note", [&] { return exists(path("machine/tenants/" + name_of("a") + ".json")); }},
      {"its home", [&] { return exists(home); }},
      {"its user", [&] { return has_user(user_of("a")); }},
      {"its daemon", [&] { return exists(home + "/run/spl.pid"); }},
      {"its identity", [&] { return exists(home + "/identity/did_document.json"); }}};
  made_.push_back(name_of("a"));
  for (const auto& [what, moment] : moments) kill_when({"create", name_of("a")}, what, moment);
  create("a");
  EXPECT_THAT(listed(), ElementsAre(name_of("a")));
}

TEST_F(TenantKillTest, WhatWasBeingRemovedIsGone) {
  const std::string home = home_of("a");
  const std::vector<std::pair<std::string, std::function<bool()>>> moments{
      {"its daemon's end", [&] { return !exists(home + "/run/spl.sock"); }},
      {"its home's end", [&] { return !exists(home); }},
      {"its user's end", [&] { return !has_user(user_of("a")); }}};
  for (const auto& [what, moment] : moments) {
    create("a");
    kill_when({"remove", name_of("a"), "--without-backup"}, what, moment);
  }
}

TEST_F(TenantTest, LimitsThatTheMachineCannotHoldAreTold) {
  made_.push_back(name_of("a"));
  const Ran made = on("machine", {"-o", "json", "tenant", "create", name_of("a"), "--memory", "512M", "--cpus", "1.5",
                                  "--tasks", "200"});
  ASSERT_EQ(made.code, 0) << made.err;
  const codec::Json tenant = json_of(made.out);
  const codec::Json& limits = *tenant.find("limits");
  EXPECT_EQ(number_of(limits, "memory_bytes"), 512U << 20);
  EXPECT_EQ(limits.find("cpus")->text(), "1.5");
  EXPECT_EQ(number_of(limits, "tasks"), 200U);
  const std::string group = "/sys/fs/cgroup/spl-tenant-" + name_of("a");
  EXPECT_EQ(flag_of(limits, "enforced"), exists(group));
  if (exists(group)) {
    EXPECT_EQ(read_file(group + "/pids.max"), "200\n");
    EXPECT_THAT(read_file(group + "/cgroup.procs"), HasSubstr(read_file(home_of("a") + "/run/spl.pid")));
  } else {
    EXPECT_THAT(on("machine", {"tenant", "create", name_of("b"), "--tasks", "200"}).err, HasSubstr("cannot limit"));
    made_.push_back(name_of("b"));
    EXPECT_THAT(on("machine", {"tenant", "list"}).out, HasSubstr("none"));
  }
}

TEST_F(TenantTest, TheMachinesDaemonStartsThoseThatAreToRun) {
  create("a");
  create("b");
  ASSERT_EQ(on("machine", {"tenant", "stop", name_of("b")}).code, 0);
  // As the machine's end does.
  ASSERT_EQ(shell("pkill -KILL -u " + user_of("a")), 0);
  const auto state = [this](std::size_t at) {
    return text_of(json_on("machine", {"tenant", "list"}).array()->at(at), "state");
  };
  EXPECT_EQ(state(0), "failed");
  start_daemon("machine");
  while (state(0) != "running") ::usleep(20'000);
  EXPECT_EQ(state(1), "stopped");
}

TEST_F(TenantTest, ATenantHasNoneOfItsOwn) {
  create("a");
  EXPECT_EQ(run({"--home", home_of("a"), "tenant", "create", name_of("b")}).code, 3);
}

// Another user's machine: the same user for all, and said so.
TEST_F(TenantKit, WithoutRootATenantHasNoUserOfItsOwn) {
  std::string spl = spl_program();
  std::string before;
  if (is_root()) {
    if (shell("command -v setpriv >/dev/null") != 0) GTEST_SKIP() << "setpriv is not installed";
    spl = path("spl");
    std::filesystem::copy_file(spl_program(), spl);
    ASSERT_EQ(::chmod(spl.c_str(), 0755), 0);
    const std::string id = std::to_string(kStranger);
    ASSERT_EQ(shell("chown -R " + id + ":" + id + " " + path("machine")), 0);
    before = "setpriv --reuid=" + id + " --regid=" + id + " --clear-groups ";
  }
  const auto user = [&](const std::string& words) {
    return shell("cd / && HOME=" + path("machine") + " " + before + spl + " --home " + path("machine") + " " + words +
                 " >" + path("out") + " 2>" + path("err"));
  };
  const std::string home = path("machine/tenants/" + name_of("a"));
  ASSERT_EQ(user("-o json tenant create " + name_of("a")), 0) << read_file(path("err"));
  const codec::Json made = json_of(read_file(path("out")));
  EXPECT_EQ(text_of(made, "home"), home);
  EXPECT_EQ(text_of(made, "address"), "https://" + name_of("a") + ".box.test:" + https_ + "/");
  EXPECT_FALSE(flag_of(*made.find("limits"), "enforced"));
  EXPECT_THAT(read_file(path("err")), HasSubstr("without root it has no user of its own"));
  EXPECT_EQ(user("tenant stop " + name_of("a")), 0);
  EXPECT_EQ(user("tenant start " + name_of("a")), 0) << read_file(path("err"));
  EXPECT_EQ(user("tenant create " + name_of("a")), 3);
  EXPECT_EQ(user("tenant remove " + name_of("a") + " --without-backup"), 0) << read_file(path("err"));
  EXPECT_FALSE(exists(home));
  EXPECT_FALSE(exists(home + ".json"));
}

}  // namespace
}  // namespace spl::cli_test
