#include "router/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "env/posix_file_system.h"
#include "router/certificates.h"
#include "router/names.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::router {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PlanTest : public ::testing::Test {
 protected:
  void SetUp() override { config_.names = {"box.example.org", "192.168.1.7"}; }

  env::Env env() { return {fs_, clock_, random_, log_}; }
  void declare(const std::string& name, const std::string& more) {
    std::filesystem::create_directories(paths_.services());
    std::ofstream(paths_.services() + "/" + name + ".toml")
        << "name = \"" << name << "\"\n[run]\ncommand = [\"/bin/true\"]\n"
        << more;
  }
  void forget(const std::string& name) { std::filesystem::remove(paths_.services() + "/" + name + ".toml"); }
  Result<RouterPlan> plan() {
    const auto set = service::ServiceSet::load(env(), paths_);
    if (!set) return std::unexpected(set.error());
    return make_plan(env(), *set, config_, NewPorts::kNoted);
  }

  testing::TempDirectory directory_;
  home::HomePaths paths_{directory_.path()};
  env::PosixFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_;
  testing::MemoryLog log_;
  home::RouterConfig config_;
};

TEST_F(PlanTest, AServiceKeepsItsPortWhateverComesBesideIt) {
  declare("notes", "listen = [\"unix:{run}/n.sock\"]\nroute = \"notes\"\n");
  const RouterPlan first = plan().value();
  ASSERT_EQ(first.services.size(), 1U);
  EXPECT_EQ(first.services[0].port, 8450);
  EXPECT_EQ(first.services[0].address, "unix:" + paths_.run() + "/services/notes/n.sock");
  declare("calendar", "listen = [\"tcp:127.0.0.1:7001\"]\nroute = \"cal\"\naccess = \"open\"\n");
  const RouterPlan both = plan().value();
  ASSERT_EQ(both.services.size(), 2U);
  EXPECT_EQ(both.services[0].route, "cal");
  EXPECT_EQ(both.services[0].port, 8451);
  EXPECT_EQ(both.services[1].port, 8450);
  forget("notes");
  ASSERT_EQ(plan().value().services[0].port, 8451);
  declare("notes", "listen = [\"unix:{run}/n.sock\"]\nroute = \"notes\"\n");
  EXPECT_EQ(plan().value().services[1].port, 8450) << "also over a time without it";
}

TEST_F(PlanTest, ARangeThatIsUsedUpIsAnErrorAndGonePortsAreGivenAgain) {
  config_.ports = {8450, 8450};
  declare("notes", "listen = [\"unix:{run}/n.sock\"]\nroute = \"notes\"\n");
  ASSERT_TRUE(plan());
  declare("cal", "listen = [\"unix:{run}/c.sock\"]\nroute = \"cal\"\n");
  const auto refused = plan();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  forget("notes");
  EXPECT_EQ(plan().value().services[0].port, 8450);
}

TEST_F(PlanTest, WhereHealthIsAskedItIsReachedToo) {
  declare("web", "health = \"http://127.0.0.1:7002/ok\"\nroute = \"web\"\n");
  declare("sock", "health = \"unix:{run}/s.sock:/ok\"\nroute = \"sock\"\n");
  const RouterPlan made = plan().value();
  EXPECT_EQ(made.services[0].address, "unix:" + paths_.run() + "/services/sock/s.sock");
  EXPECT_EQ(made.services[1].address, "tcp:127.0.0.1:7002");
}

TEST_F(PlanTest, RoutesThatCannotBeAreErrorsOfTheDeclaration) {
  for (const auto& [more, why] :
       {std::pair("route = \"lost\"\n", "leads nowhere"),
        std::pair("health = [\"/bin/true\"]\nroute = \"lost\"\n", "leads nowhere"),
        std::pair("listen = [\"tcp:127.0.0.1:1\"]\nroute = \"v1\"\n", "instance's own"),
        std::pair("listen = [\"tcp:127.0.0.1:1\"]\nroute = \"health\"\n", "instance's own"),
        std::pair("listen = [\"tcp:127.0.0.1:1\"]\nroute = \"a\"\naccess = \"all\"\n", "access")}) {
    declare("notes", more);
    const auto refused = plan();
    ASSERT_FALSE(refused) << more;
    EXPECT_THAT(refused.error().message, HasSubstr(why)) << more;
  }
}

TEST_F(PlanTest, AddressesAreThoseThatPeopleOpen) {
  declare("notes", "listen = [\"unix:{run}/n.sock\"]\nroute = \"notes\"\n");
  config_.https = 8443;
  EXPECT_EQ(plan().value().panel_origin(), "https://box.example.org:8443");
  EXPECT_EQ(plan().value().address_of(plan().value().services[0]), "https://box.example.org:8450/");
  config_.services = home::ServiceOrigins::kName;
  config_.https = 443;
  EXPECT_EQ(plan().value().address_of(plan().value().services[0]), "https://notes.box.example.org/");
  config_.services = home::ServiceOrigins::kPath;
  EXPECT_EQ(plan().value().address_of(plan().value().services[0]), "https://box.example.org/notes/");
  config_.services = home::ServiceOrigins::kName;
  config_.names = {"192.168.1.7"};
  EXPECT_FALSE(plan());
}

TEST_F(PlanTest, TheCertificateIsRenewedInTimeAndForOtherNames) {
  const RouterPlan made = plan().value();
  EXPECT_TRUE(keep_own_certificate(env(), made).value());
  const auto first = shown_certificate(env(), made).value().value();
  const auto authority = own_authority(env(), paths_).value();
  EXPECT_THAT(first.names, ElementsAre("box.example.org", "192.168.1.7"));
  EXPECT_FALSE(keep_own_certificate(env(), made).value());
  clock_.advance(59 * 24h);
  EXPECT_FALSE(keep_own_certificate(env(), made).value());
  clock_.advance(2 * 24h);
  EXPECT_TRUE(keep_own_certificate(env(), made).value());
  const auto second = shown_certificate(env(), made).value().value();
  EXPECT_NE(second.sha256, first.sha256);
  config_.names = {"box.example.org", "notes.box.example.org", "10.0.0.9"};
  EXPECT_TRUE(keep_own_certificate(env(), plan().value()).value());
  EXPECT_EQ(own_authority(env(), paths_).value(), authority) << "it may vouch for these";
  config_.names = {"other.example.org"};
  EXPECT_TRUE(keep_own_certificate(env(), plan().value()).value());
  EXPECT_NE(own_authority(env(), paths_).value(), authority) << "and not for this";
}

TEST(NamesTest, PrivateAddressesAreThoseThatNobodyElseCanClaim) {
  for (const char* own : {"127.0.0.1", "10.255.0.1", "172.16.0.1", "172.31.9.9", "192.168.0.1", "169.254.1.1", "::1",
                          "fd00::1", "fe80::1"})
    EXPECT_TRUE(is_private_address(own)) << own;
  for (const char* other : {"172.32.0.1", "172.15.0.1", "192.169.0.1", "8.8.8.8", "2001:db8::1", "box.local"})
    EXPECT_FALSE(is_private_address(other)) << other;
}

TEST(NamesTest, AMachineHasAtLeastLocalhost) {
  EXPECT_THAT(names_of_machine(), ::testing::Contains("localhost"));
}

}  // namespace
}  // namespace spl::router
