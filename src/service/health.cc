#include "service/health.h"

#include "base/encoding.h"
#include "env/connect.h"

namespace spl::service {
namespace {

constexpr std::size_t kStatusLineBytesMax = 1024;
constexpr std::string_view kHttp = "http://";

std::unexpected<Error> unwell(const Declaration& service, const std::string& why) {
  return fail(ErrorCode::kUnavailable, "service " + service.name + " is not healthy: " + why);
}

}  // namespace

HealthQuestion health_question(const std::string& health) {
  if (health.starts_with(kHttp)) {
    const std::string rest = health.substr(kHttp.size());
    const std::size_t slash = rest.find('/');
    std::string host = rest.substr(0, slash);
    if (host.find(':', host.find(']') == std::string::npos ? 0 : host.find(']')) == std::string::npos) host += ":80";
    return {"tcp:" + host, slash == std::string::npos ? "/" : rest.substr(slash)};
  }
  const std::size_t url = health.starts_with("unix:") ? health.find(":/", 5) : std::string::npos;
  if (url == std::string::npos || url == 5) return {health, ""};
  return {health.substr(0, url), health.substr(url + 1)};
}

Result<void> ask_health(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets,
                        std::chrono::milliseconds at_most) {
  if (!service.run || service.run->health.empty()) return {};
  const PlaceholderValues values = set.values(service, nullptr);
  if (service.run->health_is_command) {
    const auto ran =
        run_command_of(env, set, service, service.run->health, values, secrets, env::CommandLimits{.at_most = at_most});
    return ran ? Result<void>() : unwell(service, ran.error().message);
  }
  const HealthQuestion question = health_question(TRY(expand(service.run->health.front(), values)));
  if (question.path.empty()) {
    const auto answer = env::ask_address(question.address, "", 0, at_most);
    return answer ? Result<void>() : unwell(service, answer.error().message);
  }
  const std::string request = "GET " + question.path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const auto answer = env::ask_address(question.address, request, kStatusLineBytesMax, at_most);
  if (!answer) return unwell(service, answer.error().message);
  // "HTTP/1.1 204 No Content"
  const std::size_t space = answer->find(' ');
  if (answer->starts_with("HTTP/1.") && space != std::string::npos && space + 1 < answer->size() &&
      (*answer)[space + 1] == '2')
    return {};
  return unwell(service, "it answers " + base::escaped(answer->substr(0, answer->find('\r')), 100));
}

}  // namespace spl::service
