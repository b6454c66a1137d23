// What every command has at hand: the machine, the home, the output, the progress. Made once by run(). One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/open_operations.h"
#include "base/result.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "env/acting_user.h"
#include "env/env.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "home/home.h"

namespace spl::cli {

// The environment variables of this process; nobody changes them.
class ProcessVariables final : public env::Variables {
 public:
  [[nodiscard]] std::optional<std::string> get(const std::string& name) const override;
  [[nodiscard]] std::vector<std::string> names() const override;
};

// The machine that the program runs on.
class Machine {
 public:
  [[nodiscard]] env::Env env() { return {fs_, clock_, random_, log_, &variables_}; }

 private:
  env::PosixFileSystem fs_;
  env::SystemClock clock_;
  env::SystemRandom random_;
  env::NullLog log_;
  ProcessVariables variables_;
};

class Session {
 public:
  // `home` is absolute. The others outlive it.
  Session(Machine& machine, Output& out, ShownProgress& progress, std::string home, std::string_view commit)
      : machine_(machine), out_(out), progress_(progress), paths_{std::move(home)}, commit_(commit) {}

  [[nodiscard]] Output& out() { return out_; }
  [[nodiscard]] env::Env env() { return machine_.env(); }
  [[nodiscard]] const home::HomePaths& paths() const { return paths_; }
  // What the command does, how far it is, and whether the user wants it to end.
  [[nodiscard]] ShownProgress& progress() { return progress_; }
  // That the program was made of (run.h).
  [[nodiscard]] std::string_view commit() const { return commit_; }
  // As many as there are cores.
  [[nodiscard]] static std::size_t workers();

  // Before anything is made in the home: where root works on the home of another user, as that user does. For the
  // command's time, or for good.
  Result<void> act_for_owner() { return env::act_for_owner_of(paths_.root, env::ActFor::kFiles); }
  Result<void> become_owner() { return env::act_for_owner_of(paths_.root, env::ActFor::kEverything); }

  // For a command that only looks, whether a daemon runs or not. Cause kNoInstance where there is no instance.
  Result<std::unique_ptr<operation::Operations>> looking() {
    TRY(act_for_owner());
    return api::open_for_reading(env(), paths_, progress_);
  }
  // For one that a running daemon must see; for an export; for one that makes the home where there is none.
  Result<std::unique_ptr<operation::Operations>> changing() {
    TRY(act_for_owner());
    return api::open_for_changing(env(), paths_, instance::OpenFor::kWriting, progress_);
  }
  Result<std::unique_ptr<operation::Operations>> exporting() {
    TRY(act_for_owner());
    return api::open_for_export(env(), paths_, progress_);
  }
  Result<std::unique_ptr<operation::Operations>> creating() {
    TRY(act_for_owner());
    return api::open_for_changing(env(), paths_, instance::OpenFor::kCreating, progress_);
  }

 private:
  Machine& machine_;
  Output& out_;
  ShownProgress& progress_;
  const home::HomePaths paths_;
  const std::string_view commit_;
};

// An absolute path without links: that of --home, of SYNCROPEL_HOME or ~/.syncro; for root /var/lib/spl where there is
// no ~/.syncro.
Result<std::string> find_home(const std::optional<std::string>& given);
// Of the environment; nothing where it is empty.
std::optional<std::string> variable(const char* name);
// $TMPDIR, or /tmp.
std::string temporary_directory();
// False where NO_COLOR is set, or the terminal is a dumb one.
bool color_wanted();
// By locale and terminal.
Letters letters_shown();
// The terminal's, within limits; where standard output is none, that of COLUMNS, or the widest.
std::size_t help_width();
// "spl 0.1.0 (02aeb49)"
std::string version_text(std::string_view commit);

// For lines: a thread, an actor, a path as a terminal may show it.
std::string shown(std::string_view foreign);
// The same of a thread: the empty one has a name that people can see.
std::string shown_thread(std::string_view thread);

}  // namespace spl::cli
