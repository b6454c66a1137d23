#include "db/examination.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/encoding.h"
#include "base/words.h"
#include "db/sqlite.h"
#include "env/child_process.h"
#include "env/program_start.h"

namespace spl::db {
namespace {

// The first argument of a process that is to examine and nothing else.
constexpr char kExamine[] = "--spl-examine-sqlite";
constexpr std::size_t kWhyBytesMax = 500;

// AddressSanitizer wants more address space than any machine has memory.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPL_ADDRESS_SANITIZER
#endif
#endif
#if defined(SPL_ADDRESS_SANITIZER) || defined(__SANITIZE_ADDRESS__)
constexpr bool kLimitsMemory = false;
#else
constexpr bool kLimitsMemory = true;
#endif

std::string quoted(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

Result<Examination> look(const std::string& path) {
  Connection database = TRY(Connection::open(path, OpenAs::kUnchanging));
  const std::string found = TRY(database.query_text("PRAGMA integrity_check(1)"));
  if (found != "ok") return fail(found);
  Examination seen;
  std::vector<std::string> tables;
  Statement schema = TRY(database.prepare("SELECT type, name, coalesce(sql,'') FROM sqlite_schema"));
  while (TRY(schema.step())) {
    const std::string_view type = schema.text(0);
    if (type == "trigger") ++seen.triggers;
    if (type == "view") ++seen.views;
    if (type != "table") continue;
    const std::string_view sql = schema.text(2);
    constexpr std::string_view kVirtual = "CREATE VIRTUAL";
    const bool is_virtual = std::ranges::equal(sql.substr(0, kVirtual.size()), kVirtual, [](char a, char b) {
      return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
    });
    if (is_virtual) {
      ++seen.virtual_tables;
    } else {
      tables.emplace_back(schema.text(1));
    }
  }
  for (const std::string& table : tables) {
    ++seen.tables;
    const std::int64_t rows = TRY(database.query_integer("SELECT count(*) FROM " + quoted(table)));
    seen.rows += static_cast<std::uint64_t>(rows);
  }
  return seen;
}

// "ok 1 2 3 4 5", or "bad" and why.
std::string answer_of(const Result<Examination>& seen) {
  if (!seen) return "bad " + seen.error().message;
  return "ok " + std::to_string(seen->tables) + " " + std::to_string(seen->rows) + " " +
         std::to_string(seen->triggers) + " " + std::to_string(seen->views) + " " +
         std::to_string(seen->virtual_tables);
}

// The program that runs is started again for it: before main(), so that nothing else of it happens.
__attribute__((constructor)) void examine_if_asked(int argc, char** argv, char** /*environment*/) {
  if (argc != 3 || argv == nullptr || std::strcmp(argv[1], kExamine) != 0) return;
  const std::string answer = answer_of(look(argv[2]));
  const ssize_t written = ::write(STDOUT_FILENO, answer.data(), answer.size());
  ::_exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
}

std::unexpected<Error> bad(const std::string& path, const std::string& why) {
  return fail(ErrorCode::kVerification, base::escaped(path, 200) + " is no whole SQLite database: " + why);
}

}  // namespace

Result<Examination> examine_database(const std::string& path, base::Progress& progress) {
  env::ChildOptions options{.arguments = {env::kThisProgram, kExamine, path}, .environment = {}};
  if (kLimitsMemory) options.address_space_bytes_max = kExaminationMemoryMax;
  options.processor_time_max = kExaminationTimeMax;
  const auto output = TRY(env::run_command(
      options, "", {.at_most = kExaminationTimeMax, .output_bytes_max = 64u << 10, .progress = &progress}));
  if (!output.exit.ok()) return bad(path, "the process that looked at it " + output.exit.text());
  if (!output.output.starts_with("ok ")) {
    std::string why = output.output.starts_with("bad ") ? output.output.substr(4) : "there was no answer";
    return bad(path, base::escaped(why, kWhyBytesMax));
  }
  std::vector<std::uint64_t> numbers;
  for (const std::string& word : base::split(output.output.substr(3), ' ')) {
    std::uint64_t number = 0;
    std::from_chars(word.data(), word.data() + word.size(), number);
    numbers.push_back(number);
  }
  if (numbers.size() != 5) return bad(path, "there was no whole answer");
  return Examination{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
}

}  // namespace spl::db
