#include "service/supervising.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/shape.h"
#include "env/process_table.h"
#include "service/health.h"
#include "surface/drivers.h"
#include "surface/tree_walk.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds kEndsBySelf = 2s;
constexpr milliseconds kLookEvery = 20ms;
constexpr milliseconds kStaysUp = 1s;  // a service without `health` that runs so long has started
constexpr int kFailuresMax = 3;        // ends of its first process before it is well
constexpr std::size_t kLineShown = 300;
constexpr std::size_t kHoldBytesMax = 1u << 20;

std::string hold_file(const ServiceSet& set, const Declaration& service) {
  return env::join(set.paths().root, "held/" + service.name + ".json");
}

}  // namespace

Result<void> initialise(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets,
                        base::Progress& progress) {
  TRY(make_directories_of(env, set, service));
  if (service.run->init.empty() || !TRY(env.fs.list(set.data_directory(service.name))).empty()) return {};
  progress.step("service " + service.name + ": init");
  return run_command_of(env, set, service, service.run->init, set.values(service, nullptr), secrets,
                        {.progress = &progress});
}

Result<void> wait_until_well(env::Env env, const ServiceSet& set, const Declaration& service,
                             const SecretLookup& secrets, const StartWait& wait, base::Progress& progress) {
  const auto end = env.clock.steady() + service.run->start_timeout;
  auto up_since = env.clock.steady();
  int pid = 0;
  int failures = 0;
  std::string why = "it does not run";
  for (;;) {
    const Started found = TRY(wait.look());
    const auto now = env.clock.steady();
    if (found.pid != pid) {
      if (pid != 0) ++failures;
      pid = found.pid;
      up_since = now;
    }
    if (found.runs && !service.run->health.empty()) {
      const auto well = ask_health(env, set, service, secrets, kHealthAnswer);
      if (well) return {};
      why = well.error().message;
    } else if (found.runs && now - up_since >= kStaysUp) {
      return {};
    }
    if (progress.cancelled()) return base::fail_cancelled("service " + service.name + " was not started");
    const bool gives_up = failures >= kFailuresMax || found.has_ended;
    if (gives_up) why = "it ends by itself";
    if (gives_up || now > end) break;
    env.clock.sleep_for(wait.look_every);
  }
  const std::string said = wait.said();
  return fail(ErrorCode::kUnavailable,
              "service " + service.name + " did not start: " + why + (said.empty() ? "" : "; it said last: " + said),
              "spl service " + service.name + " logs shows what it said");
}

Result<void> check_not_held(env::Env env, const ServiceSet& set, const Declaration& service,
                            const std::vector<std::string>& more) {
  const auto until = env.clock.steady() + kEndsBySelf;
  std::vector<std::string> places{set.data_directory(service.name), set.run_directory(service.name)};
  places.insert(places.end(), more.begin(), more.end());
  for (const std::string& place : places) {
    if (!TRY(env.fs.info(place))) continue;
    while (const auto holder = TRY(env::holder_below(place))) {
      if (env.clock.steady() > until)
        return fail("service " + service.name + " is stopped, and process " + std::to_string(holder->pid) + " (" +
                        env::process_name(holder->pid) + ") still holds " + base::escaped(holder->path, 200),
                    "end that process");
      env.clock.sleep_for(kLookEvery);
    }
  }
  return {};
}

Result<std::vector<std::string>> file_places_of(const ServiceSet& set, const Declaration& service) {
  std::vector<std::string> places;
  for (const SurfaceDeclaration& surface : service.surfaces) {
    if (!surface::lies_in_files(surface.kind)) continue;
    for (const PartName& part : set.parts_of(service, surface, nullptr)) {
      std::string path = TRY(expand(surface.path, set.values(service, part.context)));
      if (path.find('*') != std::string::npos) path = env::parent_of(path);
      if (!surface::is_at_or_below(path, set.data_directory(service.name))) places.push_back(std::move(path));
    }
  }
  return places;
}

std::string health_of(env::Env env, const ServiceSet& set, const Declaration& service, const SecretLookup& secrets) {
  if (service.run->health.empty()) return "";
  const auto well = ask_health(env, set, service, secrets, kHealthAnswer);
  return well ? "ok" : well.error().message;
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  text.erase(0, text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1);
  return base::escaped(text, kLineShown);
}

std::unexpected<Error> is_kept_down(const Declaration& service) {
  return fail(ErrorCode::kRefused, "service " + service.name + " is kept down by a restore that has not ended",
              "wait for it; spl doctor says how it is");
}

Result<std::optional<HoldRecord>> read_hold(env::Env env, const ServiceSet& set, const Declaration& service) {
  const std::string file = hold_file(set, service);
  if (!TRY(env.fs.info(file))) return std::optional<HoldRecord>();
  const std::string text = TRY(env::read_file(env.fs, file, kHoldBytesMax));
  auto record = codec::parse_shape_text<HoldRecord>(text, codec::Unknown::kIgnored);
  if (record) return std::optional(std::move(*record));
  return fail(
      record.error().code, record.error().cause,
      file + " cannot be read, and it says how service " + service.name + " was stopped: " + record.error().message,
      "where no restore is under way, remove it, and start what it names");
}

Result<void> write_hold(env::Env env, const ServiceSet& set, const Declaration& service, const HoldRecord& record) {
  const std::string file = hold_file(set, service);
  TRY(env::make_directories(env.fs, env::parent_of(file)));
  return env::write_file_atomically(env.fs, file, codec::shape_text(record));
}

Result<void> remove_hold(env::Env env, const ServiceSet& set, const Declaration& service) {
  return env.fs.remove(hold_file(set, service));
}

}  // namespace spl::service
