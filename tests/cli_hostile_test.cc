// Bundles that an attacker made, brought to the program: exit code 4, a message that names the entry, and a home whose
// files are as they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli_harness.h"
#include "hostile_cases.h"
#include "testing/bundle_forge.h"
#include "testing/tree_contents.h"

namespace spl::cli_test {
namespace {

using spl::testing::BundleForge;
using spl::testing::Hostile;
using spl::testing::tree_contents;
using ::testing::Matcher;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

// A regular expression for this text alone.
std::string literally(std::string_view text) {
  std::string expression;
  for (const char c : text) {
    if (std::string_view("\\^$.[]|()?*+{}").find(c) != std::string_view::npos) expression.push_back('\\');
    expression.push_back(c);
  }
  return expression;
}

class HostileFile : public CliTest {
 protected:
  HostileFile() {
    make_home("home", 1);
    before_ = tree_contents(path("home"));
  }

  // An import refuses it with a text that is as it should be, and so does another of the ways in which the program
  // takes a bundle: each bundle comes by the next of them.
  void refused(const std::string& octets, const Matcher<std::string>& text) {
    const std::string file = path("hostile.spl");
    write_file(file, octets);
    const Words others[] = {{"import", file, "--dry-run"},
                            {"import", "-"},
                            {"bundle", "verify", file},
                            {"bundle", "extract", file, "", "--to", path("out")},
                            {"bundle", "list", file, "-o", "json"}};
    for (const Words& words : {Words{"import", file}, others[turn_++ % std::size(others)]}) {
      const Ran ran = on("home", words, {.text = words[1] == "-" ? octets : ""});
      EXPECT_EQ(ran.code, 4) << words[0] << " " << words[1] << ": " << ran.out << ran.err;
      if (words.back() == "json") {
        // One document, and no part of a list before it.
        EXPECT_NE(json_of(ran.out).find("error"), nullptr) << ran.out;
      } else {
        EXPECT_THAT(ran.err, text);
      }
      EXPECT_FALSE(exists(path("out")));
    }
    EXPECT_EQ(tree_contents(path("home")), before_);
  }

 private:
  std::size_t turn_ = 0;
  std::map<std::string, std::string> before_;
};

struct Subject {
  const char* name;
  std::span<const Hostile> (*bundles)();
};

void PrintTo(const Subject& subject, std::ostream* out) {
  *out << subject.name;
}

// By subject, so that they can run side by side.
class HostileFileOf : public HostileFile, public ::testing::WithParamInterface<Subject> {};

INSTANTIATE_TEST_SUITE_P(, HostileFileOf,
                         ::testing::Values(Subject{"Signers", spl::testing::hostile_signers},
                                           Subject{"Manifests", spl::testing::hostile_manifests},
                                           Subject{"Services", spl::testing::hostile_services},
                                           Subject{"Trees", spl::testing::hostile_trees},
                                           Subject{"Entries", spl::testing::hostile_entries},
                                           Subject{"Headers", spl::testing::hostile_headers},
                                           Subject{"Records", spl::testing::hostile_records}),
                         [](const auto& subject) { return std::string(subject.param.name); });

TEST_P(HostileFileOf, EachSubjectIsRefused) {
  for (const Hostile& hostile : GetParam().bundles()) {
    SCOPED_TRACE(hostile.name);
    BundleForge forge;
    const std::string entry = hostile.forge(forge);
    // The whole message, and a hint after it or none.
    refused(forge.tar_zst(),
            MatchesRegex("spl: " + literally(spl::testing::hostile_message(entry, hostile.rule)) + "( — .*)?\n"));
  }
}

TEST_F(HostileFile, OfAServiceIsVerifiedAndNotImported) {
  BundleForge forge;
  spl::testing::add_sound_tree(forge);
  write_file(path("tree.spl"), forge.tar());
  const Ran ran = run({"bundle", "verify", path("tree.spl")});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  const auto before = tree_contents(path("home"));
  EXPECT_EQ(on("home", {"import", path("tree.spl"), "--force-overwrite"}).code, 3) << "its signer is unknown";
  EXPECT_EQ(
      on("home", {"import", path("tree.spl"), "--force-overwrite", "--expect-did", forge.manifest().source_did}).code,
      5);
  EXPECT_EQ(tree_contents(path("home")), before);
}

TEST_F(HostileFile, CutShortIsRefused) {
  const std::string tar = BundleForge().tar();
  for (std::size_t length = 0; length < tar.size(); length += 512 * 7) {
    SCOPED_TRACE(length);
    refused(tar.substr(0, length), StartsWith("spl: bundle malformed: "));
  }
}

TEST_F(HostileFile, WithAFlippedBitIsRefused) {
  const std::string tar = BundleForge().tar();
  for (std::size_t at = 1; at < tar.size(); at += 701) {
    SCOPED_TRACE(at);
    std::string changed = tar;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    refused(changed, StartsWith("spl: "));
  }
}

}  // namespace
}  // namespace spl::cli_test
