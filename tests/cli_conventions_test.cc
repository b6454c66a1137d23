// What every command does alike: errors and events for programs, the end by a signal, loudness, progress, short ids,
// schemas.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <regex>
#include <set>

#include "api/error_json.h"
#include "base/cause.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli_harness.h"
#include "cli_terminal.h"

namespace spl::cli_test {
namespace {

using codec::Json;

std::vector<Json> events_of(const std::string& text) {
  std::vector<Json> events;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    EXPECT_NE(end, std::string::npos) << text;
    events.push_back(json_of(text.substr(at, end - at)));
    at = end + 1;
  }
  return events;
}

const Words kEventMembers{"seq", "at", "phase", "service", "surface", "done", "total", "unit", "eta_ms", "message"};

class CliConventionTest : public CliTest {
 protected:
  // The last line; the lines before it are checked, too.
  Json last_event(const std::string& out) {
    const std::vector<Json> events = events_of(out);
    if (events.empty()) return {};
    static const std::regex kTime("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z");
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(number_of(events[i], "seq"), i);
      if (i + 1 == events.size()) break;
      EXPECT_EQ(members(events[i]), kEventMembers) << events[i].text();
      EXPECT_TRUE(std::regex_match(text_of(events[i], "at"), kTime)) << events[i].text();
    }
    return events.back();
  }
  // A pipe with a name that stays open for writing.
  int make_pipe(const std::string& name) {
    EXPECT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    return ::open(path(name).c_str(), O_RDWR | O_CLOEXEC);
  }
  [[nodiscard]] std::string home() const { return path("h"); }
};

TEST_F(CliConventionTest, TheLastEventHasTheResultThatJsonHas) {
  make_home("h", 2);
  ASSERT_EQ(on("h", {"export", "--out", path("a.spl")}).code, 0);
  const std::string id = text_of(*json_on("h", {"thread", "records", "th_test0"}).array()->begin(), "id");
  const std::vector<Words> commands{{"init"},
                                    {"status"},
                                    {"version"},
                                    {"doctor"},
                                    {"identity", "show"},
                                    {"identity", "verify"},
                                    {"authority", "list"},
                                    {"thread", "list"},
                                    {"thread", "show", "th_test0"},
                                    {"thread", "records", "th_test0"},
                                    {"thread", "records", "none"},
                                    {"record", "get", id},
                                    {"bundle", "show", path("a.spl")},
                                    {"bundle", "verify", path("a.spl"), "--signatures"},
                                    {"bundle", "list", path("a.spl")},
                                    {"bundle", "diff", path("a.spl"), path("a.spl")},
                                    {"service-account", "list"},
                                    {"token", "list"},
                                    {"move", "cancel"},
                                    {"stop"},
                                    {"schema", "status"}};
  for (const Words& words : commands) {
    SCOPED_TRACE(::testing::PrintToString(words));
    const Json json = json_on("h", words);
    Words streamed = words;
    streamed.insert(streamed.end(), {"-o", "stream-json"});
    const Ran ran = on("h", streamed);
    EXPECT_EQ(ran.code, 0) << ran.err;
    const Json last = last_event(ran.out);
    EXPECT_EQ(members(last), (Words{"seq", "state", "result"}));
    EXPECT_EQ(text_of(last, "state"), "done");
    EXPECT_EQ(last.find("result")->text(), json.text());
  }
  // What is text in any case is a string.
  const Json help = last_event(run({"help", "-o", "stream-json"}).out);
  EXPECT_EQ(text_of(help, "result"), run({"help"}).out);
}

TEST_F(CliConventionTest, AnExportTellsItsPhases) {
  make_home("h", 1);
  const Ran ran = on("h", {"export", "--out", path("a.spl"), "-o", "stream-json"});
  std::set<std::string> phases;
  for (const Json& event : events_of(ran.out)) {
    const Json* phase = event.find("phase");
    if (phase != nullptr && phase->string() != nullptr) phases.insert(*phase->string());
  }
  EXPECT_TRUE(phases.contains("reading records") && phases.contains("writing")) << ran.out;
  EXPECT_EQ(text_of(*last_event(ran.out).find("result"), "path"), path("a.spl"));
  const Ran silent = on("h", {"export", "--out", path("b.spl"), "-o", "stream-json", "--quiet"});
  EXPECT_EQ(events_of(silent.out).size(), 1u) << silent.out;
  EXPECT_EQ(silent.err, "");
}

TEST_F(CliConventionTest, ABundleOnStandardOutputIsAlone) {
  make_home("h", 1);
  for (const char* format : {"text", "json", "stream-json"}) {
    EXPECT_EQ(shell(spl_program() + " --home " + home() + " export --out - -o " + format + " >" + path("a") + " 2>" +
                    path("e")),
              0);
    EXPECT_EQ(run({"bundle", "verify", path("a")}).code, 0) << format;
  }
  const std::string told = read_file(path("e"));
  EXPECT_NE(told.find("\"state\":\"done\",\"result\":{\"path\":\"-\""), std::string::npos) << told;
}

TEST_F(CliConventionTest, AFailureIsAnErrorWithAWordAndTheExitCode) {
  make_home("h", 1);
  const auto check = [this](const Words& words, int code, const std::string& word) {
    SCOPED_TRACE(::testing::PrintToString(words));
    const Json json = json_on("h", words, {}, code);
    const Json* error = json.find("error");
    ASSERT_NE(error, nullptr);
    EXPECT_EQ(members(*error), (Words{"code", "exit", "message", "hint"}));
    EXPECT_EQ(text_of(*error, "code"), word);
    EXPECT_EQ(number_of(*error, "exit"), static_cast<std::uint64_t>(code));
    Words streamed = words;
    streamed.insert(streamed.end(), {"-o", "stream-json"});
    const Ran ran = on("h", streamed);
    EXPECT_EQ(ran.code, code);
    const Json last = last_event(ran.out);
    EXPECT_EQ(text_of(last, "state"), "failed");
    EXPECT_EQ(last.find("error")->text(), error->text());
    EXPECT_EQ(last.find("result"), nullptr);
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1) << ran.err;
  };
  check({"frobnicate"}, 2, "INVALID_REQUEST");
  check({"record", "get", std::string(64, '0')}, 1, "NOT_FOUND");
  check({"thread", "show", "none"}, 1, "NOT_FOUND");
  check({"identity", "generate"}, 3, "IDENTITY_EXISTS");
  check({"import", path("none")}, 1, "NO_SUCH_FILE");
  check({"--home", path("none"), "status"}, 1, "NO_INSTANCE");
}

// Waits for a pipe that says nothing, as `signal` comes.
TEST_F(CliConventionTest, ASignalEndsEveryCommandWithItsCodeAndSaysCancelled) {
  make_home("h", 0);
  const int pipe = make_pipe("fifo");
  const std::vector<std::pair<Words, int>> commands{
      {{"import", path("fifo")}, SIGINT},
      {{"bundle", "show", path("fifo")}, SIGTERM},
      {{"bundle", "list", path("fifo")}, SIGHUP},
      {{"bundle", "verify", path("fifo"), "--passphrase-file", path("fifo")}, SIGINT},
      {{"bundle", "verify", path("none"), "--passphrase-command", "exec sleep 60"}, SIGINT},
      {{"export", "--out", path("x"), "--passphrase-command", "exec cat " + path("fifo")}, SIGTERM}};
  for (const auto& [words, signal] : commands) {
    for (const char* format : {"json", "stream-json"}) {
      SCOPED_TRACE(::testing::PrintToString(words));
      Words whole{"--home", home(), "-o", format};
      whole.insert(whole.end(), words.begin(), words.end());
      Process process(whole);
      ::usleep(300'000);
      ASSERT_EQ(::kill(process.pid(), signal), 0);
      const Ran ran = process.wait();
      EXPECT_EQ(ran.code, 128 + signal) << ran.out << ran.err;
      EXPECT_NE(ran.err.find("interrupted"), std::string::npos) << ran.err;
      const Json last = events_of(ran.out).back();
      EXPECT_EQ(text_of(*last.find("error"), "code"), "CANCELLED");
      EXPECT_EQ(number_of(*last.find("error"), "exit"), static_cast<std::uint64_t>(128 + signal));
      if (std::string(format) == "stream-json") {
        EXPECT_EQ(text_of(last, "state"), "cancelled");
      }
    }
  }
  ::close(pipe);
  EXPECT_FALSE(exists(path("x")));
}

TEST_F(CliConventionTest, AReaderThatDoesNotReadDoesNotKeepACommandThatIsInterrupted) {
  make_home("h", 0);
  std::string lines;
  for (int i = 0; i < 5000; ++i) lines += record_text("t", i) + "\n";
  ASSERT_EQ(on("h", {"record", "put", "--ndjson"}, {.text = lines}).code, 0);
  Process process({"--home", home(), "thread", "records", "t"});
  ASSERT_TRUE(process.wait_for_output("\n"));
  ::usleep(200'000);
  ASSERT_EQ(::kill(process.pid(), SIGINT), 0);
  const Ran ran = process.wait();
  EXPECT_EQ(ran.code, 130);
  EXPECT_EQ(ran.err, "spl: interrupted: not all of it was written\n");
}

TEST_F(CliConventionTest, WaitingForAHomeCanBeInterrupted) {
  make_home("h", 0);
  const int lock = ::open(home().c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(lock, LOCK_EX), 0);
  Process process({"--home", home(), "do", "x", "--thread", "t"});
  ::usleep(300'000);
  ASSERT_EQ(::kill(process.pid(), SIGINT), 0);
  EXPECT_EQ(process.wait().code, 130);
  ::close(lock);
}

TEST_F(CliConventionTest, AShellsLoopEndsWithTheCommandThatIsInterrupted) {
  make_home("h", 0);
  const int pipe = make_pipe("fifo");
  write_file(path("loop"), "for i in 1 2 3; do echo round $i; " + spl_program() + " --home " + home() + " import " +
                               path("fifo") + "; done; echo over\n");
  Terminal terminal({"/bin/bash", "--norc", "-i"});
  ASSERT_TRUE(terminal.wait_for("ready> "));
  terminal.type("source " + path("loop") + "\n");
  ASSERT_TRUE(terminal.wait_for("round 1"));
  ::usleep(500'000);
  terminal.type("\x03");
  ASSERT_TRUE(terminal.wait_for("interrupted"));
  terminal.type("echo code $?\nexit\n");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_EQ(terminal.shown().find("round 2"), std::string::npos) << terminal.shown();
  EXPECT_EQ(terminal.shown().find("over"), std::string::npos) << terminal.shown();
  ::close(pipe);
}

TEST_F(CliConventionTest, QuietSaysErrorsOnly) {
  make_home("h", 1);
  for (const Words& words : {Words{"status"}, Words{"doctor"}, Words{"thread", "list"}, Words{"intend", "x"},
                             Words{"export", "--out", path("a")}, Words{"bundle", "show", path("a")}}) {
    Words quiet = words;
    quiet.emplace_back("-q");
    const Ran ran = on("h", quiet);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out + ran.err, "") << words[0];
    const Ran json = on("h", [&] {
      Words both = words;
      if (words[0] == "export") both.emplace_back("--force");
      both.insert(both.end(), {"--quiet", "-o", "json"});
      return both;
    }());
    EXPECT_FALSE(json.out.empty());
    EXPECT_EQ(json.err, "");
  }
  // What a command is there to print still comes.
  EXPECT_FALSE(run({"completion", "bash", "-q"}).out.empty());
  const Ran failed = on("h", {"thread", "show", "none", "-q"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(std::ranges::count(failed.err, '\n'), 1);
  EXPECT_EQ(on("h", {"status", "-q", "-v"}).code, 2);
}

TEST_F(CliConventionTest, VerboseSaysWhatIsDone) {
  make_home("h", 1);
  const Ran ran = on("h", {"export", "--out", path("a"), "-v"});
  EXPECT_EQ(ran.code, 0);
  for (const char* step : {"spl: opening ", "spl: reading records\n", "spl: writing\n"})
    EXPECT_NE(ran.err.find(step), std::string::npos) << ran.err;
  EXPECT_EQ(on("h", {"export", "--out", path("b")}).err.find("spl: writing"), std::string::npos);
  start_daemon("h");
  EXPECT_EQ(on("h", {"do", "x", "--thread", "t", "--verbose"}).err, "spl: asking the daemon of " + home() + "\n");
}

TEST_F(CliConventionTest, OtherThanUtf8GetsAscii) {
  for (const std::map<std::string, std::string>& variables :
       {std::map<std::string, std::string>{{"LC_ALL", "C"}},
        {{"LC_ALL", ""}},
        {{"LC_ALL", ""}, {"LANG", "de_DE"}},
        {{"TERM", "dumb"}},
        {{"LC_ALL", ""}, {"LC_CTYPE", "POSIX"}, {"LANG", "C.UTF-8"}}}) {
    const Ran ran = run({"frobnicate"}, {.environment = variables});
    EXPECT_EQ(ran.err, "spl: unknown command \"frobnicate\" -- spl --help says how it is used\n");
  }
  for (const std::map<std::string, std::string>& variables :
       {std::map<std::string, std::string>{{"LC_ALL", "de_DE.utf8"}},
        {{"LC_ALL", ""}, {"LANG", "en_GB.UTF-8"}},
        {{"LC_ALL", ""}, {"LC_CTYPE", "C.UTF-8"}, {"LANG", "C"}}})
    EXPECT_NE(run({"frobnicate"}, {.environment = variables}).err.find(" — "), std::string::npos);
}

// --- progress
// ----------------------------------------------------------------------------------------------------------

std::size_t columns_of(const std::string& text) {
  std::size_t columns = 0;
  for (const char c : text) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return columns;
}

TEST(CliProgress, FitsEveryWidthAndKeepsThePercentage) {
  cli::ProgressLine line{.phase = "importing records", .share = 0.42, .done = 420'000, .unit = "records"};
  line.elapsed = std::chrono::seconds(30);
  line.done_meanwhile = 420'000;
  for (const cli::Letters letters : {cli::Letters::kAscii, cli::Letters::kUnicode}) {
    EXPECT_EQ(cli::progress_text(line, 40, letters), "importing records  42%  420000 records");
    for (std::size_t width = 4; width < 200; ++width) {
      const std::string text = cli::progress_text(line, width, letters);
      EXPECT_LE(columns_of(text), width) << text;
      EXPECT_NE(text.find("42%"), std::string::npos) << text;
    }
  }
  EXPECT_EQ(cli::progress_text(line, 100, cli::Letters::kAscii),
            "importing records  [##########..............]  42%  420000 records  14000 records/s  42 s left");
  EXPECT_EQ(cli::progress_text(line, 60, cli::Letters::kAscii), "importing records  42%  420000 records  42 s left");
  const std::string unicode = cli::progress_text(line, 100, cli::Letters::kUnicode);
  EXPECT_NE(unicode.find("█░"), std::string::npos) << unicode;
  // Where it is not known how much there is, there is no share.
  line.share.reset();
  EXPECT_EQ(cli::progress_text(line, 100, cli::Letters::kUnicode),
            "importing records  420000 records  14000 records/s  30 s");
}

TEST(CliProgress, SaysHowLongItTakesYet) {
  cli::ProgressLine line{.phase = "x", .share = 0.25};
  line.elapsed = std::chrono::seconds(100);
  EXPECT_NE(cli::progress_text(line, 80, cli::Letters::kAscii).find("5:00 min left"), std::string::npos);
  line.elapsed = std::chrono::seconds(3600);
  EXPECT_NE(cli::progress_text(line, 80, cli::Letters::kAscii).find("3:00:00 left"), std::string::npos);
  line.elapsed = std::chrono::milliseconds(1);
  EXPECT_FALSE(cli::time_left(line));
  line.share = 0;
  EXPECT_FALSE(cli::time_left(line));
}

TEST_F(CliConventionTest, ATerminalShowsHowFarItIsAndIsLeftClean) {
  make_home("h", 0);
  for (const char* term : {"xterm", "dumb"}) {
    const int pipe = make_pipe(std::string("fifo-") + term);
    const int reader = ::open(path(std::string("fifo-") + term).c_str(), O_RDONLY | O_CLOEXEC);
    Terminal terminal({spl_program(), "--home", home(), "record", "put", "--ndjson"},
                      {.columns = 40, .term = term, .input = path(std::string("fifo-") + term)});
    for (int i = 0; i < 16; ++i) {
      const std::string record = record_text(term, i, "DO", "{\"text\":\"" + std::string(900'000, 'x') + "\"}") + "\n";
      EXPECT_EQ(::write(pipe, record.data(), record.size()), static_cast<ssize_t>(record.size()));
      ::usleep(150'000);
    }
    EXPECT_TRUE(terminal.wait_for("MiB")) << terminal.shown();
    ::close(pipe);
    ::close(reader);
    EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
    for (std::size_t at = 0; (at = terminal.shown().find("\x1b[K", at)) != std::string::npos; at += 3) {
      const std::string line = terminal.shown().substr(at + 3, terminal.shown().find('\r', at) - at - 3);
      EXPECT_LT(columns_of(line), 40u) << line;
    }
    EXPECT_TRUE(terminal.shown().ends_with("\r\x1b[K16 inserted, 0 already there\r\n")) << terminal.shown();
  }
}

TEST_F(CliConventionTest, HelpFillsTheTerminal) {
  for (const auto& [columns, widest] :
       {std::pair<unsigned short, std::size_t>{30, 40}, {40, 40}, {60, 60}, {100, 100}, {200, 100}}) {
    Terminal terminal({spl_program(), "export", "--help"}, {.columns = columns});
    EXPECT_EQ(terminal.wait(), 0);
    std::size_t longest = 0;
    const std::string& text = terminal.shown();
    EXPECT_NE(text.find("--passphrase-command"), std::string::npos) << text;
    for (std::size_t at = 0; at < text.size() && text.find("\r\nexamples:", at) != std::string::npos;) {
      const std::size_t end = text.find("\r\n", at);
      longest = std::max(longest, end - at);
      at = end + 2;
    }
    EXPECT_LE(longest, widest) << text;
    EXPECT_GT(longest, widest / 2) << text;
  }
}

// --- ids
// ---------------------------------------------------------------------------------------------------------------

TEST_F(CliConventionTest, AnIdMayBeShortened) {
  make_home("h", 1);
  const Json records = json_on("h", {"thread", "records", "th_test0"});
  const std::string id = text_of(records.array()->front(), "id");
  const std::string whole = on("h", {"record", "get", id}).out;
  for (const std::size_t digits : {8u, 9u, 63u}) {
    const Ran ran = on("h", {"record", "get", id.substr(0, digits)});
    EXPECT_EQ(ran.out, whole) << ran.err;
  }
  EXPECT_EQ(on("h", {"record", "get", id.substr(0, 7)}).code, 2);
  EXPECT_EQ(on("h", {"record", "get", id + "0"}).code, 2);
  const std::string other = std::string(id[0] == '0' ? "1" : "0") + id.substr(1, 9);
  EXPECT_EQ(text_of(*json_on("h", {"record", "get", other}, {}, 1).find("error"), "code"), "NOT_FOUND");
  const Json know = json_on("h", {"know", "done", "--thread", "th_test0", "--fulfills", id.substr(0, 8)});
  const std::string kept = on("h", {"record", "get", text_of(know, "id")}).out;
  EXPECT_NE(kept.find(id), std::string::npos) << kept;
  start_daemon("h");
  EXPECT_EQ(on("h", {"record", "get", id.substr(0, 8)}).out, whole);
  EXPECT_EQ(on("h", {"know", "again", "--thread", "th_test0", "--fulfills", id.substr(0, 10)}).code, 0);
  EXPECT_EQ(on("h", {"authority", "endorse", "12345678"}).code, 1);
}

TEST_F(CliConventionTest, AnIdThatTwoRecordsBeginWithIsRefused) {
  make_home("h", 1);
  const Json records = json_on("h", {"thread", "records", "th_test0"});
  const std::string id = text_of(records.array()->front(), "id");
  // A second record under an id that begins so; it is not asked what it is.
  std::string forged = id;
  forged[40] = forged[40] == '0' ? '1' : '0';
  ASSERT_EQ(
      shell("sqlite3 " + path("h/hub.db") + " \"INSERT INTO record_log SELECT (SELECT max(sequence)+1 FROM " +
            "record_log), x'" + forged + "', thread_no, flags, clock, canonical, judged_by, sig FROM record_log " +
            "WHERE id=x'" + id + "'\""),
      0);
  const Ran ran = on("h", {"record", "get", id.substr(0, 20)});
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_NE(ran.err.find(id), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find(forged), std::string::npos) << ran.err;
  EXPECT_EQ(on("h", {"record", "get", id}).code, 0);
}

// --- schemas
// -----------------------------------------------------------------------------------------------------------

// As much of JSON Schema as the program's own schemas use.
std::string mismatch(const Json& schema, const Json& value, const std::string& at = "$") {
  const auto has_type = [&value](const std::string& type) {
    if (type == "object") return value.object() != nullptr;
    if (type == "array") return value.array() != nullptr;
    if (type == "string") return value.string() != nullptr;
    if (type == "boolean") return value.boolean() != nullptr;
    if (type == "null") return value.is_null();
    if (type == "integer") return value.whole_number().has_value();
    return value.number().has_value();
  };
  if (const Json* type = schema.find("type"); type != nullptr && !has_type(*type->string()))
    return at + " is no " + *type->string() + ": " + value.text();
  if (const Json* choices = schema.find("enum")) {
    const auto same = [&value](const Json& choice) { return choice.text() == value.text(); };
    if (std::ranges::none_of(*choices->array(), same)) return at + " is none of " + choices->text();
  }
  if (const Json* any = schema.find("anyOf")) {
    const auto fits = [&](const Json& one) { return mismatch(one, value, at).empty(); };
    if (std::ranges::none_of(*any->array(), fits)) return at + " fits none of " + any->text();
  }
  if (const Json* required = schema.find("required"); required != nullptr && value.object() != nullptr) {
    for (const Json& name : *required->array()) {
      if (value.find(*name.string()) == nullptr) return at + " has no " + *name.string();
    }
  }
  if (const Json* items = schema.find("items"); items != nullptr && value.array() != nullptr) {
    for (const Json& item : *value.array()) {
      if (const std::string why = mismatch(*items, item, at + "[]"); !why.empty()) return why;
    }
  }
  const Json* properties = schema.find("properties");
  if (properties == nullptr || value.object() == nullptr) return {};
  for (const auto& [name, member] : *value.object()) {
    const Json* known = properties->find(name);
    if (known == nullptr) return at + " has " + name + ", which the schema does not know";
    if (const std::string why = mismatch(*known, member, at + "." + name); !why.empty()) return why;
  }
  return {};
}

void for_each_command(const cli::Command& command, Words words,
                      const std::function<void(const cli::Command&, const Words&)>& visit) {
  if (command.run != nullptr) visit(command, words);
  for (const cli::Command& below : command.commands) {
    Words longer = words;
    longer.push_back(below.name);
    for_each_command(below, longer, visit);
  }
}

TEST_F(CliConventionTest, EveryCommandWithJsonHasASchema) {
  const std::set<std::string> without{"help", "man", "completion", "schema", "service logs", "service run"};
  for_each_command(cli::program(), {}, [&](const cli::Command& command, const Words& words) {
    EXPECT_EQ(command.schema == nullptr, without.contains(base::join(words, " "))) << ::testing::PrintToString(words);
    Words asked{"schema"};
    asked.insert(asked.end(), words.begin(), words.end());
    EXPECT_EQ(run(asked).code, command.schema == nullptr ? 2 : 0);
  });
  EXPECT_EQ(run({"schema", "bundle"}).code, 2);
  EXPECT_EQ(run({"schema"}).code, 2);
  EXPECT_EQ(text_of(json_of(run({"schema", "bundle", "verify"}).out), "title"), "spl bundle verify -o json");
}

TEST_F(CliConventionTest, WhatIsPrintedFitsItsSchema) {
  make_home("h", 2);
  const auto fits = [this](const Words& words, const std::string& name, int code = 0, const Input& input = {}) {
    Words asked{"schema"};
    for (std::size_t at = 0; at < name.size(); at = name.find(' ', at) + 1) {
      const std::size_t end = std::min(name.find(' ', at), name.size());
      asked.push_back(name.substr(at, end - at));
      if (end == name.size()) break;
    }
    const Json schema = json_of(run(asked).out);
    const Json json = json_on("h", words, input, code);
    EXPECT_EQ(mismatch(schema, json), "") << name << ": " << json.text();
    return json;
  };
  fits({"init"}, "init");
  fits({"status"}, "status");
  fits({"version", "-v"}, "version");
  fits({"doctor"}, "doctor");
  fits({"identity", "show"}, "identity show");
  fits({"identity", "verify"}, "identity verify");
  const Json made = fits({"intend", "x"}, "intend");
  fits({"record", "put"}, "record put", 0, {.text = record_text("th_consent", 1)});
  fits({"record", "get", text_of(made, "id")}, "record get");
  const Json ineffective = fits({"authority", "list"}, "authority list");
  ASSERT_EQ(ineffective.array()->size(), 1u);
  fits({"authority", "endorse", text_of(ineffective.array()->front(), "id")}, "authority endorse");
  fits({"thread", "list"}, "thread list");
  fits({"thread", "show", "th_test0"}, "thread show");
  fits({"thread", "records", "th_test0"}, "thread records");
  fits({"export", "--out", path("a")}, "export");
  fits({"import", path("a")}, "import");
  fits({"bundle", "show", path("a")}, "bundle show");
  fits({"bundle", "verify", path("a"), "--signatures"}, "bundle verify");
  fits({"bundle", "list", path("a")}, "bundle list");
  fits({"bundle", "extract", path("a"), "", "--to", path("to")}, "bundle extract");
  fits({"export", "--out", path("b"), "--no-identity"}, "export");
  fits({"bundle", "diff", path("a"), path("b")}, "bundle diff", 7);
  fits({"service-account", "create", "ci", "--scope", "records:read"}, "service-account create");
  fits({"service-account", "list"}, "service-account list");
  const Json token = fits({"token", "create", "ci", "--expires", "1h"}, "token create");
  fits({"token", "list"}, "token list");
  fits({"token", "revoke", text_of(token, "id")}, "token revoke");
  fits({"service-account", "revoke", "ci"}, "service-account revoke");
  fits({"move", "cancel"}, "move cancel");
  fits({"serve", "--daemon", "--port", "0"}, "serve");
  fits({"status"}, "status");
  fits({"stop"}, "stop");
  fits({"stop"}, "stop");
}

// --- documents
// ---------------------------------------------------------------------------------------------------------

TEST(CliDocuments, TheListOfErrorWordsIsTheProgramsOwn) {
  const std::string page = read_file(std::string(SPL_SOURCE_DIR) + "/docs/formats/http.md");
  static const std::regex kRow("\\| `([A-Z_]+)` \\| ([0-9]{3}) \\| ([1-7]) \\| [^|\n]+ \\|\n");
  std::vector<std::string> listed;
  for (auto row = std::sregex_iterator(page.begin(), page.end(), kRow); row != std::sregex_iterator(); ++row) {
    const std::string word = (*row)[1];
    listed.push_back(word);
    Error error;
    error.cause = base::cause_of_word(word);
    error.code = static_cast<ErrorCode>(std::stoi((*row)[3]));
    EXPECT_EQ(base::word_of(error), word);
    EXPECT_EQ(std::to_string(api::status_of(error)), (*row)[2]) << word;
  }
  const auto& known = base::error_words();
  EXPECT_EQ(listed, std::vector<std::string>(known.begin(), known.end()));
}

// --- one answer for one question
// ---------------------------------------------------------------------------------------

TEST_F(CliConventionTest, APrefixThatNothingHasIsToldAlike) {
  make_home("h", 1);
  ASSERT_EQ(on("h", {"export", "--out", path("a")}).code, 0);
  const Ran list = run({"bundle", "list", path("a"), "nosuch"});
  const Ran extract = run({"bundle", "extract", path("a"), "nosuch", "--to", path("to")});
  EXPECT_EQ(list.code, 1);
  EXPECT_EQ(extract.code, 1);
  EXPECT_EQ(list.err, extract.err);
  EXPECT_NE(list.err.find("the bundle has no file whose path begins with \"nosuch\""), std::string::npos) << list.err;
  EXPECT_EQ(text_of(*json_of(run({"bundle", "list", path("a"), "nosuch", "-o", "json"}).out).find("error"), "code"),
            "NOT_FOUND");
}

}  // namespace
}  // namespace spl::cli_test
