// bundle diff: which files of two bundles differ, and what of each service's surfaces; both are verified on the way. Of
// services content counts, and not how it is packed (part_diff.h). One thread.
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
#include "env/env.h"
#include "spool/spool.h"

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
// A service of either bundle, as the manifests tell of it.
struct ComparedService {
  std::string service;
  std::string status;
  std::string a;  // "version 1.4.0, schema 3"; empty where it is not there
  std::string b;

  static constexpr auto shape() {
    using C = ComparedService;
    return codec::shape(codec::member("service", &C::service, "its name"),
                        codec::member("status", &C::status, "same, differs, only_a or only_b"),
                        codec::member("a", &C::a, "its version and schema in the first"),
                        codec::member("b", &C::b, "its version and schema in the second"));
  }
};
// A part of a service's surface that either bundle has files of, compared by content.
struct ComparedPart {
  std::string service;
  std::string surface;
  std::string context;  // empty where the surface is not split by context
  std::string kind;
  std::string status;
  std::string items;
  std::uint64_t added = 0;
  std::uint64_t removed = 0;
  std::uint64_t changed = 0;
  std::uint64_t touched = 0;

  static constexpr auto shape() {
    using C = ComparedPart;
    return codec::shape(codec::member("service", &C::service, "whose it is"),
                        codec::member("surface", &C::surface, "of which surface"),
                        codec::member("context", &C::context, "of which context; empty where it is not split"),
                        codec::member("kind", &C::kind, "files, git, sqlite, postgres, redis, ..."),
                        codec::member("status", &C::status, "same, differs, only_a or only_b"),
                        codec::member("items", &C::items, "what is counted: entries, refs and repositories, ..."),
                        codec::member("added", &C::added, "how many only the second has"),
                        codec::member("removed", &C::removed, "how many only the first has"),
                        codec::member("changed", &C::changed, "how many both have and are not the same"),
                        codec::member("touched", &C::touched, "entries of which only owner or time differ"));
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
  std::vector<ComparedService> services;
  std::vector<ComparedPart> parts;

  static constexpr auto shape() {
    using D = DiffReport;
    return codec::shape(codec::member("same", &D::same, "whether they are the same"),
                        codec::member("only_a", &D::only_a, "paths that only the first has"),
                        codec::member("only_b", &D::only_b, "paths that only the second has"),
                        codec::member("differ", &D::differ, "paths that both have and that are not the same"),
                        codec::member("truncated", &D::truncated, "whether a list was cut after 1000 paths"),
                        codec::member("counts", &D::counts, "how many there are"),
                        codec::member("sections", &D::sections, "of either bundle"),
                        codec::member("services", &D::services, "of either bundle: version and schema"),
                        codec::member("parts", &D::parts, "of services, by surface and context, and by content"));
  }
};

// A bundle to compare, and what its errors call it.
struct ComparedBundle {
  bundle::BundleReader& reader;
  std::string name;
};

// Reads both to their ends. Each difference is told as it is found, in the order of the paths; the document has the
// first kDifferencesMax of each kind. `spool` is where what waits lies. An error of either bundle is its reader's;
// cause kCancelled where `progress` is; code kUnavailable where there is no pg_restore for what PostgreSQL has dumped.
inline constexpr std::size_t kDifferencesMax = 1000;
using DifferenceSink = std::function<Result<void>(Difference, const std::string& path)>;
Result<DiffReport> diff_bundles(env::Env env, const spool::SpoolOptions& spool, const ComparedBundle& a,
                                const ComparedBundle& b, const DifferenceSink& sink, base::Progress& progress);

}  // namespace spl::operation
