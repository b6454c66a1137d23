// The service manager systemd, by its programs systemctl and journalctl: the machine's where this process is root's,
// else the manager of this process's own user. What it tells is read by property and never by its text for people; what
// it may be asked depends on no variable of whoever asks. Any thread. Sources: systemctl(1), systemd.unit(5),
// org.freedesktop.systemd1(5), sd_booted(3).
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"

namespace spl::service {

// "notes.service", "notes@one.service": no path, no pattern and no option, and no template without an instance.
bool is_service_unit(std::string_view name);

struct UnitState {
  std::string id;                         // its own name, where the one that was asked for is an alias
  std::string load;                       // "loaded", "not-found", "masked", ...
  std::string active;                     // "active", "activating", "inactive", "failed", ...
  std::string sub;                        // "running", "auto-restart", ...
  std::string file;                       // "enabled", "disabled", ...; "" where there is none
  int main_pid = 0;                       // 0: none
  std::string control_group;              // "/system.slice/notes.service"; "": it has none now
  std::vector<std::string> triggered_by;  // sockets, timers and paths that start it
  std::string drop_ins;                   // the paths of what adds to its file

  [[nodiscard]] bool runs() const { return active == "active" || active == "reloading"; }
  [[nodiscard]] bool restarts() const { return sub.starts_with("auto-restart"); }
  [[nodiscard]] bool has_ended() const { return active == "inactive" || active == "failed"; }
};
// What `systemctl show` has said. Code kUnavailable where it is anything else than what was asked for.
Result<UnitState> parse_unit_state(std::string_view shown);

class Systemd {
 public:
  // Code kUnavailable where none runs, with what to do.
  static Result<Systemd> find();

  Result<UnitState> ask(const std::string& unit) const;
  // "start", "stop", "reset-failed" and the like, of a unit; until that is done. Code kUnavailable where it fails,
  // cause kTimeout where it takes longer: then systemd goes on with it.
  Result<void> order(const std::vector<std::string>& verb, const std::string& unit, std::chrono::milliseconds at_most,
                     base::Progress* progress = nullptr) const;
  // Reads what stands in its directories anew.
  Result<void> reload() const;
  // The end of what the unit has said, the newest last; with what systemd says of it, or of its processes alone.
  enum class Whose : bool { kAlsoSystemd, kItsOwn };
  Result<std::string> journal(const std::string& unit, int lines, Whose whose) const;
  // Where what adds to a unit's file is put, for as long as it stands there.
  [[nodiscard]] std::string drop_in_directory(const std::string& unit_id) const;

 private:
  explicit Systemd(std::string units) : units_(std::move(units)) {}
  std::string units_;  // the directory of the operator's own units
};

}  // namespace spl::service
