#include "operation/opened_backups.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/encoding.h"
#include "bundle/layout.h"
#include "bundle/reader.h"
#include "crypto/age.h"
#include "env/streams.h"
#include "operation/bundle_files.h"

namespace spl::operation {
namespace {

constexpr std::size_t kHandleBytes = 16;
constexpr std::size_t kPieceBytes = 1u << 18;

// A bundle that is read once more from its beginning.
struct Reading {
  std::unique_ptr<env::InputFile> file;
  std::unique_ptr<bundle::BundleReader> reader;
};

template <class Kept>
Result<Reading> read_again(const Kept& kept) {
  bundle::ReaderOptions options;
  options.identities = kept.identities;
  options.passphrase = kept.passphrase ? &*kept.passphrase : nullptr;
  Reading reading{TRY(env::InputFile::open(kept.path, nullptr)), nullptr};
  reading.reader = TRY(bundle::BundleReader::open(*reading.file, options));
  return reading;
}

std::unexpected<Error> nothing_at(const std::string& path) {
  return fail(Cause::kNotFound, "the backup has nothing at " + base::escaped(path, 200), "list what is above it");
}

// Directly within one directory, with the sizes of what is below.
class Children {
 public:
  explicit Children(std::string prefix) : prefix_(std::move(prefix)) {}

  Result<void> add(std::string_view path, OpenedType type, std::uint64_t bytes) {
    if (!path.starts_with(prefix_)) return {};
    has_any_ = true;
    std::string_view rest = path.substr(prefix_.size());
    if (rest.empty()) return {};
    const std::size_t slash = rest.find('/');
    const bool is_below = slash != std::string_view::npos;
    std::string name(rest.substr(0, slash));
    if (is_below || type == OpenedType::kDirectory) name += '/';
    auto [at, is_new] = entries_.try_emplace(std::move(name));
    if (is_new && entries_.size() > kOpenedChildrenMax)
      return fail(ErrorCode::kRefused, Cause::kTooLarge,
                  "more than " + std::to_string(kOpenedChildrenMax) + " entries lie in " + base::escaped(prefix_, 200),
                  "download the backup, and open it with spl bundle extract");
    at->second.type = is_below ? OpenedType::kDirectory : type;
    at->second.bytes += bytes;
    return {};
  }

  [[nodiscard]] bool has_any() const { return has_any_; }
  std::vector<OpenedEntry> take() {
    std::vector<OpenedEntry> all;
    for (auto& [name, entry] : entries_) {
      entry.path = prefix_ + name;
      all.push_back(std::move(entry));
    }
    return all;
  }

 private:
  const std::string prefix_;
  bool has_any_ = false;
  std::map<std::string, OpenedEntry> entries_;
};

OpenedType type_of(const bundle::BundleEntry& entry) {
  if (entry.header == nullptr || entry.header->type == codec::TarType::kFile) return OpenedType::kFile;
  return entry.header->type == codec::TarType::kDirectory ? OpenedType::kDirectory : OpenedType::kLink;
}

// The section that a path lies in; null where it lies above sections, or in none.
const bundle::Section* section_of(const bundle::Manifest& manifest, std::string_view path) {
  const auto at = std::ranges::find_if(
      manifest.sections, [path](const bundle::Section& section) { return path.starts_with(section.prefix); });
  return at == manifest.sections.end() ? nullptr : &*at;
}

Result<void> limit_to(bundle::BundleReader& reader, const std::string& section) {
  return reader.limit_to([section](std::string_view prefix) { return prefix == section; });
}

// All of it goes to `to`; what the reader has as a whole at once.
Result<void> copy(bundle::BundleReader& reader, const bundle::BundleEntry& entry, Sink& to, base::Progress& progress) {
  if (entry.kind != bundle::EntryKind::kServiceFile) return to.write(entry.content);
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  for (;;) {
    const std::size_t n = TRY(reader.read_content({piece.get(), kPieceBytes}));
    if (n == 0) return {};
    TRY(to.write({piece.get(), n}));
    if (progress.cancelled()) return base::fail_cancelled("nobody waits for it");
  }
}

}  // namespace

Result<OpenedBackup> OpenedBackups::open(const std::string& path, const std::optional<SecretBytes>& passphrase,
                                         const std::optional<SecretBytes>& identity) {
  auto kept = std::make_shared<Kept>();
  kept->path = path;
  if (passphrase) kept->passphrase = passphrase->copy();
  if (identity) kept->identities = TRY(crypto::parse_identity_file(identity->reveal()));
  TRY(read_again(*kept));
  std::array<char, kHandleBytes> octets{};
  env_.random.fill(octets);
  kept->handle = base::to_hex({octets.data(), octets.size()});
  kept->until = env_.clock.steady() + kOpenedFor;
  OpenedBackup opened{kept->handle, env::rfc3339(env_.clock.now() + kOpenedFor)};
  const std::scoped_lock lock(mutex_);
  kept_.push_back(std::move(kept));
  if (kept_.size() > kOpenedMax) kept_.pop_front();
  return opened;
}

Result<std::shared_ptr<const OpenedBackups::Kept>> OpenedBackups::kept(const std::string& handle) {
  const std::scoped_lock lock(mutex_);
  const auto now = env_.clock.steady();
  std::erase_if(kept_, [now](const auto& one) { return one->until <= now; });
  const auto at = std::ranges::find(kept_, handle, [](const auto& one) { return one->handle; });
  if (at == kept_.end()) return fail(Cause::kNotFound, "the backup is not open any more", "open it again");
  return *at;
}

Result<std::shared_ptr<const OpenedBackups::Listing>> OpenedBackups::list(const Kept& kept, const std::string& prefix,
                                                                          base::Progress& progress) {
  {
    const std::scoped_lock lock(mutex_);
    if (last_ && last_->handle == kept.handle && last_->prefix == prefix) return last_->entries;
  }
  const Reading reading = TRY(read_again(kept));
  const bundle::Manifest& manifest = reading.reader->manifest();
  Children children(prefix);
  if (const bundle::Section* section = section_of(manifest, prefix)) {
    TRY(limit_to(*reading.reader, section->prefix));
    while (const auto entry = TRY(next_file(*reading.reader))) {
      TRY(children.add(entry->path, type_of(*entry), entry->size_bytes));
      if (progress.cancelled()) return base::fail_cancelled("nobody waits for it");
    }
  } else {
    TRY(children.add(bundle::kManifestPath, OpenedType::kFile, reading.reader->manifest_text().size()));
    for (const bundle::Section& one : manifest.sections)
      TRY(children.add(one.prefix, OpenedType::kDirectory, one.bytes));
  }
  if (!prefix.empty() && !children.has_any()) return nothing_at(prefix);
  auto listing = std::make_shared<const Listing>(children.take());
  const std::scoped_lock lock(mutex_);
  last_ = Listed{kept.handle, prefix, listing};
  return listing;
}

Result<OpenedPage> OpenedBackups::entries(const std::string& handle, const std::string& prefix,
                                          const std::string& cursor, base::Progress& progress) {
  const auto opened = TRY(kept(handle));
  if (!prefix.empty() && !prefix.ends_with('/')) return nothing_at(prefix);
  const auto listing = TRY(list(*opened, prefix, progress));
  OpenedPage page;
  auto at = std::ranges::upper_bound(*listing, cursor, {}, &OpenedEntry::path);
  for (; at != listing->end() && page.entries.size() < kOpenedPage; ++at) page.entries.push_back(*at);
  page.has_more = at != listing->end();
  page.cursor = page.entries.empty() ? cursor : page.entries.back().path;
  return page;
}

Result<void> OpenedBackups::read(const std::string& handle, const std::string& path, base::Progress& progress,
                                 const std::function<Result<Sink*>(std::uint64_t bytes)>& begin) {
  const auto opened = TRY(kept(handle));
  const Reading reading = TRY(read_again(*opened));
  bundle::BundleReader& reader = *reading.reader;
  if (path == bundle::kManifestPath) return TRY(begin(reader.manifest_text().size()))->write(reader.manifest_text());
  const bundle::Section* section = section_of(reader.manifest(), path);
  if (section == nullptr) return nothing_at(path);
  TRY(limit_to(reader, section->prefix));
  bool is_found = false;
  while (const auto entry = TRY(next_file(reader))) {
    if (progress.cancelled()) return base::fail_cancelled("nobody waits for it");
    if (is_found || entry->path != path) continue;
    if (type_of(*entry) != OpenedType::kFile) return fail(ErrorCode::kUsage, base::escaped(path, 200) + " is no file");
    is_found = true;
    TRY(copy(reader, *entry, *TRY(begin(entry->size_bytes)), progress));
  }
  return is_found ? Result<void>() : nothing_at(path);
}

}  // namespace spl::operation
