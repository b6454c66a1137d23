#include "operation/tenant_program.h"

#include "base/cause.h"
#include "base/encoding.h"
#include "env/child_process.h"
#include "env/program_start.h"

namespace spl::operation {
namespace {

using codec::Json;

constexpr std::size_t kAnswerBytesMax = 64u << 20;
constexpr std::size_t kShownMax = 2000;
constexpr std::uint64_t kCodeMax = 7;

std::vector<std::string> environment_of(env::Env env) {
  std::vector<std::string> entries{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                   "LC_ALL=C.UTF-8"};
  // Root's own is not the tenant's: without one the user database says which it is.
  if (env::own_user_id() == 0 || env.variables == nullptr) return entries;
  if (const auto home = env.variables->get("HOME")) entries.push_back("HOME=" + *home);
  return entries;
}

Error error_of(const env::CommandOutput& ran) {
  const auto json = Json::parse(ran.output);
  const Json* error = json ? json->find("error") : nullptr;
  if (error == nullptr || error->object() == nullptr)
    return {ErrorCode::kFailed, "spl " + ran.exit.text() + ": " + base::escaped(ran.said, 400),
            "see the tenant's logs"};
  // A tenant's daemon may be anything by now.
  Error told{ErrorCode::kFailed, base::escaped(text_in(*error, "message"), kShownMax),
             base::escaped(text_in(*error, "hint"), kShownMax), base::cause_of_word(text_in(*error, "code"))};
  const Json* exit = error->find("exit");
  const auto code = exit == nullptr ? Result<std::uint64_t>(0) : exit->whole_number();
  if (code && *code > 0 && *code <= kCodeMax) told.code = static_cast<ErrorCode>(*code);
  return told;
}

}  // namespace

std::string text_in(const Json& answer, std::string_view name) {
  const Json* member = answer.find(name);
  return member == nullptr || member->string() == nullptr ? "" : *member->string();
}

Result<Json> ask_tenant(env::Env env, const TenantCall& call, base::Progress& progress) {
  env::ChildOptions options{.arguments = {TRY(env::own_program()), "--home", call.home},
                            .environment = environment_of(env)};
  options.arguments.insert(options.arguments.end(), call.words.begin(), call.words.end());
  options.arguments.insert(options.arguments.end(), {"-o", "json", "--no-progress"});
  // The shell is the process that becomes the program: it is in the group before that begins.
  if (!call.group.empty()) {
    const std::vector<std::string> first{"/bin/sh", "-c", "echo $$ >\"$0\" && exec \"$@\"", call.group};
    options.arguments.insert(options.arguments.begin(), first.begin(), first.end());
  }
  const env::CommandLimits limits{.at_most = call.at_most, .output_bytes_max = kAnswerBytesMax, .progress = &progress};
  const auto ran = TRY(env::run_command(options, call.input, limits));
  // What is looked for and missing is an exit code, too, with the whole answer.
  auto answer = Json::parse(ran.output);
  if (!answer || answer->find("error") != nullptr) return std::unexpected(error_of(ran));
  return answer;
}

}  // namespace spl::operation
