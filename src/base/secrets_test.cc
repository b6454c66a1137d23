#include "base/secrets.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result.h"

namespace spl::base {
namespace {

const std::string kKey = "AGE-SECRET-KEY-1QQPQ9QPZ3XRQ9QZQ9QPZ3XRQ9QZQ9QPZ3XRQ9QZQ9QPZ3XRQ9QZQ9QPZ";
const std::string kToken = "spl_prod_ci_" + std::string(64, 'a');
const std::string kHidden(kNotShown);

TEST(Secrets, AreTakenOutOfATextWhereverTheyStand) {
  EXPECT_EQ(without_secrets(kKey), kHidden);
  EXPECT_EQ(without_secrets("line 1: '" + kKey + "' is wrong"), "line 1: '" + kHidden + "' is wrong");
  EXPECT_EQ(without_secrets("age-secret-key-pq-1abc, " + kToken + "\n" + kKey),
            kHidden + ", " + kHidden + "\n" + kHidden);
  EXPECT_EQ(without_secrets("spl_a_b_c_" + std::string(16, '0') + "!"), kHidden + "!");
  EXPECT_EQ(without_secrets("AGE-SECRET-KEY-"), kHidden) << "the beginning of one";
}

TEST(Secrets, NothingElseIsTaken) {
  for (const std::string text : {"", "spl", "spl_", "spl_cli_test", "/tmp/spl_a_b_c/x", "age1ql3z7hjy54pw3hyww5ayyfg7z",
                                 "AGE-SECRET", "spl_prod_ci_123", "spl_prod_ci_0123456789abcdeZ"}) {
    EXPECT_FALSE(holds_secret(text)) << text;
    EXPECT_EQ(without_secrets(text), text);
  }
}

TEST(Secrets, NoErrorHasOne) {
  EXPECT_EQ(fail(kKey, kToken).error().message, kHidden);
  EXPECT_EQ(fail(kKey, kToken).error().hint, kHidden);
  EXPECT_EQ(fail_errno(kKey, 2).error().message.find("QQPQ"), std::string::npos);
  EXPECT_EQ(fail("x").error().in(kKey).message, kHidden + ": x");
  EXPECT_EQ(told_of(kKey, fail("x").error()).error().message, kHidden + ": x");
  EXPECT_EQ(escaped(kKey, 20), kHidden.substr(0, 20) + "...");
}

}  // namespace
}  // namespace spl::base
