#include "federation/seal.h"

#include <gtest/gtest.h>

#include "federation/nonces.h"
#include "http/signature.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"

namespace spl::federation {
namespace {

class SealTest : public ::testing::Test {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }
  std::int64_t now() { return unix_seconds(clock_.now()); }

  http::RequestHead head_of(const Request& request, const SealedRequest& sealed) {
    http::RequestHead head;
    head.method = request.method;
    head.target = request.target;
    head.fields = sealed.fields;
    return head;
  }
  SealedRequest sealed(const Request& request) { return seal_request(request, asker_, answerer_.did, env()); }
  Result<Caller> taken(const http::RequestHead& head, std::string_view content) {
    return verified_request(head, content, answerer_.did, now());
  }

  testing::SimFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_{1};
  testing::MemoryLog log_;
  substrate::Identity asker_ = substrate::generate_identity(env()).value();
  substrate::Identity answerer_ = substrate::generate_identity(env()).value();
  Request request_{"POST", "/v1/federation/pair?x=1", "{\"a\":1}"};
};

TEST_F(SealTest, ARequestSaysWhoAsks) {
  const SealedRequest made = sealed(request_);
  const auto caller = taken(head_of(request_, made), request_.content);
  ASSERT_TRUE(caller) << caller.error().message;
  EXPECT_EQ(caller->did, asker_.did);
  EXPECT_EQ(caller->nonce, made.nonce);
  EXPECT_NE(sealed(request_).nonce, made.nonce);
}

TEST_F(SealTest, WhatIsAlteredIsRefused) {
  const http::RequestHead good = head_of(request_, sealed(request_));
  const auto cause = [this](const http::RequestHead& head, std::string_view content) {
    const auto caller = taken(head, content);
    return caller ? Cause::kUnspecified : caller.error().cause;
  };
  ASSERT_EQ(cause(good, request_.content), Cause::kUnspecified);
  http::RequestHead changed = good;
  changed.method = "PUT";
  EXPECT_EQ(cause(changed, request_.content), Cause::kAuthInvalid);
  for (const char* target : {"/v1/federation/pair?x=2", "/v1/federation/pair", "/v1/sync/changes?x=1"}) {
    changed = good;
    changed.target = target;
    EXPECT_EQ(cause(changed, request_.content), Cause::kAuthInvalid) << target;
  }
  EXPECT_EQ(cause(good, "{\"a\":2}"), Cause::kAuthInvalid);
  EXPECT_EQ(cause(good, ""), Cause::kAuthInvalid);
  for (std::size_t i = 0; i < good.fields.size(); ++i) {
    changed = good;
    changed.fields.erase(changed.fields.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(cause(changed, request_.content), Cause::kUnspecified) << "without " << good.fields[i].first;
  }
  changed = good;
  for (auto& [name, value] : changed.fields) {
    if (name == kAudienceField) value = asker_.did;
  }
  EXPECT_EQ(cause(changed, request_.content), Cause::kAuthInvalid);
  EXPECT_EQ(cause({.method = "POST", .target = "/", .fields = {}}, ""), Cause::kAuthRequired);
}

TEST_F(SealTest, ARequestForSomebodyElseIsRefused) {
  const SealedRequest made = seal_request(request_, asker_, asker_.did, env());
  EXPECT_EQ(taken(head_of(request_, made), request_.content).error().cause, Cause::kAuthInvalid);
}

TEST_F(SealTest, ARequestIsGoodForFiveMinutesEitherWay) {
  const http::RequestHead head = head_of(request_, sealed(request_));
  const auto made = clock_.now();
  for (const int seconds : {-300, -1, 0, 299, 300}) {
    clock_.set(made + std::chrono::seconds(seconds));
    EXPECT_TRUE(taken(head, request_.content)) << seconds;
  }
  for (const int seconds : {-301, 301, 100'000}) {
    clock_.set(made + std::chrono::seconds(seconds));
    EXPECT_FALSE(taken(head, request_.content)) << seconds;
  }
}

// Others may cover the same in another order, or without the digest of a body that is not there.
TEST_F(SealTest, OtherSignersAreTaken) {
  http::RequestHead head{.method = "GET", .target = "/v1/sync/changes?since=0", .fields = {}};
  head.fields = {{std::string(kAudienceField), answerer_.did}};
  http::SignatureInput input;
  input.components = {std::string(kAudienceField), "@request-target", "@method"};
  input.created = now();
  input.nonce = "abc";
  input.key_id = asker_.did + "#key-1";
  ASSERT_TRUE(http::sign_message({head.method, head.target, 0, head.fields}, input, asker_.key, head.fields));
  const auto caller = taken(head, "");
  ASSERT_TRUE(caller) << caller.error().message;
  EXPECT_EQ(caller->did, asker_.did);
  EXPECT_FALSE(taken(head, "a body that is not covered"));
}

TEST_F(SealTest, WhatDoesNotCoverTheQueryIsRefused) {
  http::RequestHead head{.method = "GET", .target = "/v1/sync/changes?since=0", .fields = {}};
  head.fields = {{std::string(kAudienceField), answerer_.did}};
  http::SignatureInput input;
  input.components = {std::string(kAudienceField), "@path", "@method"};
  input.created = now();
  input.nonce = "abc";
  input.key_id = asker_.did;
  ASSERT_TRUE(http::sign_message({head.method, head.target, 0, head.fields}, input, asker_.key, head.fields));
  EXPECT_FALSE(taken(head, ""));
}

TEST_F(SealTest, AnAnswerIsThePeersToThisRequestOrNone) {
  const Caller caller{asker_.did, "n1", now()};
  http::Answer good{200, seal_answer(200, "{}", answerer_, caller), "{}"};
  ASSERT_TRUE(check_answer(good, answerer_.did, asker_.did, "n1"));
  EXPECT_FALSE(check_answer(good, answerer_.did, asker_.did, "n2"));
  EXPECT_FALSE(check_answer(good, asker_.did, asker_.did, "n1"));
  EXPECT_FALSE(check_answer(good, answerer_.did, answerer_.did, "n1"));
  http::Answer changed = good;
  changed.content = "{ }";
  EXPECT_FALSE(check_answer(changed, answerer_.did, asker_.did, "n1"));
  changed = good;
  changed.status = 202;
  EXPECT_FALSE(check_answer(changed, answerer_.did, asker_.did, "n1"));
  for (std::size_t i = 0; i < good.fields.size(); ++i) {
    changed = good;
    changed.fields.erase(changed.fields.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(check_answer(changed, answerer_.did, asker_.did, "n1")) << "without " << good.fields[i].first;
  }
}

TEST(NoncesTest, ANonceIsTakenOnceUntilItsRequestIsTooOld) {
  Nonces nonces;
  ASSERT_TRUE(nonces.take("did:a", true, "x", 1000, 1000));
  EXPECT_EQ(nonces.take("did:a", true, "x", 1000, 1300).error().cause, Cause::kNonceUsed);
  EXPECT_TRUE(nonces.take("did:b", true, "x", 1000, 1000)) << "each has its own";
  EXPECT_TRUE(nonces.take("did:a", true, "y", 1000, 1000));
  // One that was made in the future is kept until it is too old, too.
  ASSERT_TRUE(nonces.take("did:a", true, "z", 1300, 1000));
  EXPECT_FALSE(nonces.take("did:a", true, "z", 1300, 1600));
  EXPECT_TRUE(nonces.take("did:a", true, "z", 1300, 1601));
}

TEST(NoncesTest, StrangersShareARoomAndPeersHaveTheirOwn) {
  Nonces nonces;
  for (std::size_t i = 0; i < kNoncesOfStrangersMax; ++i)
    ASSERT_TRUE(nonces.take("did:s" + std::to_string(i), false, "n", 1000, 1000));
  EXPECT_EQ(nonces.take("did:other", false, "n", 1000, 1000).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(nonces.take("did:peer", true, "n", 1000, 1000));
  EXPECT_TRUE(nonces.take("did:other", false, "n", 1301, 1301)) << "the room is free again";
}

}  // namespace
}  // namespace spl::federation
