// Three and more instances on networks of their own: tests/federation_namespaces.sh.
#include <unistd.h>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

TEST(FederationNamespacesTest, PairsGoOnWhenOneMovesToAnotherAddress) {
  if (::geteuid() != 0 || shell("ip netns add spl-probe 2> /dev/null && ip netns delete spl-probe") != 0)
    GTEST_SKIP() << "left out: network namespaces need root, and ip(8)";
  testing::TempDirectory scratch;
  const std::string script = SPL_SOURCE_DIR "/tests/federation_namespaces.sh";
  EXPECT_EQ(shell("bash '" + script + "' '" + spl_program() + "' '" + scratch.path() + "' >&2"), 0);
}

}  // namespace
}  // namespace spl::cli_test
