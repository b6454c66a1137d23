// Holds the sources to docs/architecture.md: which folder may include which, that the table and
// src/ name the same layers, that no _test.cc stands outside the build, and that clocks, random
// numbers, the environment and the terminal are reached only where the house allows it. It reads
// text, not C++: comments and literals are blanked first.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path kRoot = SPL_SOURCE_DIR;

struct Layer {
  Names named;     // what the table's row names
  Names siblings;  // sub folders that never include each other
};
using Table = std::map<std::string, Layer>;

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Rows are "src/NAME/   what it is   -> layer layer"; a row whose text ends in "*" has siblings,
// "a/ b/ *".
Table parse_table(const std::string& document) {
  static const std::regex kRow(R"(^src/([a-z_]+)/\s+(.*?)\s*->\s*(.*?)\s*$)");
  static const std::regex kSibling(R"(([a-z_]+)/(?=\s))");
  static const std::regex kWord(R"([a-z_]+)");
  Table table;
  for (const std::string& line : lines_of(document)) {
    std::smatch match;
    if (!std::regex_match(line, match, kRow)) continue;
    Layer& layer = table[match[1]];
    const std::string what = match[2];
    const std::string named = match[3];
    if (named != "nothing") {
      for (std::sregex_iterator it(named.begin(), named.end(), kWord), end; it != end; ++it)
        layer.named.insert(it->str());
    }
    if (!what.ends_with('*')) continue;
    for (std::sregex_iterator it(what.begin(), what.end(), kSibling), end; it != end; ++it)
      layer.siblings.insert((*it)[1]);
  }
  return table;
}

// The layer itself, base, and what the row names with all that those may include.
Names allowed(const Table& table, const std::string& name) {
  Names found;
  std::vector<std::string> open{name, "base"};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    const auto row = table.find(next);
    if (row == table.end() || !found.insert(next).second) continue;
    open.insert(open.end(), row->second.named.begin(), row->second.named.end());
  }
  return found;
}

// Where a comment, string or character literal that begins at `at` ends; nothing where none begins
// there.
std::optional<std::size_t> end_of_opaque(std::string_view code, std::size_t at) {
  const std::string_view rest = code.substr(at);
  const auto after = [&](std::string_view closing, std::size_t from) {
    const std::size_t found = code.find(closing, from);
    return found == std::string_view::npos ? code.size() : found + closing.size();
  };
  if (rest.starts_with("//")) return std::min(code.find('\n', at), code.size());
  if (rest.starts_with("/*")) return after("*/", at + 2);
  const bool in_word = at > 0 && std::isalnum(static_cast<unsigned char>(code[at - 1])) != 0;
  if (rest.starts_with("R\"") && !in_word) {
    const std::size_t open = std::min(code.find('(', at), code.size());
    return after(")" + std::string(code.substr(at + 2, open - at - 2)) + "\"", open);
  }
  if (rest[0] != '"' && (rest[0] != '\'' || in_word)) return std::nullopt;  // a quote within digits separates them
  for (std::size_t i = at + 1; i < code.size(); ++i) {
    if (code[i] == '\\') {
      ++i;
    } else if (code[i] == rest[0]) {
      return i + 1;
    }
  }
  return code.size();
}

// The same text, lines kept, with nothing but spaces in comments and literals.
std::string blank_opaque(const std::string& code) {
  std::string blanked = code;
  for (std::size_t at = 0; at < code.size();) {
    const auto end = end_of_opaque(code, at);
    if (!end) {
      ++at;
      continue;
    }
    for (; at < *end; ++at)
      if (blanked[at] != '\n') blanked[at] = ' ';
  }
  return blanked;
}

std::vector<fs::path> sources_below(const fs::path& directory) {
  std::vector<fs::path> files;
  if (!fs::exists(directory)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const fs::path extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cc")) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

bool is_test(const fs::path& path) {
  return path.filename().string().ends_with("_test.cc");
}
// Also what only tests include.
bool is_for_tests(const fs::path& path) {
  return is_test(path) || path.filename().string().ends_with("_test_util.h");
}

// A file below src/: its layer, and the folder in the layer, empty where it stands at the top of
// it.
struct Place {
  std::string layer;
  std::string folder;
};
Place place_of(const fs::path& below_src) {
  const std::vector<fs::path> parts(below_src.begin(), below_src.end());
  return {parts[0].string(), parts.size() > 2 ? parts[1].string() : std::string()};
}

// Why a file of `from` may not include `target` ("layer/name.h"); empty where it may.
std::string objection(const Table& table, const Place& from, bool test, const std::string& target) {
  const Place to = place_of(target);
  if (!table.contains(to.layer) || !target.contains('/')) return "no layer of this name; write \"layer/name.h\"";
  if (to.layer == from.layer) {
    const Names& siblings = table.at(from.layer).siblings;
    const bool apart = from.folder != to.folder && siblings.contains(from.folder) && siblings.contains(to.folder);
    return apart ? "siblings never include each other" : "";
  }
  if (allowed(table, from.layer).contains(to.layer) || (test && to.layer == "testing")) return "";
  return from.layer + " may not include " + to.layer;
}

struct Finding {
  std::size_t line;
  std::string text;
};

std::vector<Finding> wrong_includes(const Table& table, const fs::path& below_src, const std::string& text) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*"([^"]+)".*)re");
  std::vector<Finding> findings;
  std::size_t number = 0;
  for (const std::string& line : lines_of(text)) {
    ++number;
    std::smatch match;
    if (!std::regex_match(line, match, kInclude)) continue;
    const std::string why = objection(table, place_of(below_src), is_for_tests(below_src), match[1]);
    if (!why.empty()) findings.push_back({number, "\"" + match[1].str() + "\": " + why});
  }
  return findings;
}

// What may be written in some layers only. base/check.h prints before it ends the process.
struct Rule {
  const char* pattern;
  Names layers;  // where it may be
  const char* why;
};
const std::vector<Rule>& rules() {
  static const std::vector<Rule> kAll{
      {R"(::now\s*\(|\b(clock_gettime|gettimeofday)\s*\(|(^|[^\w.>])time\s*\(\s*(nullptr|NULL|0|&))",
       {"env"},
       "a clock is read only in env/: use the Env's"},
      {R"(\b(random_device|getrandom|getentropy|RAND_bytes|RAND_priv_bytes|arc4random\w*)\b|(^|[^\w.>])s?rand\s*\()",
       {"env"},
       "random numbers come only from env/: use the Env's"},
      {R"(\b(getenv|secure_getenv|environ)\b)", {"cli"}, "only cli/ reads the environment: pass what is needed"},
      {R"(\b(cout|cerr|clog)\b|\b(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|perror)\s*\(|std::print(ln)?\s*\()",
       {"cli"},
       "only cli/ prints: return a Result, or use the Env's log"},
  };
  return kAll;
}

std::vector<Finding> wrong_calls(const fs::path& below_src, const std::string& text) {
  const std::string layer = place_of(below_src).layer;
  std::vector<Finding> findings;
  if (is_for_tests(below_src) || layer == "testing" || below_src == "base/check.h") return findings;
  const std::vector<std::string> lines = lines_of(blank_opaque(text));
  for (const Rule& rule : rules()) {
    if (rule.layers.contains(layer)) continue;
    const std::regex banned(rule.pattern);
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (std::regex_search(lines[i], banned)) findings.push_back({i + 1, rule.why});
  }
  return findings;
}

Table project_table() {
  return parse_table(read(kRoot / "docs" / "architecture.md"));
}

TEST(LayersTest, TableAndFoldersNameTheSameLayers) {
  const Table table = project_table();
  ASSERT_FALSE(table.empty()) << "docs/architecture.md has no table";
  Names folders;
  for (const auto& entry : fs::directory_iterator(kRoot / "src"))
    if (entry.is_directory()) folders.insert(entry.path().filename().string());
  for (const auto& [name, layer] : table) {
    // git keeps no empty folder: a layer to come may be missing.
    EXPECT_TRUE(folders.contains(name)) << "docs/architecture.md names src/" << name << "/, which is not there";
    for (const std::string& other : layer.named)
      EXPECT_TRUE(table.contains(other)) << "docs/architecture.md: " << name << " -> " << other << ": no such row";
    for (const std::string& other : layer.named)
      EXPECT_FALSE(allowed(table, other).contains(name)) << name << " and " << other << " stand in a circle";
  }
  for (const std::string& folder : folders)
    EXPECT_TRUE(table.contains(folder)) << "src/" << folder << "/ is not in docs/architecture.md";
}

TEST(LayersTest, FilesIncludeOnlyWhatTheirLayerMay) {
  const Table table = project_table();
  for (const fs::path& file : sources_below(kRoot / "src")) {
    const fs::path below_src = file.lexically_relative(kRoot / "src");
    for (const Finding& finding : wrong_includes(table, below_src, read(file)))
      ADD_FAILURE() << "src/" << below_src.string() << ":" << finding.line << ": " << finding.text;
  }
}

TEST(LayersTest, ClocksRandomNumbersEnvironmentAndTerminalAreReachedOnlyWhereAllowed) {
  for (const fs::path& file : sources_below(kRoot / "src")) {
    const fs::path below_src = file.lexically_relative(kRoot / "src");
    for (const Finding& finding : wrong_calls(below_src, read(file)))
      ADD_FAILURE() << "src/" << below_src.string() << ":" << finding.line << ": " << finding.text;
  }
}

TEST(LayersTest, EveryTestFileIsInTheBuild) {
  Names built;
  for (const std::string& line : lines_of(read(fs::path(SPL_BINARY_DIR) / "test_sources.txt")))
    built.insert(fs::path(line).lexically_normal().string());
  for (const char* directory : {"src", "tests", "fuzz", "bench"}) {
    for (const fs::path& file : sources_below(kRoot / directory)) {
      if (!is_test(file)) continue;
      EXPECT_TRUE(built.contains(file.lexically_normal().string()))
          << file.lexically_relative(kRoot).string() << " is not in the build";
    }
  }
}

// The rules themselves, on a table and files made up for it.
const Table kExample = parse_table(
    "src/base/   bytes                      -> nothing\n"
    "src/env/    interfaces                 -> base\n"
    "src/db/     RAII                       -> env\n"
    "src/store/  store; sqlite/ memory/ *   -> db\n"
    "src/cli/    main                       -> store\n"
    "src/testing/ fixtures                  -> store\n");

std::size_t count_wrong_includes(const std::string& path, const std::string& text) {
  return wrong_includes(kExample, path, text).size();
}

TEST(LayersRulesTest, AllowDownwardsAndThroughOthers) {
  EXPECT_EQ(count_wrong_includes("store/store.cc", "#include \"store/store.h\"\n#include \"db/db.h\"\n"), 0u);
  EXPECT_EQ(count_wrong_includes("cli/main.cc", "#include \"env/env.h\"\n#include \"base/bytes.h\"\n"), 0u);
  EXPECT_EQ(count_wrong_includes("base/bytes.cc", "#include <vector>\n"), 0u);
}

TEST(LayersRulesTest, RefuseUpwardsAndUnknown) {
  EXPECT_EQ(count_wrong_includes("env/env.cc", "#include \"db/db.h\"\n"), 1u);
  EXPECT_EQ(count_wrong_includes("store/store.cc", "#include \"store.h\"\n  # include \"other/x.h\"\n"), 2u);
}

TEST(LayersRulesTest, KeepSiblingsApart) {
  EXPECT_EQ(count_wrong_includes("store/sqlite/a.cc", "#include \"store/memory/b.h\"\n"), 1u);
  EXPECT_EQ(count_wrong_includes("store/sqlite/a.cc", "#include \"store/sqlite/a.h\"\n"), 0u);
  EXPECT_EQ(count_wrong_includes("store/sqlite/a.cc", "#include \"store/store.h\"\n"), 0u);
}

TEST(LayersRulesTest, LetOnlyTestsIncludeTesting) {
  EXPECT_EQ(count_wrong_includes("env/env_test.cc", "#include \"testing/clock.h\"\n"), 0u);
  EXPECT_EQ(count_wrong_includes("env/env_test_util.h", "#include \"testing/clock.h\"\n"), 0u);
  EXPECT_EQ(count_wrong_includes("env/env.cc", "#include \"testing/clock.h\"\n"), 1u);
}

TEST(LayersRulesTest, FindCallsButNotInCommentsOrLiterals) {
  EXPECT_EQ(wrong_calls("db/db.cc", "auto t = std::chrono::system_clock::now();\n").size(), 1u);
  EXPECT_EQ(wrong_calls("db/db.cc", "auto t = env.clock.now(); auto u = time(t);\n").size(), 0u);
  EXPECT_EQ(wrong_calls("db/db.cc", "auto t = ::time(nullptr);\n").size(), 1u);
  EXPECT_EQ(wrong_calls("db/db.cc", "std::getenv(\"HOME\"); // getenv\n").size(), 1u);
  EXPECT_EQ(wrong_calls("db/db.cc", "/* getenv\n printf( */ \"getenv\" R\"(rand())\" 1'000 'a' // ::now()\n").size(),
            0u);
  EXPECT_EQ(wrong_calls("db/db.cc", "snprintf(a, 1, b); operand(1);\n").size(), 0u);
  EXPECT_EQ(wrong_calls("db/db.cc", "::printf(b);\nstd::cerr << c;\n").size(), 2u);
  EXPECT_EQ(wrong_calls("env/clock.cc", "steady_clock::now();\n").size(), 0u);
  EXPECT_EQ(wrong_calls("cli/main.cc", "std::printf(b); getenv(a);\n").size(), 0u);
}

}  // namespace
