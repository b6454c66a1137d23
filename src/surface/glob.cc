#include "surface/glob.h"

#include <algorithm>
#include <vector>

namespace spl::surface {
namespace {

// The components of a path or a pattern.
std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const std::string_view component = path.substr(0, path.find('/'));
    if (!component.empty()) components.push_back(component);
    path.remove_prefix(std::min(path.size(), component.size() + 1));
  }
  return components;
}

// One component. Goes back to the last star alone, so that no pattern takes more than the product of both sizes.
bool matches_component(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++after;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view path) {
  const auto patterns = components_of(pattern);
  const auto names = components_of(path);
  // As with one component: the last ** alone is gone back to.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t stars = patterns.size();
  std::size_t after = 0;
  while (n < names.size()) {
    if (p < patterns.size() && patterns[p] == "**") {
      stars = p++;
      after = n;
    } else if (p < patterns.size() && matches_component(patterns[p], names[n])) {
      ++p;
      ++n;
    } else if (stars < patterns.size()) {
      p = stars + 1;
      n = ++after;
    } else {
      return false;
    }
  }
  return std::all_of(patterns.begin() + static_cast<std::ptrdiff_t>(p), patterns.end(),
                     [](std::string_view rest) { return rest == "**"; });
}

}  // namespace spl::surface
