// From a bare machine to the working instance: Debian 12 as debootstrap makes it, the package, a secrets file and a
// bundle, and three commands. And each entry of the catalog from an install to a backup under load and to a restore on
// another bare machine, as its own clients see it (tests/catalog/). Long, and for root: in script/test --all.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "package_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;

class AcceptanceSweep : public PackageKit {
 protected:
  void SetUp() override {
    PackageKit::SetUp();
    if (!IsSkipped()) need_bare_roots();
    if (IsSkipped()) return;
    package_ = make_package("package");
    said("age-keygen -o " + path("key"));
    recipient_ = said("age-keygen -y " + path("key") + " | tr -d '\\n'");
  }

  // A bare machine with spl's package; its root.
  std::string make_machine(const std::string& name) {
    std::string root = make_root(name);
    said("cp " + package_ + " " + root + "/root/spl.deb");
    inside(root, apt("install /root/spl.deb"));
    return root;
  }
  // From one machine to another.
  void carry(const std::string& from, const std::string& to) { said("mv " + from + " " + to); }
  // For people, who see it at the end of script/test --all.
  static void tell(const std::string& line) {
    std::cout << line << "\n";
    std::ofstream(SPL_BINARY_DIR "/acceptance.log", std::ios::app) << line << "\n";
  }

  std::string package_;
  std::string recipient_;
};

constexpr char kHeroInstance[] = R"sh(
spl init
for name in default geomind threefold incubaid; do spl context add $name; done
for name in db osis foundry collab biz books indexer embedder voice proc; do
  spl service hero_$name install --download
done
apt-get -qq --yes install curl sqlite3
spl secret set --from /usr/share/spl/hero/secrets.toml
)sh";

constexpr char kFilledAndBackedUp[] = R"sh(
spl service all start
/src/examples/hero/fill /var/lib/spl --size 1G
spl service all backup --to /root/all.spl --recipient RECIPIENT
/src/examples/hero/prove /var/lib/spl >/root/before
spl service all stop
)sh";

constexpr char kThreeCommands[] = R"sh(
cd /root
begin=$(date +%s)
spl service all install --download --for all.spl --age-identity key
there=$(date +%s)
spl secret set --from secrets.toml
spl service backup restore all.spl --age-identity key
end=$(date +%s)
spl service all status >status
apt-get -qq --yes install curl sqlite3
# What is derived is made anew in the background.
for _ in $(seq 60); do
  if /usr/share/spl/hero/prove /var/lib/spl >after; then break; fi
  sleep 5
done
echo "$((there - begin)) $((end - there)) $(du -s --block-size=M --apparent-size /var/lib/spl/data | cut -f1)" >seconds
)sh";

TEST_F(AcceptanceSweep, ThreeCommandsMakeTheWholeInstanceOnABareMachineInLessThanThreeMinutes) {
  constexpr long kLongest = 180;
  const std::string source = make_machine("source");
  inside(source, kHeroInstance);
  std::string fill = kFilledAndBackedUp;
  fill.replace(fill.find("RECIPIENT"), 9, recipient_);
  // With this machine's documentation, of which a bare one has none, and this repository's history.
  inside(source, fill,
         "mkdir -p " + source + "/src\nmount --bind " SPL_SOURCE_DIR " " + source + "/src\nmount --bind -o ro " +
             "/usr/share/doc " + source + "/usr/share/doc\nmount --bind -o ro /usr/share/man " + source +
             "/usr/share/man");
  const std::string before = read_file(source + "/root/before");
  EXPECT_THAT(before, HasSubstr("incubaid"));

  const std::string target = make_machine("target");
  carry(source + "/root/all.spl", target + "/root/");
  said("rm -rf " + source);
  said("cp " + path("key") + " " SPL_SOURCE_DIR "/examples/hero/secrets.toml " + target + "/root/");
  const std::string ran = inside(target, kThreeCommands);
  const std::string status = read_file(target + "/root/status");
  std::istringstream lines(status);
  std::ptrdiff_t healthy = 0;
  for (std::string line; std::getline(lines, line);) healthy += line.ends_with("  ok") ? 1 : 0;
  EXPECT_EQ(healthy, 10) << status;
  for (const char* bad : {"down", "starting", "failed", "unhealthy"})
    EXPECT_EQ(status.find(bad), std::string::npos) << status;
  EXPECT_EQ(read_file(target + "/root/after"), before);

  std::istringstream numbers(read_file(target + "/root/seconds"));
  long install = 0;
  long rest = 0;
  std::string size;
  numbers >> install >> rest >> size;
  tell("ten services on a bare machine: " + std::to_string(install) + " s for packages, then " + std::to_string(rest) +
       " s until all are healthy, with " + size + " of data");
  EXPECT_GE(std::stol(size), 1024) << size;
  EXPECT_LT(rest, kLongest) << ran;
}

// Of an entry of the catalog: tests/catalog/drive says how.
class CatalogSweep : public AcceptanceSweep, public ::testing::WithParamInterface<const char*> {};

TEST_P(CatalogSweep, ItIsThereAgainOnABareMachineAsItsClientsSeeIt) {
  const std::string entry = GetParam();
  const auto drive = [&](const std::string& root, const std::string& step) {
    said("cp -r " SPL_SOURCE_DIR "/tests/catalog " + root + "/catalog");
    return inside(root, "bash /catalog/drive " + step + " " + entry);
  };
  const std::string source = make_machine("source");
  drive(source, "save");
  const std::string target = make_machine("target");
  carry(source + "/saved", target + "/saved");
  said("rm -rf " + source);
  const std::string brought = drive(target, "bring");
  EXPECT_THAT(brought, HasSubstr("were written before and after the backup"));
}

INSTANTIATE_TEST_SUITE_P(Catalog, CatalogSweep,
                         ::testing::Values("prosody", "radicale", "gitolite3", "slapd", "mediawiki", "mediawiki-sqlite",
                                           "dovecot", "redis-server", "postgresql", "mariadb-server"),
                         [](const auto& entry) {
                           std::string name = entry.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace spl::cli_test
