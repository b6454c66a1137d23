#include "service/inventory.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "service/engines.h"
#include "service/leftovers.h"
#include "surface/drivers.h"
#include "surface/glob.h"
#include "surface/split_names.h"

namespace spl::service {
namespace {

constexpr std::string_view kContext = "{context}";
constexpr std::string_view kContextId = "{context_id}";

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

// With what is the same for all contexts; secrets stay as they are written, and a password is not shown.
std::string shown_where(const ServiceSet& set, const Declaration& service, std::string text) {
  const PlaceholderValues values = set.values(service, nullptr);
  replace_all(text, "{home}", values.home);
  replace_all(text, "{data}", values.data);
  replace_all(text, "{run}", values.run);
  const std::size_t scheme = text.find("://");
  const std::size_t at = scheme == std::string::npos ? scheme : text.find('@', scheme);
  const std::size_t colon = scheme == std::string::npos ? scheme : text.find(':', scheme + 3);
  if (at != std::string::npos && colon != std::string::npos && colon < at && text[colon + 1] != '{')
    text.replace(colon + 1, at - colon - 1, "***");
  return text;
}

// A context that no one can have, for engines that are asked where there are no contexts: it stands in for any.
const Context kAnyContext{"any", 1, {}};

class Inventory {
 public:
  Inventory(env::Env env, const ServiceSet& set) : env_(env), set_(set) {}

  Result<void> add_surface(const Declaration& service, const SurfaceDeclaration& surface, const SecretLookup& secrets,
                           const spool::SpoolOptions& spool, const std::string& scratch, base::Progress& progress) {
    InventoryRow row = row_of(service, surface);
    row.where = shown_where(set_, service, surface.path.empty() ? surface.url : surface.path);
    if (surface.kind == SurfaceKind::kCommand) row.where = base::join(surface.dump, " ");
    std::uint64_t bytes = 0;
    bool known = surface.kind != SurfaceKind::kCommand;
    const surface::Surroundings surroundings{
        .env = env_, .spool = spool, .scratch_directory = scratch, .snapshot_list = snapshot_list_of(set_.paths())};
    for (const PartName& part : set_.parts_of(service, surface, nullptr)) {
      const auto plan = plan_of(part, surroundings, secrets, progress);
      if (!plan) {
        if (plan.error().cause == Cause::kCancelled) return std::unexpected(plan.error());
        known = known && plan.error().cause == Cause::kNoSuchFile;
        row.snapshot = plan.error().message;
        continue;
      }
      bytes += plan->bytes;
      row.snapshot = plan->method;
    }
    if (known) row.bytes = bytes;
    rows_.push_back(std::move(row));
    return {};
  }

  // Directories and files that match a split by path, and no context.
  Result<void> add_strays(const Declaration& service, const SurfaceDeclaration& surface) {
    if (!surface.is_split() || !surface::lies_in_files(surface.kind)) return {};
    const std::string pattern = shown_where(set_, service, surface.path);
    const std::size_t placeholder = std::min(pattern.find(kContext), pattern.find(kContextId));
    const std::size_t begin = pattern.rfind('/', placeholder) + 1;
    const std::size_t end = std::min(pattern.find('/', placeholder), pattern.size());
    const std::string directory = pattern.substr(0, begin > 1 ? begin - 1 : 1);
    const std::string component = pattern.substr(begin, end - begin);
    const auto info = TRY(env_.fs.info(directory));
    if (!info || info->type != env::FileType::kDirectory) return {};
    for (const std::string& name : TRY(env_.fs.list(directory))) {
      const auto found = stray_name(component, name);
      if (!found) continue;
      const std::string rest = end < pattern.size() ? pattern.substr(end) : "";
      const std::string path = env::join(directory, name) +
                               rest.substr(0, std::min(rest.find('{'), rest.rfind('/') == std::string::npos ||
                                                                               rest.find('*') == std::string::npos
                                                                           ? rest.size()
                                                                           : rest.rfind('/')));
      if (!TRY(env_.fs.info(path))) continue;
      InventoryRow row = row_of(service, surface);
      row.where = path;
      row.state = InventoryState::kStray;
      row.snapshot = "there is no context " + *found;
      rows_.push_back(std::move(row));
    }
    return {};
  }

  // What an engine has that matches a split, and no context.
  Result<void> add_engine_strays(const Declaration& service, const SurfaceDeclaration& surface,
                                 const SecretLookup& secrets, base::Progress& progress) {
    if (!surface.split) return {};
    const auto found = TRY(surface::split_names(env_, TRY(look_of(service, surface, secrets)), progress));
    if (!found) return {};
    const std::string& pattern = surface.split->pattern;
    const std::string split = surface.split_text();
    const std::string how = split.substr(0, split.size() - pattern.size());
    for (const std::string& name : found->names) {
      const bool is_beginning = surface.split->how == Split::How::kPrefix;
      const auto context = if_stray(
          pattern, is_beginning ? surface::context_at_beginning(pattern, name) : surface::context_in(pattern, name));
      if (!context) continue;
      InventoryRow row = row_of(service, surface);
      row.where = shown_where(set_, service, surface.url) + " " + how + name;
      row.state = InventoryState::kStray;
      row.snapshot = "there is no context " + *context;
      rows_.push_back(std::move(row));
    }
    if (!found->is_all)
      remark(service, surface, "more than " + std::to_string(surface::kSplitNamesMax) + " names match its split");
    return {};
  }

  // Beside what the row of a surface says of its snapshot.
  void remark(const Declaration& service, const SurfaceDeclaration& surface, const std::string& text) {
    for (InventoryRow& row : rows_) {
      const bool is_its = row.service == service.name && row.surface == surface.name;
      if (!is_its || row.state != InventoryState::kDeclared || row.snapshot == text) continue;
      row.snapshot += (row.snapshot.empty() ? "" : "; ") + text;
    }
  }

  // What lies below {data} and within no surface; the highest directory of it.
  Result<void> add_undeclared(const Declaration& service) {
    const std::string root = set_.data_directory(service.name);
    if (!TRY(env_.fs.info(root))) return {};
    std::vector<std::string> covered;
    for (const Declaration& other : set_.services()) {
      for (const SurfaceDeclaration& surface : other.surfaces) {
        if (!surface::lies_in_files(surface.kind)) continue;
        for (const PartName& part : set_.parts_of(other, surface, nullptr)) {
          const std::string path = TRY(expand(surface.path, set_.values(other, part.context)));
          covered.push_back(path);
          if (surface.kind != SurfaceKind::kSqlite) continue;
          for (const char* beside : {"-wal", "-shm", "-journal"}) covered.push_back(path + beside);
        }
      }
    }
    for (const InventoryRow& row : rows_) {
      if (row.state == InventoryState::kStray) covered.push_back(row.where);
    }
    return add_uncovered(service, root, covered);
  }

  // The data of a service whose declaration is gone.
  Result<void> add_nobodys() {
    const std::string data = set_.paths().data();
    if (!TRY(env_.fs.info(data))) return {};
    for (const std::string& name : TRY(env_.fs.list(data))) {
      if (set_.find(name) != nullptr || name.starts_with(".spl-")) continue;
      InventoryRow row;
      row.service = name;
      row.where = env::join(data, name);
      row.state = InventoryState::kUndeclared;
      row.snapshot = "no service of this name is declared";
      rows_.push_back(std::move(row));
    }
    return {};
  }

  std::vector<InventoryRow> take() { return std::move(rows_); }

 private:
  static InventoryRow row_of(const Declaration& service, const SurfaceDeclaration& surface) {
    InventoryRow row;
    row.service = service.name;
    row.surface = surface.name;
    row.kind = codec::enum_name(surface.kind);
    row.split = surface.split_text();
    row.data_class = codec::enum_name(surface.surface_class);
    return row;
  }

  Result<surface::BackupPlan> plan_of(const PartName& part, const surface::Surroundings& surroundings,
                                      const SecretLookup& secrets, base::Progress& progress) {
    return TRY(surface::backup_part(surroundings, TRY(set_.place_of(part, secrets))))->plan(progress);
  }

  // The context that a name in a directory would be of, where there is none such.
  std::optional<std::string> stray_name(const std::string& component, const std::string& name) const {
    std::string pattern = component;
    const std::size_t star = pattern.find('*');
    std::string matched = name;
    if (star != std::string::npos) {
      // A file of {context}.*.db: the context is what stands before the letter that no name has.
      const std::size_t end = pattern.find('}') + 1;
      const std::size_t separator = end < pattern.size() ? name.find(pattern[end]) : std::string::npos;
      if (separator == std::string::npos) return std::nullopt;
      pattern.resize(end);
      matched.resize(separator);
    }
    return if_stray(pattern, surface::context_in(pattern, matched));
  }

  std::optional<std::string> if_stray(const std::string& pattern, std::optional<std::string> found) const {
    if (!found) return std::nullopt;
    const bool by_id = pattern.find(kContextId) != std::string::npos;
    for (const Context& context : set_.contexts().all()) {
      if ((by_id ? std::to_string(context.id) : context.name) == *found) return std::nullopt;
    }
    return found;
  }

  // Where its engine is, and what of it is other surfaces'.
  Result<surface::SplitLook> look_of(const Declaration& service, const SurfaceDeclaration& surface,
                                     const SecretLookup& secrets) const {
    const auto& contexts = set_.contexts().all();
    const PartName any{&service, &surface, contexts.empty() ? &kAnyContext : &contexts.front()};
    return surface::SplitLook{TRY(set_.place_of(any, secrets)), surface.split->pattern,
                              TRY(other_places(set_, surface, secrets))};
  }

  Result<void> add_uncovered(const Declaration& service, const std::string& directory,
                             const std::vector<std::string>& covered) {
    for (const std::string& name : TRY(env_.fs.list(directory))) {
      const std::string path = env::join(directory, name);
      const bool is_covered = std::ranges::any_of(covered, [&path](const std::string& other) {
        return other == path || (other.find('*') != std::string::npos && surface::matches_glob(other, path));
      });
      if (is_covered) continue;
      const bool holds_covered =
          std::ranges::any_of(covered, [&path](const std::string& other) { return other.starts_with(path + "/"); });
      const auto info = TRY(env_.fs.info(path));
      if (!info) continue;
      if (holds_covered && info->type == env::FileType::kDirectory) {
        TRY(add_uncovered(service, path, covered));
        continue;
      }
      // What a restore has staged or keeps is spl's own.
      if (name.starts_with(".spl-")) continue;
      InventoryRow row;
      row.service = service.name;
      row.where = path;
      row.state = InventoryState::kUndeclared;
      row.snapshot = set_.is_engine(service) ? "of an engine: what its databases hold is in their surfaces"
                                             : "no surface covers it";
      if (info->type == env::FileType::kFile) row.bytes = info->size_bytes;
      rows_.push_back(std::move(row));
    }
    return {};
  }

  env::Env env_;
  const ServiceSet& set_;
  std::vector<InventoryRow> rows_;
};

}  // namespace

Result<std::vector<InventoryRow>> inventory(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                            const spool::SpoolOptions& spool, const std::string& scratch,
                                            base::Progress& progress) {
  Inventory made(env, set);
  std::vector<const Declaration*> services;
  for (const Declaration& service : set.services()) services.push_back(&service);
  std::ranges::sort(services, {}, &Declaration::name);
  for (const Declaration* service : services) {
    for (const SurfaceDeclaration& surface : service->surfaces) {
      progress.update("measuring " + service->name, 0, 0, "");
      TRY(made.add_surface(*service, surface, secrets, spool, scratch, progress));
    }
  }
  for (const Declaration* service : services) {
    for (const SurfaceDeclaration& surface : service->surfaces) {
      TRY(made.add_strays(*service, surface));
      const auto asked = made.add_engine_strays(*service, surface, secrets, progress);
      if (asked) continue;
      if (asked.error().cause == Cause::kCancelled) return std::unexpected(asked.error());
      made.remark(*service, surface, asked.error().message);
    }
  }
  for (const Declaration* service : services) TRY(made.add_undeclared(*service));
  TRY(made.add_nobodys());
  return made.take();
}

Result<std::vector<InventoryRow>> find_strays(env::Env env, const ServiceSet& set, const IsCarried& is_carried,
                                              const SecretLookup& secrets, base::Progress& progress) {
  Inventory made(env, set);
  for (const Declaration& service : set.services()) {
    for (const SurfaceDeclaration& surface : service.surfaces) {
      if (!is_carried(service, surface)) continue;
      TRY(made.add_strays(service, surface));
      TRY(made.add_engine_strays(service, surface, secrets, progress));
    }
  }
  return made.take();
}

Result<std::vector<InventoryRow>> find_unclaimed(env::Env env, const ServiceSet& set) {
  Inventory made(env, set);
  for (const Declaration& service : set.services()) {
    for (const SurfaceDeclaration& surface : service.surfaces) TRY(made.add_strays(service, surface));
  }
  for (const Declaration& service : set.services()) TRY(made.add_undeclared(service));
  TRY(made.add_nobodys());
  return made.take();
}

}  // namespace spl::service
