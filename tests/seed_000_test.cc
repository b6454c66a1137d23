// Seed 000, "Portability", in its own words and order: from hosted to local and back, with zero difference.
#include "cli_harness.h"

namespace spl::cli_test {
namespace {

class Seed000Test : public CliTest {
 protected:
  // What a steward counts before and after.
  struct Count {
    std::uint64_t records = 0, threads = 0, pairs = 0, grants = 0;
    std::string accounts, adapters, rules, consents;
    bool operator==(const Count&) const = default;
  };
  Count count(const std::string& home) {
    const codec::Json status = json_on(home, {"status"});
    return {number_of(status, "record_count"),
            number_of(status, "thread_count"),
            number_of(status, "federation_pairs"),
            number_of(status, "consent_grants"),
            json_on(home, {"service-account", "list"}).text(),
            json_on(home, {"adapter", "list"}).text(),
            json_on(home, {"config", "rule", "list"}).text(),
            json_on(home, {"consent", "list"}).text()};
  }
  std::string url(std::uint64_t port) { return "http://127.0.0.1:" + std::to_string(port); }
  std::string did(const std::string& home) { return text_of(json_on(home, {"identity", "show"}), "did"); }

  void furnish(const std::string& home) {
    json_on(home, {"intend", "a plan"});
    json_on(home, {"consent", "grant", "--source-namespace", "research", "--target-namespace", "default"});
    json_on(home, {"service-account", "create", "ci", "--scope", "records:read"});
    json_on(home, {"adapter", "add", "did:web:bot.example", "--binary", "/usr/local/bin/bot"});
    for (const char* kind : {"permission", "aitl", "routing", "fold"})
      json_on(home, {"config", "rule", "add", std::string("of-") + kind, "--kind", kind, "--expression", "false",
                     "--action", std::string(kind) == "aitl" ? "ask" : "deny"});
  }
};

TEST_F(Seed000Test, HostedToLocalAndBackLosesNothing) {
  make_home("peer", 2);
  const std::uint64_t peer_port = start_daemon("peer");
  make_home("hosted", 3);
  start_daemon("hosted");
  furnish("hosted");
  json_on("peer",
          {"config", "rule", "add", "welcome", "--kind", "aitl", "--expression", "true", "--action", "auto_approve"});
  // spl federation pair, spl sync, spl federation refresh <peer-did>
  EXPECT_EQ(text_of(json_on("hosted", {"federation", "pair", url(peer_port)}), "state"), "active");
  EXPECT_EQ(number_of(json_on("hosted", {"sync"}), "inserted"), 4U);
  json_on("hosted", {"federation", "refresh", did("peer")});
  json_on("peer", {"sync"});
  const Count before = count("hosted");
  EXPECT_EQ(before.pairs, 1U);
  EXPECT_EQ(before.grants, 1U);

  // spl export --out ~/migration.tar.zst
  const std::string bundle = path("migration.tar.zst");
  const codec::Json exported = json_on("hosted", {"export", "--out", bundle});
  EXPECT_EQ(number_of(exported, "federation_pairs"), 1U);
  EXPECT_EQ(on("hosted", {"stop"}).code, 0);

  // Locally: spl serve --daemon, spl identity generate, spl import ~/migration.tar.zst
  const std::uint64_t local_port = start_daemon("local");
  json_on("local", {"identity", "generate"});
  const codec::Json imported = json_on("local", {"import", bundle});
  EXPECT_EQ(text_of(imported, "identity"), "adopted");
  EXPECT_EQ(number_of(imported, "federation_pairs"), 1U);
  EXPECT_EQ(count("local"), before);

  // No pairing again: the first sync of either side finds out what has changed.
  json_on("local", {"do", "work at home"});
  json_on("local", {"sync"});
  EXPECT_EQ(number_of(json_on("peer", {"sync"}), "inserted"), 1U);
  EXPECT_EQ(text_of(json_on("peer", {"federation", "list"}).array()->front(), "peer_base_url"), url(local_port));
  EXPECT_EQ(number_of(json_on("local", {"import", bundle}), "records_inserted"), 0U) << "idempotent";

  // And back.
  const Count there = count("local");
  json_on("local", {"export", "--out", path("back.tar.zst")});
  EXPECT_EQ(on("local", {"stop"}).code, 0);
  ASSERT_EQ(on("hosted-again", {"import", path("back.tar.zst")}).code, 0);
  EXPECT_EQ(count("hosted-again"), there);
}

}  // namespace
}  // namespace spl::cli_test
