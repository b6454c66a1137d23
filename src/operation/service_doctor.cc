#include "operation/service_doctor.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.h"
#include "base/words.h"
#include "env/users.h"
#include "operation/context_rename.h"
#include "operation/home_modes.h"
#include "operation/restore_journal.h"
#include "service/inventory.h"
#include "service/pause.h"
#include "service/program.h"
#include "service/secrets.h"
#include "service/supervisor.h"
#include "surface/drivers.h"
#include "surface/tree_walk.h"

namespace spl::operation {
namespace {

using base::counted;

constexpr std::size_t kUnclaimedNamedMax = 50;
constexpr char kFinishes[] = "spl service all resume, or any command that changes something, has it finished or undone";

std::string size_text(std::uint64_t bytes) {
  return bytes < (1u << 20) ? "less than 1 MiB" : std::to_string(bytes >> 20) + " MiB";
}

class ServiceDoctor {
 public:
  ServiceDoctor(instance::Instance& instance, base::Progress& progress, std::vector<Finding>& findings)
      : env_(instance.env()), paths_(instance.paths()), progress_(progress), findings_(findings) {}

  Result<void> examine(const Result<home::Config>& config) {
    progress_.update("checking the services", 0, 0, "");
    std::vector<service::SetFault> faults;
    const service::ServiceSet set = TRY(service::ServiceSet::load_readable(env_, paths_, faults));
    tell_faults(set, faults);
    TRY(guarded("modes", check_home_modes(env_, set, findings_)));
    if (config) {
      TRY(guarded("secrets", check_secrets(set, *config)));
      TRY(guarded("services", check_running(set, *config)));
    } else {
      stop("configuration", "", config.error());
    }
    // What a file that cannot be read declares is not undeclared.
    if (faults.empty()) TRY(guarded("data", check_unclaimed(set)));
    TRY(guarded("pause", check_pause()));
    return guarded("restores", check_restores(set));
  }

 private:
  void add(std::string check, FindingStatus status, std::string subject, std::string message, std::string hint = {}) {
    findings_.push_back({std::move(check), status, std::move(subject), std::move(message), std::move(hint)});
  }
  void stop(std::string check, std::string subject, const Error& error) {
    add(std::move(check), FindingStatus::kStop, std::move(subject), error.message, error.hint);
  }
  // What cannot be looked at is a finding, too; the rest is looked at all the same.
  Result<void> guarded(std::string check, Result<void> done) {
    if (progress_.cancelled()) return base::fail_cancelled("nothing was changed");
    if (!done) stop(std::move(check), "", done.error());
    return {};
  }

  void tell_faults(const service::ServiceSet& set, const std::vector<service::SetFault>& faults) {
    for (const service::SetFault& fault : faults) {
      Error error = fault.error;
      if (error.hint.empty()) error.hint = "mend the file; docs/formats/declaration.md has what may stand there";
      stop(fault.file == paths_.contexts() ? "contexts" : "declaration", fault.file, error);
    }
    if (faults.empty() && !set.services().empty())
      add("declaration", FindingStatus::kOk, paths_.services(),
          counted(set.services().size(), "service") + " declared");
  }

  // The key first: without it each value would be a finding that says the same.
  Result<bool> check_key(const home::Config& config, std::uint64_t sealed) {
    const auto path = TRY(service::secret_key_file(env_, paths_, config.secrets));
    if (!path) return true;
    const auto info = TRY(env_.fs.info(*path));
    if (!info) {
      if (sealed == 0) return true;
      add("secret key", FindingStatus::kStop, *path,
          counted(sealed, "secret") + (sealed == 1 ? " is" : " are") + " sealed under this key, and it is not there",
          "bring the key of this home to its place, name it with SPL_SECRET_KEY_FILE, or set each secret anew");
      return false;
    }
    if ((info->mode & 077) != 0)
      add("secret key", FindingStatus::kStop, *path,
          "others may read or write it: its mode is " + mode_text(info->mode),
          "chmod 600 " + *path + "; where others had access to it, set each secret anew");
    const std::uint32_t own = env::own_user_id();
    if (info->uid != 0 && info->uid != own)
      add("secret key", FindingStatus::kStop, *path, "it belongs to " + user_text(info->uid),
          "chown " + user_text(own) + " " + *path);
    if (path->starts_with(paths_.root + "/"))
      add("secret key", FindingStatus::kStop, *path, "it lies within the home: who copies the home has the secrets",
          "move it elsewhere, and name it with SPL_SECRET_KEY_FILE");
    return true;
  }

  Result<void> check_secrets(const service::ServiceSet& set, const home::Config& config) {
    const auto secrets = service::open_secrets(env_, paths_, config.secrets);
    std::set<std::string> sealed;
    if (config.secrets.backend == home::SecretsConfig::Backend::kFile) {
      for (std::string& handle : TRY(secrets->list())) sealed.insert(std::move(handle));
    }
    const bool can_be_opened = TRY(check_key(config, sealed.size()));
    std::map<std::string, bool> wanted;  // and whether it is required
    for (const service::Declaration& service : set.services()) {
      for (const service::SecretDeclaration& secret : service.secrets) {
        for (const std::string& handle : TRY(handles_of(set, service, secret)))
          wanted[handle] = wanted[handle] || secret.required;
      }
    }
    for (const std::string& handle : sealed) wanted.try_emplace(handle, false);
    std::uint64_t there = 0;
    for (const auto& [handle, required] : wanted) {
      if (progress_.cancelled()) return {};
      if (!can_be_opened && sealed.contains(handle)) continue;
      const auto value = secrets->get(handle);
      if (value) {
        ++there;
      } else if (value.error().cause != Cause::kNotFound) {
        stop("secret", handle, value.error());
      } else if (required) {
        add("secret", FindingStatus::kStop, handle, "it is required and missing", value.error().hint);
      }
    }
    if (there > 0) add("secret", FindingStatus::kOk, counted(there, "secret"), "can be opened");
    return {};
  }

  static Result<std::vector<std::string>> handles_of(const service::ServiceSet& set,
                                                     const service::Declaration& service,
                                                     const service::SecretDeclaration& secret) {
    std::vector<std::string> handles;
    if (!service::names_context(secret.handle)) {
      handles.push_back(TRY(service::expand(secret.handle, set.values(service, nullptr))));
      return handles;
    }
    for (const service::Context& context : set.contexts().all())
      handles.push_back(TRY(service::expand(secret.handle, set.values(service, &context))));
    return handles;
  }

  Result<void> check_running(const service::ServiceSet& set, const home::Config& config) {
    const std::shared_ptr<service::SecretStore> secrets = service::open_secrets(env_, paths_, config.secrets);
    const auto supervisor = service::supervisor_of(
        env_, set, [secrets](std::string_view handle) { return secrets->get(std::string(handle)); });
    bool has_runit = true;
    for (const service::Declaration& service : set.services()) {
      if (progress_.cancelled()) return {};
      if (!service.run) continue;
      const bool is_runits = service.run->way() == service::RunWay::kCommand;
      if (is_runits && !has_runit) continue;
      if (const auto runs = supervisor->check(service); !runs) {
        stop(is_runits ? "runit" : "service", is_runits ? "" : service.name, runs.error());
        // Of all that runit should run that is said once.
        has_runit = has_runit && !is_runits;
        continue;
      }
      const auto status = supervisor->status(service);
      if (status) {
        tell_status(*status, TRY(supervisor->is_to_run(service)));
      } else {
        stop("service", service.name, status.error());
      }
    }
    return {};
  }

  void tell_status(const service::ServiceStatus& status, bool is_to_run) {
    using enum service::ServiceState;
    const std::string command = "spl service " + status.name;
    const auto tell = [&](FindingStatus how, const std::string& message, const std::string& hint) {
      add("service", how, status.name, message, hint);
    };
    if (status.held) {
      tell(is_restoring() ? FindingStatus::kWarn : FindingStatus::kStop, "a restore keeps it down",
           "where none is under way, " + command + " resume has what is left of it finished or undone");
      return;
    }
    switch (status.state) {
      case kOperator:
        break;
      case kRunning:
        if (status.health.empty() || status.health == "ok") {
          tell(FindingStatus::kOk, status.health.empty() ? "it runs" : "it runs, and is healthy", "");
        } else {
          tell(FindingStatus::kStop, "it runs, and is not healthy: " + status.health,
               command + " logs shows what it said");
        }
        break;
      case kPaused:
        tell(FindingStatus::kWarn, "it is paused", command + " resume lets it go on");
        break;
      case kFailing:
        tell(FindingStatus::kStop, "it should run, and ends again and again", command + " logs shows what it said");
        break;
      case kDown:
        if (is_to_run) {
          tell(FindingStatus::kStop, "it should run, and does not",
               command + " start; " + command + " stop where it is not to run");
        } else {
          tell(FindingStatus::kOk, "it is down, as it is to be", "");
        }
        break;
    }
  }

  Result<void> check_unclaimed(const service::ServiceSet& set) {
    auto rows = TRY(service::find_unclaimed(env_, set));
    // The files of a database are its engine's business: nobody is to move them away.
    std::erase_if(rows, [&set](const service::InventoryRow& row) {
      const service::Declaration* its = set.find(row.service);
      return row.state == service::InventoryState::kUndeclared && its != nullptr && set.is_engine(*its);
    });
    for (std::size_t i = 0; i < std::min(rows.size(), kUnclaimedNamedMax); ++i) {
      const service::InventoryRow& row = rows[i];
      if (row.state == service::InventoryState::kStray) {
        add("stray", FindingStatus::kWarn, row.where,
            "it is like a part of " + row.service + "/" + row.surface + ", and " + row.snapshot,
            "add the context, or move this away: an export stops at it without --allow-stray");
      } else {
        add("undeclared", FindingStatus::kWarn, row.where,
            set.find(row.service) == nullptr ? row.snapshot + ": no backup has it"
                                             : "no surface of " + row.service + " covers it: no backup has it",
            "declare a surface for it, or move it away");
      }
    }
    if (rows.size() > kUnclaimedNamedMax)
      add("undeclared", FindingStatus::kWarn, counted(rows.size(), "path"),
          "are undeclared or stray; these were the first", "spl inventory shows all");
    return {};
  }

  // Every start removes what a run that was killed has left, so that one which is there is in use, or cannot be
  // removed.
  Result<void> check_pause() {
    const std::string path = env::join(paths_.run(), "pause.json");
    if (!TRY(env_.fs.info(path))) return {};
    const auto found = service::pause_of(env_, paths_);
    using enum service::PauseOf::State;
    if (found && found->state == kNone) return {};  // it has just ended
    if (found && found->state == kUnderWay) {
      add("pause", FindingStatus::kWarn, path,
          "services are paused by the process " + std::to_string(found->pid) + ", which is at work",
          "wait for it: it takes a moment");
      return {};
    }
    add("pause", FindingStatus::kStop, path,
        "a pause that was cut off has left it, and it cannot be taken up" + (found ? "" : ": " + found.error().message),
        "spl service all resume lets everything go on; then remove it");
    return {};
  }

  // What is not at work was cut off: also beside a daemon, which may have failed to finish or undo it.
  [[nodiscard]] bool is_restoring() {
    const auto restores = RestoreJournals(env_, paths_).is_under_way();
    if (!restores) add("lock", FindingStatus::kStop, paths_.run(), restores.error().message, restores.error().hint);
    return restores.value_or(false);
  }

  Result<void> check_restores(const service::ServiceSet& set) {
    std::set<std::string> known;
    RestoreJournals journals(env_, paths_);
    const auto all = journals.all();
    if (!all) {
      add("restore", FindingStatus::kStop, env::join(paths_.root, "restores"), all.error().message,
          all.error().hint.empty() ? "what is half done is for a person to see: see the runbook" : all.error().hint);
      return {};
    }
    if (TRY(env_.fs.info(rename_journal_of(paths_)))) {
      add("rename", is_restoring() ? FindingStatus::kWarn : FindingStatus::kStop, rename_journal_of(paths_),
          is_restoring() ? "a context is being renamed" : "the renaming of a context was cut off",
          is_restoring() ? "wait until it has ended" : kFinishes);
    }
    const auto staged = TRY(find_staged(set));
    for (const RestoreJournal& journal : *all) {
      known.insert(journal.id);
      const auto size = staged.find(journal.id);
      tell_restore(journal, size == staged.end() ? 0 : size->second.bytes);
    }
    if (is_restoring()) return {};
    for (const auto& [id, found] : staged) {
      if (!known.contains(id))
        add("restore", FindingStatus::kWarn, found.path,
            "a restore has left it that nobody knows of: " + size_text(found.bytes), "look at it, and remove it");
    }
    return {};
  }

  void tell_restore(const RestoreJournal& journal, std::uint64_t bytes) {
    std::set<std::string> services;
    for (const JournalPart& part : journal.parts) services.insert(part.service);
    for (const std::string& service : journal.services) services.insert(service);
    if (journal.kept_records) services.insert("the records");
    const std::string subject = base::join(services, ", ");
    const std::string what = "the restore of " + journal.began_at;
    if (journal.phase == RestorePhase::kPrevious) {
      add("previous", FindingStatus::kWarn, subject, what + " has kept what it replaced: " + size_text(bytes),
          "spl service all restore --discard-previous removes it, --previous brings it back");
    } else if (is_restoring()) {
      add("restore", FindingStatus::kWarn, subject, what + " is under way", "wait until it has ended");
    } else {
      add("restore", FindingStatus::kStop, subject,
          what + " was cut off while " + (journal.phase == RestorePhase::kStaging ? "staging" : "switching"),
          kFinishes);
    }
  }

  struct Staged {
    std::string path;  // one of them
    std::uint64_t bytes = 0;
  };
  // What stands beside live parts in files, by the restore's id.
  Result<std::map<std::string, Staged>> find_staged(const service::ServiceSet& set) {
    std::set<std::string> directories;
    for (const service::Declaration& service : set.services()) {
      for (const service::SurfaceDeclaration& surface : service.surfaces) {
        if (!surface::lies_in_files(surface.kind)) continue;
        for (const service::PartName& part : set.parts_of(service, surface, nullptr)) {
          const std::string path = TRY(service::expand(surface.path, set.values(service, part.context)));
          directories.insert(env::parent_of(path));
          if (surface.kind == service::SurfaceKind::kGit) directories.insert(path);
        }
      }
    }
    std::map<std::string, Staged> staged;
    for (const std::string& directory : directories) {
      const auto info = TRY(env_.fs.info(directory));
      if (!info || info->type != env::FileType::kDirectory) continue;
      for (const std::string& name : TRY(env_.fs.list(directory))) {
        const auto id = id_in(name);
        if (!id) continue;
        Staged& found = staged[*id];
        found.path = env::join(directory, name);
        found.bytes += TRY(size_of(found.path));
      }
    }
    return staged;
  }

  // ".spl-<16 digits>-..."
  static std::optional<std::string> id_in(std::string_view name) {
    constexpr std::size_t kIdDigits = 16;
    if (!name.starts_with(surface::kOwnNamePrefix)) return std::nullopt;
    name.remove_prefix(surface::kOwnNamePrefix.size());
    if (name.size() <= kIdDigits || name[kIdDigits] != '-') return std::nullopt;
    return std::string(name.substr(0, kIdDigits));
  }

  Result<std::uint64_t> size_of(const std::string& path) {
    const auto info = TRY(env_.fs.info(path));
    if (!info || info->type != env::FileType::kDirectory) return info ? info->size_bytes : 0;
    const surface::TreeFilter all;
    surface::TreeWalk walk(env_.fs, path, all);
    std::uint64_t bytes = 0;
    while (const auto entry = TRY(walk.next())) {
      if (entry->info.type == env::FileType::kFile) bytes += entry->info.size_bytes;
      if (progress_.cancelled()) break;
    }
    return bytes;
  }

  env::Env env_;
  const home::HomePaths& paths_;
  base::Progress& progress_;
  std::vector<Finding>& findings_;
};

}  // namespace

Result<void> examine_services(instance::Instance& instance, base::Progress& progress, std::vector<Finding>& findings) {
  ServiceDoctor doctor(instance, progress, findings);
  auto done = doctor.examine(instance.config());
  if (done || done.error().cause == Cause::kCancelled) return done;
  findings.push_back(
      {"services", FindingStatus::kStop, instance.paths().services(), done.error().message, done.error().hint});
  return {};
}

}  // namespace spl::operation
