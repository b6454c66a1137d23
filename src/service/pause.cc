#include "service/pause.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include "base/both.h"
#include "codec/shape.h"
#include "env/child_process.h"
#include "env/process_table.h"
#include "service/program.h"
#include "service/service_group.h"

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
  std::string home;        // group_prefix_of: a copy of the home has another one
  Pauser by;
  std::vector<NotedProcess> frozen;
  std::vector<std::string> groups;

  static constexpr auto shape() {
    return codec::shape(codec::member("boot", &PauseJournal::boot, "the run of the machine"),
                        codec::member("namespace", &PauseJournal::name_space, "in which the numbers mean something"),
                        codec::member("home", &PauseJournal::home, "whose list it is", codec::Presence::kOmitted),
                        codec::member("by", &PauseJournal::by, "the process that pauses"),
                        codec::member("frozen", &PauseJournal::frozen, "what is stopped by a signal, or about to be"),
                        codec::member("groups", &PauseJournal::groups, "the directories of the frozen control groups",
                                      codec::Presence::kOmitted));
  }
};

constexpr std::string_view kListBegin = "pause";
constexpr std::string_view kListEnd = ".json";

std::string journal_path(const home::HomePaths& paths) {
  return env::join(paths.run(), "pause.json");
}

// Where the list of another namespace is put, which its next start will look for: "pause-4026531836.json".
std::string journal_path_of(const home::HomePaths& paths, std::string_view name_space) {
  std::string number;
  for (const char c : name_space) {
    if (c >= '0' && c <= '9') number += c;
  }
  return env::join(paths.run(), std::string(kListBegin) + "-" + number + std::string(kListEnd));
}

Result<std::vector<std::string>> lists(env::Env env, const home::HomePaths& paths) {
  std::vector<std::string> found;
  if (!TRY(env.fs.info(paths.run()))) return found;
  for (const std::string& name : TRY(env.fs.list(paths.run()))) {
    if (name.starts_with(kListBegin) && name.ends_with(kListEnd)) found.push_back(env::join(paths.run(), name));
  }
  return found;
}

// Nothing where there is none: it may have been removed meanwhile, because the pause has ended.
Result<std::optional<PauseJournal>> read_journal(env::Env env, const std::string& path) {
  if (!TRY(env.fs.info(path))) return std::nullopt;
  const auto text = env::read_file(env.fs, path, kJournalBytesMax);
  if (!text && text.error().cause == Cause::kNoSuchFile) return std::nullopt;
  auto journal = text ? codec::parse_shape_text<PauseJournal>(*text, codec::Unknown::kIgnored)
                      : Result<PauseJournal>(std::unexpected(text.error()));
  if (journal) return std::move(*journal);
  return fail(journal.error().code, journal.error().cause,
              path + " cannot be read, and it lists what a pause left frozen: " + journal.error().message,
              "spl service all resume lets everything go on; then remove the file");
}

Result<bool> is_alive(int pid, std::uint64_t start_ticks) {
  const auto entry = TRY(env::process_entry(pid));
  return entry && entry->start_ticks == start_ticks;
}

// Whether its processes are known here, and the one that pauses is at work.
Result<bool> is_under_way(const PauseJournal& journal) {
  if (journal.boot != TRY(env::boot_id()) || journal.name_space != TRY(env::process_namespace())) return false;
  return is_alive(journal.by.pid, journal.by.start);
}

// No error where it has gone.
Result<void> resume_noted(const NotedProcess& process) {
  // The handle first: so it is of the very process whose start is looked at.
  const auto handle = TRY(env::ProcessHandle::open(process.pid));
  if (handle && TRY(is_alive(process.pid, process.start))) TRY(handle->signal(SIGCONT));
  return {};
}

// Whether groups that bear other names than the home's own, of units and containers, are thawed: where the list is no
// copied home's, and not written by another user than this process's.
Result<bool> may_name_any_group(env::Env env, const home::HomePaths& paths, const PauseJournal& journal) {
  return journal.home == group_prefix_of(paths) && !TRY(foreign_owner_of(env, paths));
}

// No error where it is gone, or another home's: that has a list of its own.
Result<void> thaw_noted(const home::HomePaths& paths, const std::string& directory, bool may_be_any) {
  if (!may_be_any && !env::group_name(directory).starts_with(group_prefix_of(paths))) return {};
  const auto group = TRY(env::ControlGroup::at(directory));
  return group ? group->thaw() : Result<void>();
}

std::string text_of_exit(const CommandOutcome& outcome) {
  if (outcome.state == CommandOutcome::State::kKilledAtLimit) return "took longer than its limit, and was killed";
  if (WIFSIGNALED(outcome.wait_status)) return env::ChildExit{-1, WTERMSIG(outcome.wait_status)}.text();
  return env::ChildExit{WEXITSTATUS(outcome.wait_status), 0}.text();
}

// Whether another program than spl's own runs it.
bool is_managed(const Declaration& service) {
  return service.run && service.run->way() != RunWay::kCommand;
}

enum class OwnPause : bool { kIsUnderWay, kIsLeft };

// One list, of this run of the machine and this namespace: what it names goes on.
Result<void> settle_list(env::Env env, const home::HomePaths& paths, const std::string& path, OwnPause own) {
  auto journal = TRY(read_journal(env, path));
  if (!journal) return {};
  if (journal->boot != TRY(env::boot_id())) return env.fs.remove(path);
  if (journal->name_space != TRY(env::process_namespace())) return {};
  const bool is_own = own == OwnPause::kIsLeft && journal->by.pid == env::own_process_id();
  if (!is_own && TRY(is_under_way(*journal))) return {};
  std::vector<NotedProcess> left;
  std::vector<std::string> groups_left;
  std::string why;
  const bool may_be_any = TRY(may_name_any_group(env, paths, *journal));
  for (std::string& directory : journal->groups) {
    auto thawed = thaw_noted(paths, directory, may_be_any);
    if (thawed) continue;
    why = std::move(thawed).error().message;
    groups_left.push_back(std::move(directory));
  }
  for (NotedProcess& process : journal->frozen) {
    auto resumed = resume_noted(process);
    if (resumed) continue;
    why = std::move(resumed).error().message;
    left.push_back(std::move(process));
  }
  if (left.empty() && groups_left.empty()) return env.fs.remove(path);
  const std::string what = left.empty() ? std::to_string(groups_left.size()) + " control groups"
                                        : std::to_string(left.size()) + " processes";
  journal->frozen = std::move(left);
  journal->groups = std::move(groups_left);
  TRY(env::write_file_atomically(env.fs, path, codec::shape_text(*journal)));
  return fail(what + " that a pause left frozen cannot be resumed: " + why,
              "they stay listed in " + path + ": the next start of spl tries again");
}

Result<void> settle_lists(env::Env env, const home::HomePaths& paths, OwnPause own) {
  Result<void> all;
  for (const std::string& path : TRY(lists(env, paths)))
    all = base::both(std::move(all), settle_list(env, paths, path, own));
  return all;
}

// Before a new list takes that place. The one of another namespace is put aside for the next start there.
Result<void> make_way(env::Env env, const home::HomePaths& paths) {
  TRY(settle_lists(env, paths, OwnPause::kIsLeft));
  const auto journal = TRY(read_journal(env, journal_path(paths)));
  if (!journal) return {};
  if (TRY(is_under_way(*journal)))
    return fail(ErrorCode::kRefused, Cause::kLocked,
                "process " + std::to_string(journal->by.pid) + " pauses services of this home", "wait for it");
  TRY(env.fs.rename(journal_path(paths), journal_path_of(paths, journal->name_space)));
  return env.fs.sync_directory(paths.run());
}

}  // namespace

std::vector<PausedService> writers_to_pause(const std::vector<const Declaration*>& services,
                                            const std::vector<const Declaration*>& engines,
                                            std::optional<Quiesce> override_with) {
  std::vector<PausedService> paused;
  for (const Declaration* service : services) {
    // The dump of a command surface would ask a frozen process.
    const bool has_dump = std::ranges::find(service->surfaces, SurfaceKind::kCommand, &SurfaceDeclaration::kind) !=
                          service->surfaces.end();
    const bool may_be_frozen = service->run && !has_dump && std::ranges::find(engines, service) == engines.end();
    const Quiesce declared = service->quiesce.method.value_or(may_be_frozen ? Quiesce::kFreeze : Quiesce::kNone);
    Quiesce how = override_with.value_or(declared);
    if (how == Quiesce::kFreeze && !may_be_frozen) how = declared == Quiesce::kFreeze ? Quiesce::kNone : declared;
    if (how == Quiesce::kHook && service->quiesce.before.empty()) how = Quiesce::kNone;
    if (how != Quiesce::kNone) paused.push_back({service, how});
  }
  return paused;
}

Result<void> ask_managers(const ServiceSet& set, std::vector<PausedService>& paused) {
  for (PausedService& one : paused) {
    if (one.how == Quiesce::kFreeze && is_managed(*one.service))
      one.source = TRY(processes_source_of(set, *one.service));
  }
  return {};
}

Pause::Pause(env::Env env, const ServiceSet& set, SecretLookup secrets, std::vector<PausedService> services)
    : env_(env), set_(set), secrets_(std::move(secrets)), services_(std::move(services)) {}

Pause::~Pause() {
  const auto went_on = ended_ ? Result<void>() : let_go();
  if (!went_on)
    env_.log.write(env::LogLevel::kError, "pause not ended as it should", {{"error", went_on.error().message}});
  for (HookCommands& hook : hooks_) {
    wipe(hook.before);
    wipe(hook.after);
  }
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
  if (!is_new && (is_listed_ || groups_.empty())) return {};
  PauseJournal journal;
  journal.boot = TRY(env::boot_id());
  journal.name_space = TRY(env::process_namespace());
  journal.home = group_prefix_of(set_.paths());
  const auto self = TRY(env::process_entry(env::own_process_id()));
  if (self) journal.by = {self->pid, self->start_ticks};
  for (const auto& [pid, one] : noted_) journal.frozen.push_back({pid, one.first, one.second});
  for (const env::ControlGroup& group : groups_) journal.groups.push_back(group.directory());
  is_listed_ = true;
  return env::write_file_atomically(env_.fs, journal_path(set_.paths()), codec::shape_text(journal));
}

// What this process itself is in would freeze it, too; what is frozen already stays so.
Result<void> Pause::choose_groups() {
  for (const ProcessSource& source : freezing_.sources) {
    const bool is_free = source.group && groups_.size() < kFreezersMax && !TRY(source.group->has_this_process()) &&
                         TRY(source.group->state()) == env::ControlGroup::State::kThawed;
    by_group_.push_back(is_free);
    if (is_free) groups_.push_back(*source.group);
  }
  return {};
}

// Most of what will be frozen is noted while everything runs: the disk may be slow.
Result<void> Pause::note_running() {
  std::vector<ServiceProcess> running;
  for (ServiceProcess& process : TRY(processes_of(freezing_.sources))) {
    if (process.group_of && by_group_[*process.group_of]) continue;
    const env::Activity activity = TRY(env::activity_of(process.pid));
    if (activity != env::Activity::kStopped && activity != env::Activity::kGone) running.push_back(std::move(process));
  }
  return note(running);
}

Result<void> Pause::plan_freeze(const PausedService& paused) {
  const Declaration& service = *paused.service;
  ProcessSource source = paused.source ? *paused.source : TRY(processes_source_of(set_, service));
  if (is_managed(service) && !source.group) {
    // Without it what others have started within a container would not be found.
    if (!source.roots.empty())
      return fail(ErrorCode::kUnavailable,
                  "service " + service.name + ": it cannot be frozen, for it runs in no control group of its own",
                  "give it [quiesce] method = \"hook\" or \"none\"");
    down_.push_back(&service);
  }
  freezing_.sources.push_back(std::move(source));
  return {};
}

// Whether one that was down when the pause began, and that another than spl can start, is down still.
Result<bool> Pause::are_down() const {
  for (const Declaration* service : down_) {
    const ProcessSource source = TRY(processes_source_of(set_, *service));
    if (source.group || !source.roots.empty()) return false;
  }
  return true;
}

Result<void> Pause::plan() {
  for (const PausedService& paused : services_) {
    const Declaration& service = *paused.service;
    if (paused.how == Quiesce::kFreeze) TRY(plan_freeze(paused));
    if (paused.how != Quiesce::kHook) continue;
    hooked_.push_back(&service);
    const PlaceholderValues values = set_.values(service, nullptr);
    HookCommands hook;
    hook.log = log_of(set_, service);
    hook.after_at_most = service.quiesce.timeout;
    hook.before = TRY(program_of(env_, set_, service, service.quiesce.before, values, secrets_));
    hook.after = TRY(program_of(env_, set_, service, service.quiesce.after, values, secrets_));
    hooks_.push_back(std::move(hook));
    // Made as all files of the home are; the watchdog only opens it. Without a log the command runs all the same.
    (void)env::make_directories(env_.fs, env::parent_of(hooks_.back().log));
    (void)env_.fs.open(hooks_.back().log, env::OpenMode::kCreate);
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
  auto done = pause->pause_all();
  if (done) return pause;
  return std::unexpected(base::both(std::move(done), pause->let_go()).error());
}

Result<void> Pause::pause_all() {
  // The list that this pause writes takes the place of that.
  TRY(make_way(env_, set_.paths()));
  TRY(plan());
  TRY(choose_groups());
  TRY(note_running());
  milliseconds at_most = milliseconds::max();
  for (const PausedService& paused : services_) at_most = std::min(at_most, paused.service->quiesce.timeout);
  deadline_ = env_.clock.since_boot() + at_most;
  watchdog_.emplace(TRY(Watchdog::arm(deadline_, hooks_)));
  TRY(run_hooks());
  return freeze();
}

// By the watchdog, which ends each before it runs an `after`.
Result<void> Pause::run_hooks() {
  for (std::size_t i = 0; i < hooks_.size(); ++i) {
    const std::string& name = hooked_[i]->name;
    const CommandOutcome outcome = TRY_IN("service " + name, watchdog_->run_before(i));
    const bool is_killed = outcome.state == CommandOutcome::State::kKilledAtLimit;
    if (!is_killed && WIFEXITED(outcome.wait_status) && WEXITSTATUS(outcome.wait_status) == 0) continue;
    return fail(is_killed ? Cause::kTimeout : Cause::kUnspecified,
                "service " + name + ": the command that begins its pause " + text_of_exit(outcome),
                "spl service " + name + " logs shows what it said");
  }
  return {};
}

Result<void> Pause::freeze() {
  if (freezing_.sources.empty()) return {};
  TRY(watchdog_->take_groups(groups_));
  for (const env::ControlGroup& group : groups_) TRY(group.freeze());
  freezing_.at_most = time_left();
  freezing_.spared = watchdog_->pid();
  freezing_.before = [this](const std::vector<ServiceProcess>& fresh) -> Result<void> {
    TRY(note(fresh));
    return watchdog_->take(fresh);
  };
  return stop_all(env_.clock, freezing_, frozen_);
}

// What the watchdog has begun is never begun again here.
Result<void> Pause::settle_hook(std::size_t hook) {
  if (!watchdog_->has_begun(hook)) return {};
  const Declaration& service = *hooked_[hook];
  const CommandOutcome& outcome = watchdog_end_.after[hook];
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

// Here, at once, whatever the watchdog does; it runs what is due. What does not go on stays in the list, for the next
// start.
Result<void> Pause::let_go() {
  ended_ = true;
  Result<void> all;
  for (const env::ControlGroup& group : groups_) all = base::both(std::move(all), group.thaw());
  all = base::both(std::move(all), continue_all(frozen_));
  if (watchdog_) watchdog_end_ = watchdog_->resume();
  if (all && is_listed_) all = env_.fs.remove(journal_path(set_.paths()));
  for (std::size_t i = 0; watchdog_ && i < hooks_.size(); ++i) all = base::both(std::move(all), settle_hook(i));
  if (watchdog_ && !watchdog_end_.is_taken)
    all = base::both(std::move(all), fail("the watchdog of the pause was lost, and everything was resumed without it",
                                          "see what ended it"));
  return all;
}

Result<void> Pause::end() {
  if (ended_) return {};
  Result<bool> still = true;
  if (!freezing_.sources.empty()) still = are_still(freezing_, frozen_);
  if (still && *still) still = are_down();
  for (const env::ControlGroup& group : groups_) {
    const auto state = group.state();
    if (!state) still = std::unexpected(state.error());
    if (still && *state != env::ControlGroup::State::kFrozen) still = false;
  }
  auto went_on = let_go();
  Result<void> moment;
  if (watchdog_end_.is_late) {
    moment = fail(Cause::kTimeout, "the pause took longer than its limit, and everything was resumed by its watchdog",
                  "give the services a longer [quiesce] timeout_ms, or back up when they do less");
  } else if (!still) {
    moment = std::unexpected(std::move(still).error());
  } else if (!*still) {
    moment = fail(Cause::kTimeout, "a process of a paused service ran before the pause had ended",
                  "something let it go on, or its supervisor started it anew");
  }
  return base::both(std::move(went_on), std::move(moment));
}

Result<PauseOf> pause_of(env::Env env, const home::HomePaths& paths) {
  constexpr int kLooksMax = 3;
  for (int look = 1;; ++look) {
    const auto journal = TRY(read_journal(env, journal_path(paths)));
    if (!journal) return PauseOf{};
    if (TRY(is_under_way(*journal))) return PauseOf{PauseOf::State::kUnderWay, journal->by.pid};
    // It may have ended, and have removed its list, after that was read.
    const auto again = TRY(read_journal(env, journal_path(paths)));
    const bool is_same = again && again->by.pid == journal->by.pid && again->by.start == journal->by.start;
    if (is_same || look == kLooksMax) return PauseOf{again ? PauseOf::State::kLeft : PauseOf::State::kNone};
  }
}

Result<void> resume_leftovers(env::Env env, const home::HomePaths& paths) {
  return settle_lists(env, paths, OwnPause::kIsUnderWay);
}

Result<void> resume_leftovers_unless_locked(env::Env env, const home::HomePaths& paths) {
  if (TRY(lists(env, paths)).empty()) return {};
  const auto lock = TRY(env.fs.try_lock_directory(paths.root));
  return lock == nullptr ? Result<void>() : resume_leftovers(env, paths);
}

}  // namespace spl::service
