#include "surface/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace spl::surface {
namespace {

TEST(Glob, StandsForPathsFromTheRoot) {
  struct Case {
    std::string pattern;
    std::string path;
    bool matches;
  };
  const Case cases[] = {
      {"cache", "cache", true},
      {"cache", "a/cache", false},
      {"cache", "cache/a", false},
      {"cache/**", "cache/a/b", true},
      {"cache/**", "cache", true},
      {"cache/**", "cached", false},
      {"**/x", "x", true},
      {"**/x", "a/b/x", true},
      {"**/x", "a/b/xy", false},
      {"*.tmp", "a.tmp", true},
      {"*.tmp", ".tmp", true},
      {"*.tmp", "d/a.tmp", false},
      {"**/*.tmp", "d/a.tmp", true},
      {"a/*/c", "a/b/c", true},
      {"a/*/c", "a/b/b/c", false},
      {"a/**/c", "a/c", true},
      {"a/**/c", "a/b/b/c", true},
      {"a/**/b/**/c", "a/b/x/b/c", true},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"a?c", "a/c", false},
      {"*a*b*c", "xxaxxbxxbc", true},
      {"*a*b*c", "xxaxxbxxb", false},
      {"[ab]", "a", false},
      {"[ab]", "[ab]", true},
      {"**", "", true},
      {"**", "a/b", true},
      {"", "a", false},
      {"a\\*", "a\\b", true},
  };
  for (const Case& c : cases) EXPECT_EQ(matches_glob(c.pattern, c.path), c.matches) << c.pattern << " " << c.path;
}

TEST(Glob, NoPatternTakesForEver) {
  std::string pattern;
  std::string deep;
  for (int i = 0; i < 200; ++i) {
    pattern += "**/*a*a*a*a/";
    deep += std::string(100, 'a') + "/";
  }
  EXPECT_FALSE(matches_glob(pattern + "z", deep + "b"));
}

}  // namespace
}  // namespace spl::surface
