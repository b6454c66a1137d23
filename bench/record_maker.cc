#include "record_maker.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/encoding.h"
#include "crypto/sha256.h"

namespace spl::bench {
namespace {

constexpr std::size_t kHeadsMax = 3;
constexpr std::uint64_t kMonthSeconds = 2'629'800;

// Of a group: its repositories, with the share of its threads and the size of its tree. As in the real data one or two
// do most of the work.
struct Shape {
  std::string_view name;
  std::uint64_t threads;
  std::uint64_t paths;
  std::uint64_t authors;
};
constexpr std::array<Shape, 4> kShapes = {{
    {"lantern", 110, 2400, 420},
    {"quarry", 78, 1500, 330},
    {"tiller", 20, 600, 180},
    {"zephyr", 6, 120, 40},
}};

constexpr auto kWords = std::to_array<std::string_view>({
    "add",        "fix",        "remove",       "update",    "use",        "make",      "test",        "docs",
    "move",       "refactor",   "support",      "for",       "the",        "in",        "of",          "to",
    "and",        "with",       "from",         "when",      "not",        "a",         "on",          "by",
    "all",        "new",        "error",        "file",      "files",      "repo",      "snapshot",    "commit",
    "branch",     "index",      "backend",      "config",    "option",     "command",   "output",      "cli",
    "storage",    "cache",      "blob",         "pack",      "tree",       "upload",    "restore",     "merge",
    "conflict",   "revset",     "template",     "operation", "workspace",  "parser",    "message",     "default",
    "function",   "type",       "argument",     "method",    "struct",     "return",    "handle",      "check",
    "allow",      "instead",    "only",         "before",    "after",      "rename",    "version",     "bump",
    "release",    "build",      "windows",      "macos",     "linux",      "golang",    "rust",        "async",
    "lock",       "policy",     "retention",    "hash",      "encryption", "format",    "compression", "splitter",
    "content",    "manifest",   "maintenance",  "server",    "client",     "api",       "session",     "user",
    "password",   "token",      "s3",           "sftp",      "webdav",     "azure",     "gcs",         "rclone",
    "filesystem", "symlink",    "directory",    "path",      "entry",      "walk",      "ignore",      "filter",
    "progress",   "estimate",   "logging",      "metrics",   "flag",       "deprecate", "cleanup",     "minor",
    "various",    "improve",    "performance",  "memory",    "leak",       "race",      "flaky",       "ci",
    "workflow",   "dependabot", "cargo",        "deps",      "group",      "updates",   "lint",        "clippy",
    "gofmt",      "warning",    "unused",       "import",    "module",     "crate",     "package",     "vendor",
    "example",    "tutorial",   "readme",       "changelog", "typo",       "link",      "website",     "install",
    "script",     "squash",     "rebase",       "abandon",   "describe",   "bookmark",  "remote",      "fetch",
    "push",       "clone",      "gitignore",    "submodule", "store",      "view",      "graph",       "log",
    "diff",       "editor",     "prompt",       "color",     "terminal",   "width",     "unicode",     "escape",
    "quote",      "string",     "bytes",        "stream",    "reader",     "writer",    "iterator",    "callback",
    "context",    "cancel",     "timeout",      "retry",     "throttle",   "parallel",  "worker",      "queue",
    "channel",    "mutex",      "atomic",       "journal",   "recover",    "repair",    "prune",       "forget",
    "keep",       "tag",        "host",         "mount",     "fuse",       "stats",     "verify",      "sign",
    "signature",  "key",        "identity",     "proto",     "grpc",       "http",      "proxy",       "tls",
    "divergent",  "immutable",  "working-copy", "change-id", "colocated",  "fsmonitor", "watchman",    "fileset",
    "sparse",
});

// What real subjects have besides words.
constexpr auto kOddities = std::to_array<std::string_view>({
    "naïve",          "Größe",       "résumé",       "日本語", "файл", "µs",  "→",  "🎉",   "“quoted”",  "—",
    R"(\"--force\")", R"(C:\\path)", R"(\"a\\tb\")", "`x`",    "it's", "<T>", "&&", "100%", "[ci skip]",
});

constexpr auto kExtensions = std::to_array<std::string_view>({
    ".go",
    ".rs",
    "_test.go",
    ".rs",
    ".go",
    ".md",
    ".toml",
    ".yml",
    ".lock",
    ".html",
    ".sh",
    ".snap",
    ".js",
    ".json",
});

std::string_view word(Dice& dice) {
  return kWords[dice.skewed(kWords.size())];
}
std::string_view any_word(Dice& dice) {
  return kWords[dice.below(kWords.size())];
}

std::string make_path(Dice& dice, const std::vector<std::string>& directories) {
  std::string path = directories[dice.skewed(directories.size())];
  path.append(any_word(dice));
  const std::uint64_t more = dice.below(3);
  for (std::uint64_t i = 0; i < more; ++i) path.append("_").append(any_word(dice));
  return path.append(kExtensions[dice.skewed(kExtensions.size())]);
}

std::vector<std::string> make_tree(Dice& dice, std::uint64_t count) {
  std::vector<std::string> directories = {"", "lib/src/", "cmd/", "internal/", "docs/"};
  while (directories.size() < 5 + count / 12) {
    std::string directory = directories[dice.below(directories.size())];
    if (std::ranges::count(directory, '/') > 4) continue;
    directories.push_back(directory.append(any_word(dice)).append("/"));
  }
  std::vector<std::string> paths;
  for (std::uint64_t i = 0; i < count; ++i) paths.push_back(make_path(dice, directories));
  std::ranges::sort(paths);
  paths.erase(std::ranges::unique(paths).begin(), paths.end());
  return paths;
}

}  // namespace

std::uint64_t Dice::next() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::uint64_t Dice::skewed(std::uint64_t bound) {
  const double x = fraction();
  return std::min(bound - 1, static_cast<std::uint64_t>(x * x * x * x * static_cast<double>(bound)));
}

std::uint64_t Dice::geometric(double mean) {
  return 1 + static_cast<std::uint64_t>(-std::log1p(-fraction()) * (mean - 0.5));
}

RecordMaker::RecordMaker(std::uint64_t seed) : dice_(seed) {
  begin_group();
}

const Record& RecordMaker::next() {
  if (thread_left_ == 0)
    begin_thread();
  else
    make_commit();
  --thread_left_;
  return record_;
}

void RecordMaker::append_hex(std::string& out, std::size_t digits) {
  for (std::size_t i = 0; i < digits; i += 16) {
    std::uint64_t bits = dice_.next();
    for (std::size_t j = i; j < std::min(i + 16, digits); ++j, bits >>= 4) out.push_back("0123456789abcdef"[bits & 15]);
  }
}

void RecordMaker::begin_group() {
  ++group_;
  repositories_.clear();
  authors_.clear();
  for (const Shape& shape : kShapes) {
    Repository& repository = repositories_.emplace_back();
    repository.name = std::string(shape.name) + (group_ == 1 ? "" : "-" + std::to_string(group_));
    repository.paths = make_tree(dice_, shape.paths);
    for (int i = 0; i < 40; ++i) repository.topics.emplace_back(any_word(dice_));
    repository.time_s = 1'300'000'000 + dice_.below(300'000'000);
    for (std::uint64_t i = 0; i < shape.authors; ++i) {
      std::string did = "did:sync:user:";
      append_hex(did, 12);
      repository.authors.push_back(authors_.size());
      authors_.push_back({.did = std::move(did)});
    }
  }
  repository_ = 0;
  threads_left_ = kShapes[0].threads;
}

void RecordMaker::begin_thread() {
  if (threads_left_ == 0) {
    if (++repository_ == repositories_.size()) begin_group();
    threads_left_ = kShapes[repository_].threads;
  }
  --threads_left_;
  Repository& repository = repositories_[repository_];
  ++thread_no_;
  ++repository.months;
  repository.time_s += kMonthSeconds;
  thread_left_ = 1 + dice_.geometric(192);
  const std::string name = repository.name + "\n" + std::to_string(repository.months);
  thread_ = "th_" + base::to_hex(crypto::sha256(name).view());
  make_opening();
}

void RecordMaker::make_opening() {
  const Repository& repository = repositories_[repository_];
  body_ = R"({"goal":")" + repository.name + " " + std::to_string(2010 + repository.months / 12) + "-" +
          std::to_string(10 + repository.months % 12) + R"(","kind":"git.month.v1"})";
  finish("INTEND", "did:sync:system:" + repository.name, 0, {});
  if (repository.heads.empty()) repositories_[repository_].heads.push_back(record_.id);
}

void RecordMaker::make_commit() {
  Repository& repository = repositories_[repository_];
  Author& author = authors_[repository.authors[dice_.skewed(repository.authors.size())]];
  if (std::exchange(author.thread_no, thread_no_) != thread_no_) author.clock = 0;
  body_ = R"({"commit":")";
  append_hex(body_, 40);
  append_files(body_, repository);
  body_.append(R"(,"kind":"git.commit.v1","repo":")").append(repository.name).append(R"(","subject":")");
  append_subject(body_, repository);
  repository.time_s += dice_.below(400);
  body_.append(R"(","time":)").append(std::to_string(repository.time_s)).append("}");

  std::vector<RecordId> parents = {repository.heads.back()};
  if (repository.heads.size() > 1 && dice_.one_in(34)) {
    parents.push_back(repository.heads[dice_.below(repository.heads.size() - 1)]);
    std::ranges::sort(parents);
  }
  finish("DO", author.did, author.clock++, parents);
  repository.heads.push_back(record_.id);
  if (repository.heads.size() > kHeadsMax) repository.heads.erase(repository.heads.begin());
}

// file_count and files. A commit's files lie near one another; nine of ten have few, some have many.
void RecordMaker::append_files(std::string& out, const Repository& repository) {
  std::uint64_t count = dice_.geometric(1.7);
  if (dice_.one_in(30)) count = 0;
  if (dice_.one_in(16)) count = 5 + dice_.below(36);
  const std::vector<std::string>& paths = repository.paths;
  // What is worked on much is spread over the tree.
  std::size_t at = dice_.skewed(paths.size()) * 17 % paths.size();
  std::vector<std::string_view> files;
  for (std::uint64_t i = 0; i < count; ++i) {
    files.emplace_back(paths[at % paths.size()]);
    at += dice_.one_in(5) ? dice_.below(paths.size()) : 1 + dice_.below(3);
  }
  std::ranges::sort(files);
  files.erase(std::ranges::unique(files).begin(), files.end());
  out.append(R"(","file_count":)").append(std::to_string(files.size())).append(R"(,"files":[)");
  for (const std::string_view file : files) out.append("\"").append(file).append("\",");
  if (!files.empty()) out.pop_back();
  out.append("]");
}

void RecordMaker::append_subject(std::string& out, const Repository& repository) {
  if (dice_.one_in(12)) {
    out.append("Merge pull request #").append(std::to_string(dice_.below(9000)));
    out.append(" from ").append(any_word(dice_)).append("/").append(any_word(dice_));
    return;
  }
  if (dice_.one_in(12)) {
    out.append("cargo: bump ").append(any_word(dice_)).append(" from 1.").append(std::to_string(dice_.below(60)));
    out.append(".0 to 1.").append(std::to_string(dice_.below(60))).append(".1");
    return;
  }
  out.append(repository.topics[dice_.skewed(repository.topics.size())]).append(":");
  const std::uint64_t words = 4 + dice_.below(9);
  for (std::uint64_t i = 0; i < words; ++i) {
    out.append(" ").append(word(dice_));
    if (dice_.one_in(16)) out.append("_").append(any_word(dice_));
  }
  if (dice_.one_in(120)) out.append(" ").append(kOddities[dice_.below(kOddities.size())]);
}

void RecordMaker::finish(std::string_view act, std::string_view actor, std::uint64_t clock,
                         const std::vector<RecordId>& parents) {
  text_ = R"({"act":")";
  text_.append(act).append(R"(","actor":")").append(actor).append(R"(","body":)").append(body_);
  text_.append(R"(,"clock":)").append(std::to_string(clock)).append(R"(,"data_type":"SCALAR","parents":[)");
  for (const RecordId& parent : parents) text_.append("\"").append(parent.hex()).append("\",");
  if (!parents.empty()) text_.pop_back();
  text_.append(R"(],"thread":")").append(thread_).append("\"}");
  auto record = record::parse_record(text_);
  SPL_CHECK(record);
  record_ = std::move(*record);
}

}  // namespace spl::bench
