// Two and three instances with daemons of their own: pairs, sync, consent, moves, as their owners see them.
#include <chrono>
#include <csignal>
#include <thread>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

class CliFederationTest : public CliTest {
 protected:
  std::string url(const std::string& home) { return "http://127.0.0.1:" + std::to_string(ports_.at(home)); }
  std::string did(const std::string& home) { return text_of(json_on(home, {"identity", "show"}), "did"); }

  void start(const std::string& home, int threads = 0) {
    make_home(home, threads);
    ports_[home] = start_daemon(home);
  }
  void stop(const std::string& home) { EXPECT_EQ(on(home, {"stop"}).code, 0); }
  void restart(const std::string& home) {
    stop(home);
    ports_[home] = start_daemon(home);
  }

  // `a` asks, the owner of `b` approves.
  void pair(const std::string& a, const std::string& b, const Words& more = {}) {
    Words words{"federation", "pair", url(b), "--wait", "0"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(text_of(json_on(a, words), "state"), "establishing");
    const codec::Json requests = json_on(b, {"aitl", "list"});
    ASSERT_EQ(requests.array()->size(), 1U);
    const std::string id = text_of(requests.array()->front(), "id");
    EXPECT_EQ(text_of(json_on(b, {"aitl", "approve", id.substr(0, 8)}), "state"), "active");
    EXPECT_EQ(text_of(json_on(a, words), "state"), "active");
  }

  std::uint64_t records(const std::string& home) { return number_of(json_on(home, {"status"}), "record_count"); }
  std::string emitted(const std::string& home, const Words& more = {}) {
    Words words{"do", "work"};
    words.insert(words.end(), more.begin(), more.end());
    return text_of(json_on(home, words), "id");
  }
  bool has(const std::string& home, const std::string& id) { return on(home, {"record", "get", id}).code == 0; }
  codec::Json pair_of(const std::string& home, const std::string& peer) {
    return json_on(home, {"federation", "show", peer});
  }

  std::map<std::string, std::uint64_t> ports_;
};

TEST_F(CliFederationTest, APairSharesRecordsInBothDirections) {
  start("a", 3);
  start("b", 2);
  pair("a", "b");
  EXPECT_TRUE(json_on("b", {"aitl", "list"}).array()->empty());
  for (const char* home : {"a", "b"}) EXPECT_EQ(number_of(json_on(home, {"status"}), "federation_pairs"), 1U) << home;
  const std::string of_a = emitted("a", {"--thread", "th_x"});
  const std::string of_b = emitted("b", {"--thread", "th_x"});
  const codec::Json report = json_on("b", {"sync"});
  EXPECT_EQ(number_of(report, "inserted"), 7U) << "six records of three threads, and one more";
  EXPECT_EQ(number_of(report, "refused"), 0U);
  EXPECT_TRUE(has("b", of_a));
  EXPECT_EQ(number_of(json_on("a", {"sync", did("b")}), "inserted"), 5U);
  EXPECT_TRUE(has("a", of_b));
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 0U) << "what came from there goes back as known";
  EXPECT_EQ(on("a", {"thread", "records", "th_x"}).out, on("b", {"thread", "records", "th_x"}).out);
  const codec::Json pair = pair_of("b", did("a"));
  EXPECT_EQ(text_of(pair, "state"), "active");
  EXPECT_EQ(number_of(pair, "received"), 7U);
  EXPECT_EQ(number_of(pair, "refused"), 0U);
  EXPECT_LT(number_of(pair, "lag_seconds"), 60U);
}

TEST_F(CliFederationTest, SyncGoesOnWithoutADaemonOfItsOwn) {
  start("a", 1);
  start("b");
  pair("b", "a");
  stop("b");
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 2U);
}

TEST_F(CliFederationTest, WhoSaysNoIsHeardAndNothingPasses) {
  start("a");
  start("b", 1);
  const Words words{"federation", "pair", url("b"), "--wait", "0"};
  json_on("a", words);
  EXPECT_EQ(on("a", {"sync"}).code, 6) << "the other owner has not decided";
  EXPECT_EQ(number_of(json_on("a", {"status"}), "federation_pairs"), 0U);
  const std::string id = text_of(json_on("b", {"aitl", "list"}).array()->front(), "id");
  json_on("b", {"aitl", "reject", id});
  EXPECT_EQ(on("a", words).code, 3);
  EXPECT_EQ(text_of(pair_of("a", did("b")), "state"), "revoked");
  EXPECT_EQ(records("a"), 2U) << "its own two of the pair";
}

TEST_F(CliFederationTest, ARuleApproves) {
  start("a", 1);
  start("b");
  json_on("b", {"config", "rule", "add", "friends", "--kind", "aitl", "--expression", "actor == '" + did("a") + "'",
                "--action", "auto_approve"});
  EXPECT_EQ(text_of(json_on("a", {"federation", "pair", url("b")}), "state"), "active");
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 2U);
}

TEST_F(CliFederationTest, TwoOwnersWhoAskEachOtherHaveAgreed) {
  start("a");
  start("b");
  EXPECT_EQ(text_of(json_on("a", {"federation", "pair", url("b"), "--wait", "0"}), "state"), "establishing");
  EXPECT_EQ(text_of(json_on("b", {"federation", "pair", url("a"), "--wait", "0"}), "state"), "active");
  EXPECT_EQ(on("a", {"sync"}).code, 0);
  EXPECT_EQ(text_of(pair_of("a", did("b")), "state"), "active");
}

TEST_F(CliFederationTest, NothingPassesWhileAPairIsPausedAndNothingAfterItsEnd) {
  start("a", 1);
  start("b");
  pair("a", "b");
  json_on("a", {"federation", "pause", did("b")});
  EXPECT_EQ(on("a", {"sync", did("b")}).code, 3);
  EXPECT_EQ(on("b", {"sync", did("a")}).code, 3) << "the other side is told";
  EXPECT_EQ(records("b"), 1U);
  json_on("a", {"federation", "resume", did("b")});
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 2U);
  emitted("a");
  json_on("a", {"federation", "revoke", did("b")});
  EXPECT_EQ(text_of(pair_of("b", did("a")), "state"), "revoked") << "it was told";
  EXPECT_EQ(on("b", {"sync", did("a")}).code, 3);
  EXPECT_EQ(on("a", {"federation", "resume", did("b")}).code, 3);
}

TEST_F(CliFederationTest, ConsentDecidesWhatPassesBesideThePairsNamespaces) {
  start("a");
  start("b");
  pair("b", "a");
  const std::string secret = emitted("a", {"--namespace", "research"});
  const std::string open = emitted("a");
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 1U);
  EXPECT_TRUE(has("b", open));
  EXPECT_FALSE(has("b", secret));
  json_on("a", {"consent", "grant", "--source-namespace", "research", "--target-namespace", "default", "--hash-level",
                "L1"});
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 0U) << "a grant is not retroactive";
  EXPECT_EQ(json_on("b", {"status"}).find("redacted_records"), nullptr);
  const codec::Json again = json_on("b", {"sync", "--from-start"});
  EXPECT_EQ(number_of(again.find("peers")->array()->front(), "redacted"), 1U);
  EXPECT_FALSE(has("b", secret)) << "a redacted record is no record";
  EXPECT_EQ(number_of(json_on("b", {"status"}), "redacted_records"), 1U);
  const std::string grant = text_of(
      json_on("a", {"consent", "grant", "--source-namespace", "research", "--target-namespace", "default"}), "id");
  EXPECT_EQ(number_of(json_on("b", {"sync", "--from-start"}), "inserted"), 1U);
  EXPECT_TRUE(has("b", secret));
  EXPECT_EQ(json_on("b", {"status"}).find("redacted_records"), nullptr) << "the whole one has come";
  json_on("a", {"consent", "revoke", grant});
  const std::string later = emitted("a", {"--namespace", "research"});
  json_on("b", {"sync", "--from-start"});
  EXPECT_FALSE(has("b", later)) << "the grant before decides again";
  EXPECT_EQ(number_of(json_on("b", {"status"}), "redacted_records"), 1U);
}

TEST_F(CliFederationTest, SharedNamespacesAreThoseOfThePair) {
  start("a");
  start("b");
  pair("b", "a", {"--namespace", "research"});
  const std::string research = emitted("a", {"--namespace", "research"});
  const std::string other = emitted("a");
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 1U);
  EXPECT_TRUE(has("b", research));
  EXPECT_FALSE(has("b", other));
}

TEST_F(CliFederationTest, AskingForMoreChangesNothingUntilTheOtherOwnerAgrees) {
  start("a");
  start("b");
  pair("b", "a");
  const Words more{"federation", "pair", url("a"), "--wait", "0", "--namespace", "default", "--namespace", "research"};
  const codec::Json asked = json_on("b", more);
  EXPECT_EQ(text_of(asked, "state"), "active");
  EXPECT_EQ(asked.find("namespaces")->array()->size(), 1U);
  const std::string ours = emitted("b", {"--namespace", "research"});
  json_on("a", {"sync"});
  EXPECT_FALSE(has("a", ours)) << "its owner has not agreed";
  const std::string id = text_of(json_on("a", {"aitl", "list"}).array()->front(), "id");
  json_on("a", {"aitl", "reject", id});
  EXPECT_EQ(on("b", more).code, 3);
  EXPECT_EQ(text_of(pair_of("b", did("a")), "state"), "active") << "what was agreed to stays";
  EXPECT_EQ(on("a", {"sync"}).code, 0);
  EXPECT_FALSE(has("a", ours));
}

TEST_F(CliFederationTest, ARevocationThatWasNotHeardIsHeardAtTheNextSync) {
  start("a", 1);
  start("b");
  json_on("b", {"config", "rule", "add", "all", "--kind", "aitl", "--expression", "true", "--action", "auto_approve"});
  json_on("a", {"federation", "pair", url("b")});
  stop("a");
  json_on("b", {"federation", "revoke", did("a")});
  ports_["a"] = start_daemon("a");
  EXPECT_EQ(on("a", {"sync", did("b")}).code, 3);
  EXPECT_EQ(text_of(pair_of("a", did("b")), "state"), "revoked");
  json_on("a", {"federation", "pair", url("b"), "--wait", "0"});
  EXPECT_EQ(json_on("b", {"aitl", "list"}).array()->size(), 1U) << "no rule begins again what its owner has ended";
}

TEST_F(CliFederationTest, APairSurvivesAMoveToAnotherHomeAndAddress) {
  start("a", 2);
  start("b");
  pair("a", "b");
  json_on("b", {"sync"});
  const std::string bundle = path("a.spl");
  json_on("a", {"export", "--out", bundle, "--plaintext", "--move"});
  EXPECT_EQ(on("a", {"do", "late"}).code, 3) << "it has left";
  ASSERT_EQ(on("c", {"import", bundle}).code, 0);
  ports_["c"] = start_daemon("c");
  const std::string later = emitted("c");
  EXPECT_EQ(number_of(json_on("c", {"sync"}), "refused"), 0U);
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 1U);
  EXPECT_TRUE(has("b", later));
  EXPECT_EQ(text_of(pair_of("b", did("c")), "peer_base_url"), url("c"));
  // The home that it has left says to nobody that it is there, whatever is done in it.
  EXPECT_EQ(on("a", {"sync"}).code, 3);
  restart("a");
  restart("a");
  const std::string last = emitted("c");
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 1U);
  EXPECT_TRUE(has("b", last));
  EXPECT_FALSE(flag_of(pair_of("b", did("c")), "two_copies"));
}

TEST_F(CliFederationTest, APeerThatOnlyAnotherPeerHasHeardOfIsFound) {
  for (const char* home : {"a", "b", "c"}) start(home);
  pair("a", "b");
  pair("a", "c");
  pair("b", "c");
  const std::string bundle = path("a.spl");
  json_on("a", {"export", "--out", bundle, "--plaintext", "--move"});
  stop("a");
  stop("c");
  ASSERT_EQ(on("moved", {"import", bundle}).code, 0);
  ports_["moved"] = start_daemon("moved");
  json_on("moved", {"sync", did("b")});
  const std::string later = emitted("moved");
  stop("moved");  // c is not told
  ports_["c"] = start_daemon("c");
  ports_["moved"] = start_daemon("moved");
  json_on("moved", {"sync", did("b")});
  EXPECT_EQ(number_of(json_on("c", {"sync", did("moved")}), "inserted"), 1U);
  EXPECT_TRUE(has("c", later));
}

TEST_F(CliFederationTest, APeerThatNobodyKnowsIsAnErrorThatSaysWhatToDo) {
  start("a", 1);
  start("b");
  pair("b", "a");
  stop("a");
  const std::string peer = did("a");
  const Ran lost = on("b", {"sync", peer});
  EXPECT_EQ(lost.code, 6);
  EXPECT_NE(lost.err.find("spl federation refresh " + peer), std::string::npos) << lost.err;
  ports_["a"] = start_daemon("a");
  EXPECT_EQ(on("b", {"federation", "refresh", peer, "--url", url("b")}).code, 3) << "that is another instance";
  EXPECT_EQ(text_of(json_on("b", {"federation", "refresh", peer, "--url", url("a")}), "peer_base_url"), url("a"));
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 2U);
}

TEST_F(CliFederationTest, APeerThatLivesTwiceIsNotMerged) {
  start("a", 1);
  start("b");
  pair("a", "b");
  json_on("b", {"sync"});
  const std::string bundle = path("a.spl");
  json_on("a", {"export", "--out", bundle, "--plaintext"});
  ASSERT_EQ(on("copy", {"import", bundle}).code, 0);
  ports_["copy"] = start_daemon("copy");
  json_on("copy", {"sync"});
  const std::string there = emitted("a");
  json_on("a", {"sync"});  // the old one is heard of again
  const Ran refused = on("b", {"sync", did("a")});
  EXPECT_EQ(refused.code, 3) << refused.err;
  EXPECT_TRUE(flag_of(pair_of("b", did("a")), "two_copies"));
  EXPECT_FALSE(has("b", there));
  stop("copy");
  stop("a");
  EXPECT_EQ(on("b", {"federation", "refresh", did("a")}).code, 6);
  EXPECT_TRUE(flag_of(pair_of("b", did("a")), "two_copies")) << "nobody has answered";
  ports_["a"] = start_daemon("a");
  EXPECT_EQ(on("b", {"federation", "refresh", did("a"), "--url", url("a")}).code, 0);
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 1U);
}

TEST_F(CliFederationTest, AnOlderBundleLosesNothingThatPeersHave) {
  start("a", 1);
  start("b");
  pair("a", "b");
  const std::string bundle = path("a.spl");
  json_on("a", {"export", "--out", bundle, "--plaintext"});
  const std::string later = emitted("a");
  json_on("b", {"sync"});
  stop("a");
  ASSERT_EQ(on("restored", {"import", bundle}).code, 0);
  ports_["restored"] = start_daemon("restored");
  EXPECT_FALSE(has("restored", later));
  EXPECT_GE(number_of(json_on("restored", {"sync"}), "inserted"), 1U);
  EXPECT_TRUE(has("restored", later)) << "its own record comes back from its peer";
  const std::string anew = emitted("restored");
  json_on("b", {"sync"});
  EXPECT_TRUE(has("b", anew));
}

TEST_F(CliFederationTest, AfterItsRecordsWereReplacedAnInstanceFetchesAllAgain) {
  start("a", 1);
  start("b");
  pair("b", "a");
  const std::string bundle = path("b.spl");
  json_on("b", {"export", "--out", bundle, "--plaintext"});
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 2U);
  stop("b");
  const Ran replaced = on("b", {"import", bundle, "--records", "replace", "--allow-older"});
  ASSERT_EQ(replaced.code, 0) << replaced.err;
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 2U);
}

TEST_F(CliFederationTest, ARetiredIdentityIsRefusedForGoodAndItsSuccessorIsAskedAbout) {
  for (const char* home : {"a", "b", "heir"}) start(home);
  pair("a", "b");
  EXPECT_EQ(on("a", {"identity", "retire", "--successor", "did:web:x"}).code, 2);
  const codec::Json retired = json_on("a", {"identity", "retire", "--successor", did("heir")});
  EXPECT_EQ(text_of(retired, "did"), did("a"));
  EXPECT_EQ(text_of(pair_of("b", did("a")), "state"), "revoked") << "it was told";
  EXPECT_EQ(on("a", {"identity", "retire"}).code, 3);
  EXPECT_EQ(on("a", {"sync"}).code, 3);
  EXPECT_EQ(on("a", {"federation", "pair", url("b"), "--wait", "0"}).code, 3);
  json_on("heir", {"federation", "pair", url("b"), "--wait", "0"});
  const codec::Json request = json_on("b", {"aitl", "list"}).array()->front();
  EXPECT_EQ(text_of(request, "predecessor"), did("a"));
  EXPECT_EQ(text_of(json_on("b", {"aitl", "approve", text_of(request, "id")}), "peer_did"), did("heir"));
  // It goes along with an export.
  const std::string bundle = path("a.spl");
  json_on("a", {"export", "--out", bundle, "--plaintext"});
  ASSERT_EQ(on("later", {"import", bundle}).code, 0);
  EXPECT_EQ(on("later", {"sync"}).code, 3);
  json_on("b", {"export", "--out", path("b.spl"), "--plaintext"});
  stop("b");
  ASSERT_EQ(on("b2", {"import", path("b.spl")}).code, 0);
  ports_["b2"] = start_daemon("b2");
  EXPECT_NE(on("a", {"federation", "pair", url("b2"), "--wait", "0"}).code, 0);
}

TEST_F(CliFederationTest, WatchingFetchesWhatComesUntilItIsEnded) {
  start("a", 1);
  start("b");
  pair("b", "a");
  Process watching({"--home", path("b"), "sync", "--watch", "-o", "json"});
  ASSERT_TRUE(watching.wait_for_output("\"inserted\":2"));
  const std::string later = emitted("a");
  ASSERT_TRUE(watching.wait_for_output("\"inserted\":1"));
  EXPECT_TRUE(has("b", later));
  ::kill(watching.pid(), SIGINT);
  EXPECT_EQ(watching.wait().code, 130);
}

// Whoever is killed, at whatever point, begins again and ends where it would have.
TEST_F(CliFederationTest, AKilledSyncEndsInTheSameState) {
  start("a");
  start("b");
  pair("b", "a");
  std::string lines;
  for (int i = 0; i < 30'000; ++i) lines += record_text("th_" + std::to_string(i % 50), i) + "\n";
  ASSERT_EQ(on("a", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  stop("b");
  const std::uint64_t before = records("b");
  std::uint64_t last = before;
  for (int round = 1; round <= 12; ++round) {
    Process sync({"--home", path("b"), "sync", "--no-progress"});
    std::this_thread::sleep_for(std::chrono::milliseconds(17 * round));
    ::kill(sync.pid(), SIGKILL);
    sync.wait();
    const std::uint64_t now = records("b");
    EXPECT_GE(now, last);
    last = now;
  }
  ASSERT_EQ(on("b", {"sync"}).code, 0);
  EXPECT_EQ(records("b"), before + 30'000);
  EXPECT_EQ(number_of(json_on("b", {"sync"}), "inserted"), 0U);
  EXPECT_EQ(on("a", {"thread", "records", "th_7"}).out, on("b", {"thread", "records", "th_7"}).out);
}

TEST_F(CliFederationTest, AKilledPairingEndsInTheSameState) {
  start("a");
  start("b");
  stop("a");
  const Words words{"federation", "pair", url("b"), "--wait", "0"};
  for (int round = 0; round < 8; ++round) {
    Words all{"--home", path("a")};
    all.insert(all.end(), words.begin(), words.end());
    Process asking(all);
    std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
    ::kill(asking.pid(), SIGKILL);
    asking.wait();
  }
  EXPECT_EQ(text_of(json_on("a", words), "state"), "establishing");
  const codec::Json requests = json_on("b", {"aitl", "list"});
  ASSERT_EQ(requests.array()->size(), 1U) << "however often it was asked";
  json_on("b", {"aitl", "approve", text_of(requests.array()->front(), "id")});
  const std::uint64_t before = records("a");
  EXPECT_EQ(text_of(json_on("a", words), "state"), "active");
  EXPECT_EQ(text_of(json_on("a", words), "state"), "active") << "again changes nothing";
  EXPECT_EQ(records("a"), before + 1);
}

}  // namespace
}  // namespace spl::cli_test
