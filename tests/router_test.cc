// The owner's door as a browser and as programs find it: Debian's nginx before a real daemon and a service that tells
// what came; curl asks.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string kPassword = "correct horse battery";

struct Got {
  int status = 0;
  std::string fields;  // of the answer, in lower case
  std::string body;
};

class RouterTest : public CliTest {
 protected:
  void SetUp() override {
    // As root the router is another user, who passes through to the sockets.
    ASSERT_EQ(::chmod(path("").c_str(), 0711), 0);
    make_home("a", 1);
    // Of this process's own, and none that the kernel gives to whoever asks for any.
    first_port_ = 10'000 + ::getpid() % 7000 * 3;
    https_ = std::to_string(first_port_ + 1);
    http_ = std::to_string(first_port_ + 2);
    config_ = "[router]\nnames = [\"box.test\", \"127.0.0.1\"]\nhttps = " + https_ + "\nhttp = " + http_ +
              "\nports = \"" + std::to_string(first_port_) + "-" + std::to_string(first_port_) + "\"\n";
    write_file(path("a") + "/config.toml", config_);
    write_file(path("a") + "/services/echo.toml",
               "name = \"echo\"\n[run]\ncommand = [\"/usr/bin/python3\", \"" SPL_SOURCE_DIR
               "/tests/echo_service.py\", \"{run}/echo.sock\"]\nlisten = [\"unix:{run}/echo.sock\"]\n"
               "health = \"unix:{run}/echo.sock:/hello\"\nroute = \"echo\"\n");
    start_daemon("a");
    EXPECT_EQ(on("a", {"router", "start"}).code, 0);
    EXPECT_EQ(on("a", {"service", "echo", "start"}).code, 0);
    write_file(path("ca.pem"), on("a", {"router", "trust"}).out);
  }
  void TearDown() override {
    (void)on("a", {"service", "all", "stop"});
    (void)on("a", {"router", "stop"});
  }

  [[nodiscard]] std::string panel() const { return "https://box.test:" + https_; }
  [[nodiscard]] std::string origin() const { return "https://box.test:" + std::to_string(first_port_); }

  // `words` are curl's, the last of them the URL.
  Got ask(Words words) {
    const std::string out = path("answer");
    std::string command = "curl -s -g --path-as-is --max-time 60 --cacert '" + path("ca.pem") + "' -D '" + out +
                          ".head' -o '" + out + "' -w '%{http_code}'";
    for (const std::string& port : {https_, http_, std::to_string(first_port_)})
      for (const char* host : {"box.test", "my-echo.box.test", "bank.test"})
        command += std::string(" --resolve '") + host + ":" + port + ":127.0.0.1'";
    for (const std::string& word : words) command += " '" + word + "'";
    shell(command + " > '" + out + ".status'; true");
    Got got;
    got.status = std::atoi(read_file(out + ".status").c_str());
    got.fields = exists(out + ".head") ? read_file(out + ".head") : "";
    std::ranges::transform(got.fields, got.fields.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    got.body = exists(out) ? read_file(out) : "";
    shell("rm -f '" + out + "' '" + out + ".head' '" + out + ".status'");
    return got;
  }
  static std::string code_of(const Got& got) { return text_of(json_of(got.body), "code"); }

  Got post(const std::string& place, const std::string& json, Words more = {}) {
    Words words{"-H", "Origin: " + panel(), "-H", "Content-Type: application/json", "--data-binary", json};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(panel() + place);
    return ask(words);
  }
  std::string code() {
    const std::string url = text_of(json_on("a", {"owner", "link"}), "url");
    return url.substr(url.find('#') + 1);
  }
  // The owner's session, for curl.
  std::string claimed() {
    const Got got = post("/v1/door/claim", "{\"code\":\"" + code() + "\",\"password\":\"" + kPassword + "\"}");
    EXPECT_EQ(got.status, 200) << got.body;
    const std::size_t at = got.fields.find("__host-spl=");
    EXPECT_NE(at, std::string::npos) << got.fields;
    return "Cookie: __Host-spl=" + got.fields.substr(at + 11, 64);
  }
  // What the service was told.
  static std::string told(const Got& got, const std::string& name) {
    const codec::Json json = json_of(got.body);
    for (const codec::Json& field : *json.find("fields")->array()) {
      if (*field.array()->at(0).string() == name) return *field.array()->at(1).string();
    }
    return "(missing)";
  }

  std::string config_;
  std::string https_;
  std::string http_;
  int first_port_ = 0;
};

TEST_F(RouterTest, AnUnclaimedDoorHasOnePage) {
  EXPECT_EQ(ask({panel() + "/"}).status, 303);
  EXPECT_THAT(ask({panel() + "/-/overview"}).fields, HasSubstr("location: /-/claim"));
  const Got page = ask({panel() + "/-/claim"});
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("action=\"/v1/door/claim\""));
  EXPECT_THAT(page.fields, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(page.fields, HasSubstr("cache-control: no-store"));
  for (const char* other : {"/v1/threads", "/health", "/v1/local/emit", "/openapi.json", "/.well-known/syncropel"}) {
    const Got got = ask({panel() + other});
    EXPECT_EQ(got.status, 403) << other;
    EXPECT_EQ(code_of(got), "UNCLAIMED") << other;
  }
  EXPECT_EQ(json_of(ask({panel() + "/v1/door"}).body).text(), R"({"claimed":false,"passkey":false})");
}

TEST_F(RouterTest, TheConsolesCodeMakesAnOwnerAndNoSecond) {
  EXPECT_EQ(code_of(post("/v1/door/claim", R"({"code":"wrong","password":"correct horse battery"})")), "AUTH_INVALID");
  const std::string good = code();
  const std::string session = claimed();
  const Got second = post("/v1/door/claim", "{\"code\":\"" + good + "\",\"password\":\"" + kPassword + "\"}");
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(code_of(second), "CLAIMED");
  EXPECT_EQ(ask({"-H", session, panel() + "/v1/threads"}).status, 200);
  EXPECT_EQ(ask({panel() + "/v1/threads"}).status, 401);
  EXPECT_EQ(json_of(ask({"-H", session, panel() + "/v1/door/sessions"}).body).array()->size(), 1U);
  EXPECT_THAT(ask({panel() + "/-/overview"}).fields, HasSubstr("location: /-/sign-in"));
  EXPECT_EQ(ask({"-H", session, panel() + "/-/plain"}).status, 200);
  // The socket's own powers are not the session's.
  EXPECT_EQ(post("/v1/local/emit", R"({"act":"DO"})", {"-H", session}).status, 404);
  // The code stands nowhere.
  EXPECT_EQ(shell("grep -rqF '" + good + "' '" + path("a") + "'"), 1);
  EXPECT_EQ(shell("grep -rqF '" + session.substr(session.find('=') + 1) + "' '" + path("a") + "'"), 1);
}

TEST_F(RouterTest, AFormWithoutScriptDoesTheSame) {
  const std::string form = "code=" + code() + "&password=correct+horse+battery";
  const Got bad = ask({"-H", "Sec-Fetch-Site: same-origin", "--data", "code=wrong&password=correct+horse+battery",
                       panel() + "/v1/door/claim"});
  EXPECT_EQ(bad.status, 401);
  EXPECT_THAT(bad.body, HasSubstr("role=\"alert\""));
  const Got good = ask({"-H", "Sec-Fetch-Site: same-origin", "--data", form, panel() + "/v1/door/claim"});
  EXPECT_EQ(good.status, 303);
  EXPECT_THAT(good.fields, HasSubstr("secure; httponly; samesite=lax"));
  const std::string session = "Cookie: __Host-spl=" + good.fields.substr(good.fields.find("__host-spl=") + 11, 64);
  EXPECT_THAT(ask({"-H", "Sec-Fetch-Site: same-origin", "--data", "", panel() + "/-/plain"}).fields,
              HasSubstr("location: /-/sign-in"));
  const Got begun = ask({"-H", session, "-H", "Sec-Fetch-Site: same-origin", "--data", "", panel() + "/-/plain"});
  EXPECT_EQ(begun.status, 303) << begun.body;
  EXPECT_THAT(begun.fields, HasSubstr("location: /-/plain"));
  // Nobody could open it: the page says so.
  const std::string job = text_of(json_on("a", {"job", "list"}).array()->front(), "id");
  EXPECT_EQ(ask({"-H", session, panel() + "/v1/jobs/" + job + "/events"}).status, 200);
  EXPECT_THAT(ask({"-H", session, panel() + "/-/plain"}).body, HasSubstr("nobody is named who could open it"));
}

TEST_F(RouterTest, WhatAPageOfAnotherOriginSendsIsNotTaken) {
  const std::string session = claimed();
  const std::string body = R"({"password":"correct horse battery"})";
  for (const Words& from : std::vector<Words>{{"-H", "Sec-Fetch-Site: same-site", "-H", "Origin: " + panel()},
                                              {"-H", "Sec-Fetch-Site: cross-site"},
                                              {"-H", "Sec-Fetch-Site: none"},
                                              {"-H", "Origin: " + origin()},
                                              {"-H", "Origin: null"},
                                              {"-H", "Origin: https://evil.test"},
                                              {"-H", "X-Nothing: 1"}}) {
    Words words{"-H", session, "--data-binary", body};
    words.insert(words.end(), from.begin(), from.end());
    words.push_back(panel() + "/v1/door/proof");
    const Got got = ask(words);
    EXPECT_EQ(got.status, 403) << from[1];
    EXPECT_EQ(code_of(got), "CROSS_ORIGIN") << from[1];
  }
  EXPECT_EQ(post("/v1/door/proof", body, {"-H", session}).status, 200);
  // A program with a token has neither field.
  json_on("a", {"service-account", "create", "ci", "--scope", "records:write", "--scope", "records:read", "--actor",
                "did:web:ci.example"});
  const std::string token = text_of(json_on("a", {"token", "create", "ci"}), "token");
  const Got put = ask(
      {"-H", "Authorization: Bearer " + token, "-H", "Content-Type: application/json", "--data-binary",
       R"({"thread":"t","actor":"did:web:ci.example","act":"DO","clock":1,"parents":[],"body":{},"data_type":"SCALAR"})",
       panel() + "/v1/records"});
  EXPECT_THAT(put.status, AnyOf(200, 201)) << put.body;
}

TEST_F(RouterTest, AServicesOwnOriginAsksForTheOwner) {
  const auto page = [this] { return ask({"-H", "Sec-Fetch-Dest: document", origin() + "/x"}); };
  EXPECT_THAT(page().fields, HasSubstr("location: " + panel() + "/-/sign-in"));
  EXPECT_EQ(code_of(ask({origin() + "/x"})), "UNCLAIMED");
  const std::string session = claimed();
  EXPECT_EQ(page().status, 302);
  EXPECT_THAT(page().fields, HasSubstr("location: " + panel() + "/-/sign-in"));
  EXPECT_EQ(ask({origin() + "/x"}).status, 401);
  const Got got = ask({"-H", session, origin() + "/a%2Fb//c?x=%20y"});
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(text_of(json_of(got.body), "target"), "/a%2Fb//c?x=%20y");
  EXPECT_EQ(told(got, "x-spl-user"), "owner");
  EXPECT_EQ(told(got, "x-hero-user"), "owner");
  EXPECT_EQ(told(got, "x-hero-claims"), "admin");
  EXPECT_EQ(told(got, "x-forwarded-proto"), "https");
  EXPECT_EQ(told(got, "x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(told(got, "x-forwarded-host"), "box.test:" + std::to_string(first_port_));
  EXPECT_EQ(told(got, "cookie"), "(missing)") << "the session is nobody's but the door's";
}

TEST_F(RouterTest, BelowThePanelAServiceIsForPrograms) {
  const std::string session = claimed();
  const std::string place = panel() + "/echo/a%2Fb/../c?q=1";
  const Got page = ask({"-H", session, "-H", "Sec-Fetch-Dest: document", place});
  EXPECT_EQ(page.status, 302);
  EXPECT_THAT(page.fields, HasSubstr("location: " + origin() + "/a%2fb/../c?q=1"));
  for (const char* dest : {"iframe", "frame", "embed", "object"})
    EXPECT_EQ(ask({"-H", session, "-H", std::string("Sec-Fetch-Dest: ") + dest, place}).status, 302) << dest;
  for (const char* dest : {"script", "style", "image", "worker", "serviceworker", "font", "websocket", "nonsense"})
    EXPECT_EQ(ask({"-H", session, "-H", std::string("Sec-Fetch-Dest: ") + dest, place}).status, 403) << dest;
  const Got got = ask({"-H", session, "-H", "Sec-Fetch-Dest: empty", place});
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(text_of(json_of(got.body), "target"), "/a%2Fb/../c?q=1");
  EXPECT_EQ(told(got, "x-forwarded-prefix"), "/echo");
  EXPECT_THAT(got.fields, HasSubstr("content-security-policy: sandbox"));
  EXPECT_THAT(got.fields, HasSubstr("x-content-type-options: nosniff"));
  EXPECT_EQ(ask({"-H", session, panel() + "/echo"}).status, 308);
}

TEST_F(RouterTest, WhatOnlyTheRouterSaysCannotBeForged) {
  const std::string session = claimed();
  for (const char* forged :
       {"X-Spl-User: root", "X-Hero-User: root", "X-Hero-Claims: all", "X-Spl-Anything: 1", "x-hero-context: 7"})
    EXPECT_EQ(ask({"-H", session, "-H", forged, origin() + "/"}).status, 400) << forged;
  EXPECT_EQ(ask({"-H", session, "-H", "X-Spl-Context: nobody", origin() + "/"}).status, 400);
  json_on("a", {"context", "add", "geomind", "--id", "7"});
  const Got got = ask({"-H", session, "-H", "X-Spl-Context: geomind", "-H", "X-Forwarded-For: 10.9.9.9", "-H",
                       "X-Forwarded-Proto: gopher", "-H", "Forwarded: for=10.9.9.9", "-H", "X_Spl_User: root", "-H",
                       "Cookie: a=1; __Host-spl-other=2; b=3", origin() + "/"});
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(told(got, "x-spl-context"), "geomind");
  EXPECT_EQ(told(got, "x-hero-context"), "7");
  EXPECT_EQ(told(got, "x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(told(got, "x-forwarded-proto"), "https");
  EXPECT_EQ(told(got, "forwarded"), "(missing)");
  EXPECT_EQ(told(got, "x_spl_user"), "(missing)");
  EXPECT_EQ(told(got, "cookie"), "a=1; b=3");
  EXPECT_EQ(told(ask({"-H", session, origin() + "/"}), "x-spl-context"), "(missing)");
}

TEST_F(RouterTest, TokensOpenServicesAndAreNotShownToThem) {
  claimed();
  json_on("a", {"service-account", "create", "sync", "--scope", "records:read"});
  const std::string token = text_of(json_on("a", {"token", "create", "sync"}), "token");
  const Got bearer = ask({"-H", "Authorization: Bearer " + token, panel() + "/echo/x"});
  ASSERT_EQ(bearer.status, 200) << bearer.body;
  EXPECT_EQ(told(bearer, "x-spl-user"), "sync");
  EXPECT_EQ(told(bearer, "authorization"), "(missing)");
  const Got basic = ask({"-u", "me:" + token, panel() + "/echo/x"});
  ASSERT_EQ(basic.status, 200) << basic.body;
  EXPECT_EQ(told(basic, "authorization"), "(missing)");
  const Got nobody = ask({"-u", "me:wrong", panel() + "/echo/x"});
  EXPECT_EQ(nobody.status, 401);
  EXPECT_THAT(nobody.fields, HasSubstr("www-authenticate: basic"));
}

TEST_F(RouterTest, AHostileServiceGetsNothingByItsAnswers) {
  const std::string session = claimed();
  const Got got = ask({"-H", session, origin() + "/accel"});
  EXPECT_EQ(got.status, 200);
  EXPECT_THAT(got.body, Not(HasSubstr("root:")));
  EXPECT_EQ(text_of(json_of(got.body), "target"), "/accel");
  EXPECT_THAT(got.fields, Not(HasSubstr("x-accel")));
}

TEST_F(RouterTest, BodiesPassUnbufferedAndStreamsAsTheyCome) {
  const std::string session = claimed();
  const Got big = ask({"-H", session, "-H", "Origin: " + origin(), "-H", "Transfer-Encoding: chunked", "-T",
                       "/proc/self/exe", origin() + "/put"});
  ASSERT_EQ(big.status, 200) << big.body;
  EXPECT_GT(number_of(json_of(big.body), "body_bytes"), 100'000U);
  // The first piece is here while the service holds the rest back.
  const std::string read_first =
      "curl -sN --cacert '" + path("ca.pem") + "' --resolve 'box.test:" + std::to_string(first_port_) +
      ":127.0.0.1' -H '" + session + "' " + origin() + "/slow | (head -c 5 > '" + path("first") + "'; cat > '" +
      path("rest") + "') & until [ -s '" + path("first") + "' ]; do sleep 0.05; done; curl -s --cacert '" +
      path("ca.pem") + "' --resolve 'box.test:" + std::to_string(first_port_) + ":127.0.0.1' -H '" + session + "' " +
      origin() + "/go > /dev/null; wait";
  ASSERT_EQ(shell("timeout 60 bash -c \"" + read_first + "\""), 0);
  EXPECT_EQ(read_file(path("first")), "first");
  EXPECT_EQ(read_file(path("rest")), "last");
}

TEST_F(RouterTest, AWebsocketIsBegunByItsOwnOriginAlone) {
  const std::string session = claimed();
  const auto begun_by = [&](const std::string& who) {
    return ask({"--http1.1", "-H", session, "-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", who,
                origin() + "/closed"});
  };
  EXPECT_EQ(begun_by("Origin: " + origin()).status, 101);
  for (const std::string& other : {"Origin: " + panel(), std::string("Origin: https://evil.test"),
                                   std::string("Sec-Fetch-Site: same-site"), std::string("X-Nothing: 1")}) {
    const Got got = begun_by(other);
    EXPECT_EQ(got.status, 403) << other;
    EXPECT_EQ(code_of(got), "CROSS_ORIGIN") << other;
  }
}

TEST_F(RouterTest, UnderANameOfItsOwnAServiceIsEnteredByACodeOnce) {
  // A route may hold what no variable of nginx may.
  const std::string declared = read_file(path("a") + "/services/echo.toml");
  write_file(path("a") + "/services/echo.toml",
             declared.substr(0, declared.find("route = ")) + "route = \"my-echo\"\n");
  write_file(path("a") + "/config.toml", config_ + "services = \"name\"\n");
  const Ran reloaded = on("a", {"router", "reload"});
  ASSERT_EQ(reloaded.code, 0) << reloaded.err << read_file(path("a") + "/logs/router.log");
  const std::string own = "https://my-echo.box.test:" + https_;
  const std::string way_in = panel() + "/-/open/my-echo";
  EXPECT_EQ(code_of(ask({own + "/x"})), "UNCLAIMED");
  EXPECT_THAT(ask({"-H", "Sec-Fetch-Dest: document", own + "/x"}).fields, HasSubstr("location: " + way_in));

  const std::string session = claimed();
  EXPECT_EQ(ask({own + "/x"}).status, 401);
  EXPECT_THAT(ask({"-H", "Sec-Fetch-Dest: document", own + "/x"}).fields, HasSubstr("location: " + way_in));
  EXPECT_THAT(ask({way_in}).fields, HasSubstr("location: /-/sign-in"));
  const auto way = [&] {
    const std::string fields = ask({"-H", session, way_in}).fields;
    const std::size_t at = fields.find("location: " + own + "/-/enter?code=");
    EXPECT_NE(at, std::string::npos) << fields;
    return fields.substr(at + 10, fields.find('\r', at) - at - 10);
  };
  const std::string first = way();
  const Got entered = ask({first});
  EXPECT_EQ(entered.status, 303);
  const std::size_t at = entered.fields.find("__host-spl=");
  ASSERT_NE(at, std::string::npos) << entered.fields;
  const std::string cookie = "Cookie: __Host-spl=" + entered.fields.substr(at + 11, 64);
  const Got got = ask({"-H", cookie, own + "/x"});
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(told(got, "x-spl-user"), "owner");
  EXPECT_EQ(told(got, "cookie"), "(missing)");
  EXPECT_EQ(code_of(ask({first})), "AUTH_INVALID") << "a code is taken once";
  EXPECT_EQ(ask({own + "/-/enter?code=" + std::string(64, '0')}).status, 401);
  EXPECT_EQ(ask({panel() + "/-/enter-service/my-echo?code=x"}).status, 404);
  // It opens this service alone, and as long as the session lasts.
  EXPECT_EQ(ask({"-H", cookie, panel() + "/v1/threads"}).status, 401);
  EXPECT_EQ(ask({"-H", session, panel() + "/my-echo/x"}).status, 200);
  json_on("a", {"owner", "sign-out", "--all"});
  EXPECT_EQ(ask({"-H", cookie, own + "/x"}).status, 401);
}

TEST_F(RouterTest, WhatIsDownIsUnavailable) {
  const std::string session = claimed();
  ASSERT_EQ(on("a", {"service", "echo", "stop"}).code, 0);
  const Got down = ask({"-H", session, origin() + "/"});
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(code_of(down), "UNAVAILABLE");
  ASSERT_EQ(on("a", {"service", "echo", "start"}).code, 0);
  ASSERT_EQ(on("a", {"stop"}).code, 0);
  EXPECT_EQ(ask({"-H", session, panel() + "/v1/door"}).status, 503);
  EXPECT_EQ(ask({"-H", session, origin() + "/"}).status, 503);
  start_daemon("a");
  EXPECT_EQ(ask({"-H", session, origin() + "/"}).status, 200) << "sessions survive";
}

TEST_F(RouterTest, AForeignHostIsMisdirected) {
  for (const std::string& port : {https_, std::to_string(first_port_)}) {
    EXPECT_EQ(ask({"-k", "https://bank.test:" + port + "/"}).status, 421) << port;
    EXPECT_EQ(ask({"-H", "Host: bank.test", "https://box.test:" + port + "/"}).status, 421) << port;
  }
  const Got plain = ask({"http://box.test:" + http_ + "/-/x?y=1"});
  EXPECT_EQ(plain.status, 308);
  EXPECT_THAT(plain.fields, HasSubstr("location: " + panel() + "/-/x?y=1"));
  EXPECT_EQ(ask({"http://bank.test:" + http_ + "/"}).status, 421);
}

TEST_F(RouterTest, ABadConfigurationIsNotLoaded) {
  const std::string before = read_file(path("a") + "/config.toml");
  write_file(path("a") + "/config.toml", before + "trusted_proxies = [\"not a network\"]\n");
  EXPECT_EQ(on("a", {"router", "reload"}).code, 2);
  write_file(path("a") + "/config.toml",
             before + "certificate = \"files\"\ncertificate_file = \"/dev/null\"\nkey_file = \"/dev/null\"\n");
  EXPECT_NE(on("a", {"router", "reload"}).code, 0);
  EXPECT_EQ(ask({panel() + "/-/claim"}).status, 200);
  write_file(path("a") + "/config.toml", before);
  EXPECT_EQ(on("a", {"router", "reload"}).code, 0);
}

TEST_F(RouterTest, StatusSaysWhatIsServed) {
  const codec::Json status = json_on("a", {"router", "status"});
  EXPECT_EQ(members(status), (std::vector<std::string>{"running", "addresses", "certificate", "routes"}));
  EXPECT_TRUE(flag_of(status, "running"));
  EXPECT_EQ(*status.find("addresses")->array()->front().string(), panel());
  EXPECT_EQ(members(*status.find("certificate")), (std::vector<std::string>{"kind", "names", "not_after", "sha256"}));
  const codec::Json& route = status.find("routes")->array()->front();
  EXPECT_EQ(members(route), (std::vector<std::string>{"service", "route", "address", "access", "up"}));
  EXPECT_EQ(text_of(route, "address"), origin() + "/");
  EXPECT_TRUE(flag_of(route, "up"));
  ASSERT_EQ(on("a", {"router", "stop"}).code, 0);
  EXPECT_FALSE(flag_of(json_on("a", {"router", "status"}), "running"));
  EXPECT_EQ(on("a", {"router", "stop"}).code, 0);
  EXPECT_EQ(on("a", {"router", "reload"}).code, 6);
}

TEST_F(RouterTest, APortThatIsTakenIsSaidWithByWhom) {
  make_home("b", 1);
  write_file(path("b") + "/config.toml", "[router]\nnames = [\"box.test\"]\nhttps = " + https_ + "\nhttp = 0\n");
  const Ran refused = on("b", {"router", "start"});
  EXPECT_EQ(refused.code, 6);
  EXPECT_THAT(refused.err, HasSubstr("port " + https_ + " is taken by nginx"));
}

TEST_F(RouterTest, TheConsoleIsTheOwners) {
  EXPECT_FALSE(flag_of(json_on("a", {"owner", "status"}), "claimed"));
  EXPECT_EQ(on("a", {"owner", "password"}, {.text = "something else, long\n"}).code, 3);
  const std::string session = claimed();
  EXPECT_EQ(json_on("a", {"owner", "sessions"}).array()->size(), 1U);
  EXPECT_EQ(on("a", {"owner", "password"}, {.text = "short\n"}).code, 2);
  EXPECT_EQ(on("a", {"owner", "password"}, {.text = "something else, long\n"}).code, 0);
  EXPECT_EQ(ask({"-H", session, panel() + "/v1/threads"}).status, 401);
  EXPECT_EQ(post("/v1/door/sign-in", R"({"password":"something else, long"})").status, 200);
  EXPECT_EQ(post("/v1/door/sign-in", "{\"code\":\"" + code() + "\"}").status, 200);
  EXPECT_EQ(number_of(json_on("a", {"owner", "sign-out", "--all"}), "ended"), 2U);
  EXPECT_EQ(on("a", {"owner", "sign-out"}).code, 2);
  EXPECT_EQ(on("a", {"owner", "reset"}).code, 0);
  EXPECT_FALSE(flag_of(json_on("a", {"owner", "status"}), "claimed"));
  claimed();
}

}  // namespace
}  // namespace spl::cli_test
