#include "operation/context_rename.h"

#include <algorithm>
#include <ranges>

#include "base/encoding.h"
#include "env/process_table.h"
#include "operation/context_data.h"
#include "operation/context_moves.h"
#include "operation/export_history.h"
#include "operation/service_recovery.h"
#include "operation/service_restore.h"
#include "service/engines.h"
#include "surface/drivers.h"

namespace spl::operation {
namespace {

constexpr std::size_t kJournalBytesMax = 64u << 20;

struct StoppedService {
  std::string name;
  bool runs = false;  // before, and so afterwards

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &StoppedService::name, "the service"),
                        codec::member("runs", &StoppedService::runs, "whether it ran"));
  }
};

struct RenamedSecret {
  std::string from;
  std::string to;

  static constexpr auto shape() {
    return codec::shape(codec::member("from", &RenamedSecret::from, "the handle before"),
                        codec::member("to", &RenamedSecret::to, "the handle after"));
  }
};

// A part in an engine.
struct RenamedPart {
  std::string service;
  std::string surface;

  static constexpr auto shape() {
    return codec::shape(codec::member("service", &RenamedPart::service, "whose it is"),
                        codec::member("surface", &RenamedPart::surface, "of which surface"));
  }
};

struct RenameJournal {
  std::string from;
  std::string to;
  std::string began_at;
  std::vector<StoppedService> services;  // in starting order
  std::vector<RenamedSecret> secrets;
  std::vector<ContextMove> moves;
  std::vector<RenamedPart> parts;

  static constexpr auto shape() {
    using J = RenameJournal;
    return codec::shape(
        codec::member("from", &J::from, "the context's name before"), codec::member("to", &J::to, "its name after"),
        codec::member("began_at", &J::began_at, "when it began"),
        codec::member("services", &J::services, "what is down meanwhile, in starting order"),
        codec::member("secrets", &J::secrets, "what is copied"),
        codec::member("moves", &J::moves, "what gets another name, in this order"),
        codec::member("parts", &J::parts, "what gets another name in engines", codec::Presence::kOmitted));
  }
};

class Rename {
 public:
  Rename(ServiceRooms& rooms, RenameJournal journal, base::Progress& progress)
      : rooms_(rooms), fs_(rooms.env.fs), journal_(std::move(journal)), progress_(progress) {
    const service::Contexts& contexts = rooms.set.contexts();
    const service::Context* context = contexts.find(journal_.from);
    if (context == nullptr) context = contexts.find(journal_.to);
    if (context != nullptr) before_ = after_ = *context;
    before_.name = journal_.from;
    after_.name = journal_.to;
  }

  // Whatever speaks against it, before anything is changed.
  Result<void> plan() {
    auto renamed = TRY(service::ServiceSet::load(rooms_.env, rooms_.set.paths()));
    TRY(renamed.contexts().rename_unsaved(journal_.from, journal_.to));
    TRY(renamed.check());
    TRY(check_kinds());
    TRY(require_no_previous(rooms_.journals, journal_.from, "renamed"));
    const auto moves = TRY(find_moves());
    const auto parts = TRY(find_parts());
    TRY(plan_services(!parts.empty()));
    // While services run, their own processes hold files as well: it is looked again when they are down.
    if (std::ranges::none_of(journal_.services, &StoppedService::runs)) TRY(check_holders(moves));
    return plan_secrets();
  }

  // To the commit line. After an error everything is as it was before, but for what it names.
  Result<void> run() {
    under_way_ = TRY(rooms_.journals.note_under_way());
    auto done = forward();
    if (done) return done;
    Error error = std::move(done).error();
    const auto back = undo();
    for (const std::string& warning : warnings_) error.message += "; and " + warning;
    if (!back) {
      error.message += "; and what was done could not be taken back: " + back.error().message;
      error.hint = "the next start tries again" + (back.error().hint.empty() ? "" : ": " + back.error().hint);
    }
    return std::unexpected(std::move(error));
  }

  // After the commit line. All was moved, durably, and the services were up before it: what bears the old name now is
  // new, and is left alone.
  Result<void> finish(store::RecordStore& store, const std::optional<std::string>& did) {
    for (const StoppedService& service : journal_.services) TRY(rooms_.control.let_up(service.name));
    if (did) TRY(carry_history(store, *did));
    for (const RenamedSecret& secret : journal_.secrets) TRY(rooms_.secrets->remove(secret.from));
    return remove_journal();
  }

  Result<void> undo() {
    // Where nothing was moved yet, nothing has to be down for it.
    if (!journal_.moves.empty() || !journal_.parts.empty()) TRY(hold_all());
    TRY(move_parts(Direction::kBack));
    for (const ContextMove& move : std::views::reverse(journal_.moves)) TRY(move_back(move));
    for (const RenamedSecret& secret : journal_.secrets) TRY(rooms_.secrets->remove(secret.to));
    // One that does not start keeps nothing from being settled.
    for (const StoppedService& service : journal_.services) {
      base::NoProgress to_its_end;
      TRY(rooms_.control.let_up(service.name));
      if (!service.runs) continue;
      if (const auto started = rooms_.control.start(service.name, to_its_end); !started)
        warnings_.push_back(service.name + " does not start again: " + started.error().message);
    }
    return remove_journal();
  }

  // What a person should know of the way back.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  [[nodiscard]] Result<void> check_kinds() const {
    for (const service::Declaration& service : rooms_.set.services()) {
      for (const service::SurfaceDeclaration& surface : service.surfaces) {
        using enum service::SurfaceKind;
        if (!surface.is_split() || surface::lies_in_files(surface.kind) || surface.kind == kRedis ||
            surface.kind == kPostgres || surface.kind == kMariadb)
          continue;
        return fail(
            ErrorCode::kRefused, Cause::kNotImplemented,
            "the context cannot be renamed: " + service.name + "/" + surface.name + " is split by context, and is " +
                std::string(codec::enum_name(surface.kind)),
            "this version renames contexts in files, git, sqlite, redis, postgres and mariadb: restore a backup of it "
            "with --as instead");
      }
    }
    return {};
  }

  Result<std::vector<ContextMove>> find_moves() {
    const service::Context context = *TRY(rooms_.set.contexts().require(journal_.from));
    return moves_of_context(rooms_.env, rooms_.set, context, journal_.to);
  }

  // What the context's name is in, in engines. Those are wanted up, as for a restore.
  Result<std::vector<RenamedPart>> find_parts() {
    std::vector<RenamedPart> parts;
    for (const service::Declaration& service : rooms_.set.services()) {
      for (const service::SurfaceDeclaration& surface : service.surfaces) {
        if (!surface.split || surface.split->pattern.find("{context}") == std::string::npos) continue;
        parts.push_back({service.name, surface.name});
      }
    }
    TRY(start_engines(parts));
    for (const RenamedPart& part : parts) {
      TRY(live_data_of(rooms_, TRY(name_of(part, before_))));
      if (!TRY(TRY(live_data_of(rooms_, TRY(name_of(part, after_))))->is_there())) continue;
      return fail(ErrorCode::kRefused, Cause::kFileExists,
                  "the context cannot be renamed: " + part.service + "/" + part.surface + " has data of " +
                      journal_.to + " already",
                  "spl inventory lists what is of no context; remove it, or choose another name");
    }
    return parts;
  }

  Result<service::PartName> name_of(const RenamedPart& part, const service::Context& context) const {
    const service::Declaration* service = TRY(rooms_.set.require(part.service));
    const service::SurfaceDeclaration* surface = service->surface(part.surface);
    if (surface == nullptr)
      return fail(ErrorCode::kUsage, Cause::kNotFound,
                  "service " + part.service + " does not declare the surface " + part.surface + " any more",
                  "declare it as it was, so that what was renamed in it can be put back");
    return service::PartName{service, surface, &context};
  }

  Result<void> start_engines(const std::vector<RenamedPart>& parts) {
    for (const RenamedPart& part : parts) {
      const service::PartName name = TRY(name_of(part, before_));
      const service::Declaration* engine = rooms_.set.engine_of(*name.service, *name.surface);
      if (engine == nullptr) continue;
      TRY(rooms_.control.let_up(engine->name));
      TRY_IN("start " + engine->name, rooms_.control.start(engine->name, progress_));
    }
    return {};
  }

  enum class Direction : bool { kForth, kBack };
  // Done once or twice is the same; durable when it returns, and nothing is overwritten: on the way back what bears a
  // name that has come up meanwhile stays behind.
  Result<void> move_parts(Direction direction) {
    if (journal_.parts.empty()) return {};
    const bool is_forth = direction == Direction::kForth;
    base::NoProgress calm;  // nothing stops the way back
    TRY(start_engines(journal_.parts));
    for (const RenamedPart& part : journal_.parts) {
      const service::PartName from = TRY(name_of(part, is_forth ? before_ : after_));
      const service::PartName to = TRY(name_of(part, is_forth ? after_ : before_));
      const surface::Place place = TRY(rooms_.set.place_of(to, rooms_.lookup));
      const auto data = TRY(live_data_of(rooms_, from));
      const std::uint64_t behind = TRY_IN(
          from.text(), data->move_to(place, is_forth ? surface::TakenName::kStops : surface::TakenName::kStaysBehind,
                                     is_forth ? progress_ : calm));
      if (behind > 0)
        warnings_.push_back(from.text() + ": " + std::to_string(behind) +
                            " keep the new name, for the old one was taken meanwhile");
    }
    return {};
  }

  // Engines stay up: their writers are down, and what is in them is moved by them.
  Result<void> plan_services(bool has_parts) {
    const auto engines = TRY(service::engines_of(rooms_.set, rooms_.lookup));
    for (const service::Declaration& service : rooms_.set.services()) {
      const auto is_split = [](const service::SurfaceDeclaration& surface) { return surface.is_split(); };
      if (!service.run || std::ranges::none_of(service.surfaces, is_split)) continue;
      if (std::ranges::find(engines, &service) != engines.end()) {
        const auto has_files = [](const service::SurfaceDeclaration& surface) {
          return surface.is_split() && surface::lies_in_files(surface.kind);
        };
        if (std::ranges::none_of(service.surfaces, has_files)) continue;
        if (has_parts)
          return fail(ErrorCode::kRefused, Cause::kNotImplemented,
                      "the context cannot be renamed: " + service.name +
                          " serves a database and has files that are split by context",
                      "restore a backup of the context with --as instead");
      }
      const service::ServiceStatus status = TRY(rooms_.supervisor->status(service));
      if (status.state == service::ServiceState::kFailing)
        return fail(ErrorCode::kRefused,
                    "the context cannot be renamed: service " + service.name + " should run and does not",
                    "mend it, or end it with spl service " + service.name + " stop");
      const bool runs =
          status.state == service::ServiceState::kRunning || status.state == service::ServiceState::kPaused;
      journal_.services.push_back({service.name, runs});
    }
    return {};
  }

  // Those that have a value; one whose new handle has one already is left alone.
  Result<void> plan_secrets() {
    const service::Context before = *TRY(rooms_.set.contexts().require(journal_.from));
    service::Context after = before;
    after.name = journal_.to;
    for (const service::Declaration& service : rooms_.set.services()) {
      for (const service::SecretDeclaration& secret : service.secrets) {
        if (!service::names_context(secret.handle)) continue;
        const std::string from = TRY(service::expand(secret.handle, rooms_.set.values(service, &before)));
        const std::string to = TRY(service::expand(secret.handle, rooms_.set.values(service, &after)));
        if (from == to || !TRY(has_secret(from)) || TRY(has_secret(to))) continue;
        journal_.secrets.push_back({from, to});
      }
    }
    return {};
  }

  Result<bool> has_secret(const std::string& handle) {
    const auto value = rooms_.secrets->get(handle);
    if (!value && value.error().cause != Cause::kNotFound) return std::unexpected(value.error());
    return value.has_value();
  }

  Result<void> forward() {
    if (progress_.cancelled()) return base::fail_cancelled("nothing was changed");
    TRY(save());
    for (const RenamedSecret& secret : journal_.secrets)
      TRY(rooms_.secrets->set(secret.to, TRY(rooms_.secrets->get(secret.from))));
    progress_.update("stopping the services", 0, 0, "");
    TRY(hold_all());
    // Databases may have come and gone as long as the services ran. The way back knows of none of it before all is
    // known to be free: it would take for its own what is in the way.
    auto moves = TRY(find_moves());
    auto parts = TRY(find_parts());
    TRY(check_holders(moves));
    journal_.moves = std::move(moves);
    journal_.parts = std::move(parts);
    TRY(save());
    progress_.update("switching", 0, 0, "");
    TRY(move_parts(Direction::kForth));
    TRY(move_all());
    progress_.update("starting the services", 0, 0, "");
    TRY(start_all());
    return rooms_.set.contexts().rename(journal_.from, journal_.to);
  }

  // Also of services that nobody has declared, or that the operator runs.
  Result<void> check_holders(const std::vector<ContextMove>& moves) {
    for (const ContextMove& move : moves) {
      if (!TRY(fs_.info(move.from))) continue;
      if (const auto holder = TRY(env::holder_below(move.from)))
        return fail(ErrorCode::kRefused,
                    "the context cannot be renamed: process " + std::to_string(holder->pid) + " (" +
                        env::process_name(holder->pid) + ") holds " + base::escaped(holder->path, 200),
                    "end that process, or the service that it is of");
    }
    return {};
  }

  Result<void> hold_all() {
    for (const StoppedService& service : std::views::reverse(journal_.services))
      TRY_IN("stop " + service.name, rooms_.control.hold_down(service.name));
    return {};
  }

  Result<void> start_all() {
    for (const StoppedService& service : journal_.services) {
      TRY(rooms_.control.let_up(service.name));
      if (service.runs) TRY_IN("start " + service.name, rooms_.control.start(service.name, progress_));
    }
    return {};
  }

  Result<void> move_all() {
    for (const ContextMove& move : journal_.moves) {
      if (TRY(fs_.info(move.from))) TRY(rename_durably(move.from, move.to));
    }
    return {};
  }

  // Whatever of it was moved; done once or twice is the same. What has come up under either name meanwhile is kept.
  Result<void> move_back(const ContextMove& move) {
    if (!TRY(fs_.info(move.to))) {
      const std::string parent = env::parent_of(move.from);
      return TRY(fs_.info(parent)) ? fs_.sync_directory(parent) : Result<void>();
    }
    const auto before = TRY(fs_.info(move.from));
    if (before && before->inode == move.inode) {
      warnings_.push_back(base::escaped(move.to, 200) + " has come up meanwhile, and is left where it is");
      return {};
    }
    if (before) TRY(put_aside(move.from));
    return rename_durably(move.to, move.from);
  }

  // A service has made it anew.
  Result<void> put_aside(const std::string& path) {
    const std::string name = path.substr(path.rfind('/') + 1);
    std::string aside;
    for (int number = 1; aside.empty() || TRY(fs_.info(aside)); ++number)
      aside = env::join(env::parent_of(path), "made-meanwhile-" + std::to_string(number) + "." + name);
    TRY(rename_durably(path, aside));
    warnings_.push_back(base::escaped(path, 200) + " was made anew meanwhile, and is kept as " +
                        base::escaped(aside, 200));
    return {};
  }

  Result<void> rename_durably(const std::string& from, const std::string& to) {
    TRY(fs_.rename_to_new(from, to));
    return fs_.sync_directory(env::parent_of(to));
  }

  // From which export it was last restored: an older one stays an older one.
  Result<void> carry_history(store::RecordStore& store, const std::string& did) const {
    const auto writer = TRY(store.writer());
    for (const service::Declaration& service : rooms_.set.services()) {
      const auto number = TRY(writer->setting(restored_setting(did, service.name, journal_.from)));
      if (number) TRY(writer->set_setting(restored_setting(did, service.name, journal_.to), *number));
    }
    return writer->commit();
  }

  Result<void> save() {
    const std::string path = rename_journal_of(rooms_.set.paths());
    TRY(env::make_directories(fs_, env::parent_of(path)));
    return env::write_file_atomically(fs_, path, codec::shape_text(journal_) + "\n");
  }
  Result<void> remove_journal() {
    const std::string path = rename_journal_of(rooms_.set.paths());
    TRY(fs_.remove(path));
    const auto directory = TRY(fs_.info(env::parent_of(path)));
    return directory ? fs_.sync_directory(env::parent_of(path)) : Result<void>();
  }

  ServiceRooms& rooms_;
  env::FileSystem& fs_;
  RenameJournal journal_;
  base::Progress& progress_;
  service::Context before_;
  service::Context after_;
  std::unique_ptr<env::Lock> under_way_;
  std::vector<std::string> warnings_;
};

void tell(env::Env env, base::Progress& progress, const std::string& what) {
  env.log.write(env::LogLevel::kWarn, "context renamed in part", {{"error", what}});
  progress.step(what);
}

}  // namespace

std::string rename_journal_of(const home::HomePaths& paths) {
  return env::join(paths.root, "restores/rename.json");
}

Result<ContextEntry> rename_context(instance::Instance& instance, const RenamedContext& request,
                                    base::Progress& progress) {
  TRY(settle_restores(instance.env(), instance.paths(), TRY(instance.config()), instance.store(), progress));
  const auto rooms = TRY(ServiceRooms::open(instance.env(), instance.paths(), TRY(instance.config())));
  if (request.name != request.new_name) {
    RenameJournal journal;
    journal.from = request.name;
    journal.to = request.new_name;
    journal.began_at = env::rfc3339(instance.env().clock.now());
    Rename rename(*rooms, std::move(journal), progress);
    TRY(rename.plan());
    TRY(forget_backups_of(instance, rooms->set, request.name));
    TRY(rename.run());
    // Nothing makes it fail any more: what is left to be done the next start does.
    if (const auto finished = rename.finish(instance.store(), instance.did()); !finished)
      tell(instance.env(), progress, finished.error().message);
  }
  const service::Context* context = TRY(rooms->set.contexts().require(request.new_name));
  return ContextEntry{context->name, context->id, context->label};
}

Result<void> recover_rename(env::Env env, const home::HomePaths& paths, const home::Config& config,
                            store::RecordStore& store, base::Progress& progress) {
  const std::string path = rename_journal_of(paths);
  if (!TRY(env.fs.info(path))) return {};
  const std::string text = TRY(env::read_file(env.fs, path, kJournalBytesMax));
  auto journal = codec::parse_shape_text<RenameJournal>(text, codec::Unknown::kRefused);
  if (!journal)
    return fail("the journal " + path + " cannot be read: " + journal.error().message,
                "a context may be half renamed: look at what the file says before it is removed");
  const auto rooms = TRY(ServiceRooms::open(env, paths, config));
  const std::string what = "the renaming of " + journal->from + " to " + journal->to + ", which was cut off";
  const bool committed =
      rooms->set.contexts().find(journal->to) != nullptr && rooms->set.contexts().find(journal->from) == nullptr;
  progress.step("following " + what);
  const auto did = TRY(TRY(store.reader())->setting(store::kDidSetting));
  Rename rename(*rooms, std::move(*journal), progress);
  TRY_IN(what, committed ? rename.finish(store, did) : rename.undo());
  for (const std::string& warning : rename.warnings()) tell(env, progress, warning);
  return {};
}

}  // namespace spl::operation
