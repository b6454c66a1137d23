#include "operation/service_restore.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "env/process_table.h"
#include "operation/kept_records.h"
#include "operation/preflight.h"
#include "operation/section_files.h"
#include "operation/staged_commands.h"
#include "service/pause.h"
#include "service/program.h"
#include "surface/drivers.h"

namespace spl::operation {
namespace {

using bundle::SurfaceKind;

constexpr std::size_t kHeldBytesMax = 1u << 20;
constexpr std::size_t kMadeSecretBytes = 32;
constexpr std::string_view kScratchPrefix = "r-";

void note(std::vector<Finding>& findings, std::string check, FindingStatus status, std::string subject,
          std::string message, std::string hint = {}) {
  findings.push_back({std::move(check), status, std::move(subject), std::move(message), std::move(hint)});
}

// A part of no files: of a surface of which the bundle has nothing.
class EmptyPart final : public surface::PartSource {
 public:
  Result<std::optional<codec::TarEntry>> next() override { return std::optional<codec::TarEntry>(); }
  Result<std::size_t> read(std::span<char> /*out*/) override { return 0; }
};

std::string scratch_of(const home::HomePaths& paths, std::string_view id) {
  return env::join(paths.run(), std::string(kScratchPrefix) + std::string(id));
}

}  // namespace

ServiceRestore::ServiceRestore(ServiceRooms& rooms, const bundle::Manifest& manifest, const ImportOptions& options,
                               surface::Trust signer, base::Progress& progress)
    : rooms_(rooms), manifest_(manifest), options_(options), signer_(signer), progress_(progress) {
  std::string random(8, '\0');
  rooms_.env.random.fill(random);
  journal_.id = base::to_hex(random);
  journal_.began_at = env::rfc3339(rooms_.env.clock.now());
  journal_.bundle_sha256 = base::to_hex(manifest.bundle_sha256.view());
  scratch_ = scratch_of(rooms_.set.paths(), journal_.id);
}

ServiceRestore::~ServiceRestore() {
  restore_.reset();
  take_secrets_back();
  for (const auto& target : targets_) target->part.reset();
  (void)env::remove_tree(rooms_.env.fs, scratch_);
}

spool::SpoolOptions ServiceRestore::spool_options() const {
  return {rooms_.set.paths().run(), spool::Secrecy::kEncrypted, kHeldBytesMax};
}

Result<std::unique_ptr<ServiceRestore>> ServiceRestore::plan(ServiceRooms& rooms, const bundle::Manifest& manifest,
                                                             const ImportOptions& options, surface::Trust signer,
                                                             std::vector<Finding>& findings, base::Progress& progress) {
  std::unique_ptr<ServiceRestore> restore(new ServiceRestore(rooms, manifest, options, signer, progress));
  TRY(restore->examine(findings));
  return restore;
}

Result<void> ServiceRestore::examine(std::vector<Finding>& findings) {
  progress_.update("looking at the services", 0, 0, "");
  std::vector<std::string> chosen;
  for (const bundle::Service& service : manifest_.services) {
    if (options_.service && service.name != *options_.service) continue;
    if (std::ranges::find(options_.without, service.name) != options_.without.end()) {
      note(findings, "service", FindingStatus::kOk, service.name,
           "this service of the bundle is left out, as was asked for");
      continue;
    }
    findings.push_back(examine_service(service));
    chosen.push_back(service.name);
  }
  for (const std::string& name : options_.without) {
    if (std::ranges::find(manifest_.services, name, &bundle::Service::name) == manifest_.services.end())
      note(findings, "service", FindingStatus::kWarn, name,
           "there is nothing to leave out: the bundle has no service of this name");
  }
  if (options_.service && chosen.empty())
    note(findings, "service", FindingStatus::kStop, *options_.service, "the bundle has no service of this name",
         "spl bundle show FILE lists those that it has");
  for (const service::Declaration& service : rooms_.set.services()) {
    if (std::ranges::find(chosen, service.name) != chosen.end()) services_.push_back(service.name);
  }
  if (operation::brings_services(manifest_, options_)) TRY(examine_contexts(findings));
  // Also where something stands against a service already: the report has all of it.
  TRY(choose_targets());
  TRY(examine_secrets(findings));
  TRY(examine_previous());
  return examine_parts(findings);
}

// Whether the home has a service that takes what the bundle has of it.
Finding ServiceRestore::examine_service(const bundle::Service& service) const {
  const service::Declaration* declared = rooms_.set.find(service.name);
  const auto stop = [&service](std::string message, std::string hint) {
    return Finding{"service", FindingStatus::kStop, service.name, std::move(message), std::move(hint)};
  };
  const std::string leave_out = "leave it out with --without " + service.name;
  if (declared == nullptr)
    return stop("this home declares no service of this name",
                "declare it in " + rooms_.set.paths().services() + ", or " + leave_out);
  if (declared->run) {
    const auto runs = rooms_.supervisor->check(*declared);
    if (!runs)
      return stop(runs.error().message, (runs.error().hint.empty() ? "" : runs.error().hint + "; or ") + leave_out);
  }
  if (service.schema > declared->schema)
    return stop("its data has schema " + std::to_string(service.schema) + ", the service here has " +
                    std::to_string(declared->schema),
                "install a newer version of it here, or " + leave_out);
  const auto migrations = declared->migrations_from(service.schema);
  if (service.schema < declared->schema && migrations.empty())
    return stop("its data has schema " + std::to_string(service.schema) + ", the service here has " +
                    std::to_string(declared->schema) + ", and no [[migration]] leads from the one to the other",
                "declare the migrations, restore it beside the version of it that made it, or " + leave_out);
  for (const bundle::Surface& surface : service.surfaces) {
    if (!surface.included) continue;
    const service::SurfaceDeclaration* its = declared->surface(surface.name);
    if (its == nullptr) return stop("the service here declares no surface " + surface.name, leave_out);
    if (its->kind != surface.kind)
      return stop("its surface " + surface.name + " is " + std::string(codec::enum_name(surface.kind)) +
                      " in the bundle and " + std::string(codec::enum_name(its->kind)) + " here",
                  leave_out);
    if (its->is_split() != surface.per_context)
      return stop("its surface " + surface.name + " is split by context " +
                      (surface.per_context ? "in the bundle and not here" : "here and not in the bundle"),
                  leave_out);
  }
  const bool same = service.version == declared->version;
  std::string message = "version " + declared->version;
  if (!same) message += " is here, the bundle was made of " + service.version;
  if (!migrations.empty())
    message += "; its data goes from schema " + std::to_string(service.schema) + " to " +
               std::to_string(declared->schema) + " by " + base::counted(migrations.size(), "migration");
  return {"service", FindingStatus::kOk, service.name, std::move(message), ""};
}

// Which context of the home each of the bundle's becomes.
Result<void> ServiceRestore::examine_contexts(std::vector<Finding>& findings) {
  const auto stop = [&](const std::string& name, const std::string& message, const std::string& hint) {
    note(findings, "context", FindingStatus::kStop, name, message, hint);
  };
  bool found = false;
  for (const bundle::Context& context : manifest_.contexts) {
    if (options_.context && context.name != *options_.context) continue;
    found = true;
    const std::string name = options_.as.value_or(context.name);
    const service::Context* here = rooms_.set.contexts().find(name);
    service::Context target{name, context.id, {}};
    if (here != nullptr) {
      target = *here;
      if (!options_.replace && brings_parts_of(context.name))
        stop(name, "there is a context of this name already",
             "--as NAME restores it under another name, --replace puts it in the place of the one here");
    } else {
      if (const service::Context* same_id = rooms_.set.contexts().find(target.id)) {
        if (!options_.as)
          stop(name, "its id " + std::to_string(target.id) + " is that of " + same_id->name + " here",
               "--as NAME restores it under another name and id");
        target.id = free_id();
      }
      journal_.added_contexts.push_back({target.name, target.id});
      note(findings, "context", FindingStatus::kOk, name, "is added, with the id " + std::to_string(target.id));
    }
    contexts_.emplace(context.name, std::move(target));
  }
  if (options_.context && !found)
    stop(*options_.context, "the bundle has no context of this name", "spl bundle show FILE lists those that it has");
  if (options_.as && contexts_.size() > 1)
    stop(*options_.as, "the bundle has more than one context, and they cannot all have one name",
         "name the one to be restored with --context");
  return {};
}

// Of a context of the bundle, there.
std::uint64_t ServiceRestore::bundled_id(const std::string& context) const {
  const auto found = std::ranges::find(manifest_.contexts, context, &bundle::Context::name);
  return found == manifest_.contexts.end() ? 0 : found->id;
}

std::uint64_t ServiceRestore::free_id() const {
  std::uint64_t id = rooms_.set.contexts().free_id();
  while (std::ranges::find(journal_.added_contexts, id, &JournalContext::id) != journal_.added_contexts.end() ||
         rooms_.set.contexts().find(id) != nullptr)
    ++id;
  return id;
}

// Whether anything that is restored is split by context.
bool ServiceRestore::brings_parts_of(const std::string& /*context*/) const {
  return std::ranges::any_of(services_, [this](const std::string& name) {
    return std::ranges::any_of(manifest_.services, [&](const bundle::Service& service) {
      return service.name == name && std::ranges::any_of(service.surfaces, [](const bundle::Surface& surface) {
               return surface.included && surface.per_context;
             });
    });
  });
}

Result<void> ServiceRestore::choose_targets() {
  for (const std::string& name : services_) {
    const service::Declaration* declared = rooms_.set.find(name);
    const auto& service = *std::ranges::find(manifest_.services, name, &bundle::Service::name);
    for (const bundle::Surface& surface : service.surfaces) {
      if (!surface.included) continue;
      const service::SurfaceDeclaration* its = declared->surface(surface.name);
      if (its == nullptr || its->kind != surface.kind || its->is_split() != surface.per_context) continue;
      if (!surface.per_context) {
        // One context's restore takes nothing that is everybody's.
        if (!options_.context) add_target(surface, {declared, its, nullptr}, std::string(bundle::kWholeInstance));
        continue;
      }
      for (const auto& [part, context] : contexts_) add_target(surface, {declared, its, &context}, part);
    }
  }
  std::ranges::sort(targets_, {}, [](const auto& target) { return target->section; });
  journal_.services = services_;
  return {};
}

void ServiceRestore::add_target(const bundle::Surface& surface, service::PartName name, const std::string& part) {
  std::string prefix =
      std::string(bundle::kServicesPrefix) + name.service->name + "/" + surface.name + "/" + part + "/";
  const auto section = std::ranges::find(manifest_.sections, prefix, &bundle::Section::prefix);
  const bool has_section = section != manifest_.sections.end();
  // A context of which there was no tree and no database has no part to be restored.
  const bool may_be_empty =
      surface.kind == SurfaceKind::kGit || surface.kind == SurfaceKind::kSqlite || surface.kind == SurfaceKind::kRedis;
  if (!has_section && !may_be_empty) return;
  targets_.push_back(std::make_unique<Target>(
      Target{name,
             std::move(prefix),
             has_section,
             has_section ? section->bytes : 0,
             has_section ? section->files : 0,
             surface.engine,
             {},
             {rooms_.env, spool_options(), env::join(scratch_, std::to_string(targets_.size())), nullptr, &progress_},
             nullptr}));
}

// Those that the restored services want and that are not here.
Result<void> ServiceRestore::examine_secrets(std::vector<Finding>& findings) {
  for (const std::string& name : services_) {
    const service::Declaration& service = *rooms_.set.find(name);
    for (const service::SecretDeclaration& secret : service.secrets) {
      std::vector<const service::Context*> wanted{nullptr};
      if (service::names_context(secret.handle)) {
        wanted.clear();
        for (const auto& [part, context] : contexts_) wanted.push_back(&context);
      }
      for (const service::Context* context : wanted) {
        const std::string handle = TRY(service::expand(secret.handle, rooms_.set.values(service, context)));
        const auto there = rooms_.secrets->get(handle);
        if (there) continue;
        if (there.error().cause != Cause::kNotFound) return std::unexpected(there.error());
        using enum service::SecretClass;
        const std::string word(codec::enum_name(secret.secret_class));
        if (secret.secret_class == kRegenerate) {
          wanted_secrets_.push_back({handle, &service, &secret});
          note(findings, "secret", FindingStatus::kOk, handle, "is made anew");
        } else if (secret.required && secret.secret_class != kHostBound) {
          note(findings, "secret", FindingStatus::kStop, handle, "is required and missing (" + word + ")",
               "spl secret set " + handle + " takes its value");
        } else {
          note(findings, "secret", FindingStatus::kWarn, handle, "is missing (" + word + ")",
               "spl secret set " + handle + " takes its value");
        }
      }
    }
  }
  return {};
}

// What an earlier restore has replaced is kept until a person says what becomes of it.
Result<void> ServiceRestore::examine_previous() {
  for (const RestoreJournal& journal : TRY(rooms_.journals.all())) {
    if (journal.phase != RestorePhase::kPrevious) continue;
    if (options_.replace_records && journal.kept_records && !refusal_)
      refusal_ =
          Error{ErrorCode::kRefused,
                "import refused: the records that the import of " + journal.began_at + " replaced are kept as previous",
                "spl service all restore --previous swaps them back, --discard-previous removes them"};
    for (const JournalPart& part : journal.parts) {
      const bool meets = std::ranges::any_of(targets_, [&part](const auto& target) {
        const std::string context = target->name.context == nullptr ? "" : target->name.context->name;
        return target->name.service->name == part.service && context == part.context;
      });
      if (!meets || refusal_) continue;
      const std::string what = part.service + (part.context.empty() ? "" : " of " + part.context);
      refusal_ = Error{
          ErrorCode::kRefused,
          "restore refused: what the restore of " + journal.began_at + " replaced of " + what + " is kept as previous",
          "spl service " + part.service + " restore --previous swaps it back, --discard-previous removes it"};
    }
  }
  return {};
}

// What the bundle calls its context, or that it has none.
std::string ServiceRestore::part_of(const Target& target) {
  const std::string path = target.section.substr(0, target.section.size() - 1);
  return path.substr(path.rfind('/') + 1);
}

Result<void> ServiceRestore::examine_parts(std::vector<Finding>& findings) {
  for (const auto& target : targets_) {
    progress_.enter(target->name.service->name, target->name.surface->name);
    const std::string subject = target->name.text();
    if (const service::Declaration* engine = rooms_.set.engine_of(*target->name.service, *target->name.surface)) {
      const auto started = rooms_.supervisor->start(*engine, progress_);
      if (!started) {
        note(findings, "engine", FindingStatus::kStop, subject, started.error().message, started.error().hint);
        continue;
      }
    }
    auto place = rooms_.set.place_of(target->name, rooms_.lookup);
    if (!place && place.error().cause == Cause::kNotFound) {
      note(findings, "secret", FindingStatus::kStop, subject, place.error().message, place.error().hint);
      continue;
    }
    surface::Place where = TRY(std::move(place));
    where.owner = TRY(service::user_of(rooms_.set, *target->name.service));
    if (surface::lies_in_files(where.kind) && !target->name.service->run) {
      const std::string below = where.kind == SurfaceKind::kSqlite ? env::parent_of(where.path) : where.path;
      if (const auto holder = TRY(env::holder_below(below)))
        note(findings, "processes", FindingStatus::kStop, subject,
             "process " + std::to_string(holder->pid) + " (" + env::process_name(holder->pid) + ") holds " +
                 base::escaped(holder->path, 200),
             "stop the service, which spl does not run");
    }
    surface::RestoreRequest request;
    request.id = journal_.id;
    request.data = options_.replace ? surface::InTheWay::kIsReplaced : surface::InTheWay::kStops;
    request.signer = signer_;
    request.of_context = options_.context || manifest_.scope.context;
    request.bytes = target->bytes;
    request.engine = target->engine;
    request.keep_directory = rooms_.journals.keep_directory(journal_.id, target->name.text());
    if (where.key_prefix) {
      // The keys of the bundle begin as its context's do.
      service::Context bundled = *target->name.context;
      bundled.name = part_of(*target);
      bundled.id = bundled_id(bundled.name);
      const service::PartName its{target->name.service, target->name.surface, &bundled};
      where.bundled_key_prefix = TRY(rooms_.set.place_of(its, rooms_.lookup)).key_prefix;
    }
    TRY(env::make_directories(rooms_.env.fs, target->surroundings.scratch_directory));
    if (surface::lies_in_files(where.kind)) target->path = where.path;
    if (where.schema && target->name.context->name != part_of(*target))
      note(findings, "name", FindingStatus::kWarn, subject,
           "the schema gets the name " + base::escaped(*where.schema, 70) +
               "; where the text of a function says the old one, that stays",
           "look for the old name in its functions once it is restored");
    target->part = TRY(surface::restore_part(target->surroundings, std::move(where), std::move(request)));
    TRY(examine_staged_commands(target->name, bundled_schema(target->name.service->name), *target->part, findings));
    auto looked = target->part->inspect(findings);
    // An engine that does not answer is a finding like any other.
    if (!looked && looked.error().code == ErrorCode::kUnavailable) {
      note(findings, "engine", FindingStatus::kStop, subject, looked.error().message, looked.error().hint);
      continue;
    }
    TRY_IN(subject, std::move(looked));
  }
  progress_.enter({}, {});
  return {};
}

void ServiceRestore::want_room(RestoreRoom& room) const {
  for (const auto& target : targets_) {
    if (!target->path.empty()) room.want(env::parent_of(target->path), target->bytes, target->files);
    // The dump of a command waits in the home.
    if (target->name.surface->kind == SurfaceKind::kCommand)
      room.want(rooms_.set.paths().root, target->bytes, target->files);
  }
}

Result<void> ServiceRestore::begin() {
  std::vector<RestoredPart> parts;
  for (const auto& target : targets_) {
    RestoredPart part;
    part.place = {target->name.service->name, target->name.surface->name,
                  target->name.context == nullptr ? "" : target->name.context->name, ""};
    part.kind = target->name.surface->kind;
    part.part = std::move(target->part);
    parts.push_back(std::move(part));
  }
  for (const std::string& name : services_)
    TRY(service::make_directories_of(rooms_.env, rooms_.set, *rooms_.set.find(name)));
  StagedRestoreOptions how = restore_options(rooms_, journal_);
  how.rebuild = [this](const std::string& service, base::Progress& progress) {
    return rebuild_before_start(rooms_, service, restored(), rebuilt_, progress);
  };
  restore_ = std::make_unique<StagedRestore>(rooms_.journals, rooms_.control, std::move(parts), std::move(how));
  return restore_->begin();
}

Result<void> ServiceRestore::keep_records(store::StoreReader& records) {
  const std::string path = rooms_.journals.records_file(journal_.id);
  restore_->note_kept_records(TRY(operation::keep_records(rooms_.env, path, records, progress_)));
  keeps_records_ = true;
  return {};
}

Result<void> ServiceRestore::stage(Target& target, surface::PartSource& files) {
  const auto at = std::ranges::find(targets_, &target, &std::unique_ptr<Target>::get);
  TRY_IN(target.name.text(), restore_->stage(static_cast<std::size_t>(at - targets_.begin()), files, progress_));
  target.staged = true;
  return {};
}

bool ServiceRestore::takes(std::string_view section) const {
  return std::ranges::any_of(targets_, [section](const auto& target) { return target->section == section; });
}

// What is staged has verified once, and does so again while it is staged: the file may have been changed meanwhile.
Result<void> ServiceRestore::stage_all(bundle::BundleReader& bundle) {
  if (std::ranges::any_of(targets_, [](const auto& target) { return target->has_section; })) {
    TRY(bundle.again([this](std::string_view section) { return takes(section); }));
    SectionFiles files(bundle, progress_);
    while (const auto path = TRY(files.path_ahead())) {
      const auto found =
          std::ranges::find_if(targets_, [&path](const auto& target) { return path->starts_with(target->section); });
      if (found == targets_.end()) {
        TRY(files.pass_over());
        continue;
      }
      files.enter((*found)->section);
      TRY(stage(**found, files));
      while (TRY(files.next())) {
      }
    }
  }
  for (const auto& target : targets_) {
    EmptyPart none;
    if (!target->staged) TRY(stage(*target, none));
  }
  // Commands may ask for secrets that are made anew.
  TRY(make_secrets());
  for (const std::string& name : services_) TRY(run_staged_commands_of(*rooms_.set.find(name)));
  return restore_->check(progress_);
}

std::uint64_t ServiceRestore::bundled_schema(const std::string& service) const {
  return std::ranges::find(manifest_.services, service, &bundle::Service::name)->schema;
}

Result<void> ServiceRestore::run_staged_commands_of(const service::Declaration& service) {
  std::vector<StagedPart> parts;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    RestoredPart& part = restore_->parts()[i];
    if (targets_[i]->name.service == &service) parts.push_back({targets_[i]->name, part.part.get(), part.place.mark});
  }
  const auto commands = staged_commands_of(service, bundled_schema(service.name));
  if (commands.empty() || parts.empty()) return {};
  const std::string directory = env::join(scratch_, "staging/" + service.name);
  return run_staged_commands(rooms_, service, directory, commands, parts, progress_);
}

Result<void> ServiceRestore::make_secrets() {
  for (const WantedSecret& wanted : wanted_secrets_) {
    std::string text;
    if (wanted.secret->generate.empty()) {
      std::string random(kMadeSecretBytes, '\0');
      rooms_.env.random.fill(random);
      text = base::to_base64(random);
      std::ranges::replace(text, '+', '-');
      std::ranges::replace(text, '/', '_');
      text.resize(text.find('='));
      explicit_bzero(random.data(), random.size());
    } else {
      const auto environment = TRY(service::ServiceEnvironment::of(rooms_.set, *wanted.service, rooms_.lookup));
      env::ChildOptions options;
      for (const std::string& word : wanted.secret->generate)
        options.arguments.push_back(TRY(service::expand(word, rooms_.set.values(*wanted.service, nullptr))));
      options.environment = environment.entries();
      options.user = TRY(service::user_of(rooms_.set, *wanted.service));
      text = TRY_IN("secret " + wanted.handle, env::output_of_command(options, "", {.progress = &progress_}));
      if (text.ends_with('\n')) text.pop_back();
    }
    const SecretBytes value(text);
    explicit_bzero(text.data(), text.size());
    TRY(rooms_.secrets->set(wanted.handle, value));
    made_secrets_.push_back(wanted.handle);
  }
  return {};
}

void ServiceRestore::take_secrets_back() {
  for (const std::string& handle : made_secrets_) (void)rooms_.secrets->remove(handle);
  made_secrets_.clear();
}

Result<void> ServiceRestore::switch_over() {
  auto done = restore_->switch_over(progress_);
  if (!done) {
    take_secrets_back();
    // What was made of the bundle's data is made anew.
    start_rebuilding(rooms_.env, rooms_.set.paths());
  }
  return done;
}

Result<void> ServiceRestore::switch_back() {
  auto done = restore_->switch_back();
  take_secrets_back();
  start_rebuilding(rooms_.env, rooms_.set.paths());
  return done;
}

Result<void> ServiceRestore::finish(std::vector<Finding>& findings) {
  made_secrets_.clear();
  // Before the journal is done with: whatever is cut off from here on is found by the next start.
  TRY(want_rebuilds(rooms_, services_, restored(), AndAfter::kYes));
  TRY(remove_rebuilds(rooms_, rebuilt_));
  const bool kept = TRY(restore_->finish());
  std::vector<std::string> replaced = services_;
  if (keeps_records_) replaced.emplace_back("the records");
  if (kept)
    note(findings, "previous", FindingStatus::kOk, base::join(replaced, ", "), "what was replaced is kept as previous",
         "spl service all restore --discard-previous removes it, --previous swaps it back");
  return finish_rebuilds(rooms_, services_, findings, progress_);
}

RestoredSurfaces ServiceRestore::restored() const {
  RestoredSurfaces surfaces;
  for (const auto& target : targets_) surfaces.emplace(target->name.service->name, target->name.surface->name);
  return surfaces;
}

std::set<ServicePart> ServiceRestore::parts() const {
  std::set<ServicePart> parts;
  for (const auto& target : targets_)
    parts.insert({target->name.service->name, target->name.context == nullptr ? "" : target->name.context->name});
  return parts;
}

std::vector<RestoredService> ServiceRestore::report() const {
  std::vector<RestoredService> services;
  for (const std::string& name : services_) {
    RestoredService service{name, {}};
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const service::PartName& part = targets_[i]->name;
      if (part.service->name != name) continue;
      RestoredSurface surface{part.surface->name, part.context == nullptr ? "" : part.context->name, {}};
      if (restore_) {
        for (const surface::Count& count : restore_->parts()[i].counts) {
          const auto& live = restore_->parts()[i].live;
          const auto found = std::ranges::find(live, count.what, &surface::Count::what);
          surface.counts.push_back({count.what, count.number, found == live.end() ? 0 : found->number});
        }
      }
      service.surfaces.push_back(std::move(surface));
    }
    services.push_back(std::move(service));
  }
  return services;
}

}  // namespace spl::operation
