#include "service/pause.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "codec/shape.h"
#include "env/child_process.h"
#include "env/process_table.h"
#include "service/program.h"

namespace spl::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kJournalBytesMax = 16u << 20;

// run/pause.json.
struct Pauser {
  int pid = 0;
  std::uint64_t start = 0;

  static constexpr auto shape() {
    return codec::shape(codec::member("pid", &Pauser::pid, "its number"),
                        codec::member("start", &Pauser::start, "when it began, in ticks since the machine did"));
  }
};
struct NotedProcess {
  int pid = 0;
  std::uint64_t start = 0;
  std::string mark;

  static constexpr auto shape() {
    return codec::shape(codec::member("pid", &NotedProcess::pid, "its number"),
                        codec::member("start", &NotedProcess::start, "when it began, in ticks since the machine did"),
                        codec::member("mark", &NotedProcess::mark, "of its service"));
  }
};
struct PauseJournal {
  std::string boot;        // env::boot_id
  std::string name_space;  // env::process_namespace
  Pauser by;
  std::vector<NotedProcess> frozen;

  static constexpr auto shape() {
    return codec::shape(codec::member("boot", &PauseJournal::boot, "the run of the machine"),
                        codec::member("namespace", &PauseJournal::name_space, "in which the numbers mean something"),
                        codec::member("by", &PauseJournal::by, "the process that pauses"),
                        codec::member("frozen", &PauseJournal::frozen, "what is frozen, or about to be"));
  }
};

std::string journal_path(const home::HomePaths& paths) {
  return env::join(paths.run(), "pause.json");
}

Result<bool> is_alive(int pid, std::uint64_t start_ticks) {
  const auto entry = TRY(env::process_entry(pid));
  return entry && entry->start_ticks == start_ticks;
}

// No error where it has gone.
Result<void> resume_noted(const NotedProcess& process) {
  // The handle first: so it is of the very process whose start is looked at.
  const auto handle = TRY(env::ProcessHandle::open(process.pid));
  if (handle && TRY(is_alive(process.pid, process.start))) TRY(handle->signal(SIGCONT));
  return {};
}

std::string text_of_exit(const CommandOutcome& outcome) {
  if (outcome.state == CommandOutcome::State::kKilledAtLimit) return "took longer than its limit, and was killed";
  if (WIFSIGNALED(outcome.wait_status)) return env::ChildExit{-1, WTERMSIG(outcome.wait_status)}.text();
  return env::ChildExit{WEXITSTATUS(outcome.wait_status), 0}.text();
}

}  // namespace

std::vector<PausedService> writers_to_pause(const std::vector<const Declaration*>& services,
                                            const std::vector<const Declaration*>& engines,
                                            std::optional<Quiesce> override_with) {
  std::vector<PausedService> paused;
  for (const Declaration* service : services) {
    const bool may_be_frozen = service->run && std::ranges::find(engines, service) == engines.end();
    const Quiesce declared = service->quiesce.method.value_or(may_be_frozen ? Quiesce::kFreeze : Quiesce::kNone);
    Quiesce how = override_with.value_or(declared);
    if (how == Quiesce::kFreeze && !may_be_frozen) how = declared == Quiesce::kFreeze ? Quiesce::kNone : declared;
    if (how == Quiesce::kHook && service->quiesce.before.empty()) how = Quiesce::kNone;
    if (how != Quiesce::kNone) paused.push_back({service, how});
  }
  return paused;
}

Pause::Pause(env::Env env, const ServiceSet& set, SecretLookup secrets, std::vector<PausedService> services)
    : env_(env), set_(set), secrets_(std::move(secrets)), services_(std::move(services)) {}

Pause::~Pause() {
  if (!ended_) (void)resume();
  for (DueCommand& command : after_) wipe(command.program);
}

milliseconds Pause::time_left() const {
  const nanoseconds left = deadline_ - env_.clock.since_boot();
  return std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds(0));
}

// Durable when it returns. What has been noted stays so until the end: it may be stopped.
Result<void> Pause::note(const std::vector<ServiceProcess>& processes) {
  bool is_new = false;
  for (const ServiceProcess& process : processes) {
    std::pair<std::uint64_t, std::string> one{process.start_ticks, process.mark};
    auto& noted = noted_[process.pid];
    if (noted == one) continue;
    noted = std::move(one);
    is_new = true;
  }
  if (!is_new) return {};
  PauseJournal journal;
  journal.boot = TRY(env::boot_id());
  journal.name_space = TRY(env::process_namespace());
  const auto self = TRY(env::process_entry(env::own_process_id()));
  if (self) journal.by = {self->pid, self->start_ticks};
  for (const auto& [pid, one] : noted_) journal.frozen.push_back({pid, one.first, one.second});
  return env::write_file_atomically(env_.fs, journal_path(set_.paths()), codec::shape_text(journal));
}

// Most of what will be frozen is noted while everything runs: the disk may be slow.
Result<void> Pause::note_running() {
  std::vector<ServiceProcess> running;
  for (ServiceProcess& process : TRY(processes_of(freezing_.sources))) {
    const env::Activity activity = TRY(env::activity_of(process.pid));
    if (activity != env::Activity::kStopped && activity != env::Activity::kGone) running.push_back(std::move(process));
  }
  return note(running);
}

Result<void> Pause::plan() {
  for (const PausedService& paused : services_) {
    const Declaration& service = *paused.service;
    if (paused.how == Quiesce::kFreeze) freezing_.sources.push_back(TRY(processes_source_of(set_, service)));
    if (paused.how != Quiesce::kHook) continue;
    hooks_.push_back({&service});
    DueCommand after;
    after.log = log_of(set_, service);
    after.at_most = service.quiesce.timeout;
    after.program =
        TRY(program_of(env_, set_, service, service.quiesce.after, set_.values(service, nullptr), secrets_));
    after_.push_back(std::move(after));
    // Made as all files of the home are; the watchdog only opens it. Without a log the command runs all the same.
    (void)env::make_directories(env_.fs, env::parent_of(after_.back().log));
    (void)env_.fs.open(after_.back().log, env::OpenMode::kCreate);
  }
  return {};
}

Result<std::unique_ptr<Pause>> Pause::begin(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                            std::vector<PausedService> services) {
  std::unique_ptr<Pause> pause(new Pause(env, set, secrets, std::move(services)));
  if (pause->services_.empty()) {
    pause->ended_ = true;
    return pause;
  }
  // The list that this pause writes takes the place of that.
  TRY(resume_leftovers(env, set.paths()));
  TRY(pause->plan());
  TRY(pause->note_running());
  milliseconds at_most = milliseconds::max();
  for (const PausedService& paused : pause->services_) at_most = std::min(at_most, paused.service->quiesce.timeout);
  pause->deadline_ = env.clock.since_boot() + at_most;
  pause->watchdog_.emplace(TRY(Watchdog::arm(pause->deadline_, pause->after_)));
  TRY(pause->run_hooks());
  TRY(pause->freeze());
  return pause;
}

Result<void> Pause::run_hooks() {
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    const Declaration& service = *hooks_[i].service;
    TRY(watchdog_->owe(i));
    hooks_[i].is_due = true;
    TRY(run_command_of(env_, set_, service, service.quiesce.before, set_.values(service, nullptr), secrets_,
                       {.at_most = time_left()}));
  }
  return {};
}

Result<void> Pause::freeze() {
  if (freezing_.sources.empty()) return {};
  freezing_.at_most = time_left();
  freezing_.spared = watchdog_->pid();
  freezing_.before = [this](const std::vector<ServiceProcess>& fresh) -> Result<void> {
    TRY(note(fresh));
    return watchdog_->take(fresh);
  };
  return stop_all(env_.clock, freezing_, frozen_);
}

// What the watchdog has begun is never begun again here.
Result<void> Pause::settle_hook(std::size_t hook, const WatchdogEnd& end) {
  if (!hooks_[hook].is_due) return {};
  const Declaration& service = *hooks_[hook].service;
  const CommandOutcome& outcome = end.commands[hook];
  std::string what;
  switch (outcome.state) {
    case CommandOutcome::State::kNotBegun:
      return run_command_of(env_, set_, service, service.quiesce.after, set_.values(service, nullptr), secrets_,
                            {.at_most = service.quiesce.timeout});
    case CommandOutcome::State::kBegun:
      what = "was begun by the watchdog, which is gone: nobody knows how it ended";
      break;
    case CommandOutcome::State::kEnded:
      if (WIFEXITED(outcome.wait_status) && WEXITSTATUS(outcome.wait_status) == 0) return {};
      [[fallthrough]];
    case CommandOutcome::State::kKilledAtLimit:
      what = text_of_exit(outcome);
      break;
  }
  return fail("service " + service.name + ": the command that ends its pause " + what,
              "see whether it still waits; spl service " + service.name + " logs shows what the command said");
}

// By the watchdog; where that is lost, here.
Result<void> Pause::resume() {
  ended_ = true;
  WatchdogEnd end;
  if (watchdog_) end = watchdog_->resume();
  Result<void> went_on;
  // After the watchdog had let go something may have been stopped.
  if (!end.is_taken || end.is_late) went_on = continue_all(frozen_);
  Result<void> hooks;
  for (std::size_t i = 0; watchdog_ && i < hooks_.size(); ++i) {
    auto settled = settle_hook(i, end);
    if (!settled && hooks) hooks = std::move(settled);
  }
  // What does not go on stays in the list, for the next start.
  TRY(std::move(went_on));
  if (!noted_.empty()) TRY(env_.fs.remove(journal_path(set_.paths())));
  TRY(std::move(hooks));
  if (watchdog_ && !end.is_taken)
    return fail("the watchdog of the pause was lost, and everything was resumed without it", "see what ended it");
  if (!end.is_late) return {};
  return fail(Cause::kTimeout, "the pause took longer than its limit, and everything was resumed by its watchdog",
              "give the services a longer [quiesce] timeout_ms, or back up when they do less");
}

Result<void> Pause::end() {
  if (ended_) return {};
  Result<bool> still = true;
  if (!freezing_.sources.empty()) still = are_still(freezing_, frozen_);
  TRY(resume());
  if (!TRY(std::move(still)))
    return fail(Cause::kTimeout, "a process of a paused service ran before the pause had ended",
                "something let it go on, or its supervisor started it anew");
  return {};
}

Result<std::optional<int>> pausing_process(env::Env env, const home::HomePaths& paths) {
  const std::string text = TRY(env::read_file(env.fs, journal_path(paths), kJournalBytesMax));
  const auto journal = TRY(codec::parse_shape_text<PauseJournal>(text, codec::Unknown::kIgnored));
  if (journal.name_space != TRY(env::process_namespace())) return std::optional<int>();
  if (!TRY(is_alive(journal.by.pid, journal.by.start))) return std::optional<int>();
  return std::optional<int>(journal.by.pid);
}

Result<void> resume_leftovers(env::Env env, const home::HomePaths& paths) {
  const std::string path = journal_path(paths);
  if (!TRY(env.fs.info(path))) return {};
  const auto text = env::read_file(env.fs, path, kJournalBytesMax);
  // It may have been removed meanwhile: the pause has ended.
  if (!text && text.error().cause == Cause::kNoSuchFile) return {};
  auto journal = text ? codec::parse_shape_text<PauseJournal>(*text, codec::Unknown::kIgnored)
                      : Result<PauseJournal>(std::unexpected(text.error()));
  if (!journal)
    return fail(journal.error().code, journal.error().cause,
                path + " cannot be read, and it lists what a pause left frozen: " + journal.error().message,
                "spl service all resume lets everything go on; then remove the file");
  if (journal->boot != TRY(env::boot_id())) return env.fs.remove(path);
  if (journal->name_space != TRY(env::process_namespace())) return {};
  if (TRY(is_alive(journal->by.pid, journal->by.start))) return {};
  std::vector<NotedProcess> left;
  std::string why;
  for (NotedProcess& process : journal->frozen) {
    auto resumed = resume_noted(process);
    if (resumed) continue;
    why = std::move(resumed).error().message;
    left.push_back(std::move(process));
  }
  if (left.empty()) return env.fs.remove(path);
  const std::size_t count = left.size();
  journal->frozen = std::move(left);
  TRY(env::write_file_atomically(env.fs, path, codec::shape_text(*journal)));
  return fail(std::to_string(count) + " processes that a pause left frozen cannot be resumed: " + why,
              "they stay listed in " + path + ": the next start of spl tries again");
}

}  // namespace spl::service
