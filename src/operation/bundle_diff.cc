#include "operation/bundle_diff.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.h"
#include "base/words.h"
#include "codec/enum_names.h"
#include "operation/bundle_side.h"
#include "operation/part_diff.h"
#include "surface/postgres/dump_content.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kProgressEvery = 4096;  // entries

// "same", or what is said of what one alone has.
std::string status_of(bool in_a, bool in_b, bool same) {
  if (!in_a) return "only_b";
  if (!in_b) return "only_a";
  return same ? "same" : "differs";
}

std::set<std::string> sections_of(const bundle::Manifest& manifest) {
  std::set<std::string> prefixes;
  for (const bundle::Section& section : manifest.sections) prefixes.insert(section.prefix);
  return prefixes;
}

// What the manifest says of each service.
std::map<std::string, std::string> declared_in(const bundle::Manifest& manifest) {
  std::map<std::string, std::string> services;
  for (const bundle::Service& service : manifest.services)
    services[service.name] =
        (service.version.empty() ? "no version" : "version " + base::escaped(service.version, 100)) + ", schema " +
        std::to_string(service.schema);
  return services;
}

std::vector<ComparedService> compare_services(const bundle::Manifest& a, const bundle::Manifest& b) {
  auto in_a = declared_in(a);
  auto in_b = declared_in(b);
  std::set<std::string> names;
  for (const auto& [name, text] : in_a) names.insert(name);
  for (const auto& [name, text] : in_b) names.insert(name);
  std::vector<ComparedService> services;
  for (const std::string& name : names) {
    ComparedService service{name, {}, in_a[name], in_b[name]};
    service.status = status_of(!service.a.empty(), !service.b.empty(), service.a == service.b);
    services.push_back(std::move(service));
  }
  return services;
}

// Tells each difference and counts it.
class Tally {
 public:
  Tally(const DifferenceSink& sink, surface::DumpContent& dumps) : sink_(sink), dumps_(dumps) {}

  Result<void> add_only(Difference difference, BundleSide& side) {
    differing_.insert(side.prefix());
    if (side.kind()) {
      const std::uint64_t items = TRY(count_items(side));
      (difference == Difference::kOnlyA ? counts_of(side).removed : counts_of(side).added) += items;
    }
    return tell(difference, side.path());
  }

  Result<void> add_both(BundleSide& a, BundleSide& b) {
    FileComparison compared;
    if (a.kind() && b.kind()) {
      compared = TRY(compare_service_file(a, b, dumps_));
      counts_of(a) += compared.counts;
    } else {
      compared.same = TRY(a.digest()) == TRY(b.digest());
    }
    if (compared.same) return {};
    differing_.insert(a.prefix());
    return tell(Difference::kDiffers, a.path());
  }

  DiffReport report(const bundle::Manifest& of_a, const bundle::Manifest& of_b) && {
    auto& [a, b, differ] = differences_;
    DiffReport report{.same = a.count + b.count + differ.count == 0,
                      .only_a = std::move(a.names),
                      .only_b = std::move(b.names),
                      .differ = std::move(differ.names),
                      .truncated = std::max({a.count, b.count, differ.count}) > kDifferencesMax,
                      .counts = {a.count, b.count, differ.count},
                      .sections = {},
                      .services = compare_services(of_a, of_b),
                      .parts = {}};
    for (const ComparedService& service : report.services) report.same = report.same && service.status == "same";
    const auto in_a = sections_of(of_a);
    const auto in_b = sections_of(of_b);
    auto prefixes = in_a;
    prefixes.insert(in_b.begin(), in_b.end());
    for (const std::string& prefix : prefixes) {
      const std::string status = status_of(in_a.contains(prefix), in_b.contains(prefix), !differing_.contains(prefix));
      report.sections.push_back({prefix, status});
      if (const auto part = parts_.find(prefix); part != parts_.end())
        report.parts.push_back(compared_part(prefix, status, part->second));
    }
    return report;
  }

 private:
  struct Kind {
    std::vector<std::string> names;
    std::uint64_t count = 0;
  };
  struct Part {
    bundle::SurfaceKind kind = bundle::SurfaceKind::kFiles;
    ItemCounts counts;
  };

  Result<void> tell(Difference difference, const std::string& path) {
    auto& [names, count] = differences_.at(static_cast<std::size_t>(difference));
    ++count;
    if (names.size() < kDifferencesMax) names.push_back(base::path_text(path));
    return sink_(difference, path);
  }

  ItemCounts& counts_of(const BundleSide& side) {
    return parts_.try_emplace(side.prefix(), Part{*side.kind(), {}}).first->second.counts;
  }

  // services/<service>/<surface>/<part>/
  static ComparedPart compared_part(const std::string& prefix, const std::string& status, const Part& part) {
    const auto names = base::split(prefix, '/');
    return {.service = names.at(1),
            .surface = names.at(2),
            .context = names.at(3) == bundle::kWholeInstance ? "" : names.at(3),
            .kind = std::string(codec::enum_name(part.kind)),
            .status = status,
            .items = std::string(items_of(part.kind)),
            .added = part.counts.added,
            .removed = part.counts.removed,
            .changed = part.counts.changed,
            .touched = part.counts.touched};
  }

  const DifferenceSink& sink_;
  surface::DumpContent& dumps_;
  std::array<Kind, 3> differences_;
  std::set<std::string> differing_;    // sections
  std::map<std::string, Part> parts_;  // by section
};

Result<void> compare(BundleSide& a, BundleSide& b, Tally& tally, base::Progress& progress) {
  TRY(a.next());
  TRY(b.next());
  for (std::uint64_t done = 1; a.there() || b.there(); ++done) {
    if (!b.there() || (a.there() && a.path() < b.path())) {
      TRY(tally.add_only(Difference::kOnlyA, a));
      TRY(a.next());
    } else if (!a.there() || b.path() < a.path()) {
      TRY(tally.add_only(Difference::kOnlyB, b));
      TRY(b.next());
    } else {
      TRY(tally.add_both(a, b));
      TRY(a.next());
      TRY(b.next());
    }
    if (done % kProgressEvery != 0) continue;
    progress.update("comparing", done, 0, "files");
    if (progress.cancelled()) return base::fail_cancelled("the bundles were not compared");
  }
  return {};
}

}  // namespace

Result<DiffReport> diff_bundles(env::Env env, const spool::SpoolOptions& spool, const ComparedBundle& a,
                                const ComparedBundle& b, const DifferenceSink& sink, base::Progress& progress) {
  BundleSide side_a(a.reader, a.name);
  BundleSide side_b(b.reader, b.name);
  surface::DumpContent dumps(env, spool, progress);
  Tally tally(sink, dumps);
  TRY(compare(side_a, side_b, tally, progress));
  return std::move(tally).report(a.reader.manifest(), b.reader.manifest());
}

}  // namespace spl::operation
