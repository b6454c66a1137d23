// Every route, tried by everybody: what each access admits stands here once, and the table of routes is walked, so that
// a new route is held to it without being named.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "api/remote_operations.h"
#include "api/routes.h"
#include "api/server_test_util.h"
#include "crypto/sha256.h"
#include "federation/pairing.h"
#include "federation/seal.h"
#include "federation/whereabouts.h"
#include "http/signature.h"
#include "substrate/accounts.h"
#include "substrate/identity.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

using federation::Request;
using federation::SealedRequest;
using substrate::Identity;

using Words = std::vector<std::string_view>;

// The scopes that an access lets in over TCP, beside "admin", which is let in where any is.
struct Admission {
  bool everybody = false;
  bool tokens = false;
  std::string_view scope = {};
  bool instances = false;
};
Admission admission_of(Access access) {
  switch (access) {
    case Access::kOpen:
      return {.everybody = true};
    case Access::kRead:
      return {.tokens = true, .scope = "records:read"};
    case Access::kWrite:
      return {.tokens = true, .scope = "records:write"};
    case Access::kAdmin:
      return {.tokens = true, .scope = "admin"};
    case Access::kPeer:
      return {.instances = true};
    case Access::kOwner:
    case Access::kDoor:
      break;
  }
  return {};
}

// What an instance without a pair may do: ask for one, and say where it is.
const std::set<std::string_view> kForStrangers{federation::kPairPath, federation::kAnnouncePath};

// Codes by which a door stays shut.
bool is_shut(const std::string& code) {
  return code == "AUTH_REQUIRED" || code == "AUTH_INVALID" || code == "SCOPE_FORBIDDEN";
}

class RoutesAccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.instance().generate_identity());
    did_ = daemon_.instance().did().value();
    owner_ = std::move(*RemoteOperations::connect(daemon_.env(), daemon_.instance().paths(), nullptr));
    make_tokens();
    ASSERT_EQ(asked({"POST", std::string(federation::kPairPath), R"({"namespaces":["default"]})"}, peer_).status, 202);
    const auto waiting = federation::list_requests(daemon_.instance());
    ASSERT_TRUE(waiting && waiting->size() == 1);
    ASSERT_TRUE(federation::approve_request(daemon_.instance(), waiting->front().id));
  }

  std::string token(const std::string& account) {
    const auto made = owner_->create_token({account, "test", {}, {}});
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::string(made->token.reveal()) : "";
  }
  void make_account(const std::string& name, std::vector<std::string> scopes) {
    const auto account = owner_->create_account({name, std::move(scopes), {}, true});
    ASSERT_TRUE(account) << account.error().message;
  }
  void make_tokens() {
    for (const std::string_view scope : substrate::known_scopes()) {
      std::string name(scope);
      std::ranges::replace(name, ':', '-');
      make_account(name, {std::string(scope)});
      by_scope_[std::string(scope)] = token(name);
    }
    // The strongest there are, each of no use any more.
    const std::string expired = token("admin");
    expire_last();
    const auto revoked = owner_->create_token({"admin", "test", {}, {}});
    ASSERT_TRUE(revoked && owner_->revoke_token({base::to_hex(revoked->summary.id.view())}));
    make_account("former", {"admin"});
    const std::string of_former = token("former");
    ASSERT_TRUE(owner_->revoke_account({"former"}));
    const std::string good = by_scope_.at("admin");
    useless_ = {{"wrong", "x"},
                {"longer", good + "0"},
                {"shorter", good.substr(0, good.size() - 1)},
                {"expired", expired},
                {"revoked", std::string(revoked->token.reveal())},
                {"of an account that was ended", of_former}};
  }
  // The token that was made last.
  void expire_last() {
    auto writer = daemon_.instance().store().writer().value();
    auto tokens = writer->tokens().value();
    const auto last = std::ranges::find_if(tokens, [this](const store::Token& kept) {
      return kept.account == "admin" && kept.sha256 != crypto::sha256(by_scope_.at("admin"));
    });
    ASSERT_NE(last, tokens.end());
    last->expires_at = "2020-01-01T00:00:00Z";
    ASSERT_TRUE(writer->put_token(*last));
    ASSERT_TRUE(writer->commit());
  }

  // A path that the pattern fits.
  std::string path_of(const Route& route) const {
    std::string path(route.pattern);
    for (std::size_t begin = path.find('{'); begin != std::string::npos; begin = path.find('{')) {
      const std::size_t end = path.find('}', begin);
      const bool is_did = path.substr(begin, end - begin) == "{did";
      path.replace(begin, end + 1 - begin, is_did ? did_ : std::string(64, '0'));
    }
    return path;
  }
  static Request request_of(const Route& route, std::string path) {
    return {std::string(route.method), std::move(path), route.method == "POST" ? "{}" : ""};
  }
  // Methods that mean nothing at its path, over TCP.
  static Words wrong_methods(const Route& route) {
    Words wrong{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (const Route& other : routes()) {
      if (other.pattern != route.pattern || !is_at_tcp(other.access)) continue;
      std::erase(wrong, other.method);
      if (other.method == "GET") std::erase(wrong, "HEAD");
    }
    return wrong;
  }

  // Over a connection of its own, which afterwards carries another request: so no octet stood behind the answer.
  RawAnswer send(const Request& request, const std::string& fields) {
    RawClient client = daemon_.tcp();
    const auto answer = client.ask(request.method, request.target, request.content, fields);
    EXPECT_TRUE(answer && answer->whole) << request.method << " " << request.target;
    if (!answer) return {};
    if (!answer->fields.contains("connection")) {
      const auto next = client.ask("GET", "/health");
      EXPECT_TRUE(next && next->status == 200) << "after " << request.method << " " << request.target;
    }
    return *answer;
  }
  RawAnswer with_token(const Request& request, const std::string& token) {
    return send(request, token.empty() ? "" : "authorization: Bearer " + token + "\r\n");
  }
  static std::string lines_of(const http::Fields& fields) {
    std::string lines;
    for (const auto& [name, value] : fields) lines.append(name).append(": ").append(value).append("\r\n");
    return lines;
  }
  SealedRequest seal(const Request& request, const Identity& signer, std::chrono::seconds later = {}) {
    testing::FakeClock clock(daemon_.env().clock.now() + later);
    env::Env env = daemon_.env();
    return federation::seal_request(request, signer, did_, {env.fs, clock, env.random, env.log});
  }
  // The answer is the instance's own, to this request.
  RawAnswer asked(const Request& request, const Identity& signer) {
    const SealedRequest sealed = seal(request, signer);
    const RawAnswer answer = send(request, lines_of(sealed.fields));
    http::Answer whole{.status = answer.status, .fields = {}, .content = answer.body};
    for (const auto& [name, value] : answer.fields) whole.fields.emplace_back(name, value);
    if (request.method != "HEAD") {
      EXPECT_TRUE(federation::check_answer(whole, did_, signer.did, sealed.nonce))
          << request.method << " " << request.target << ": " << answer.body;
    }
    return answer;
  }

  static void expect_refused(const RawAnswer& answer, int status, std::string_view code, const std::string& what) {
    EXPECT_EQ(answer.status, status) << what << ": " << answer.body;
    EXPECT_FALSE(answer.fields.contains("allow")) << what;
    if (!answer.body.empty()) {
      EXPECT_EQ(answer.text("code"), code) << what;
      EXPECT_EQ(answer.text("object"), "error") << what;
    }
    EXPECT_EQ(answer.fields.contains("spl-nonce"), false) << what << ": nobody is known, so nothing is signed";
  }
  // One that has come in; what the route says then is none of this test's.
  static void expect_admitted(const RawAnswer& answer, const std::string& what) {
    EXPECT_NE(answer.status, 401) << what << ": " << answer.body;
    EXPECT_NE(answer.status, 405) << what;
    EXPECT_NE(answer.status, 0) << what;
    const bool is_error = answer.status >= 400 && !answer.body.empty();
    EXPECT_FALSE(is_error && is_shut(answer.text("code"))) << what << ": " << answer.body;
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  TestDaemon daemon_{home_.path() + "/home", log_};
  std::unique_ptr<RemoteOperations> owner_;
  std::string did_;
  Identity peer_ = substrate::generate_identity(daemon_.env()).value();
  Identity stranger_ = substrate::generate_identity(daemon_.env()).value();
  std::map<std::string, std::string> by_scope_;
  std::vector<std::pair<std::string, std::string>> useless_;
};

std::string named(const Request& request, std::string_view who) {
  return request.method + " " + request.target + " as " + std::string(who);
}

TEST_F(RoutesAccessTest, WithoutAGoodTokenOrSignatureOnlyOpenRoutesAnswer) {
  for (const Route& route : routes()) {
    const Request request = request_of(route, path_of(route));
    const bool is_open = admission_of(route.access).everybody;
    const auto is_let_in = [&](const Request& sent, const std::string& token, const std::string& who,
                               std::string_view code) {
      const RawAnswer answer = with_token(sent, token);
      is_open ? expect_admitted(answer, named(sent, who)) : expect_refused(answer, 401, code, named(sent, who));
      if (route.method != "GET") return;
      const RawAnswer head = with_token({"HEAD", sent.target, ""}, token);
      EXPECT_EQ(head.status, answer.status) << "HEAD " << named(sent, who);
    };
    is_let_in(request, "", "nobody", "AUTH_REQUIRED");
    // Where a signature is wanted a token is nothing, good or not.
    const bool wants_signature = admission_of(route.access).instances;
    for (const auto& [who, token] : useless_)
      is_let_in(request, token, who, wants_signature ? "AUTH_REQUIRED" : "AUTH_INVALID");
  }
}

TEST_F(RoutesAccessTest, ATokenOpensWhatItsScopeSaysAndNoMore) {
  for (const Route& route : routes()) {
    const Request request = request_of(route, path_of(route));
    const Admission admission = admission_of(route.access);
    for (const auto& [scope, token] : by_scope_) {
      const std::string what = named(request, scope);
      const RawAnswer answer = with_token(request, token);
      const bool is_in = admission.everybody || (admission.tokens && (scope == admission.scope || scope == "admin"));
      if (is_in) {
        expect_admitted(answer, what);
      } else if (!is_at_tcp(route.access)) {
        EXPECT_TRUE(answer.status == 404 || answer.status == 405) << what << ": " << answer.body;
      } else if (admission.instances) {
        expect_refused(answer, 401, "AUTH_REQUIRED", what);
      } else {
        expect_refused(answer, 403, "SCOPE_FORBIDDEN", what);
        EXPECT_EQ(answer.text("required_scope"), admission.scope) << what;
      }
      if (route.method == "GET") {
        EXPECT_EQ(with_token({"HEAD", request.target, ""}, token).status, answer.status) << "HEAD " << what;
      }
    }
  }
}

TEST_F(RoutesAccessTest, AWrongMethodTellsAStrangerNothing) {
  for (const Route& route : routes()) {
    const std::string path = path_of(route);
    const bool is_open = admission_of(route.access).everybody;
    for (const std::string_view method : wrong_methods(route)) {
      const Request request{std::string(method), path, method == "POST" ? "{}" : ""};
      const int of_stranger = is_open ? 405 : 401;
      EXPECT_EQ(with_token(request, "").status, of_stranger) << named(request, "nobody");
      EXPECT_EQ(with_token(request, useless_.front().second).status, of_stranger) << named(request, "wrong");
      EXPECT_EQ(send(request, lines_of(seal(request, peer_).fields)).status, of_stranger) << named(request, "peer");
      const RawAnswer known = with_token(request, by_scope_.at("config:read"));
      if (!is_at_tcp(route.access)) {
        EXPECT_TRUE(known.status == 404 || known.status == 405) << named(request, "token");
      } else {
        EXPECT_EQ(known.status, 405) << named(request, "token");
      }
    }
  }
}

TEST_F(RoutesAccessTest, ASignatureOpensRoutesOfInstancesAlone) {
  for (const Route& route : routes()) {
    const Admission admission = admission_of(route.access);
    if (admission.everybody) continue;
    const Request request = request_of(route, path_of(route));
    if (!admission.instances) {
      expect_refused(send(request, lines_of(seal(request, peer_).fields)), 401, "AUTH_REQUIRED",
                     named(request, "peer"));
      continue;
    }
    const RawAnswer of_stranger = asked(request, stranger_);
    expect_admitted(of_stranger, named(request, "stranger"));
    if (!kForStrangers.contains(route.pattern)) {
      EXPECT_GE(of_stranger.status, 400) << named(request, "stranger") << ": " << of_stranger.body;
      EXPECT_EQ(of_stranger.text("object"), "error");
    }
    if (route.method == "GET") {
      const RawAnswer head = asked({"HEAD", request.target, ""}, stranger_);
      EXPECT_EQ(head.status, of_stranger.status) << named(request, "stranger");
    }
    expect_admitted(asked(request, peer_), named(request, "peer"));
  }
}

TEST_F(RoutesAccessTest, ASignedRequestIsTakenOnceAndByWhomItIsMeantFor) {
  const Identity& other = stranger_;
  for (const Route& route : routes()) {
    if (!admission_of(route.access).instances) continue;
    const Request request = request_of(route, path_of(route));
    for (const Identity* signer : {&peer_, &stranger_}) {
      const SealedRequest sealed = seal(request, *signer);
      expect_admitted(send(request, lines_of(sealed.fields)), named(request, signer->did));
      const RawAnswer again = send(request, lines_of(sealed.fields));
      EXPECT_EQ(again.status, 410) << named(request, "replay") << ": " << again.body;
      EXPECT_EQ(again.text("code"), "NONCE_USED");
    }
    const SealedRequest elsewhere = federation::seal_request(request, peer_, other.did, daemon_.env());
    expect_refused(send(request, lines_of(elsewhere.fields)), 401, "AUTH_INVALID", named(request, "other audience"));
    for (const std::chrono::seconds later : {std::chrono::seconds(-400), std::chrono::seconds(400)}) {
      expect_refused(send(request, lines_of(seal(request, peer_, later).fields)), 401, "AUTH_INVALID",
                     named(request, "made at another time"));
    }
  }
}

TEST_F(RoutesAccessTest, AnAlteredRequestIsRefused) {
  for (const Route& route : routes()) {
    if (!admission_of(route.access).instances) continue;
    const Request request = request_of(route, path_of(route));
    const auto expect_altered_refused = [&](const Request& sealed, const std::string& what) {
      expect_refused(send(request, lines_of(seal(sealed, peer_).fields)), 401, "AUTH_INVALID", named(request, what));
    };
    expect_altered_refused({request.method, request.target + "x", request.content}, "another path");
    expect_altered_refused({request.method, request.target + "?a=1", request.content}, "another query");
    expect_altered_refused({request.method, request.target, request.content + " "}, "another body");
    expect_altered_refused({request.method == "GET" ? "HEAD" : "PUT", request.target, request.content}, "a method");
    const SealedRequest sealed = seal(request, peer_);
    expect_refused(send({request.method, request.target + "?a=1", request.content}, lines_of(sealed.fields)), 401,
                   "AUTH_INVALID", named(request, "a query more"));
    // Each field of the signature in turn: another value, none, and one more beside it.
    for (std::size_t at = 0; at < sealed.fields.size(); ++at) {
      http::Fields changed = sealed.fields;
      std::string& value = changed[at].second;
      const std::size_t middle = value.size() / 2;
      value[middle] = value[middle] == 'A' ? 'B' : 'A';
      http::Fields without = sealed.fields;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(at));
      http::Fields twice = sealed.fields;
      twice.push_back(changed[at]);
      const std::string& name = sealed.fields[at].first;
      expect_refused(send(request, lines_of(changed)), 401, "AUTH_INVALID", named(request, "changed " + name));
      expect_refused(send(request, lines_of(without)), 401, "AUTH_INVALID", named(request, "without " + name));
      expect_refused(send(request, lines_of(twice)), 401, "AUTH_INVALID", named(request, "twice " + name));
    }
    expect_admitted(send(request, lines_of(sealed.fields)), named(request, "unaltered"));
  }
}

// Who has a pair from now on, or none any more, has used its nonces before.
TEST_F(RoutesAccessTest, ARequestIsTakenOnceThoughItsSignerHasBecomeAPeer) {
  const Request request{"POST", std::string(federation::kPairPath), R"({"namespaces":["default"]})"};
  const SealedRequest sealed = seal(request, stranger_);
  EXPECT_EQ(send(request, lines_of(sealed.fields)).status, 202);
  ASSERT_TRUE(federation::approve_request(daemon_.instance(),
                                          federation::list_requests(daemon_.instance()).value().front().id));
  EXPECT_EQ(send(request, lines_of(sealed.fields)).status, 410);
  const Request ending{"POST", std::string(federation::kRevokePath), "{}"};
  const SealedRequest end = seal(ending, stranger_);
  EXPECT_EQ(send(ending, lines_of(end.fields)).status, 200);
  EXPECT_EQ(send(ending, lines_of(end.fields)).status, 410);
}

// What is not signed is not read: how much of it there may be is none of a stranger's business either.
TEST_F(RoutesAccessTest, AnUnsignedBodyIsNotAskedFor) {
  for (const Route& route : routes()) {
    if (!admission_of(route.access).instances || route.method != "POST") continue;
    RawClient client = daemon_.tcp();
    const auto answer = client.ask("POST", path_of(route), std::string(kControlBodyBytesMax + 1, ' '));
    ASSERT_TRUE(answer);
    expect_refused(*answer, 401, "AUTH_REQUIRED", std::string(route.pattern));
  }
}

TEST_F(RoutesAccessTest, AtTheOwnersSocketABadSignatureIsABadSignature) {
  for (const Route& route : routes()) {
    if (!admission_of(route.access).instances) continue;
    const Request request = request_of(route, path_of(route));
    const SealedRequest elsewhere = federation::seal_request(request, peer_, peer_.did, daemon_.env());
    const auto answer =
        daemon_.local().ask(request.method, request.target, request.content, lines_of(elsewhere.fields));
    ASSERT_TRUE(answer);
    expect_refused(*answer, 401, "AUTH_INVALID", named(request, "at the owner's socket"));
  }
  const auto page = daemon_.local().ask("GET", federation::kChangesPath);
  EXPECT_EQ(page->status, 200);
}

}  // namespace
}  // namespace spl::api
