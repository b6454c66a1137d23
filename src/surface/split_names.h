// What an engine has that a split by context would give to a context, whether there is such a context or not: so that
// nothing is left behind in silence that belongs to none. A kind that can be asked has one function in its folder,
// which split_names() calls. Any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "surface/part.h"

namespace spl::surface {

// More of them are not looked for: who has so many that are no context's has to look there himself.
inline constexpr std::size_t kSplitNamesMax = 4096;

struct SplitLook {
  Place place;                // a part of the split, of any context: it says where the engine is
  std::string pattern;        // "ctx_{context}", "{context_id}", "{context}:"
  std::vector<Place> others;  // parts of other surfaces of the kind: what is theirs is passed over
};
struct SplitNames {
  std::vector<std::string> names;  // that match the pattern, ascending: "ctx_geo", "3", "geo:"
  bool is_all = true;              // false: there were more than kSplitNamesMax
};

// Nothing of a kind that cannot be asked. Code kUnavailable where the engine does not answer.
Result<std::optional<SplitNames>> split_names(env::Env machine, const SplitLook& look, base::Progress& progress);

// What stands in the place of a pattern's first placeholder; nothing where the name does not match.
std::optional<std::string> context_in(std::string_view pattern, std::string_view name);
// The same of what begins with the pattern, as a key does with its prefix: up to the first place at which the pattern
// ends. Its end begins with a letter that no context's name has (service/placeholders.h).
std::optional<std::string> context_at_beginning(std::string_view pattern, std::string_view text);
// The pattern with a context's name, or number, in it.
std::string pattern_with(std::string_view pattern, std::string_view context);

}  // namespace spl::surface
