// bundle diff.
#include <algorithm>
#include <array>
#include <map>

#include "base/encoding.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "codec/shape.h"
#include "crypto/sha256.h"
#include "operation/bundle_files.h"

namespace spl::cli {
namespace {

constexpr std::size_t kNamesMax = 1000;         // of a list in the JSON document
constexpr std::uint64_t kProgressEvery = 4096;  // entries
constexpr std::size_t kReadBytes = 256u << 10;

// A bundle that is walked through, one file at a time.
class Side {
 public:
  Side(bundle::BundleReader& reader, std::string name) : reader_(reader), name_(std::move(name)) {}

  Result<void> next() {
    const auto entry = TRY_IN(name_, operation::next_file(reader_));
    there_ = entry.has_value();
    if (!there_) return {};
    path_.assign(entry->path);
    sha256_ = entry->kind == bundle::EntryKind::kServiceFile ? TRY(digest_of(*entry)) : entry->sha256;
    return {};
  }
  [[nodiscard]] bool there() const { return there_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const Digest& sha256() const { return sha256_; }

 private:
  // Of all that a tree's entry says: type, link and mode count like content.
  Result<Digest> digest_of(const bundle::BundleEntry& entry) {
    crypto::Sha256 sha256;
    sha256.update(std::string(1, static_cast<char>(entry.header->type)) + std::to_string(entry.header->mode) + " " +
                  std::to_string(entry.header->link.size()) + " " + entry.header->link);
    buffer_.resize(kReadBytes);
    for (;;) {
      const std::size_t n = TRY(reader_.read_content(buffer_));
      if (n == 0) return sha256.finish();
      sha256.update({buffer_.data(), n});
    }
  }

  bundle::BundleReader& reader_;
  const std::string name_;
  bool there_ = false;
  std::string path_;
  Digest sha256_;
  std::string buffer_;
};

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

// Tells differences as they are found, or keeps them for the document.
class Report {
 public:
  explicit Report(Output& out) : out_(out) {}

  Result<void> add(Difference difference, const std::string& path) {
    constexpr std::array kSigns{"- ", "+ ", "! "};
    const auto at = static_cast<std::size_t>(difference);
    ++counts_.at(at);
    if (out_.text()) return out_.line(kSigns.at(at) + path_line(path, out_.out_is_terminal()));
    if (names_.at(at).size() < kNamesMax) names_.at(at).push_back(base::path_text(path));
    return {};
  }
  [[nodiscard]] bool same() const {
    return std::ranges::all_of(counts_, [](std::uint64_t n) { return n == 0; });
  }

  Result<void> print(const bundle::Manifest& a, const bundle::Manifest& b) {
    if (!out_.text()) return out_.document(codec::shape_json(document(a, b)));
    if (same()) return out_.line("the same: bundle_sha256 " + base::to_hex(a.bundle_sha256.view()));
    return out_.line(std::to_string(counts_[0]) + " only in the first, " + std::to_string(counts_[1]) +
                     " only in the second, " + std::to_string(counts_[2]) + " differ");
  }

 private:
  // Every section of either bundle: "same", "differs", "only_a", "only_b".
  static std::vector<ComparedSection> sections(const bundle::Manifest& a, const bundle::Manifest& b) {
    std::map<std::string, std::string> states;
    for (const bundle::Section& section : a.sections) states[section.prefix] = "only_a";
    for (const bundle::Section& section : b.sections) {
      const auto other = std::ranges::find(a.sections, section.prefix, &bundle::Section::prefix);
      states[section.prefix] = other == a.sections.end()         ? "only_b"
                               : other->sha256 == section.sha256 ? "same"
                                                                 : "differs";
    }
    std::vector<ComparedSection> compared;
    for (const auto& [prefix, state] : states) compared.push_back({prefix, state});
    return compared;
  }

  DiffReport document(const bundle::Manifest& a, const bundle::Manifest& b) {
    return {.same = same(),
            .only_a = std::move(names_[0]),
            .only_b = std::move(names_[1]),
            .differ = std::move(names_[2]),
            .truncated = std::ranges::any_of(counts_, [](std::uint64_t n) { return n > kNamesMax; }),
            .counts = {counts_[0], counts_[1], counts_[2]},
            .sections = sections(a, b)};
  }

  Output& out_;
  std::array<std::uint64_t, 3> counts_{};
  std::array<std::vector<std::string>, 3> names_;
};

Result<void> compare(Side& a, Side& b, Report& report, ShownProgress& progress) {
  TRY(a.next());
  TRY(b.next());
  for (std::uint64_t done = 1; a.there() || b.there(); ++done) {
    if (!b.there() || (a.there() && a.path() < b.path())) {
      TRY(report.add(Difference::kOnlyA, a.path()));
      TRY(a.next());
    } else if (!a.there() || b.path() < a.path()) {
      TRY(report.add(Difference::kOnlyB, b.path()));
      TRY(b.next());
    } else {
      if (a.sha256() != b.sha256()) TRY(report.add(Difference::kDiffers, a.path()));
      TRY(a.next());
      TRY(b.next());
    }
    if (done % kProgressEvery != 0) continue;
    progress.update("comparing", done, 0, "files");
    if (progress.cancelled()) return base::fail_cancelled("the bundles were not compared");
  }
  return {};
}

Result<int> run_diff(Session& session, const Arguments& arguments) {
  const std::string& path_a = arguments.at("A");
  const std::string& path_b = arguments.at("B");
  if (path_a == "-" && path_b == "-")
    return fail(ErrorCode::kUsage, "both bundles cannot come from standard input", "name a file for one of them");
  const Keys keys = TRY(read_keys(session, arguments));
  ShownProgress& progress = session.progress();
  const BundleFile a = TRY_IN(shown(path_a), open_bundle(path_a, keys, progress.interrupt(), Session::workers()));
  const BundleFile b = TRY_IN(shown(path_b), open_bundle(path_b, keys, progress.interrupt(), Session::workers()));
  progress.follow(*a.file);
  Side side_a(*a.reader, shown(path_a));
  Side side_b(*b.reader, shown(path_b));
  Report report(session.out());
  TRY(compare(side_a, side_b, report, progress));
  const bool same = report.same();
  TRY(report.print(a.reader->manifest(), b.reader->manifest()));
  return same ? 0 : static_cast<int>(ErrorCode::kDiffers);
}

}  // namespace

Command bundle_diff_command() {
  return {.name = "diff",
          .summary = "Say which files of two bundles differ, both verified on the way",
          .details =
              "A line begins with - for what only the first bundle has, + for what only the second has, ! for "
              "what both have and is not the same. The exit code is 0 where they are the same, else 7.",
          .positionals = {{.name = "A", .help = "a bundle", .names = Names::kFile},
                          {.name = "B", .help = "another bundle", .names = Names::kFile}},
          .examples = {"spl bundle diff before.spl after.spl"},
          .run = run_diff,
          .schema = codec::schema_of<DiffReport>,
          .needs_home = false};
}

}  // namespace spl::cli
