#include "api/door_activity.h"

#include "job/activity.h"

namespace spl::api {

void note_entry(Call& call, std::string_view action, const Result<door::NewSession>& made) {
  const env::Env env = call.served.instance.env();
  const home::HomePaths& paths = call.served.instance.paths();
  const std::string from = "from " + BrowserGate::visitor_of(call.exchange).address;
  if (made) {
    job::note_activity(env, paths, {{}, std::string(job::kByOwner), std::string(action), from});
  } else if (made.error().cause == Cause::kAuthInvalid) {
    job::note_failed_attempt(
        env, paths, {{}, std::string(job::kByStranger), std::string(action), "", job::Outcome::kRefused, from});
  }
}

void note_change(Call& call, std::string_view action, const std::string& subject) {
  job::note_activity(call.served.instance.env(), call.served.instance.paths(),
                     {{}, who_asks(call.exchange), std::string(action), subject});
}

}  // namespace spl::api
