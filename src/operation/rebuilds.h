// What a restore leaves to be done once the services run again: surfaces that services derive from others, which no
// bundle has, and [restore].after. Each stands in a file of its own, rebuilds/<service>.<surface>.json in the home,
// from before the restore's journal is done with until it is done: so the next start goes on where anything was cut
// off. A process in the background does them, with a daemon or without (docs/decisions/D-17). Any thread; who wants
// something rebuilt holds the home's lock, who rebuilds does not.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/enum_names.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"
#include "operation/findings.h"
#include "service/declaration.h"

namespace spl::operation {

struct ServiceRooms;

enum class RebuildState : std::uint8_t {
  kWaiting,
  kRunning,
  kFailed,  // not tried again by itself
};
constexpr auto names_of(RebuildState /*type*/) {
  using enum RebuildState;
  return std::to_array<std::pair<RebuildState, std::string_view>>(
      {{kWaiting, "waiting"}, {kRunning, "running"}, {kFailed, "failed"}});
}

struct Rebuild {
  std::string service;
  std::string surface;  // "" of [restore].after
  RebuildState state = RebuildState::kWaiting;
  std::string since;
  std::string id;     // tells a later wish for the same from this one
  std::string error;  // of kFailed

  static constexpr auto shape() {
    using R = Rebuild;
    return codec::shape(codec::member("service", &R::service, "whose it is"),
                        codec::member("surface", &R::surface, "what is rebuilt; empty: [restore].after is run"),
                        codec::member("state", &R::state, "waiting, running or failed"),
                        codec::member("since", &R::since, "when the restore asked for it"),
                        codec::member("id", &R::id, "of this wish"),
                        codec::path_member("error", &R::error, "why it failed", codec::Presence::kOmitted));
  }
  // "notes/index", "[restore].after of notes".
  [[nodiscard]] std::string text() const;
};

class Rebuilds {
 public:
  Rebuilds(env::Env env, const home::HomePaths& paths);
  // By service and surface. What is said to run and nobody runs is waiting. A file that cannot be read is passed over,
  // and told in `unreadable` where that is given.
  Result<std::vector<Rebuild>> all(std::vector<std::string>* unreadable = nullptr) const;
  // Waiting from now on, durably, whatever was said of it before.
  Result<void> want(std::string_view service, std::string_view surface);
  // What became of it; nothing where somebody has wanted it anew since.
  Result<void> settle(const Rebuild& rebuild, RebuildState state, const std::string& error = {});
  Result<void> remove(const Rebuild& rebuild);
  Result<void> remove(std::string_view service, std::string_view surface);
  // For who rebuilds; null where somebody does.
  Result<std::unique_ptr<env::Lock>> try_lock();
  [[nodiscard]] Result<bool> is_under_way() const;

 private:
  [[nodiscard]] std::string path_of(std::string_view service, std::string_view surface) const;
  Result<std::optional<Rebuild>> read(const std::string& path) const;
  [[nodiscard]] Result<bool> is_current(const Rebuild& rebuild) const;
  Result<void> save(const Rebuild& rebuild);

  env::Env env_;
  std::string directory_;
};

// By service and name: the surfaces that a restore brings back itself.
using RestoredSurfaces = std::set<std::pair<std::string, std::string>>;
// Those of the service that have a command to be rebuilt by, and were not brought back.
std::vector<const service::SurfaceDeclaration*> to_be_rebuilt(const service::Declaration& service,
                                                              const RestoredSurfaces& restored);
enum class AndAfter : bool { kNo, kYes };  // whether [restore].after is wanted, too
// Of these services, which the restore has down: also of one whose surfaces are all derived, of which nothing comes
// back.
Result<void> want_rebuilds(ServiceRooms& rooms, const std::vector<std::string>& services,
                           const RestoredSurfaces& restored, AndAfter after);

// Of a service that does not become healthy without them: those that were not brought back, now; each is in `rebuilt`
// then. They are wanted first: where the restore is taken back, what was made of the bundle's data is made anew, too.
// Says whether there were any.
Result<bool> rebuild_before_start(ServiceRooms& rooms, const std::string& service, const RestoredSurfaces& restored,
                                  RestoredSurfaces& rebuilt, base::Progress& progress);
Result<void> remove_rebuilds(ServiceRooms& rooms, const RestoredSurfaces& done);
// The services run again: [restore].after of these is run, a failure is a warning and stands in the status; the rest is
// left to the background, and named in `findings`.
Result<void> finish_rebuilds(ServiceRooms& rooms, const std::vector<std::string>& services,
                             std::vector<Finding>& findings, base::Progress& progress);

// Where something waits and nobody is at it, starts a process that is: `spl service all rebuild --left`. Whatever keeps
// it from starting is written to the log: the next start tries again.
void start_rebuilding(env::Env env, const home::HomePaths& paths);

enum class WhichRebuilds : std::uint8_t {
  kLeft,  // what waits
  kAll,   // and what has failed, and every derived surface that has a command
};
// Does them, of one service or of all, one after the other. What failed is told in its state. Nothing of a service that
// a restore keeps down: the restore asks for it again. Cause kLocked where another process is at it.
Result<std::vector<Rebuild>> run_rebuilds(env::Env env, const home::HomePaths& paths, const std::string& service,
                                          WhichRebuilds which, base::Progress& progress);

}  // namespace spl::operation
