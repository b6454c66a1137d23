#include "operation/service_recovery.h"

#include <algorithm>

#include "base/words.h"
#include "instance/move.h"
#include "operation/context_rename.h"
#include "operation/kept_records.h"
#include "operation/rebuilds.h"
#include "service/leftovers.h"
#include "service/packages.h"
#include "service/pause.h"
#include "service/program.h"
#include "surface/drivers.h"

namespace spl::operation {
namespace {

constexpr std::size_t kHeldBytesMax = 1u << 20;

// The drivers of a journal's parts, made anew.
struct RebuiltParts {
  std::vector<std::unique_ptr<surface::Surroundings>> surroundings;
  std::vector<std::unique_ptr<service::Context>> contexts;
  std::vector<RestoredPart> parts;
  std::string scratch;
};

std::string scratch_of(const home::HomePaths& paths, const std::string& id) {
  return env::join(paths.run(), "r-" + id);
}

Result<RebuiltParts> rebuild(ServiceRooms& rooms, const RestoreJournal& journal) {
  RebuiltParts rebuilt;
  rebuilt.scratch = scratch_of(rooms.set.paths(), journal.id);
  for (const JournalPart& place : journal.parts) {
    const service::Declaration* service = rooms.set.find(place.service);
    const service::SurfaceDeclaration* its = service == nullptr ? nullptr : service->surface(place.surface);
    if (its == nullptr)
      return fail("the restore " + journal.id + " cannot be followed: no surface " + place.service + "/" +
                      place.surface + " is declared here any more",
                  "declare it again as it was in " + rooms.set.paths().services());
    service::PartName name{service, its, nullptr};
    if (!place.context.empty()) {
      auto context = std::make_unique<service::Context>();
      const auto added = std::ranges::find(journal.added_contexts, place.context, &JournalContext::name);
      if (const service::Context* here = rooms.set.contexts().find(place.context)) {
        *context = *here;
      } else if (added != journal.added_contexts.end()) {
        *context = {added->name, added->id, {}};
      } else {
        return fail("the restore " + journal.id + " cannot be followed: there is no context " + place.context,
                    "spl context add " + place.context + " brings it back");
      }
      name.context = context.get();
      rebuilt.contexts.push_back(std::move(context));
    }
    surface::Place where = TRY(rooms.set.place_of(name, rooms.lookup));
    where.owner = TRY(service::user_of(rooms.set, *service));
    const std::string scratch = env::join(rebuilt.scratch, std::to_string(rebuilt.parts.size()));
    TRY(env::make_directories(rooms.env.fs, scratch));
    rebuilt.surroundings.push_back(std::make_unique<surface::Surroundings>(surface::Surroundings{
        rooms.env, {rooms.set.paths().run(), spool::Secrecy::kEncrypted, kHeldBytesMax}, scratch}));
    surface::RestoreRequest request;
    request.id = journal.id;
    request.data = surface::InTheWay::kIsReplaced;
    request.keep_directory = rooms.journals.keep_directory(journal.id, name.text());
    RestoredPart part;
    part.place = place;
    part.kind = its->kind;
    part.part = TRY(surface::restore_part(*rebuilt.surroundings.back(), std::move(where), std::move(request)));
    rebuilt.parts.push_back(std::move(part));
  }
  return rebuilt;
}

// Engines are wanted up for what is within them.
Result<void> start_engines(ServiceRooms& rooms, const RestoreJournal& journal, base::Progress& progress) {
  for (const JournalPart& place : journal.parts) {
    const service::Declaration* service = rooms.set.find(place.service);
    const service::SurfaceDeclaration* its = service == nullptr ? nullptr : service->surface(place.surface);
    if (its == nullptr || !service::is_database(its->kind)) continue;
    const service::Declaration* engine = rooms.set.engine_of(*service, *its);
    if (engine == nullptr) continue;
    TRY(rooms.supervisor->let_up(*engine));
    TRY(rooms.supervisor->start(*engine, progress));
  }
  return {};
}

RestoredSurfaces surfaces_of(const RestoreJournal& journal) {
  RestoredSurfaces surfaces;
  for (const JournalPart& part : journal.parts) surfaces.emplace(part.service, part.surface);
  return surfaces;
}

// Gives what did not start again, for people; empty where all did.
Result<std::string> follow(ServiceRooms& rooms, RestoreJournal journal, RebuiltParts rebuilt, bool committed) {
  Result<std::string> done;
  {
    StagedRestore restore(rooms.journals, rooms.control, std::move(rebuilt.parts),
                          restore_options(rooms, std::move(journal)));
    const auto recovered = restore.recover(committed);
    done = recovered ? Result<std::string>(restore.not_started()) : std::unexpected(recovered.error());
  }
  (void)env::remove_tree(rooms.env.fs, rebuilt.scratch);
  return done;
}

Result<void> remove_scratch(env::Env env, const home::HomePaths& paths) {
  if (!TRY(env.fs.info(paths.run()))) return {};
  for (const std::string& name : TRY(env.fs.list(paths.run()))) {
    if (name.starts_with("r-") || name.starts_with("b-")) TRY(env::remove_tree(env.fs, env::join(paths.run(), name)));
  }
  return {};
}

// Daemons of an install that was cut off do not start with the machine; the rest is for the next install.
void settle_packages(env::Env env, const home::HomePaths& paths, base::Progress& progress) {
  const auto disabled = service::settle_begun_packages(env, service::packages_note(paths));
  if (!disabled) {
    env.log.write(env::LogLevel::kError, "units of packages not settled", {{"error", disabled.error().message}});
    progress.step(disabled.error().message);
    return;
  }
  for (const std::string& unit : *disabled)
    env.log.write(env::LogLevel::kWarn, "unit disabled, of an install that was cut off", {{"unit", unit}});
}

Result<void> write_commit_line(store::RecordStore& store, std::string_view id) {
  const auto writer = TRY(store.writer());
  TRY(writer->set_setting(std::string(kRestoreCommittedSetting), std::string(id)));
  return writer->commit();
}

}  // namespace

Result<void> recover_services(env::Env env, const home::HomePaths& paths, const home::Config& config,
                              store::RecordStore& store, base::Progress& progress) {
  // What cannot be settled stays listed and lets nothing pause anew; it is no reason to do nothing else.
  if (const auto settled = service::settle_leftovers(env, paths); !settled) {
    env.log.write(env::LogLevel::kError, "leftovers not settled", {{"error", settled.error().message}});
    progress.step(settled.error().message);
  }
  settle_packages(env, paths, progress);
  TRY(remove_scratch(env, paths));
  TRY(RestoreJournals(env, paths).remove_unfinished());
  TRY(settle_restores(env, paths, config, store, progress));
  start_rebuilding(env, paths);
  return {};
}

Result<void> settle_restores(env::Env env, const home::HomePaths& paths, const home::Config& config,
                             store::RecordStore& store, base::Progress& progress) {
  TRY(recover_rename(env, paths, config, store, progress));
  RestoreJournals journals(env, paths);
  std::vector<RestoreJournal> open;
  for (RestoreJournal& journal : TRY(journals.all())) {
    if (journal.phase != RestorePhase::kPrevious) open.push_back(std::move(journal));
  }
  if (open.empty()) return {};
  const auto rooms = TRY(ServiceRooms::open(env, paths, config));
  const auto committed = TRY(TRY(store.reader())->setting(std::string(kRestoreCommittedSetting)));
  for (RestoreJournal& journal : open) {
    progress.step("following the restore " + journal.id + ", which was cut off");
    const bool is_committed = committed == journal.id;
    const std::string what = "the restore of " + journal.began_at + ", which was cut off";
    if (!is_committed && journal.phase == RestorePhase::kSwitching)
      TRY_IN(what, put_records_back(env, journals, journal, store, progress));
    TRY_IN(what, start_engines(*rooms, journal, progress));
    RebuiltParts rebuilt = TRY_IN(what, rebuild(*rooms, journal));
    if (is_committed) TRY_IN(what, want_rebuilds(*rooms, journal.services, surfaces_of(journal), AndAfter::kYes));
    const std::string not_started = TRY_IN(what, follow(*rooms, std::move(journal), std::move(rebuilt), is_committed));
    if (not_started.empty()) continue;
    env.log.write(env::LogLevel::kError, "service not started again", {{"error", not_started}});
    progress.step(not_started);
  }
  return {};
}

Result<void> restore_previous(ServiceRooms& rooms, store::RecordStore& store, const std::optional<std::string>& service,
                              base::Progress& progress) {
  std::optional<RestoreJournal> last;
  for (RestoreJournal& journal : TRY(rooms.journals.all())) {
    const bool has_it =
        !service || std::ranges::find(journal.parts, *service, &JournalPart::service) != journal.parts.end();
    if (journal.phase != RestorePhase::kPrevious || !has_it) continue;
    if (!last || journal.began_at > last->began_at) last = std::move(journal);
  }
  if (!last)
    return fail(ErrorCode::kRefused,
                "there is no previous state" + (service ? " of the service " + *service : std::string()),
                "a restore that replaces something keeps it, until --discard-previous");
  if (service && last->kept_records)
    return fail(ErrorCode::kRefused, *service + " was restored together with the records",
                "spl service all restore --previous swaps back all of that restore");
  if (service) {
    for (const JournalPart& part : last->parts) {
      if (part.service != *service)
        return fail(ErrorCode::kRefused, *service + " was restored together with " + part.service,
                    "spl service all restore --previous swaps back all of that restore");
    }
  }
  if (last->kept_records) {
    TRY(instance::require_not_moved(*TRY(store.reader())));
    TRY(check_kept_records(rooms.env, rooms.journals, *last, progress));
  }
  // What cannot be done is found before the journal says that it is begun.
  TRY(start_engines(rooms, *last, progress));
  RebuiltParts rebuilt = TRY(rebuild(rooms, *last));
  // Without the commit line a start after a crash goes on with the way back.
  TRY(write_commit_line(store, ""));
  last->phase = RestorePhase::kSwitching;
  TRY(rooms.journals.save(*last));
  TRY(put_records_back(rooms.env, rooms.journals, *last, store, progress));
  // What is derived was made of what goes.
  TRY(want_rebuilds(rooms, last->services, surfaces_of(*last), AndAfter::kNo));
  const std::string not_started = TRY(follow(rooms, std::move(*last), std::move(rebuilt), false));
  start_rebuilding(rooms.env, rooms.set.paths());
  if (not_started.empty()) return {};
  return fail(ErrorCode::kUnavailable, "the previous state is back, and " + not_started,
              "spl service NAME logs shows what it said");
}

Result<std::uint64_t> discard_previous(ServiceRooms& rooms, const std::optional<std::string>& service,
                                       const std::optional<std::string>& context) {
  std::uint64_t discarded = 0;
  base::NoProgress progress;
  for (RestoreJournal& journal : TRY(rooms.journals.all())) {
    if (journal.phase != RestorePhase::kPrevious) continue;
    const auto goes = [&](const JournalPart& part) {
      return (!service || part.service == *service) && (!context || part.context == *context);
    };
    const bool records_go = journal.kept_records && !service && !context;
    if (std::ranges::none_of(journal.parts, goes) && !records_go) continue;
    TRY(start_engines(rooms, journal, progress));
    RebuiltParts rebuilt = TRY(rebuild(rooms, journal));
    for (const RestoredPart& part : rebuilt.parts) {
      if (!goes(part.place)) continue;
      TRY_IN(part.place.service + "/" + part.place.surface, part.part->discard(part.place.mark));
      ++discarded;
    }
    rebuilt.parts.clear();
    (void)env::remove_tree(rooms.env.fs, rebuilt.scratch);
    std::erase_if(journal.parts, goes);
    if (records_go) ++discarded;
    if (journal.parts.empty() && (!journal.kept_records || records_go)) {
      TRY(rooms.journals.remove(journal.id));
    } else {
      TRY(rooms.journals.save(journal));
    }
  }
  return discarded;
}

}  // namespace spl::operation
