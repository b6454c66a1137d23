#include "surface/postgres/dump_program.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::string_view kVersionsDirectory = "/usr/lib/postgresql";  // as Debian has it
constexpr std::chrono::seconds kVersionTimeMax{20};

}  // namespace

int major_of(std::string_view version) {
  const std::size_t at = version.find_first_of("0123456789");
  if (at == std::string_view::npos) return 0;
  version.remove_prefix(at);
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

Result<DumpProgram> find_dump_program(env::FileSystem& fs, std::string_view name, int major, base::Progress& progress) {
  std::vector<std::pair<int, std::string>> candidates;
  if (const auto versions = fs.list(std::string(kVersionsDirectory))) {
    for (const std::string& version : *versions) {
      std::string path = std::string(kVersionsDirectory) + "/" + version + "/bin/" + std::string(name);
      const auto info = fs.info(path);
      if (info && *info && major_of(version) >= major) candidates.emplace_back(major_of(version), std::move(path));
    }
  }
  std::ranges::sort(candidates);
  candidates.emplace_back(0, std::string(name));
  std::string seen;
  for (const auto& [expected, path] : candidates) {
    DumpProgram program{path, 0, {}};
    // "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    const auto said = env::output_of_command(dump_program_options(program, {"--version"}, nullptr), {},
                                             {.at_most = kVersionTimeMax, .progress = &progress});
    if (!said) {
      if (said.error().cause == Cause::kCancelled) return std::unexpected(said.error());
      continue;
    }
    const std::size_t at = said->find(") ");
    if (at == std::string::npos) continue;
    program.version = said->substr(at + 2, said->find_first_of(" \n", at + 2) - at - 2);
    program.major = major_of(program.version);
    if (program.major >= major) return program;
    seen = program.version;
  }
  const std::string package = "postgresql-client" + (major == 0 ? "" : "-" + std::to_string(major));
  return fail(ErrorCode::kUnavailable,
              seen.empty() ? "there is no " + std::string(name)
                           : std::string(name) + " " + base::escaped(seen, 40) + " is older than PostgreSQL " +
                                 std::to_string(major),
              "install " + package + ", or a newer one");
}

Result<DumpProgram> find_newest_dump_program(env::FileSystem& fs, std::string_view name, base::Progress& progress) {
  int newest = 0;
  if (const auto versions = fs.list(std::string(kVersionsDirectory))) {
    for (const std::string& version : *versions) {
      const auto info = fs.info(std::string(kVersionsDirectory) + "/" + version + "/bin/" + std::string(name));
      if (info && *info) newest = std::max(newest, major_of(version));
    }
  }
  return find_dump_program(fs, name, newest, progress);
}

Result<PasswordFile> PasswordFile::make(const Surroundings& surroundings, const SecretBytes& password) {
  std::string path = env::join(surroundings.scratch_directory, "pgpass");
  env::FileSystem& fs = surroundings.env.fs;
  TRY(fs.remove(path));
  const auto file = TRY(fs.open(path, env::OpenMode::kCreateNew, 0600));
  PasswordFile made(fs, std::move(path));
  std::string line = "*:*:*:*:";
  line.reserve(line.size() + 2 * password.size() + 1);
  for (const char c : password.reveal()) {
    if (c == ':' || c == '\\') line += '\\';
    line += c;
  }
  line += '\n';
  auto written = file->write_at(0, line);
  explicit_bzero(line.data(), line.size());
  if (!written) return std::unexpected(std::move(written).error());
  return made;
}

PasswordFile::~PasswordFile() {
  if (!path_.empty()) (void)fs_->remove(path_);
}

env::ChildOptions dump_program_options(const DumpProgram& program, std::vector<std::string> words,
                                       const PasswordFile* password) {
  env::ChildOptions options{.arguments = std::move(words), .environment = {}};
  options.arguments.insert(options.arguments.begin(), program.path);
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent",
                         "PGPASSFILE=" + (password == nullptr ? std::string("/nonexistent") : password->path())};
  return options;
}

std::string schema_word(std::string_view schema) {
  return "--schema=" + sql_name(schema);
}

}  // namespace spl::surface
