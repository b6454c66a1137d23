// spl log: records as they came.
#include <sys/stat.h>

#include <algorithm>

#include "cli_harness.h"
#include "cli_terminal.h"

namespace spl::cli_test {
namespace {

class CliLogTest : public CliTest {
 protected:
  // What the items of `spl log -o json` have as body.text, in their order.
  Words texts(Words words, int code = 0) {
    words.insert(words.begin(), "log");
    Words found;
    const codec::Json list = json_on("h", words, {}, code);
    for (const codec::Json& item : *list.array()) found.push_back(text_of(*item.find("record")->find("body"), "text"));
    return found;
  }
  void emit(const std::string& act, const std::string& text, Words words) {
    words.insert(words.begin(), {act, text});
    ASSERT_EQ(on("h", words).code, 0);
  }
  void make() {
    make_home("h", 0);
    emit("intend", "first", {"--thread", "a"});
    emit("do", "second", {"--thread", "b", "--namespace", "acme/billing"});
    emit("know", "third \"quoted\" \xC3\xA9", {"--thread", "a", "--actor", "did:web:other"});
    emit("do", "fourth", {"--thread", "a", "--namespace", "acme"});
  }
};

TEST_F(CliLogTest, TheNewestStandFirst) {
  make();
  for (int daemon = 0; daemon < 2; ++daemon) {
    EXPECT_EQ(texts({}), (Words{"fourth", "third \"quoted\" \xC3\xA9", "second", "first"}));
    EXPECT_EQ(texts({"--reverse", "--limit", "2"}), (Words{"first", "second"}));
    EXPECT_EQ(texts({"--limit", "1"}), Words{"fourth"});
    if (daemon == 0) start_daemon("h");
  }
}

TEST_F(CliLogTest, IsLimitedToWhatFits) {
  make();
  EXPECT_EQ(texts({"--thread", "b"}), Words{"second"});
  EXPECT_EQ(texts({"--thread", "none"}), Words{});
  EXPECT_EQ(texts({"--act", "DO"}), (Words{"fourth", "second"}));
  EXPECT_EQ(texts({"--actor", "did:web:other"}), Words{"third \"quoted\" \xC3\xA9"});
  EXPECT_EQ(texts({"--namespace", "acme"}), (Words{"fourth", "second"}));
  EXPECT_EQ(texts({"--namespace", "acme/billing"}), Words{"second"});
  EXPECT_EQ(texts({"--namespace", "acm"}), Words{});
  EXPECT_EQ(texts({"--grep", "\"quoted\" \xC3\xA9"}), Words{"third \"quoted\" \xC3\xA9"});
  EXPECT_EQ(texts({"--grep", "did:web:other", "--act", "DO"}), Words{});
  EXPECT_EQ(texts({"--since", "1h"}).size(), 4u);
  EXPECT_EQ(texts({"--since", "2001-01-31"}).size(), 4u);
  EXPECT_EQ(texts({"--since", "2199-01-31T00:00:00+01:00"}), Words{});
  const std::string first = text_of(json_on("h", {"log", "--reverse"}).array()->front(), "arrived_at");
  EXPECT_EQ(texts({"--since", first}).size(), 4u);
}

TEST_F(CliLogTest, WrongUseIsSaid) {
  make_home("h", 0);
  for (const Words& words :
       {Words{"log", "--since", "yesterday"}, Words{"log", "--since", "-2h"}, Words{"log", "--since", "2"},
        Words{"log", "--limit", "0"}, Words{"log", "--limit", "x"}, Words{"log", "--act", "SING"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 2) << words.back() << ran.out;
    EXPECT_NE(ran.err.find(" — "), std::string::npos) << ran.err;
  }
  EXPECT_EQ(on("none", {"log"}).code, 1);
}

TEST_F(CliLogTest, LinesAndJsonSayTheSame) {
  make();
  const Ran lines = on("h", {"log"});
  EXPECT_EQ(std::ranges::count(lines.out, '\n'), 4);
  const auto items = json_on("h", {"log"});
  EXPECT_EQ(members(items.array()->front()), (Words{"id", "record", "sig", "arrived_at"}));
  EXPECT_EQ(members((*items.array())[1]), (Words{"id", "record", "arrived_at"})) << "another's, unsigned";
  for (const codec::Json& item : *items.array()) {
    EXPECT_NE(lines.out.find(text_of(item, "id").substr(0, 12)), std::string::npos);
    EXPECT_NE(lines.out.find(text_of(item, "arrived_at")), std::string::npos);
  }
  const Ran events = on("h", {"log", "--limit", "1", "-o", "stream-json"});
  EXPECT_NE(events.out.find(R"("state":"done","result":[{"id":)"), std::string::npos) << events.out;
}

// The time of arrival is this store's: it is not what a bundle carries.
TEST_F(CliLogTest, AnImportIsAnArrivalOfItsOwn) {
  make();
  ASSERT_EQ(shell("sqlite3 " + path("h/hub.db") + " 'UPDATE arrivals SET at = 1000'"), 0);
  EXPECT_EQ(text_of(json_on("h", {"log"}).array()->front(), "arrived_at"), "1970-01-01T00:16:40Z");
  ASSERT_EQ(on("h", {"export", "--out", path("b.spl")}).code, 0);
  ASSERT_EQ(on("new", {"import", path("b.spl")}).code, 0);
  EXPECT_EQ(json_on("new", {"log", "--since", "1h"}).array()->size(), 4u);
  EXPECT_TRUE(json_on("h", {"log", "--since", "1h"}).array()->empty());
}

TEST_F(CliLogTest, WhatAnOlderStoreHasCameNobodyKnowsWhen) {
  make();
  ASSERT_EQ(shell("sqlite3 " + path("h/hub.db") + " 'DELETE FROM arrivals'"), 0);
  EXPECT_TRUE(json_on("h", {"log"}).array()->front().find("arrived_at")->is_null());
  EXPECT_EQ(json_on("h", {"log", "--since", "1h"}).array()->size(), 0u);
  EXPECT_EQ(on("h", {"log"}).code, 0);
}

TEST_F(CliLogTest, GoesThroughThePagerOfATerminal) {
  make();
  write_file(path("pager"), "#!/bin/sh\necho paged; cat; echo end of the page\n");
  ::chmod(path("pager").c_str(), 0700);
  const std::string command =
      "PAGER=" + path("pager") + " " + spl_program() + " --home " + path("h") + " log; echo code $?";
  Terminal terminal({"/bin/sh", "-c", command}, {.columns = 200});
  EXPECT_TRUE(terminal.wait_for("code 0")) << terminal.shown();
  const std::string& shown = terminal.shown();
  EXPECT_LT(shown.find("paged"), shown.find("fourth")) << shown;
  EXPECT_LT(shown.find("first"), shown.find("end of the page")) << shown;
  EXPECT_EQ(on("h", {"log"}, {.environment = {{"PAGER", path("pager")}}}).out.find("paged"), std::string::npos);
}

TEST_F(CliLogTest, APagerThatIsLeftEarlyIsNoError) {
  make_home("h", 0);
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += record_text("t", i) + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  const std::string command = "PAGER='head -n 1' " + spl_program() + " --home " + path("h") + " log; echo code $?";
  Terminal terminal({"/bin/sh", "-c", command}, {.columns = 200});
  EXPECT_TRUE(terminal.wait_for("code 0")) << terminal.shown();
  EXPECT_EQ(terminal.shown().find("spl:"), std::string::npos) << terminal.shown();
  Terminal without(
      {"/bin/sh", "-c", "PAGER=nosuchpager " + spl_program() + " --home " + path("h") + " log --limit 1; echo code $?"},
      {.columns = 200});
  EXPECT_TRUE(without.wait_for("code 0")) << without.shown();
}

}  // namespace
}  // namespace spl::cli_test
