// bundle diff: which files of two bundles differ, both verified on the way. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "bundle/reader.h"
#include "codec/shape.h"

namespace spl::operation {

enum class Difference : std::uint8_t { kOnlyA, kOnlyB, kDiffers };

struct ComparedSection {
  std::string prefix;
  std::string status;

  static constexpr auto shape() {
    using C = ComparedSection;
    return codec::shape(codec::path_member("prefix", &C::prefix, "what its paths begin with"),
                        codec::member("status", &C::status, "same, differs, only_a or only_b"));
  }
};
struct DifferenceCounts {
  std::uint64_t only_a = 0;
  std::uint64_t only_b = 0;
  std::uint64_t differ = 0;

  static constexpr auto shape() {
    using D = DifferenceCounts;
    return codec::shape(codec::member("only_a", &D::only_a, "files that only the first has"),
                        codec::member("only_b", &D::only_b, "files that only the second has"),
                        codec::member("differ", &D::differ, "files that both have and that are not the same"));
  }
};
struct DiffReport {
  bool same = false;
  std::vector<std::string> only_a;
  std::vector<std::string> only_b;
  std::vector<std::string> differ;
  bool truncated = false;
  DifferenceCounts counts;
  std::vector<ComparedSection> sections;

  static constexpr auto shape() {
    using D = DiffReport;
    return codec::shape(codec::member("same", &D::same, "whether they are the same"),
                        codec::member("only_a", &D::only_a, "paths that only the first has"),
                        codec::member("only_b", &D::only_b, "paths that only the second has"),
                        codec::member("differ", &D::differ, "paths that both have and that are not the same"),
                        codec::member("truncated", &D::truncated, "whether a list was cut after 1000 paths"),
                        codec::member("counts", &D::counts, "how many there are"),
                        codec::member("sections", &D::sections, "of either bundle"));
  }
};

// A bundle to compare, and what its errors call it.
struct ComparedBundle {
  bundle::BundleReader& reader;
  std::string name;
};

// Reads both to their ends. Each difference is told as it is found, in the order of the paths; the document has the
// first kDifferencesMax of each kind. An error of either bundle is its reader's; cause kCancelled where `progress` is.
inline constexpr std::size_t kDifferencesMax = 1000;
using DifferenceSink = std::function<Result<void>(Difference, const std::string& path)>;
Result<DiffReport> diff_bundles(const ComparedBundle& a, const ComparedBundle& b, const DifferenceSink& sink,
                                base::Progress& progress);

}  // namespace spl::operation
