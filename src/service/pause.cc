#include "service/pause.h"

#include <algorithm>
#include <csignal>
#include <set>

#include "codec/shape.h"
#include "env/process.h"
#include "service/program.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kJournalBytesMax = 16u << 20;

// run/pause.json.
struct NotedProcess {
  int pid = 0;
  std::string mark;  // env::process_mark

  static constexpr auto shape() {
    return codec::shape(codec::member("pid", &NotedProcess::pid, "its number"),
                        codec::member("mark", &NotedProcess::mark, "what tells it from all others"));
  }
};
struct PauseJournal {
  NotedProcess by;  // who pauses
  std::vector<NotedProcess> frozen;

  static constexpr auto shape() {
    return codec::shape(codec::member("by", &PauseJournal::by, "the process that pauses"),
                        codec::member("frozen", &PauseJournal::frozen, "what is frozen, or about to be"));
  }
};

std::string journal_path(const home::HomePaths& paths) {
  return env::join(paths.run(), "pause.json");
}

bool is_itself(const NotedProcess& process) {
  return env::process_mark(process.pid) == process.mark;
}

}  // namespace

std::vector<PausedService> writers_to_pause(const ServiceSet& set, const std::vector<const Declaration*>& services,
                                            std::optional<Quiesce> override_with) {
  std::vector<PausedService> paused;
  for (const Declaration* service : services) {
    const bool may_be_frozen = service->run && !set.is_engine(*service);
    const Quiesce declared = service->quiesce.method.value_or(may_be_frozen ? Quiesce::kFreeze : Quiesce::kNone);
    Quiesce how = override_with.value_or(declared);
    if (how == Quiesce::kFreeze && !may_be_frozen) how = declared == Quiesce::kFreeze ? Quiesce::kNone : declared;
    if (how == Quiesce::kHook && service->quiesce.before.empty()) how = Quiesce::kNone;
    if (how != Quiesce::kNone) paused.push_back({service, how});
  }
  return paused;
}

Pause::Pause(env::Env env, const ServiceSet& set, std::vector<PausedService> services)
    : env_(env), set_(set), services_(std::move(services)) {}

Pause::~Pause() {
  if (!ended_) (void)resume();
}

milliseconds Pause::time_left() const {
  const nanoseconds left = deadline_ - env_.clock.since_boot();
  return std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds(0));
}

Result<void> Pause::note(const std::vector<MarkedProcess>& processes) {
  bool is_new = false;
  for (const MarkedProcess& process : processes) {
    const bool is_noted = std::ranges::any_of(noted_, [&](const auto& noted) { return noted.first == process.pid; });
    if (is_noted) continue;
    if (auto mark = env::process_mark(process.pid)) {
      noted_.emplace_back(process.pid, std::move(*mark));
      is_new = true;
    }
  }
  if (!is_new) return {};
  PauseJournal journal{{env::own_process_id(), env::process_mark(env::own_process_id()).value_or("")}, {}};
  for (const auto& [pid, mark] : noted_) journal.frozen.push_back({pid, mark});
  return env::write_file_atomically(env_.fs, journal_path(set_.paths()), codec::shape_text(journal));
}

Result<std::unique_ptr<Pause>> Pause::begin(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                            std::vector<PausedService> services) {
  std::unique_ptr<Pause> pause(new Pause(env, set, std::move(services)));
  if (pause->services_.empty()) {
    pause->ended_ = true;
    return pause;
  }
  milliseconds at_most = milliseconds::max();
  std::vector<std::string> marks;
  std::vector<ServiceEnvironment> environments;
  for (const PausedService& paused : pause->services_) {
    at_most = std::min(at_most, paused.service->quiesce.timeout);
    if (paused.how == Quiesce::kFreeze) marks.push_back(mark_of(set, *paused.service));
    if (paused.how != Quiesce::kHook) continue;
    environments.push_back(TRY(ServiceEnvironment::of(set, *paused.service, secrets)));
    env::ProgramStart after;
    for (const std::string& word : paused.service->quiesce.after)
      after.arguments.push_back(TRY(expand(word, set.values(*paused.service, nullptr))));
    after.environment = environments.back().entries();
    after.user = TRY(user_of(set, *paused.service));
    pause->after_.push_back(std::move(after));
  }
  pause->owed_.resize(pause->after_.size());
  // Most of what will be frozen is noted while everything runs: the disk may be slow.
  TRY(pause->note(processes_of(marks)));
  pause->deadline_ = env.clock.since_boot() + at_most;
  pause->watchdog_.emplace(TRY(Watchdog::arm(pause->deadline_, pause->after_)));
  TRY(pause->run_hooks(secrets));
  TRY(pause->freeze());
  return pause;
}

Result<void> Pause::run_hooks(const SecretLookup& secrets) {
  std::size_t hook = 0;
  for (const PausedService& paused : services_) {
    if (paused.how != Quiesce::kHook) continue;
    owed_[hook] = true;
    TRY(watchdog_->owe(hook++));
    TRY(run_command_of(env_, set_, *paused.service, paused.service->quiesce.before,
                       set_.values(*paused.service, nullptr), secrets, {.at_most = time_left()}));
  }
  return {};
}

Result<void> Pause::freeze() {
  std::vector<std::string> marks;
  for (const PausedService& paused : services_) {
    if (paused.how == Quiesce::kFreeze) marks.push_back(mark_of(set_, *paused.service));
  }
  if (marks.empty()) return {};
  return stop_all(env_.clock, marks, time_left(), frozen_,
                  [this](const std::vector<MarkedProcess>& fresh) -> Result<void> {
                    TRY(note(fresh));
                    return watchdog_->take(fresh);
                  });
}

// By the watchdog; where it is gone, here.
Result<void> Pause::resume() {
  ended_ = true;
  Result<bool> resumed = watchdog_ ? watchdog_->resume() : Result<bool>(true);
  if (!resumed) {
    continue_all(frozen_);
    for (std::size_t i = 0; i < after_.size(); ++i) {
      const env::ChildOptions options{.arguments = after_[i].arguments,
                                      .environment = after_[i].environment,
                                      .working_directory = after_[i].working_directory,
                                      .user = after_[i].user};
      if (owed_[i]) (void)env::run_command(options, "", {});
    }
  }
  // Whatever was stopped after the watchdog had let go.
  if (resumed && !*resumed) continue_all(frozen_);
  (void)env_.fs.remove(journal_path(set_.paths()));
  if (!resumed) return std::unexpected(std::move(resumed).error());
  if (*resumed) return {};
  return fail(Cause::kTimeout, "the pause took longer than its limit, and everything was resumed by its watchdog",
              "give the services a longer [quiesce] timeout_ms, or back up when they do less");
}

Result<void> Pause::end() {
  return ended_ ? Result<void>() : resume();
}

Result<void> resume_leftovers(env::Env env, const home::HomePaths& paths) {
  const std::string path = journal_path(paths);
  if (!TRY(env.fs.info(path))) return {};
  const auto text = env::read_file(env.fs, path, kJournalBytesMax);
  const auto journal = text ? codec::parse_shape_text<PauseJournal>(*text, codec::Unknown::kIgnored)
                            : Result<PauseJournal>(std::unexpected(text.error()));
  // It is written in one step: one that cannot be read is nobody's.
  if (!journal) return env.fs.remove(path);
  if (is_itself(journal->by)) return {};
  for (const NotedProcess& process : journal->frozen) {
    const auto handle = env::ProcessHandle::open(process.pid);
    if (handle && is_itself(process)) TRY(handle->signal(SIGCONT));
  }
  return env.fs.remove(path);
}

}  // namespace spl::service
