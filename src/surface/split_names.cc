#include "surface/split_names.h"

#include <array>

#include "base/names.h"
#include "surface/mariadb/mariadb.h"
#include "surface/postgres/postgres.h"
#include "surface/redis/redis.h"

namespace spl::surface {
namespace {

struct Cut {
  std::string_view before;
  std::string_view after;
  bool by_id = false;
};

std::optional<Cut> cut_of(std::string_view pattern) {
  constexpr std::array<std::string_view, 2> kPlaceholders{"{context}", "{context_id}"};
  std::optional<Cut> first;
  for (const std::string_view placeholder : kPlaceholders) {
    const std::size_t at = pattern.find(placeholder);
    if (at == std::string_view::npos || (first && first->before.size() < at)) continue;
    first = Cut{pattern.substr(0, at), pattern.substr(at + placeholder.size()), placeholder == kPlaceholders[1]};
  }
  return first;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.front() != '0' && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::string> if_context(const Cut& cut, std::string_view text) {
  if (!(cut.by_id ? is_number(text) : base::is_name(text))) return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<std::string> context_in(std::string_view pattern, std::string_view name) {
  const auto cut = cut_of(pattern);
  if (!cut || name.size() <= cut->before.size() + cut->after.size()) return std::nullopt;
  if (!name.starts_with(cut->before) || !name.ends_with(cut->after)) return std::nullopt;
  return if_context(*cut, name.substr(cut->before.size(), name.size() - cut->before.size() - cut->after.size()));
}

std::optional<std::string> context_at_beginning(std::string_view pattern, std::string_view text) {
  const auto cut = cut_of(pattern);
  if (!cut || cut->after.empty() || !text.starts_with(cut->before)) return std::nullopt;
  text.remove_prefix(cut->before.size());
  const std::size_t end = text.find(cut->after);
  if (end == std::string_view::npos) return std::nullopt;
  return if_context(*cut, text.substr(0, end));
}

std::string pattern_with(std::string_view pattern, std::string_view context) {
  const auto cut = cut_of(pattern);
  if (!cut) return std::string(pattern);
  return std::string(cut->before).append(context).append(cut->after);
}

Result<std::optional<SplitNames>> split_names(env::Env machine, const SplitLook& look, base::Progress& progress) {
  if (look.place.kind == bundle::SurfaceKind::kRedis) return TRY(redis_split_names(look, progress));
  if (look.place.kind == bundle::SurfaceKind::kPostgres) return TRY(postgres_split_names(machine, look, progress));
  if (look.place.kind == bundle::SurfaceKind::kMariadb) return TRY(mariadb_split_names(machine, look, progress));
  return std::optional<SplitNames>();
}

}  // namespace spl::surface
