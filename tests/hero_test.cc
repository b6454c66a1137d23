// The instance of examples/hero/: ten services of Debian's software and small programs, filled, lost, and there again
// as their own clients see it; and one tenant of it that leaves for a home with others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <regex>
#include <sstream>
#include <thread>

#include "services_kit.h"

namespace spl::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::string kExample = SPL_SOURCE_DIR "/examples/hero/";
const std::string kCatalog = SPL_SOURCE_DIR "/catalog/";

class HeroKit : public ServicesKit {
 protected:
  HeroKit() {
    environment_["SPL_SECRET_KEY_FILE"] = path("key");
    // Where the services' user may read them, whatever the modes of the directories above the sources are.
    EXPECT_EQ(shell("cp -r " + kExample + "programs " + path("programs")), 0);
  }

  static std::vector<std::string> entries() {
    std::vector<std::string> names;
    for (const std::string& name : names_in(kCatalog)) {
      if (name.starts_with("hero_")) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  // The catalog's declarations, with the programs of the sources and, as root, one user that every machine has.
  void make(const std::string& home, const std::vector<std::string>& contexts) {
    init(home);
    for (const std::string& entry : entries()) {
      std::string text = read_file(kCatalog + entry);
      text = std::regex_replace(text, std::regex("/usr/share/spl/hero/programs/"), path("programs/"));
      text = std::regex_replace(text, std::regex("(user +=) \"[a-z_]+\""), "$1 \"www-data\"");
      text = std::regex_replace(text, std::regex("group += .*"), "");
      write_file(path(home) + "/services/" + entry, text);
    }
    add_contexts(home, contexts);
    ASSERT_EQ(ask(home, {"secret", "set", "--from", kExample + "secrets.toml"}).code, 0);
  }

  void fill(const std::string& home, const std::string& size) {
    const std::string said = path("fill.said");
    EXPECT_EQ(
        shell(kExample + "fill " + path(home) + " --size " + size + " --spl " + spl_program() + " >" + said + " 2>&1"),
        0)
        << read_file(said);
  }

  // What a restore has left to be made anew is a part of what is there.
  void wait_for_rebuilds(const std::string& home) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(10);
    while (ask(home, {"status", "-o", "json"}).out.find("\"rebuilds\"") != std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << ask(home, {"status"}).out;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  // What the clients say of everything that is there: the contexts by name, then the instance.
  std::string proof(const std::string& home) {
    wait_for_rebuilds(home);
    const std::string said = path("prove.said");
    const std::string seen = path("prove.seen");
    EXPECT_EQ(shell(kExample + "prove " + path(home) + " >" + seen + " 2>" + said), 0) << read_file(said);
    return read_file(seen);
  }

  // Of it what is one context's.
  static std::string lines_of(const std::string& proof, const std::string& context) {
    std::istringstream lines(proof);
    std::string found;
    for (std::string line; std::getline(lines, line);) {
      if (line.find(" " + context + " ") != std::string::npos) found += line + "\n";
    }
    return found;
  }
};

// With what the catalog's entries have no split of: a database of MariaDB a context, and what a command dumps.
class ShopKit : public HeroKit {
 protected:
  // Of the catalog; as root, one user that every machine has.
  void declare_entry(const std::string& home, const std::string& entry) {
    const std::string text =
        std::regex_replace(read_file(kCatalog + entry), std::regex("(user +=) \"[a-z0-9_-]+\""), "$1 \"www-data\"");
    write_file(path(home) + "/services/" + entry, std::regex_replace(text, std::regex("group += .*"), ""));
  }
  void open_shop(const std::string& home, const std::vector<std::string>& contexts) {
    declare_entry(home, "mariadb-server.toml");
    declare(home, "shop",
            "version = \"1\"\nafter = [\"mariadb-server\"]\n[[surface]]\nname = \"orders\"\nkind = \"mariadb\"\n"
            "split = { database = \"shop_{context}\" }\nurl = \"mariadb:///?user=root&socket=" +
                socket(home) +
                "\"\n[[surface]]\nname = \"list\"\nkind = \"command\"\ndump = [\"/bin/cat\", "
                "\"{data}/lists/{context}\"]\nrestore = [\"/bin/sh\", \"-c\", \"mkdir -p ${0%/*}; cat >$0\", "
                "\"{data}/lists/{context}\"]\n");
    const Ran started = ask(home, {"service", "mariadb-server", "start"});
    ASSERT_EQ(started.code, 0) << started.out << started.err;
    for (const std::string& context : contexts) {
      EXPECT_EQ(maria(home, "CREATE DATABASE shop_" + context + "; CREATE TABLE shop_" + context +
                                ".orders(id INT AUTO_INCREMENT PRIMARY KEY, what TEXT); INSERT INTO shop_" + context +
                                ".orders(what) SELECT CONCAT('" + home + " " + context + " ', seq) FROM seq_1_to_500"),
                "");
      write_file_below(home, "lists/" + context, home + "'s list of " + context + "\n");
    }
  }
  std::string shop_of(const std::string& home, const std::string& context) {
    return maria(home, "SELECT count(*), sum(id), max(what) FROM shop_" + context + ".orders") + "\n" +
           output_of("cat " + path(home) + "/data/shop/lists/" + context);
  }

 private:
  [[nodiscard]] std::string socket(const std::string& home) const {
    return run_directory(home, "mariadb-server") + "/mysqld.sock";
  }
  std::string maria(const std::string& home, const std::string& sql) {
    return output_of("mariadb --no-defaults -S " + socket(home) + " -u root -BN -e " + quoted(sql));
  }
  void write_file_below(const std::string& home, const std::string& name, const std::string& text) {
    ASSERT_EQ(shell("mkdir -p $(dirname " + path(home) + "/data/shop/" + name + ")"), 0);
    write_file(path(home) + "/data/shop/" + name, text);
  }
};

using HeroTest = HeroKit;

TEST_F(HeroTest, TheEntriesOfTheCatalogAgreeWithOneAnother) {
  ASSERT_EQ(entries().size(), 10U);
  make("a", {"default", "geomind"});
  const Ran ran = ask("a", {"inventory"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  for (const std::string& entry : entries()) {
    const std::string name = entry.substr(0, entry.find('.'));
    const bool has_state = name != "hero_voice";
    EXPECT_EQ(ran.out.find("\n" + name + " ") != std::string::npos, has_state) << name << "\n" << ran.out;
  }
}

// Size and snapshot are the machine's, and not in the document.
TEST_F(HeroTest, TheInventoryInTheDocumentsIsThatOfTheDeclarations) {
  constexpr int kColumns = 6;
  make("a", {});
  const Ran ran = ask("a", {"inventory", "--markdown"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::string table;
  for (std::string line; std::getline(lines, line);) {
    std::size_t end = 0;
    for (int column = 0; column < kColumns; ++column) end = line.find('|', end + 1);
    ASSERT_NE(end, std::string::npos) << line;
    table += line.substr(0, end + 1) + "\n";
  }
  for (std::size_t at = table.find(path("a") + "/"); at != std::string::npos; at = table.find(path("a") + "/"))
    table.replace(at, path("a").size(), "{home}");
  EXPECT_THAT(read_file(SPL_SOURCE_DIR "/docs/ops/INVENTORY.md"), HasSubstr("\n\n" + table + "\n"))
      << "the document says how it is made anew";
}

TEST_F(HeroTest, EachEntryOfTheCatalogIsADeclaration) {
  init("a");
  for (const std::string& entry : names_in(kCatalog)) {
    const std::string text = read_file(kCatalog + entry);
    EXPECT_THAT(text, HasSubstr("= \"" + entry.substr(0, entry.find('.')) + "\"")) << "a file is named as its service";
    EXPECT_THAT(text, HasSubstr("source = \"")) << entry << ": where a bare machine gets it from";
    if (entry.starts_with("hero_")) continue;  // they name each other; the test above has them together
    // Beside those before it, of which it may want one.
    write_file(path("a") + "/services/" + entry, text);
    const Ran ran = ask("a", {"inventory"});
    EXPECT_EQ(ran.code, 0) << entry << "\n" << ran.err;
  }
}

using HeroSweep = ShopKit;

TEST_F(HeroSweep, AllIsThereAgainOnABareHomeAndOneTenantLeavesForAnother) {
  const std::vector<std::string> contexts{"default", "geomind", "threefold", "incubaid"};
  make("a", contexts);
  start("a");
  fill("a", "4M");
  const std::string all = proof("a");
  const std::string tenant = lines_of(all, "geomind");
  for (const std::string& context : contexts) EXPECT_NE(lines_of(all, context), "");
  const Ran whole = backup("a", "all.spl");
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_THAT(whole.out, HasSubstr("quiesced"));
  open_shop("a", contexts);
  const Ran refused = backup("a", "geomind.spl", {"--context", "geomind"});
  EXPECT_NE(refused.code, 0) << "two are not split";
  EXPECT_THAT(refused.err, HasSubstr("--without hero_proc"));
  EXPECT_THAT(refused.err, HasSubstr("--without mariadb-server"));
  const Ran part =
      backup("a", "geomind.spl", {"--context", "geomind", "--without", "hero_proc", "--without", "mariadb-server"});
  ASSERT_EQ(part.code, 0) << part.err;
  const std::string shop = shop_of("a", "geomind");
  EXPECT_THAT(shop, HasSubstr("a's list of geomind"));
  const std::string did = text_of(json_on("a", {"identity", "show"}), "did");
  EXPECT_EQ(ask("a", {"service", "all", "stop"}).code, 0);

  make("b", {});
  const Ran back = restore("b", "all.spl");
  ASSERT_EQ(back.code, 0) << back.out << back.err;
  EXPECT_THAT(ask("b", {"service", "all", "status"}).out, Not(HasSubstr("down")));
  EXPECT_EQ(proof("b"), all);
  EXPECT_EQ(ask("b", {"service", "all", "stop"}).code, 0);

  make("c", {"acme", "zeta"});
  start("c");
  fill("c", "2M");
  open_shop("c", {"acme", "zeta"});
  const std::string others = proof("c");
  const std::string shop_of_acme = shop_of("c", "acme");
  const Ran beside = restore("c", "geomind.spl", {"--expect-did", did, "--as", "geomind"});
  ASSERT_EQ(beside.code, 0) << beside.out << beside.err;
  const std::string acme = lines_of(others, "acme");
  EXPECT_EQ(proof("c"), acme + tenant + others.substr(acme.size())) << "the tenant, and the others as they were";
  EXPECT_EQ(shop_of("c", "geomind"), shop);
  EXPECT_EQ(shop_of("c", "acme"), shop_of_acme);
}

TEST_F(HeroSweep, WhatIsNotSplitByContextIsRefusedByName) {
  make("a", {"geomind"});
  std::vector<std::string> whole{"hero_proc"};
  for (const std::string& entry : names_in(kCatalog)) {
    if (entry.starts_with("hero_")) continue;
    declare_entry("a", entry);
    whole.push_back(entry.substr(0, entry.find('.')));
  }
  const Ran refused = backup("a", "geomind.spl", {"--context", "geomind"});
  EXPECT_EQ(refused.code, 2);
  for (const std::string& name : whole) {
    EXPECT_THAT(refused.err, HasSubstr(name + ": "));
    EXPECT_THAT(refused.err, HasSubstr(" --without " + name));
  }
  EXPECT_FALSE(exists(path("geomind.spl")));
}

}  // namespace
}  // namespace spl::cli_test
