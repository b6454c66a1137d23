// Patterns of paths, as `exclude` of a declaration has them. Pure; any thread.
#pragma once

#include <string_view>

namespace spl::surface {

// Whether the whole path, counted from a tree's root, is what the pattern says: `*` stands for any octets within a
// component, `?` for one of them, `**` as a whole component for any number of components, also none. Every other octet
// stands for itself.
bool matches_glob(std::string_view pattern, std::string_view path);

}  // namespace spl::surface
