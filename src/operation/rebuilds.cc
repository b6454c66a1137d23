#include "operation/rebuilds.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "env/process.h"
#include "env/program_start.h"
#include "operation/service_rooms.h"
#include "service/program.h"

namespace spl::operation {
namespace {

constexpr std::size_t kFileBytesMax = 64u << 10;
constexpr std::size_t kErrorBytesMax = 2000;
constexpr std::size_t kOutputBytesMax = 64u << 20;  // of a command: it may tell of every page that it reads
constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kAfter = "@after";  // no surface has that name
constexpr std::string_view kAll = "all";

bool is_of(const Rebuild& rebuild, const std::string& service) {
  return service == kAll || rebuild.service == service;
}

// One of them, now, to its end.
Result<void> rebuild_now(ServiceRooms& rooms, const Rebuild& rebuild, base::Progress& progress) {
  const service::Declaration* service = rooms.set.find(rebuild.service);
  const service::SurfaceDeclaration* surface = service == nullptr ? nullptr : service->surface(rebuild.surface);
  const service::Command* command = nullptr;
  if (surface != nullptr) command = &surface->rebuild;
  if (service != nullptr && rebuild.surface.empty()) command = &service->restore.after;
  // What is not declared any more is not wanted any more.
  if (command == nullptr || command->empty()) return {};
  return service::run_command_of(rooms.env, rooms.set, *service, *command, rooms.set.values(*service, nullptr),
                                 rooms.lookup, {.output_bytes_max = kOutputBytesMax, .progress = &progress});
}

// One that was not started or was cut off goes on with the next start.
class Rebuilder {
 public:
  Rebuilder(ServiceRooms& rooms, Rebuilds& rebuilds, std::string service, WhichRebuilds which, base::Progress& progress)
      : rooms_(rooms), rebuilds_(rebuilds), service_(std::move(service)), which_(which), progress_(progress) {}

  // Until nothing is left that can be done now.
  Result<std::vector<Rebuild>> run();

 private:
  Result<void> want_all();
  Result<std::optional<Rebuild>> next();
  Result<void> run_one(Rebuild rebuild);
  [[nodiscard]] Result<bool> is_held_down(const std::string& service) const;

  ServiceRooms& rooms_;
  Rebuilds& rebuilds_;
  const std::string service_;
  const WhichRebuilds which_;
  base::Progress& progress_;
  std::vector<Rebuild> done_;
};

Result<bool> Rebuilder::is_held_down(const std::string& service) const {
  const service::Declaration* declared = rooms_.set.find(service);
  return declared != nullptr && TRY(service::is_held_down(rooms_.env, rooms_.set, *declared));
}

Result<void> Rebuilder::want_all() {
  for (const Rebuild& rebuild : TRY(rebuilds_.all())) {
    if (is_of(rebuild, service_) && rebuild.state == RebuildState::kFailed)
      TRY(rebuilds_.want(rebuild.service, rebuild.surface));
  }
  for (const service::Declaration& service : rooms_.set.services()) {
    if (service_ != kAll && service.name != service_) continue;
    for (const service::SurfaceDeclaration* surface : to_be_rebuilt(service, {}))
      TRY(rebuilds_.want(service.name, surface->name));
  }
  return {};
}

Result<std::optional<Rebuild>> Rebuilder::next() {
  for (Rebuild& rebuild : TRY(rebuilds_.all())) {
    if (!is_of(rebuild, service_) || rebuild.state == RebuildState::kFailed) continue;
    if (TRY(is_held_down(rebuild.service))) continue;
    return std::optional(std::move(rebuild));
  }
  return std::optional<Rebuild>();
}

Result<void> Rebuilder::run_one(Rebuild rebuild) {
  TRY(rebuilds_.settle(rebuild, RebuildState::kRunning));
  progress_.step("rebuilding " + rebuild.text());
  const auto ran = rebuild_now(rooms_, rebuild, progress_);
  if (ran) {
    done_.push_back(rebuild);
    return rebuilds_.remove(rebuild);
  }
  if (ran.error().cause == Cause::kCancelled) {
    TRY(rebuilds_.settle(rebuild, RebuildState::kWaiting));
    return std::unexpected(ran.error());
  }
  // A restore has ended it, and wants it again.
  if (TRY(is_held_down(rebuild.service))) return rebuilds_.settle(rebuild, RebuildState::kWaiting);
  rebuild.state = RebuildState::kFailed;
  rebuild.error = ran.error().message;
  rooms_.env.log.write(env::LogLevel::kError, "not rebuilt", {{"what", rebuild.text()}, {"error", rebuild.error}});
  done_.push_back(rebuild);
  return rebuilds_.settle(rebuild, RebuildState::kFailed, rebuild.error);
}

Result<std::vector<Rebuild>> Rebuilder::run() {
  if (which_ == WhichRebuilds::kAll) TRY(want_all());
  for (;;) {
    auto lock = TRY(rebuilds_.try_lock());
    if (!lock && which_ == WhichRebuilds::kLeft) break;
    if (!lock)
      return fail(ErrorCode::kFailed, Cause::kLocked, "another process is rebuilding what services derive",
                  "it does this, too: spl status shows how far it is");
    while (auto rebuild = TRY(next())) TRY(run_one(std::move(*rebuild)));
    lock.reset();
    // What was wanted while the lock was held is seen by nobody else.
    if (!TRY(next())) break;
  }
  return std::move(done_);
}

}  // namespace

std::string Rebuild::text() const {
  return surface.empty() ? "[restore].after of " + service : service + "/" + surface;
}

Rebuilds::Rebuilds(env::Env env, const home::HomePaths& paths)
    : env_(env), directory_(env::join(paths.root, "rebuilds")) {}

std::string Rebuilds::path_of(std::string_view service, std::string_view surface) const {
  return env::join(directory_,
                   std::string(service) + "." + std::string(surface.empty() ? kAfter : surface) + std::string(kSuffix));
}

// Nothing where there is no file.
Result<std::optional<Rebuild>> Rebuilds::read(const std::string& path) const {
  if (!TRY(env_.fs.info(path))) return std::optional<Rebuild>();
  const codec::Json json = TRY(codec::Json::parse(TRY(env::read_file(env_.fs, path, kFileBytesMax))));
  Rebuild rebuild = TRY(codec::parse_shape<Rebuild>(json, codec::Unknown::kRefused));
  if (path_of(rebuild.service, rebuild.surface) != path)
    return fail(Cause::kMalformed, path + " is of " + base::escaped(rebuild.text(), 200));
  return std::optional(std::move(rebuild));
}

Result<std::vector<Rebuild>> Rebuilds::all(std::vector<std::string>* unreadable) const {
  std::vector<Rebuild> found;
  if (!TRY(env_.fs.info(directory_))) return found;
  const bool is_running = TRY(is_under_way());
  for (const std::string& name : TRY(env_.fs.list(directory_))) {
    if (name.starts_with('.') || !name.ends_with(kSuffix)) continue;
    auto rebuild = read(env::join(directory_, name));
    if (!rebuild) {
      if (unreadable != nullptr) unreadable->push_back(rebuild.error().message);
      continue;
    }
    // It was done meanwhile.
    if (!*rebuild) continue;
    if ((*rebuild)->state == RebuildState::kRunning && !is_running) (*rebuild)->state = RebuildState::kWaiting;
    found.push_back(std::move(**rebuild));
  }
  std::ranges::sort(found, {}, [](const Rebuild& r) { return std::pair(r.service, r.surface); });
  return found;
}

Result<void> Rebuilds::save(const Rebuild& rebuild) {
  TRY(env::make_directories(env_.fs, directory_));
  return env::write_file_atomically(env_.fs, path_of(rebuild.service, rebuild.surface),
                                    codec::shape_json(rebuild).text() + "\n");
}

Result<void> Rebuilds::want(std::string_view service, std::string_view surface) {
  std::string random(8, '\0');
  env_.random.fill(random);
  Rebuild rebuild;
  rebuild.service = service;
  rebuild.surface = surface;
  rebuild.since = env::rfc3339(env_.clock.now());
  rebuild.id = base::to_hex(random);
  return save(rebuild);
}

Result<bool> Rebuilds::is_current(const Rebuild& rebuild) const {
  const auto now = TRY(read(path_of(rebuild.service, rebuild.surface)));
  return now && now->id == rebuild.id;
}

Result<void> Rebuilds::settle(const Rebuild& rebuild, RebuildState state, const std::string& error) {
  if (!TRY(is_current(rebuild))) return {};
  Rebuild settled = rebuild;
  settled.state = state;
  settled.error = error.substr(0, kErrorBytesMax);
  return save(settled);
}

Result<void> Rebuilds::remove(const Rebuild& rebuild) {
  return TRY(is_current(rebuild)) ? remove(rebuild.service, rebuild.surface) : Result<void>();
}

Result<void> Rebuilds::remove(std::string_view service, std::string_view surface) {
  const std::string path = path_of(service, surface);
  if (!TRY(env_.fs.info(path))) return {};
  TRY(env_.fs.remove(path));
  return env_.fs.sync_directory(directory_);
}

Result<std::unique_ptr<env::Lock>> Rebuilds::try_lock() {
  TRY(env::make_directories(env_.fs, directory_));
  return env_.fs.try_lock_directory(directory_);
}

Result<bool> Rebuilds::is_under_way() const {
  return env::is_locked(directory_);
}

std::vector<const service::SurfaceDeclaration*> to_be_rebuilt(const service::Declaration& service,
                                                              const RestoredSurfaces& restored) {
  std::vector<const service::SurfaceDeclaration*> surfaces;
  for (const service::SurfaceDeclaration& surface : service.surfaces) {
    if (!surface.rebuild.empty() && !restored.contains({service.name, surface.name})) surfaces.push_back(&surface);
  }
  return surfaces;
}

Result<void> want_rebuilds(ServiceRooms& rooms, const std::vector<std::string>& services,
                           const RestoredSurfaces& restored, AndAfter after) {
  Rebuilds rebuilds(rooms.env, rooms.set.paths());
  for (const service::Declaration& service : rooms.set.services()) {
    if (std::ranges::find(services, service.name) == services.end()) continue;
    for (const service::SurfaceDeclaration* surface : to_be_rebuilt(service, restored))
      TRY(rebuilds.want(service.name, surface->name));
    if (after == AndAfter::kYes && !service.restore.after.empty()) TRY(rebuilds.want(service.name, ""));
  }
  return {};
}

Result<bool> rebuild_before_start(ServiceRooms& rooms, const std::string& service, const RestoredSurfaces& restored,
                                  RestoredSurfaces& rebuilt, base::Progress& progress) {
  Rebuilds rebuilds(rooms.env, rooms.set.paths());
  const auto surfaces = to_be_rebuilt(*rooms.set.find(service), restored);
  for (const service::SurfaceDeclaration* surface : surfaces) {
    progress.update("rebuilding " + service + "/" + surface->name, 0, 0, "");
    TRY(rebuilds.want(service, surface->name));
    Rebuild now;
    now.service = service;
    now.surface = surface->name;
    TRY(rebuild_now(rooms, now, progress));
    rebuilt.emplace(service, surface->name);
  }
  return !surfaces.empty();
}

Result<void> remove_rebuilds(ServiceRooms& rooms, const RestoredSurfaces& done) {
  Rebuilds rebuilds(rooms.env, rooms.set.paths());
  for (const auto& [service, surface] : done) TRY(rebuilds.remove(service, surface));
  return {};
}

Result<void> finish_rebuilds(ServiceRooms& rooms, const std::vector<std::string>& services,
                             std::vector<Finding>& findings, base::Progress& progress) {
  Rebuilds rebuilds(rooms.env, rooms.set.paths());
  for (const Rebuild& rebuild : TRY(rebuilds.all())) {
    const bool is_ours = std::ranges::find(services, rebuild.service) != services.end();
    if (!is_ours || rebuild.state != RebuildState::kWaiting) continue;
    if (!rebuild.surface.empty()) {
      findings.push_back({"rebuild", FindingStatus::kOk, rebuild.text(), "is rebuilt in the background",
                          "spl service " + rebuild.service + " status shows how far it is"});
      continue;
    }
    progress.update("running " + rebuild.text(), 0, 0, "");
    const auto ran = rebuild_now(rooms, rebuild, progress);
    if (ran) {
      TRY(rebuilds.remove(rebuild));
      continue;
    }
    TRY(rebuilds.settle(rebuild, RebuildState::kFailed, ran.error().message));
    findings.push_back({"after", FindingStatus::kWarn, rebuild.service, ran.error().message,
                        "spl service " + rebuild.service + " rebuild runs it again"});
  }
  start_rebuilding(rooms.env, rooms.set.paths());
  return {};
}

void start_rebuilding(env::Env env, const home::HomePaths& paths) {
  const auto start = [&]() -> Result<void> {
    const Rebuilds rebuilds(env, paths);
    const auto all = TRY(rebuilds.all());
    const auto waits = [](const Rebuild& rebuild) { return rebuild.state == RebuildState::kWaiting; };
    if (std::ranges::none_of(all, waits) || TRY(rebuilds.is_under_way())) return {};
    // By what it has, the key of the secrets and a keyring are found.
    std::vector<std::string> variables;
    if (env.variables != nullptr) {
      for (const std::string& name : env.variables->names()) {
        if (const auto value = env.variables->get(name)) variables.push_back(name + "=" + *value);
      }
    }
    TRY(env::start_detached(
        {.arguments = {TRY(env::own_program()), "--home", paths.root, "service", "all", "rebuild", "--left"},
         .environment = std::move(variables),
         .user = TRY(service::foreign_owner_of(env, paths))}));
    return {};
  };
  if (const auto started = start(); !started)
    env.log.write(env::LogLevel::kError, "rebuilding not started", {{"error", started.error().message}});
}

Result<std::vector<Rebuild>> run_rebuilds(env::Env env, const home::HomePaths& paths, const std::string& service,
                                          WhichRebuilds which, base::Progress& progress) {
  const auto rooms = TRY(ServiceRooms::open(env, paths, TRY(home::load_config(env, paths))));
  if (service != kAll) TRY(rooms->set.require(service));
  Rebuilds rebuilds(env, paths);
  return Rebuilder(*rooms, rebuilds, service, which, progress).run();
}

}  // namespace spl::operation
