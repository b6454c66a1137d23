// Control groups with a freezer: what is put into one stays there with all that it forks, and stands still and goes on
// by one write. Version 2 (cgroup.freeze) and the freezer of version 1. A group is known by its directory. Any thread.
// Sources: cgroups(7), the kernel's admin-guide/cgroup-v2 and cgroup-v1/freezer-subsystem.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "env/descriptor.h"

namespace spl::env {

enum class GroupVersion : std::uint8_t { kOne, kTwo };

class ControlGroup {
 public:
  enum class State : std::uint8_t { kThawed, kFreezing, kFrozen };

  // Made where it is missing, below the group of this process. An error where there is no such freezer, or this process
  // may not make one.
  static Result<ControlGroup> make(GroupVersion version, const std::string& name);
  // The one that is there; nothing where it is gone; an error where no freezer of control groups is mounted there.
  static Result<std::optional<ControlGroup>> at(const std::string& directory);
  // The one of version 2 that systemd calls so: "/system.slice/notes.service". The same answers as at().
  static Result<std::optional<ControlGroup>> named(const std::string& path);
  // The group of the process, or the one above it, whose name has this word. Nothing where it has gone, or is in no
  // such group that can be frozen.
  static Result<std::optional<ControlGroup>> around(int pid, std::string_view word);

  [[nodiscard]] const std::string& directory() const { return directory_; }
  // Whether a process is in it, or in a group below it: by what /proc/PID/cgroup says.
  [[nodiscard]] bool has(std::string_view groups_of_process) const;
  [[nodiscard]] Result<bool> has_this_process() const;
  // This process, with all its threads, from now on.
  [[nodiscard]] Result<void> join() const;
  // Of one that is gone: frozen, because nothing of it runs.
  [[nodiscard]] Result<State> state() const;
  [[nodiscard]] Result<void> freeze() const;
  // No error where it is gone.
  [[nodiscard]] Result<void> thaw() const;
  // For who is to thaw it: that writes thaw_word() there.
  [[nodiscard]] Result<Descriptor> open_switch() const;
  [[nodiscard]] GroupVersion version() const { return version_; }
  // With the groups below it. False where a process is left in one.
  [[nodiscard]] Result<bool> remove() const;

 private:
  ControlGroup(GroupVersion version, std::string directory, std::string path)
      : version_(version), directory_(std::move(directory)), path_(std::move(path)) {}
  [[nodiscard]] std::string switch_file() const;
  [[nodiscard]] Result<bool> is_gone() const;
  [[nodiscard]] Result<void> set(std::string_view word) const;

  GroupVersion version_;
  std::string directory_;
  std::string path_;  // as /proc/PID/cgroup names it
};

std::string_view thaw_word(GroupVersion version);
// Where this process is in a group whose name begins so, it goes to the one above that.
Result<void> leave_groups(std::string_view name_begins_with);
// The last part of a group's directory.
std::string_view group_name(std::string_view directory);

}  // namespace spl::env
