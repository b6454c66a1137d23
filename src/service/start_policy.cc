#include "service/start_policy.h"

#include <chrono>

#include "base/encoding.h"
#include "env/child_process.h"

namespace spl::service {
namespace {

constexpr std::string_view kVariable = "SPL_INSTALLS";
constexpr std::string_view kBeginning = "#!/bin/sh\n# spl has put this here";
constexpr std::string_view kBefore = ":-}\" = ";  // the token
constexpr std::size_t kTokenBytes = 16;
constexpr std::size_t kFileBytesMax = 1u << 20;
constexpr int kForbidden = 101;
constexpr std::uint32_t kProgramMode = 0755;

std::string script(const std::string& token) {
  return std::string(kBeginning) +
         " while it installs a package whose daemon is not to be started, and takes it away\n"
         "# afterwards. It forbids nothing to anybody else. Where it was left behind it can be removed.\n"
         "[ \"${" +
         std::string(kVariable) + std::string(kBefore) + token + " ] && exit 101\nexit 0\n";
}

// The token in what an earlier spl has left; "" where it is none of ours.
std::string token_in(const std::string& text) {
  const std::size_t at = text.find(kBefore);
  if (at == std::string::npos) return "";
  std::string token = text.substr(at + kBefore.size(), 2 * kTokenBytes);
  return text == script(token) ? token : "";
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

Result<std::unique_ptr<StartPolicy>> StartPolicy::put(env::Env env, const std::vector<std::string>& packages,
                                                      const std::string& file) {
  std::string random(kTokenBytes, '\0');
  env.random.fill(random);
  std::string token = base::to_hex(random);
  const auto there = TRY(env.fs.info(file));
  std::string left;
  if (there && there->type == env::FileType::kFile && there->size_bytes <= kFileBytesMax)
    left = TRY(env::read_file(env.fs, file, kFileBytesMax));
  if (there && !left.starts_with(kBeginning)) {
    for (const std::string& package : packages) TRY(ask_policy(file, package));
    return std::unique_ptr<StartPolicy>(new StartPolicy(env, "", std::move(token)));
  }
  // A package manager that a killed spl has begun may still be at it.
  if (const std::string earlier = token_in(left); !earlier.empty()) {
    token = earlier;
  } else {
    TRY(env::write_file_atomically(env.fs, file, script(token), kProgramMode));
  }
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
