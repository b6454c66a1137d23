#include "bundle/manifest_check.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "bundle/layout.h"

namespace spl::bundle {
namespace {

std::unexpected<Error> wrong(std::string rule) {
  return fail(ErrorCode::kVerification, std::move(rule));
}

// Whether no two of `items` have the same `member`.
template <class Items, class Member>
bool all_differ(const Items& items, Member member) {
  std::set<std::remove_cvref_t<decltype(std::invoke(member, items.front()))>> seen;
  return std::ranges::all_of(items, [&](const auto& item) { return seen.insert(std::invoke(member, item)).second; });
}

struct PartPlace {
  std::string_view surface;  // <service>/<surface>
  std::string_view part;
};

// Of services/<service>/<surface>/<part>/.
PartPlace place_of_part(std::string_view prefix) {
  prefix.remove_prefix(kServicesPrefix.size());
  prefix.remove_suffix(1);
  const std::size_t slash = prefix.rfind('/');
  return {prefix.substr(0, slash), prefix.substr(slash + 1)};
}

// By <service>/<surface>.
std::map<std::string, const Surface*, std::less<>> surfaces_by_place(const Manifest& manifest) {
  std::map<std::string, const Surface*, std::less<>> surfaces;
  for (const Service& service : manifest.services) {
    for (const Surface& surface : service.surfaces) surfaces[service.name + "/" + surface.name] = &surface;
  }
  return surfaces;
}

// Sections are ascending here.
bool has_section(const Manifest& manifest, std::string_view prefix) {
  return std::ranges::binary_search(manifest.sections, prefix, {},
                                    [](const Section& section) -> std::string_view { return section.prefix; });
}

// A part of any other kind can be of no files: an instance may have no repository, no SQLite database and no key.
bool has_always_files(const Surface& surface) {
  using enum SurfaceKind;
  return surface.kind == kFiles || surface.kind == kPostgres || surface.kind == kMariadb || surface.kind == kCommand;
}

Result<void> check_service(const Manifest& manifest, const Service& service) {
  if (manifest.scope.service && service.name != *manifest.scope.service)
    return wrong("services names one that is not the scope's: " + service.name);
  if (manifest.scope.context && !service.declaration.empty()) return wrong("a context's bundle has a declaration");
  if (!all_differ(service.surfaces, &Surface::name))
    return wrong("services: " + service.name + " has a surface's name twice");
  return {};
}

Result<void> check_contexts(const Manifest& manifest) {
  if (!all_differ(manifest.contexts, &Context::name) || !all_differ(manifest.contexts, &Context::id))
    return wrong("contexts has a name or an id twice");
  if (!manifest.scope.context) return {};
  for (const Context& context : manifest.contexts) {
    if (context.name != *manifest.scope.context) return wrong("contexts names one that is not the scope's");
  }
  return {};
}

Result<void> check_parts(const Manifest& manifest) {
  const auto surfaces = surfaces_by_place(manifest);
  std::set<std::string, std::less<>> contexts;
  for (const Context& context : manifest.contexts) contexts.insert(context.name);
  for (const Section& section : manifest.sections) {
    if (!section.prefix.starts_with(kServicesPrefix)) continue;
    const auto [name, part] = place_of_part(section.prefix);
    const auto found = surfaces.find(name);
    if (found == surfaces.end()) return wrong("sections: " + section.prefix + " is of no surface that services name");
    const Surface& surface = *found->second;
    if (!surface.included) return wrong("sections: " + section.prefix + " is of a surface that was left out");
    if (surface.per_context && !contexts.contains(part))
      return wrong("sections: " + section.prefix + " is of no context that contexts name");
    if (!surface.per_context && part != kWholeInstance)
      return wrong("sections: " + section.prefix + " is of a surface that is not per context");
    if (manifest.scope.context && part != *manifest.scope.context)
      return wrong("sections: " + section.prefix + " is not of the scope's context");
  }
  return {};
}

Result<void> check_included(const Manifest& manifest) {
  for (const Service& service : manifest.services) {
    for (const Surface& surface : service.surfaces) {
      if (!surface.included || surface.per_context || !has_always_files(surface)) continue;
      const std::string prefix =
          std::string(kServicesPrefix) + service.name + "/" + surface.name + "/" + std::string(kWholeInstance) + "/";
      if (!has_section(manifest, prefix)) return wrong("sections: " + prefix + " is missing, its surface is included");
    }
  }
  return {};
}

}  // namespace

Result<void> check_agreement(const Manifest& manifest) {
  for (std::size_t i = 1; i < manifest.sections.size(); ++i) {
    if (manifest.sections[i - 1].prefix >= manifest.sections[i].prefix) return wrong("sections are not ascending");
  }
  const bool whole_instance = !manifest.scope.service && !manifest.scope.context;
  if (manifest.identity_included != has_section(manifest, "identity/"))
    return wrong("identity does not agree with the sections");
  if (manifest.tokens_carried != has_section(manifest, "credentials/"))
    return wrong("tokens does not agree with the sections");
  if (!whole_instance && (manifest.identity_included || manifest.tokens_carried))
    return wrong("only a whole instance has an identity or tokens");
  if ((manifest.record_count > 0) != has_section(manifest, kRecordsPrefix))
    return wrong("record_count does not agree with the sections");
  if (manifest.thread_count > manifest.record_count) return wrong("thread_count is larger than record_count");
  TRY(check_contexts(manifest));
  if (!all_differ(manifest.services, &Service::name)) return wrong("services has a name twice");
  if (manifest.scope.service && manifest.services.empty())
    return wrong("services does not name the scope's: " + *manifest.scope.service);
  for (const Service& service : manifest.services) TRY(check_service(manifest, service));
  TRY(check_parts(manifest));
  return check_included(manifest);
}

std::vector<std::optional<SurfaceKind>> section_kinds(const Manifest& manifest) {
  const auto surfaces = surfaces_by_place(manifest);
  std::vector<std::optional<SurfaceKind>> kinds;
  for (const Section& section : manifest.sections) {
    if (section.prefix.starts_with(kServicesPrefix))
      kinds.emplace_back(surfaces.at(std::string(place_of_part(section.prefix).surface))->kind);
    else
      kinds.emplace_back();
  }
  return kinds;
}

}  // namespace spl::bundle
