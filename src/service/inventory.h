// Everything that services keep, where it is and how it is taken: the surfaces that they declare, what lies below their
// directories and no surface covers, and what looks like a context's and is none's. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "service/service_set.h"
#include "spool/spool.h"

namespace spl::service {

enum class InventoryState : std::uint8_t {
  kDeclared,
  kUndeclared,  // below {data}, and no surface covers it: no backup has it
  kStray,       // it matches a split, and no context: an instance's backup would leave it behind
};
constexpr auto names_of(InventoryState /*type*/) {
  using enum InventoryState;
  return std::to_array<std::pair<InventoryState, std::string_view>>(
      {{kDeclared, "declared"}, {kUndeclared, "undeclared"}, {kStray, "stray"}});
}

struct InventoryRow {
  std::string service;
  std::string surface;  // "" of what is undeclared
  std::string kind;     // "" of what is undeclared
  std::string where;    // a path or a URL; {context} where it is split
  std::string split;    // how; "" where it is not
  std::string data_class;
  std::optional<std::uint64_t> bytes = {};  // now; nothing where nobody can tell
  std::string snapshot;                     // how it is taken, or why nobody can tell
  InventoryState state = InventoryState::kDeclared;

  static constexpr auto shape() {
    using R = InventoryRow;
    return codec::shape(codec::member("service", &R::service, "whose it is"),
                        codec::member("surface", &R::surface, "its name; empty: nobody has declared it"),
                        codec::member("kind", &R::kind, "files, git, sqlite, postgres, redis, ..."),
                        codec::path_member("where", &R::where, "a path, or a URL without its secrets"),
                        codec::member("split", &R::split, "how it is cut by context; empty: it is not"),
                        codec::member("class", &R::data_class, "source, derived or derived-costly"),
                        codec::member("bytes", &R::bytes, "about its size now; null: nobody can tell"),
                        codec::path_member("snapshot", &R::snapshot, "how its moment is taken"),
                        codec::member("state", &R::state, "declared, undeclared or stray"));
  }
};

// By service and surface, then what is stray, then what is undeclared. `scratch` is a directory that drivers may use.
Result<std::vector<InventoryRow>> inventory(env::Env env, const ServiceSet& set, const SecretLookup& secrets,
                                            const spool::SpoolOptions& spool, const std::string& scratch,
                                            base::Progress& progress);

// Whether a backup would have a surface in it.
using IsCarried = std::function<bool(const Declaration&, const SurfaceDeclaration&)>;
// The stray ones alone, of these surfaces. Engines are asked for theirs; code kUnavailable where one does not answer.
Result<std::vector<InventoryRow>> find_strays(env::Env env, const ServiceSet& set, const IsCarried& is_carried,
                                              const SecretLookup& secrets, base::Progress& progress);

// The stray ones and what is undeclared, of all services, without asking any driver.
Result<std::vector<InventoryRow>> find_unclaimed(env::Env env, const ServiceSet& set);

}  // namespace spl::service
