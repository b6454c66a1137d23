// What every command has in common: help, wrong use, exit codes, where output goes, colour, broken pipes.
#include <algorithm>
#include <filesystem>

#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using CliUsageTest = CliTest;

// Every command that is run, by its words.
const std::vector<Words>& all_commands() {
  static const std::vector<Words> kAll{
      {"init"},
      {"status"},
      {"version"},
      {"doctor"},
      {"serve"},
      {"stop"},
      {"identity", "generate"},
      {"identity", "show"},
      {"identity", "verify"},
      {"authority", "list"},
      {"authority", "endorse"},
      {"intend"},
      {"do"},
      {"know"},
      {"learn"},
      {"record", "put"},
      {"record", "get"},
      {"thread", "list"},
      {"thread", "show"},
      {"thread", "records"},
      {"export"},
      {"import"},
      {"bundle", "show"},
      {"bundle", "verify"},
      {"bundle", "list"},
      {"bundle", "extract"},
      {"bundle", "diff"},
      {"service-account", "create"},
      {"service-account", "list"},
      {"service-account", "revoke"},
      {"token", "create"},
      {"token", "list"},
      {"token", "revoke"},
      {"help"},
      {"completion"},
      {"man"},
      {"schema"},
  };
  return kAll;
}

std::string joined(const Words& words) {
  std::string text = "spl";
  for (const std::string& word : words) text += " " + word;
  return text;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST_F(CliUsageTest, EveryCommandHasHelpWithAnExample) {
  for (const Words& words : all_commands()) {
    for (const char* option : {"--help", "-h"}) {
      Words asked = words;
      asked.emplace_back(option);
      const Ran ran = run(asked);
      EXPECT_EQ(ran.code, 0) << joined(words);
      EXPECT_EQ(ran.err, "") << joined(words);
      EXPECT_NE(ran.out.find("usage: " + joined(words)), std::string::npos) << ran.out;
      EXPECT_NE(ran.out.find("\nexample"), std::string::npos) << ran.out;
      EXPECT_NE(ran.out.find("\n  " + joined({words[0]})), std::string::npos) << ran.out;
      EXPECT_NE(ran.out.find("--home DIR"), std::string::npos) << ran.out;
    }
  }
}

TEST_F(CliUsageTest, GroupsHaveHelpAndWantACommand) {
  for (const char* group : {"identity", "authority", "record", "thread", "bundle", "service-account", "token"}) {
    const Ran help = run({group, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_NE(help.out.find("commands:"), std::string::npos);
    const Ran alone = run({group});
    EXPECT_EQ(alone.code, 2);
    EXPECT_EQ(alone.out, "");
    EXPECT_EQ(lines_in(alone.err), 1u) << alone.err;
    EXPECT_NE(alone.err.find("a command is missing"), std::string::npos) << alone.err;
  }
}

TEST_F(CliUsageTest, TheProgramAlonePrintsHelpToStandardErrorAndFails) {
  const Ran alone = run({});
  EXPECT_EQ(alone.code, 2);
  EXPECT_EQ(alone.out, "");
  EXPECT_NE(alone.err.find("commands:"), std::string::npos);
  const Ran help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.out, alone.err);
}

TEST_F(CliUsageTest, WrongUseIsOneLineAndCode2) {
  const std::vector<Words> wrong{
      {"frobnicate"},
      {"identity", "frobnicate"},
      {"frobnicate", "--help"},
      {"serve", "--store", "frobnicate"},
      {"identity", "frobnicate", "--help"},
      {"status", "--frobnicate"},
      {"status", "-x"},
      {"status", "one-too-many"},
      {"init", "--home"},
      {"status", "-o", "yaml"},
      {"status", "-o"},
      {"status", "--no-progress=yes"},
      {"status", "--no-progress=true"},
      {"export", "--out", "x", "--uncompressed=true"},
      {"status", "--frobnicate=true"},
      {"help", "frobnicate"},
      {"do"},
      {"intend", "a", "b"},
      {"intend", "a", "--fulfills", "no-id"},
      {"intend", "a", "--thread", "x", "--thread", "y"},
      {"record", "get"},
      {"record", "get", "xyz"},
      {"authority", "endorse"},
      {"authority", "endorse", "xyz"},
      {"export"},
      {"export", "--out", "x", "--quiesce", "pause"},
      {"export", "--out", "x", "--recipient", "age1nobody"},
      {"import"},
      {"import", "x", "--records", "other"},
      {"import", "-", "--passphrase-file", "-"},
      {"bundle", "verify"},
      {"bundle", "verify", "/"},
      {"bundle", "extract", "x", "records/"},
      {"bundle", "diff", "x"},
      {"service-account", "create", "ci"},
      {"service-account", "create"},
      {"token", "create"},
      {"token", "revoke"},
      {"serve", "--port", "65536"},
      {"serve", "--port", "-1"},
      {"serve", "--port", "http"},
      {"serve", "--tls-cert", "/dev/null"},
      {"serve", "--store", "memory:"},
      {"serve", "--store", "postgres://nowhere/x", "--port", "0"},
      {"completion", "tcsh"},
      {"man", "frobnicate"},
      {"service"},
      {"service", "notes"},
      {"service", "notes", "sing"},
      {"service", "notes", "backup"},
      {"service", "notes", "restore"},
      {"service", "notes", "restore", "--from", "x", "--previous"},
      {"service", "all", "logs"},
      {"context", "add", "c", "--id", "x"},
      {"secret", "set"},
  };
  for (const Words& words : wrong) {
    const Ran ran = on("none", words);
    EXPECT_EQ(ran.code, 2) << joined(words) << "\n" << ran.out << ran.err;
    EXPECT_EQ(ran.out, "") << joined(words);
    EXPECT_EQ(lines_in(ran.err), 1u) << joined(words) << "\n" << ran.err;
    EXPECT_TRUE(ran.err.starts_with("spl: ")) << ran.err;
    EXPECT_FALSE(exists(path("none"))) << joined(words) << " made a home";
  }
}

TEST_F(CliUsageTest, HelpIsACommandToo) {
  EXPECT_EQ(run({"help"}).out, run({"--help"}).out);
  EXPECT_EQ(run({"help", "bundle", "verify"}).out, run({"bundle", "verify", "--help"}).out);
  EXPECT_EQ(run({"help", "bundle"}).code, 0);
}

TEST_F(CliUsageTest, ACommandThatIsNearIsSuggested) {
  const auto hint = [](const Words& words) {
    const std::string told = run(words).err;
    return told.substr(std::min(told.find(" — "), told.size()));
  };
  EXPECT_EQ(hint({"stat"}), " — did you mean spl status?\n");
  EXPECT_EQ(hint({"exprot"}), " — did you mean spl export?\n");
  EXPECT_EQ(hint({"bundle", "verfy"}), " — did you mean spl bundle verify?\n");
  EXPECT_EQ(hint({"man", "thread", "lst"}), " — did you mean spl thread list?\n");
  EXPECT_EQ(hint({"frobnicate"}), " — spl --help says how it is used\n");
  EXPECT_EQ(run({"status", "--frob=true"}).err,
            "spl: status: unknown option \"--frob=true\" — spl status --help says how it is used\n");
}

TEST_F(CliUsageTest, AValueMayLookLikeAFlagThatIsTrue) {
  make_home("h", 0);
  EXPECT_EQ(on("h", {"do", "--thread", "t", "--", "--no-progress=true"}).code, 0);
  EXPECT_EQ(text_of(*json_on("h", {"thread", "records", "t"}).array()->front().find("record")->find("body"), "text"),
            "--no-progress=true");
}

TEST_F(CliUsageTest, WrongUseIsToldAsJsonWhereJsonIsAsked) {
  const std::vector<Words> wrong{{"status", "--frobnicate", "-o", "json"},
                                 {"-o", "json", "frobnicate"},
                                 {"-ojson", "record", "get", "xyz"},
                                 {"record", "get", "xyz", "--output=json"},
                                 {"--output", "json", "bundle"}};
  for (const Words& words : wrong) {
    const Ran ran = run(words);
    EXPECT_EQ(ran.code, 2) << joined(words);
    EXPECT_EQ(lines_in(ran.err), 1u);
    const codec::Json json = json_of(ran.out);
    ASSERT_NE(json.find("error"), nullptr) << ran.out;
    EXPECT_EQ(members(*json.find("error")), (Words{"code", "exit", "message", "hint"}));
    EXPECT_EQ(text_of(*json.find("error"), "code"), "INVALID_REQUEST");
    EXPECT_EQ(number_of(*json.find("error"), "exit"), 2u);
    EXPECT_NE(ran.err.find(text_of(*json.find("error"), "message")), std::string::npos);
  }
}

TEST_F(CliUsageTest, WordsOfCommandsAreTakenAsTextWhereTextStands) {
  make_home("h", 0);
  for (const char* text : {"export", "intend", "status", "--", "[a,b]", "++", "-"}) {
    Words words{"intend", "--thread", "th_words"};
    if (std::string(text) == "--") words.emplace_back("--");
    words.emplace_back(text);
    const Ran ran = on("h", words);
    EXPECT_EQ(ran.code, 0) << text << ran.err;
  }
  const codec::Json records = json_on("h", {"thread", "records", "th_words"});
  ASSERT_NE(records.array(), nullptr);
  std::vector<std::string> texts;
  for (const codec::Json& record : *records.array())
    texts.push_back(text_of(*record.find("record")->find("body"), "text"));
  EXPECT_EQ(texts, (std::vector<std::string>{"export", "intend", "status", "--", "[a,b]", "++", "-"}));
}

TEST_F(CliUsageTest, GlobalOptionsStandBeforeOrAfterTheCommand) {
  make_home("h", 0);
  const std::string home = path("h");
  const Ran before = run({"-o", "json", "--home", home, "--no-progress", "status"});
  const Ran after = run({"status", "--no-progress", "--home=" + home, "--output", "json"});
  const Ran both = run({"-o", "text", "--home", "/nonexistent", "status", "-o", "json", "--home", home});
  EXPECT_EQ(before.code, 0);
  EXPECT_EQ(before.out, after.out);
  EXPECT_EQ(before.out, both.out);
  EXPECT_EQ(text_of(json_of(before.out), "home"), home);
}

TEST_F(CliUsageTest, TheHomeIsOptionThenVariableThenDotSyncro) {
  // Root's is another place where this is not there.
  ASSERT_TRUE(std::filesystem::create_directory(path(".syncro")));
  ASSERT_EQ(run({"init"}, {.environment = {{"SYNCROPEL_HOME", path("v")}}}).code, 0);
  ASSERT_EQ(run({"init"}, {.environment = {{"HOME", path("")}}}).code, 0);
  ASSERT_EQ(
      run({"init", "--home", "rel/"}, {.environment = {{"SYNCROPEL_HOME", path("v")}}, .directory = path("")}).code, 0);
  EXPECT_TRUE(exists(path("v/hub.db")));
  EXPECT_TRUE(exists(path(".syncro/hub.db")));
  EXPECT_TRUE(exists(path("rel/hub.db")));
  const Ran status = run({"status", "-o", "json", "--home", "rel/"}, {.directory = path("")});
  EXPECT_EQ(text_of(json_of(status.out), "home"), path("rel"));
}

TEST_F(CliUsageTest, VersionIsToldWithoutAHome) {
  const Ran text = run({"version"});
  EXPECT_EQ(text.code, 0);
  EXPECT_TRUE(text.out.starts_with("spl "));
  EXPECT_EQ(run({"--version"}).out, text.out);
  const codec::Json json = json_of(run({"version", "-o", "json"}).out);
  EXPECT_EQ("spl " + text_of(json, "version") + " (" + text_of(json, "commit") + ")\n", text.out);
  const std::string commit = text_of(json, "commit");
  EXPECT_TRUE(commit == "unknown" || commit.find_first_not_of("0123456789abcdef") == std::string::npos) << commit;
  EXPECT_EQ(json.find("libraries"), nullptr);
  const Ran verbose = run({"version", "-v"});
  EXPECT_TRUE(verbose.out.starts_with(text.out + "sqlite 3.")) << verbose.out;
  EXPECT_EQ(json_of(run({"version", "-v", "-o", "json"}).out).find("libraries")->array()->size(), 3u);
}

TEST_F(CliUsageTest, AFullDiskUnderStandardOutputIsAnError) {
  make_home("h", 0);
  // The second has something to say on standard error after its result.
  for (const std::string& arguments : {std::string(" status"), " export --out " + path("b.spl")}) {
    const std::string command = spl_program() + " --home " + path("h") + arguments + " >/dev/full 2>" + path("e");
    EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1) << arguments;
    EXPECT_NE(read_file(path("e")).find("standard output"), std::string::npos) << arguments;
  }
}

TEST_F(CliUsageTest, AClosedStandardStreamTakesNothingIntoAFile) {
  make_home("h", 0);
  const std::string command = spl_program() + " --home " + path("h");
  EXPECT_EQ(WEXITSTATUS(std::system((command + " status >&- 2>/dev/null").c_str())), 1);
  EXPECT_EQ(WEXITSTATUS(std::system((command + " status <&- >/dev/null").c_str())), 0);
  EXPECT_EQ(WEXITSTATUS(std::system((command + " intend x >&- 2>&- <&-").c_str())), 1);
  EXPECT_EQ(on("h", {"doctor"}).code, 0);
  EXPECT_EQ(number_of(json_on("h", {"status"}), "record_count"), 1u);
}

TEST_F(CliUsageTest, AReaderThatGoesAwayEndsTheCommandQuietly) {
  make_home("h", 3);
  Process process({"--home", path("h"), "thread", "list"});
  process.close_output();
  const Ran ran = process.wait();
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.code, 1);
}

TEST_F(CliUsageTest, NoColourOutsideATerminal) {
  make_home("h", 1);
  for (const Words& words : {Words{"doctor"}, Words{"status"}, Words{"frobnicate"}}) {
    const Ran ran = on("h", words);
    EXPECT_EQ((ran.out + ran.err).find('\x1b'), std::string::npos);
  }
}

TEST_F(CliUsageTest, ManPagesNameEveryCommandAndOption) {
  const Ran whole = run({"man"});
  EXPECT_EQ(whole.code, 0);
  EXPECT_TRUE(whole.out.starts_with(".TH SPL 1"));
  const Ran one = run({"man", "bundle", "verify"});
  EXPECT_TRUE(one.out.starts_with(".TH SPL\\-BUNDLE\\-VERIFY 1"));
  EXPECT_NE(one.out.find("\\-\\-signatures"), std::string::npos);
  EXPECT_NE(one.out.find("EXIT STATUS"), std::string::npos);
  for (const Words& words : all_commands()) {
    std::string name = joined(words);
    for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) name.insert(at, "\\");
    EXPECT_NE(whole.out.find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace spl::cli_test
