#include "surface/postgres/archive_program.h"

#include <cstdint>
#include <utility>

#include "base/encoding.h"
#include "env/users.h"

namespace spl::surface {
namespace {

constexpr std::uint64_t kMemoryMax = 2u << 30;
constexpr std::size_t kSaidBytesShown = 400;
constexpr const char* kNobody = "nobody";

}  // namespace

Result<env::ChildOptions> archive_program_options(const DumpProgram& program, std::vector<std::string> words,
                                                  std::chrono::seconds time_max) {
  env::ChildOptions options = dump_program_options(program, std::move(words), nullptr);
  options.address_space_bytes_max = kMemoryMax;
  options.processor_time_max = time_max;
  if (env::own_user_id() == 0) {
    if (const auto nobody = TRY(env::find_user(kNobody))) options.user = nobody->ids;
  }
  return options;
}

Result<void> expect_archive_read(const DumpProgram& program, const env::ChildExit& exit, const std::string& said) {
  if (exit.ok()) return {};
  if (said.find("unsupported version") != std::string::npos)
    return fail(ErrorCode::kStop, "pg_restore " + program.version + " is older than the pg_dump that made the dump",
                "install a newer postgresql-client");
  return fail(ErrorCode::kVerification, Cause::kMalformed,
              "pg_restore " + exit.text() + ": " + base::escaped(said, kSaidBytesShown));
}

const std::vector<std::string>& words_for_what_stays() {
  static const std::vector<std::string> kWords{"--no-owner",        "--no-acl",           "--no-tablespaces",
                                               "--no-publications", "--no-subscriptions", "--no-security-labels"};
  return kWords;
}

}  // namespace spl::surface
