#include "operation/bundle_diff.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "operation/bundle_files.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kProgressEvery = 4096;  // entries
constexpr std::size_t kReadBytes = 256u << 10;

// A bundle that is walked through, one file at a time.
class Side {
 public:
  Side(bundle::BundleReader& reader, std::string name) : reader_(reader), name_(std::move(name)) {}

  Result<void> next() {
    const auto entry = TRY_IN(name_, next_file(reader_));
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

// Every section of either bundle.
std::vector<ComparedSection> compare_sections(const bundle::Manifest& a, const bundle::Manifest& b) {
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

// Tells each difference and counts it.
class Tally {
 public:
  explicit Tally(const DifferenceSink& sink) : sink_(sink) {}

  Result<void> add(Difference difference, const std::string& path) {
    auto& [names, count] = differences_.at(static_cast<std::size_t>(difference));
    ++count;
    if (names.size() < kDifferencesMax) names.push_back(base::path_text(path));
    return sink_(difference, path);
  }

  DiffReport report(std::vector<ComparedSection> sections) && {
    auto& [a, b, differ] = differences_;
    return {.same = a.count + b.count + differ.count == 0,
            .only_a = std::move(a.names),
            .only_b = std::move(b.names),
            .differ = std::move(differ.names),
            .truncated = std::max({a.count, b.count, differ.count}) > kDifferencesMax,
            .counts = {a.count, b.count, differ.count},
            .sections = std::move(sections)};
  }

 private:
  struct Kind {
    std::vector<std::string> names;
    std::uint64_t count = 0;
  };

  const DifferenceSink& sink_;
  std::array<Kind, 3> differences_;
};

Result<void> compare(Side& a, Side& b, Tally& tally, base::Progress& progress) {
  TRY(a.next());
  TRY(b.next());
  for (std::uint64_t done = 1; a.there() || b.there(); ++done) {
    if (!b.there() || (a.there() && a.path() < b.path())) {
      TRY(tally.add(Difference::kOnlyA, a.path()));
      TRY(a.next());
    } else if (!a.there() || b.path() < a.path()) {
      TRY(tally.add(Difference::kOnlyB, b.path()));
      TRY(b.next());
    } else {
      if (a.sha256() != b.sha256()) TRY(tally.add(Difference::kDiffers, a.path()));
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

Result<DiffReport> diff_bundles(const ComparedBundle& a, const ComparedBundle& b, const DifferenceSink& sink,
                                base::Progress& progress) {
  Side side_a(a.reader, a.name);
  Side side_b(b.reader, b.name);
  Tally tally(sink);
  TRY(compare(side_a, side_b, tally, progress));
  return std::move(tally).report(compare_sections(a.reader.manifest(), b.reader.manifest()));
}

}  // namespace spl::operation
