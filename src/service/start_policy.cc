#include "service/start_policy.h"

#include <chrono>

#include "base/encoding.h"
#include "env/child_process.h"

namespace spl::service {
namespace {

constexpr std::string_view kVariable = "SPL_INSTALLS";
constexpr std::string_view kBeginning = "#!/bin/sh\n# spl has put this here";
constexpr std::size_t kFileBytesMax = 1u << 20;
constexpr int kForbidden = 101;
constexpr std::uint32_t kProgramMode = 0755;

std::string script(const std::string& token) {
  return std::string(kBeginning) +
         " while it installs a package whose daemon is not to be started, and takes it away\n"
         "# afterwards. It forbids nothing to anybody else. Where it was left behind it can be removed.\n"
         "[ \"${" +
         std::string(kVariable) + ":-}\" = " + token + " ] && exit 101\nexit 0\n";
}

// What the machine's own policy says of the start of the package's daemon.
Result<void> ask_policy(const std::string& file, const std::string& package) {
  const env::ChildOptions options{.arguments = {file, package, "start"},
                                  .environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"}};
  const auto ran = env::run_command(options, "", {.at_most = std::chrono::minutes(1)});
  if (ran && ran->exit.code == kForbidden) return {};
  return fail(ErrorCode::kRefused,
              "this machine's own " + file + " would let the package " + package + " start its daemon",
              "install it by hand, or move the file away for as long as it takes");
}

}  // namespace

Result<std::unique_ptr<StartPolicy>> StartPolicy::put(env::Env env, const std::string& package,
                                                      const std::string& file) {
  std::string random(16, '\0');
  env.random.fill(random);
  std::string token = base::to_hex(random);
  const auto there = TRY(env.fs.info(file));
  const bool is_left = there && there->type == env::FileType::kFile && there->size_bytes <= kFileBytesMax &&
                       TRY(env::read_file(env.fs, file, kFileBytesMax)).starts_with(kBeginning);
  if (there && !is_left) {
    TRY(ask_policy(file, package));
    return std::unique_ptr<StartPolicy>(new StartPolicy(env, "", std::move(token)));
  }
  TRY(env::write_file_atomically(env.fs, file, script(token), kProgramMode));
  return std::unique_ptr<StartPolicy>(new StartPolicy(env, file, std::move(token)));
}

StartPolicy::~StartPolicy() {
  if (file_.empty()) return;
  const auto text = env::read_file(env_.fs, file_, kFileBytesMax);
  if (text && *text == script(token_)) (void)env_.fs.remove(file_);
}

std::string StartPolicy::environment_entry() const {
  return std::string(kVariable) + "=" + token_;
}

}  // namespace spl::service
