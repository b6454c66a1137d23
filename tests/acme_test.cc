// A certificate by ACME: dehydrated asks Debian's caddy, nginx shows what it gave.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;

class AcmeTest : public CliTest {};

TEST_F(AcmeTest, AnAuthoritysCertificateIsAskedForShownAndKept) {
  if (::geteuid() != 0 || shell("unshare -n -m true 2>/dev/null") != 0)
    GTEST_SKIP() << "wants root and namespaces: the authority looks at port 80";
  // The router is another user, who passes through to what the authority asks for.
  ASSERT_EQ(::chmod(path("").c_str(), 0711), 0);
  const std::string log = path("log");
  ASSERT_EQ(shell("timeout 120 unshare -n -m '" SPL_SOURCE_DIR "/tests/acme.sh' '" + path("") + "' '" + spl_program() +
                  "' > '" + log + "' 2>&1"),
            0)
      << read_file(log);
  const codec::Json status = json_of(read_file(path("status.json")));
  EXPECT_EQ(text_of(*status.find("certificate"), "kind"), "acme");
  EXPECT_EQ(status.find("certificate")->find("names")->text(), "[\"box.test\"]");
}

}  // namespace
}  // namespace spl::cli_test
