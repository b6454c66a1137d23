#include "door/door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "env/posix_file_system.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::door {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Visitor kOwner{"192.0.2.7", "a browser"};
const Visitor kStranger{"198.51.100.66", "another"};

SecretBytes secret(std::string_view text) {
  return SecretBytes(text);
}
const std::string_view kPassword = "correct horse battery";

class DoorTest : public ::testing::Test {
 protected:
  void SetUp() override { door_ = open(); }

  env::Env env() { return {fs_, clock_, random_, log_}; }
  std::unique_ptr<Door> open() { return Door::open(env(), paths_, 12h).value(); }
  NewSession claim() { return door_->claim(door_->make_link().value(), secret(kPassword), kOwner).value(); }
  bool is_in(const SecretBytes& token) { return door_->session_of(token).value().has_value(); }
  template <class T>
  static Cause cause_of(const Result<T>& result) {
    return result ? Cause::kUnspecified : result.error().cause;
  }
  // All that lies in the home, for a search.
  std::string everything() const {
    std::ostringstream all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(paths_.root)) {
      if (entry.is_regular_file()) all << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    }
    return all.str();
  }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_;
  testing::MemoryLog log_;
  std::unique_ptr<Door> door_;
};

TEST_F(DoorTest, ACodeClaimsItOnce) {
  EXPECT_FALSE(door_->is_claimed().value());
  const SecretBytes code = door_->make_link().value();
  const NewSession made = door_->claim(code, secret(kPassword), kOwner).value();
  EXPECT_TRUE(door_->is_claimed().value());
  EXPECT_TRUE(is_in(made.token));
  EXPECT_TRUE(made.session.is_proven);
  EXPECT_EQ(cause_of(door_->claim(code, secret(kPassword), kStranger)), Cause::kClaimed);
}

TEST_F(DoorTest, AnUnclaimedDoorsLinkLastsUntilItIsUsed) {
  const SecretBytes code = door_->make_link().value();
  clock_.advance(24h * 400);
  door_ = open();
  EXPECT_TRUE(door_->claim(code, secret(kPassword), kOwner));
}

TEST_F(DoorTest, TheCodeMayBeTypedAsAPersonDoes) {
  std::string typed(door_->make_link().value().reveal());
  std::erase(typed, '-');
  for (char& c : typed) c = static_cast<char>(std::toupper(c));
  EXPECT_TRUE(door_->claim(secret(" " + typed + " "), secret(kPassword), kOwner));
}

TEST_F(DoorTest, WrongCodesNeitherOpenNorEndTheClaim) {
  const SecretBytes code = door_->make_link().value();
  for (int i = 0; i < 200; ++i) {
    const std::string guess(code.reveal().substr(0, code.size() - 1));
    const auto refused =
        door_->claim(secret(guess + (code.reveal().back() == 'a' ? 'b' : 'a')), secret(kPassword), kOwner);
    EXPECT_EQ(cause_of(refused), i < 6 ? Cause::kAuthInvalid : Cause::kTryLater) << i;
  }
  EXPECT_FALSE(door_->is_claimed().value());
  EXPECT_TRUE(door_->claim(code, secret(kPassword), kOwner)) << "the right one is taken from the same address at once";
}

TEST_F(DoorTest, APasswordThatIsNoneUsesTheCodeNotUp) {
  const SecretBytes code = door_->make_link().value();
  for (const std::string& bad : {std::string("eleven char"), std::string(1025, 'x'), std::string("tab\there and more"),
                                 std::string("not utf-8 \xff here")}) {
    const auto refused = door_->claim(code, secret(bad), kOwner);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
  EXPECT_TRUE(door_->claim(code, secret(kPassword), kOwner));
}

TEST_F(DoorTest, CodesAndTokensAreInNoFile) {
  const SecretBytes code = door_->make_link().value();
  EXPECT_EQ(everything().find(code.reveal()), std::string::npos);
  const NewSession made = door_->claim(code, secret(kPassword), kOwner).value();
  const std::string all = everything();
  EXPECT_EQ(all.find(made.token.reveal()), std::string::npos);
  EXPECT_EQ(all.find(kPassword), std::string::npos);
  EXPECT_NE(all.find("$argon2id$v=19$m=65536,t=3,p=4$"), std::string::npos);
  struct stat info{};
  ASSERT_EQ(::stat((paths_.root + "/door.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(DoorTest, ThePasswordSignsIn) {
  EXPECT_EQ(cause_of(door_->sign_in(secret(kPassword), kOwner)), Cause::kUnclaimed);
  claim();
  EXPECT_TRUE(is_in(door_->sign_in(secret(kPassword), kOwner).value().token));
  EXPECT_EQ(cause_of(door_->sign_in(secret("correct horse batterz"), kOwner)), Cause::kAuthInvalid);
}

TEST_F(DoorTest, FromTheSixthFailureOnItWaitsTwiceAsLongEachTime) {
  claim();
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(cause_of(door_->sign_in(secret("wrong, all of it"), kStranger)), Cause::kAuthInvalid) << i;
  EXPECT_EQ(cause_of(door_->sign_in(secret(kPassword), kStranger)), Cause::kTryLater) << "also the right one";
  EXPECT_TRUE(door_->sign_in(secret(kPassword), kOwner)) << "others are not held up";
  clock_.advance(2s);
  EXPECT_EQ(cause_of(door_->sign_in(secret("wrong, all of it"), kStranger)), Cause::kAuthInvalid);
  clock_.advance(3s);
  EXPECT_EQ(cause_of(door_->sign_in(secret(kPassword), kStranger)), Cause::kTryLater);
  clock_.advance(1s);
  EXPECT_TRUE(door_->sign_in(secret(kPassword), kStranger));
}

TEST_F(DoorTest, TheConsolesLinkSignsInAtOnceAndOnceWithinItsTime) {
  claim();
  for (int i = 0; i < 20; ++i) (void)door_->sign_in(secret("wrong, all of it"), kOwner);
  const SecretBytes code = door_->make_link().value();
  EXPECT_TRUE(door_->enter(code, kOwner));
  EXPECT_EQ(cause_of(door_->enter(code, kStranger)), Cause::kAuthInvalid);
  const SecretBytes late = door_->make_link().value();
  clock_.advance(15min);
  EXPECT_EQ(cause_of(door_->enter(late, kStranger)), Cause::kAuthInvalid);
}

TEST_F(DoorTest, ALinkThatSignsInClaimsNothing) {
  claim();
  const SecretBytes code = door_->make_link().value();
  ASSERT_TRUE(door_->reset());
  EXPECT_EQ(cause_of(door_->claim(code, secret(kPassword), kStranger)), Cause::kAuthInvalid);
  EXPECT_TRUE(door_->claim(door_->make_link().value(), secret(kPassword), kOwner));
}

TEST_F(DoorTest, ASessionEndsWhenItIsNotUsedAndAfterThirtyDays) {
  const NewSession made = claim();
  const NewSession other = door_->sign_in(secret(kPassword), kOwner).value();
  for (int hours = 0; hours < 24 * 30; hours += 11) {
    ASSERT_TRUE(is_in(made.token)) << hours;
    clock_.advance(11h);
  }
  EXPECT_FALSE(is_in(made.token));
  EXPECT_FALSE(is_in(other.token));
  EXPECT_THAT(door_->sessions().value(), IsEmpty());
}

TEST_F(DoorTest, SessionsSurviveARestartAndEndWithThePassword) {
  const NewSession made = claim();
  door_ = open();
  EXPECT_TRUE(is_in(made.token));
  ASSERT_TRUE(door_->set_password(secret("another one, longer")));
  EXPECT_FALSE(is_in(made.token));
  EXPECT_FALSE(door_->sign_in(secret(kPassword), kOwner));
  EXPECT_TRUE(door_->sign_in(secret("another one, longer"), kOwner));
}

TEST_F(DoorTest, AProofLastsTenMinutes) {
  const NewSession made = claim();
  clock_.advance(10min);
  const Session session = door_->session_of(made.token).value().value();
  EXPECT_FALSE(session.is_proven);
  EXPECT_EQ(cause_of(door_->prove(session, secret("wrong, all of it"), kOwner)), Cause::kAuthInvalid);
  ASSERT_TRUE(door_->prove(session, secret(kPassword), kOwner));
  EXPECT_TRUE(door_->session_of(made.token).value()->is_proven);
}

TEST_F(DoorTest, SessionsAreFewAndCanBeEnded) {
  const NewSession first = claim();
  for (std::size_t i = 0; i < kSessionsMax; ++i) {
    clock_.advance(1s);
    ASSERT_TRUE(door_->enter(door_->make_link().value(), kOwner));
  }
  EXPECT_FALSE(is_in(first.token)) << "the one that was not used for longest has gone";
  const std::vector<Session> all = door_->sessions().value();
  EXPECT_THAT(all, SizeIs(kSessionsMax));
  EXPECT_EQ(door_->sign_out(all.front().id.substr(0, 12)).value(), 1U);
  EXPECT_EQ(cause_of(door_->sign_out("none")), Cause::kNotFound);
  EXPECT_EQ(door_->sign_out("").value(), kSessionsMax - 1);
}

TEST_F(DoorTest, WhatABrowserSaysOfItselfIsShownEscaped) {
  const NewSession made =
      door_->claim(door_->make_link().value(), secret(kPassword), {"192.0.2.7", "evil\x1b[2J\xff"}).value();
  EXPECT_EQ(made.session.agent.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace spl::door
