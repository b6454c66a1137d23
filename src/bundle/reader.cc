#include "bundle/reader.h"

#include <algorithm>

#include "base/check.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/ordered_pool.h"
#include "bundle/checked_batch.h"
#include "bundle/container.h"
#include "bundle/digest.h"
#include "bundle/foreign_file.h"
#include "bundle/part_files.h"
#include "bundle/tree_check.h"
#include "codec/tar.h"
#include "crypto/did_key.h"
#include "crypto/sha256.h"
#include "record/did_document.h"

namespace spl::bundle {
namespace {

constexpr std::size_t kBatchBytes = 1u << 20;  // of paths and contents
constexpr std::size_t kBatchItemsMax = 4096;
constexpr std::size_t kBatchesInFlightPerWorker = 3;
constexpr std::size_t kBatchesCostMax = record::kParsingCostMax;  // however many workers there are
constexpr std::size_t kRestBytes = 256u << 10;
constexpr std::uint64_t kReadOverBytes = 1u << 20;  // of the tar, to spare a seek

#define TRY_TAR(...)                                                       \
  ({                                                                       \
    auto tar_result_ = (__VA_ARGS__);                                      \
    if (!tar_result_) return as_malformed(std::move(tar_result_).error()); \
    std::move(tar_result_).value();                                        \
  })

}  // namespace

std::unexpected<Error> as_malformed(Error error) {
  if (error.code == ErrorCode::kVerification && error.cause == Cause::kUnspecified) {
    error.message.insert(0, "bundle malformed: ");
    error.cause = Cause::kMalformed;
    if (error.hint.empty()) error.hint = kDamagedHint;
  }
  return std::unexpected(std::move(error));
}

// What stands before the sections. It stays where it is as long as the reader lives.
struct BundleReader::Head {
  std::string manifest_text;
  crypto::Signature signature;
  Manifest manifest;
  std::vector<std::optional<SurfaceKind>> section_kinds;
  crypto::PublicKey source_key;
  std::uint64_t bytes = 0;  // of the tar
};

// One passage through the file.
class BundleReader::Impl {
 public:
  Impl(std::unique_ptr<Container> container, std::unique_ptr<Head> head, std::size_t workers)
      : container_(std::move(container)),
        tar_(std::make_unique<codec::TarReader>(container_->tar())),
        head_(std::move(head)),
        manifest_(head_->manifest),
        workers_(workers),
        pool_(
            workers, kBatchesInFlightPerWorker * workers,
            [this](RawBatch&& raw) { return check_batch(std::move(raw), mode_); }, kBatchesCostMax) {}

  Result<void> read_head();
  // This one is of no use any more.
  std::unique_ptr<Impl> next_passage() {
    SPL_CHECK(done_);
    return std::make_unique<Impl>(std::move(container_), std::move(head_), workers_);
  }
  void set_records(Records records) {
    SPL_CHECK(tar_bytes() <= head_->bytes);
    mode_ = records;
  }
  Result<void> limit_to(const std::function<bool(std::string_view)>& wanted);
  Result<void> begin_again(const std::function<bool(std::string_view)>& wanted);
  Result<std::optional<BundleEntry>> next();
  Result<std::size_t> read_content(std::span<char> out);

  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  [[nodiscard]] std::string_view manifest_text() const { return head_->manifest_text; }
  [[nodiscard]] const crypto::Signature& signature() const { return head_->signature; }
  [[nodiscard]] const Opening& opening() const { return container_->opening(); }
  [[nodiscard]] std::uint64_t tar_bytes() const { return tar_->offset(); }

 private:
  Result<std::string> read_head_entry(std::string_view path, std::uint64_t bytes_max);
  // Reading: the tar into batches.
  Result<void> read_batches();
  Result<void> read_entry(const codec::TarEntry& entry);
  [[nodiscard]] bool is_wanted(std::size_t section) const { return wanted_.empty() || wanted_[section]; }
  Result<bool> passes_over(const codec::TarEntry& entry);
  Result<void> go_to_wanted();
  Result<void> seek(std::uint64_t tar_offset);
  Result<void> enter_section(const codec::TarEntry& entry);
  Result<void> leave_section();
  void push_building();
  // Giving out: checked batches, in order.
  Result<void> take_batch();
  Result<BundleEntry> give(std::size_t at);
  Result<BundleEntry> give_service_file();
  Result<void> end_service_file();
  Result<void> end_sections_before(std::size_t section);
  Result<void> check_identity(const BundleEntry& entry);
  Result<void> end_bundle();

  std::unique_ptr<Container> container_;
  std::unique_ptr<codec::TarReader> tar_;
  std::unique_ptr<Head> head_;
  const Manifest& manifest_;
  const std::size_t workers_;
  std::vector<bool> wanted_;          // of the sections; empty: all
  bool goes_ahead_ = false;           // before the next header, to the next wanted section
  Records mode_ = Records::kChecked;  // unchanged while workers look at it

  // Reading, ahead of giving out.
  RawBatch building_;
  std::size_t largest_item_ = 0;  // of it
  std::string last_path_;
  std::size_t section_ = 0;  // of the manifest's sections
  std::uint64_t section_files_ = 0;
  std::uint64_t section_bytes_ = 0;
  PartFiles part_files_;                         // of the current section, where it is a part
  std::optional<TreeCheck> tree_;                // the same, where it is one of the kind files
  std::optional<codec::TarEntry> service_file_;  // read, and reading waits until it was given out
  bool tar_ended_ = false;

  // Giving out.
  CheckedBatch batch_;
  std::size_t batch_at_ = 0;
  std::size_t given_section_ = 0;
  crypto::Sha256 section_sha256_;
  crypto::Sha256 bundle_sha256_;
  std::uint64_t records_ = 0;
  std::uint64_t threads_ = 0;
  std::string last_directory_;
  bool service_file_given_ = false;
  crypto::Sha256 service_file_sha256_;
  std::string rest_;  // of it, that nobody wanted to read
  bool done_ = false;

  base::OrderedPool<RawBatch, CheckedBatch> pool_;  // last: its threads end first
};

Result<std::string> BundleReader::Impl::read_head_entry(std::string_view path, std::uint64_t bytes_max) {
  const auto entry = TRY_TAR(tar_->next());
  if (!entry) return malformed(path, "missing");
  if (entry->path != path) return malformed(entry->path, std::string(path) + " must stand here");
  if (const auto plain = check_plain(*entry); !plain) return malformed(path, plain.error().message);
  if (entry->size_bytes > bytes_max) return malformed(path, "longer than " + std::to_string(bytes_max) + " bytes");
  std::string content;
  TRY_TAR(tar_->append_content(content));
  return content;
}

Result<void> BundleReader::Impl::read_head() {
  auto manifest_text = read_head_entry(kManifestPath, base::kManifestBytesMax);
  if (!manifest_text && !container_->begins_as_bundle() && manifest_text.error().cause == Cause::kMalformed) {
    // Another tar is whole, and comes the same again.
    manifest_text.error().cause = Cause::kNotABundle;
    manifest_text.error().hint = "it is a tar of other files: " + std::string(kNotABundleHint);
  }
  head_->manifest_text = TRY(std::move(manifest_text));
  if (auto version = check_version(head_->manifest_text); !version) {
    Error error = malformed(kManifestPath, version.error().message).error();
    error.hint = version.error().hint;
    if (version.error().cause != Cause::kUnspecified) error.cause = version.error().cause;
    return std::unexpected(std::move(error));
  }
  const std::string signature = TRY(read_head_entry(kSignaturePath, 64));
  if (signature.size() != 64) return malformed(kSignaturePath, "not 64 bytes");
  const auto did = peek_source_did(head_->manifest_text);
  if (!did) return malformed(kManifestPath, did.error().message);
  const auto key = crypto::parse_did_key(*did);
  if (!key) return malformed(kManifestPath, "source_did: " + key.error().message);
  head_->source_key = *key;
  head_->signature = crypto::Signature::from(signature);
  if (!crypto::verify(head_->source_key, head_->manifest_text, head_->signature))
    return fail(ErrorCode::kVerification, Cause::kSignature, "signature verification failed",
                "the bundle was changed after it was signed, or damaged: take it from its source again");
  auto manifest = parse_manifest(head_->manifest_text);
  if (!manifest) return malformed(kManifestPath, manifest.error().message);
  head_->manifest = std::move(*manifest);
  head_->section_kinds = section_kinds(manifest_);
  head_->bytes = tar_->offset() + codec::tar_padding(tar_->offset());
  return {};
}

Result<void> BundleReader::Impl::limit_to(const std::function<bool(std::string_view)>& wanted) {
  SPL_CHECK(tar_bytes() <= head_->bytes);
  if (!container_->is_file() || std::ranges::all_of(manifest_.sections, wanted, &Section::prefix)) return {};
  return begin_again(wanted);
}

Result<void> BundleReader::Impl::begin_again(const std::function<bool(std::string_view)>& wanted) {
  if (!container_->is_file())
    return fail(ErrorCode::kUsage, "the bundle is to be read twice, and a pipe cannot be", "give it as a file");
  const bool can_skip = TRY_TAR(container_->can_skip());
  TRY(seek(head_->bytes));
  if (!can_skip) return {};
  for (const Section& section : manifest_.sections) wanted_.push_back(wanted(section.prefix));
  goes_ahead_ = true;
  return {};
}

// To where the manifest says that the next wanted section begins; what is not much is read over.
Result<void> BundleReader::Impl::go_to_wanted() {
  goes_ahead_ = false;
  while (section_ < manifest_.sections.size() && !is_wanted(section_)) TRY(leave_section());
  if (section_ == manifest_.sections.size()) {
    tar_ended_ = true;
    return {};
  }
  const std::uint64_t to = head_->bytes + manifest_.sections[section_].offset;
  if (to < tar_bytes() + kReadOverBytes) return {};
  return seek(to);
}

Result<void> BundleReader::Impl::seek(std::uint64_t tar_offset) {
  TRY_TAR(container_->seek(tar_offset));
  tar_ = std::make_unique<codec::TarReader>(container_->tar(), tar_offset);
  return {};
}

// Whether the entry is of a section that is not wanted.
Result<bool> BundleReader::Impl::passes_over(const codec::TarEntry& entry) {
  const auto& sections = manifest_.sections;
  const auto is_before = [&](std::size_t section) {
    return !entry.path.starts_with(sections[section].prefix) && entry.path < sections[section].prefix;
  };
  // Read over on the way to the current one.
  if (is_before(section_)) return true;
  std::size_t its = section_;
  while (its < sections.size() && !entry.path.starts_with(sections[its].prefix) && !is_before(its)) ++its;
  if (its == sections.size() || is_before(its) || is_wanted(its)) return false;
  while (section_ < its) TRY(leave_section());
  push_building();
  goes_ahead_ = true;
  return true;
}

// Makes the section that the entry belongs to the current one.
Result<void> BundleReader::Impl::enter_section(const codec::TarEntry& entry) {
  if (entry.path == last_path_) return malformed(entry.path, "stands twice");
  if (entry.path < last_path_) return malformed(entry.path, "not in ascending order");
  last_path_ = entry.path;
  const std::size_t before = section_;
  const auto is_here = [&] { return entry.path.starts_with(manifest_.sections[section_].prefix); };
  while (section_ < manifest_.sections.size() && !is_here() && entry.path > manifest_.sections[section_].prefix)
    TRY(leave_section());
  if (section_ == manifest_.sections.size() || !is_here())
    return malformed(entry.path, "belongs to no section of the manifest");
  if (section_ != before) push_building();
  if (section_files_ == 0) part_files_.begin(manifest_.sections[section_].prefix, head_->section_kinds[section_]);
  if (head_->section_kinds[section_] == SurfaceKind::kFiles && !tree_)
    tree_.emplace(manifest_.sections[section_].prefix);
  building_.section = section_;
  return {};
}

// The tar has nothing more for the current section.
Result<void> BundleReader::Impl::leave_section() {
  const Section& section = manifest_.sections[section_];
  if (!is_wanted(section_)) {
    ++section_;
    return {};
  }
  const auto differs = [&section](std::uint64_t found, std::uint64_t said, std::string_view what) {
    return malformed(section.prefix, "has " + std::to_string(found) + " " + std::string(what) + ", the manifest says " +
                                         std::to_string(said));
  };
  if (section_files_ != section.files) return differs(section_files_, section.files, "files");
  if (section_bytes_ != section.bytes) return differs(section_bytes_, section.bytes, "bytes");
  TRY(part_files_.end());
  if (tree_) TRY(tree_->end());
  tree_.reset();
  ++section_;
  section_files_ = 0;
  section_bytes_ = 0;
  return {};
}

void BundleReader::Impl::push_building() {
  if (!building_.items.empty()) {
    const std::size_t cost = record::parsing_cost(building_.arena.size(), largest_item_);
    pool_.push(std::move(building_), cost);
  }
  largest_item_ = 0;
  building_ = RawBatch();
  building_.section = section_;
}

Result<void> BundleReader::Impl::read_entry(const codec::TarEntry& entry) {
  const auto kind = place_of(entry);
  if (!kind) return malformed(entry.path, kind.error().message);
  TRY(enter_section(entry));
  const Section& section = manifest_.sections[section_];
  section_files_ += entry.type == codec::TarType::kFile ? 1 : 0;
  section_bytes_ += entry.size_bytes;
  if (section_files_ > section.files || section_bytes_ > section.bytes)
    return malformed(entry.path, "more entries or bytes than the manifest says");
  if (*kind == EntryKind::kServiceFile) {
    TRY(part_files_.add(std::string_view(entry.path).substr(section.prefix.size())));
    if (tree_) TRY(tree_->enter(entry));
    service_file_ = entry;
    return {};
  }
  if (building_.items.empty()) {
    building_.arena.reserve(kBatchBytes + kBatchBytes / 8);
    building_.items.reserve(kBatchItemsMax);
  }
  RawBatch::Item item{*kind, building_.arena.size(), entry.path.size(), 0, entry.size_bytes};
  building_.arena += entry.path;
  item.content_begin = building_.arena.size();
  TRY_TAR(tar_->append_content(building_.arena));
  building_.items.push_back(item);
  largest_item_ = std::max(largest_item_, item.content_bytes);
  return {};
}

// Fills the pool from the tar until it is full, a service file is met, or the bundle ends.
Result<void> BundleReader::Impl::read_batches() {
  while (!pool_.full() && !service_file_ && !tar_ended_) {
    if (building_.arena.size() >= kBatchBytes || building_.items.size() >= kBatchItemsMax) {
      push_building();
      continue;
    }
    if (goes_ahead_) {
      TRY(go_to_wanted());
      continue;
    }
    const auto entry = TRY_TAR(tar_->next());
    if (entry) {
      if (!wanted_.empty() && TRY(passes_over(*entry))) continue;
      TRY(read_entry(*entry));
    } else {
      tar_ended_ = true;
      while (section_ < manifest_.sections.size()) TRY(leave_section());
    }
  }
  if ((service_file_ || tar_ended_) && !pool_.full()) push_building();
  return {};
}

Result<void> BundleReader::Impl::take_batch() {
  batch_ = pool_.pop();
  batch_at_ = 0;
  if (batch_.error) return std::unexpected(std::move(*batch_.error));
  TRY(end_sections_before(batch_.raw.section));
  section_sha256_.update(batch_.digest_lines);
  bundle_sha256_.update(batch_.digest_lines);
  return {};
}

Result<std::optional<BundleEntry>> BundleReader::Impl::next() {
  if (done_) return std::nullopt;
  if (service_file_given_) TRY(end_service_file());
  for (;;) {
    if (batch_at_ < batch_.raw.items.size()) return TRY(give(batch_at_++));
    TRY(read_batches());
    if (!pool_.empty()) {
      TRY(take_batch());
    } else if (service_file_) {
      return TRY(give_service_file());
    } else {
      TRY(end_bundle());
      return std::nullopt;
    }
  }
}

Result<BundleEntry> BundleReader::Impl::give(std::size_t at) {
  const RawBatch::Item& item = batch_.raw.items[at];
  BundleEntry entry{
      item.kind, batch_.raw.path(item), item.content_bytes, batch_.sha256[at], batch_.raw.content(item), nullptr,
      nullptr};
  if (item.kind != EntryKind::kRecord) {
    TRY(check_identity(entry));
    return entry;
  }
  if (mode_ == Records::kGiven) entry.record = &*batch_.records[at];
  const std::string_view directory = parts_of_record_path(entry.path).directory;
  ++records_;
  if (records_ == 1 || directory != last_directory_) {
    ++threads_;
    last_directory_ = directory;
  }
  return entry;
}

Result<void> BundleReader::Impl::check_identity(const BundleEntry& entry) {
  if (entry.kind == EntryKind::kDidDocument) {
    const auto key = record::parse_did_document(entry.content);
    if (!key) {
      // The one rule whose message has a form of its own.
      if (key.error().cause == Cause::kNotFound)
        return fail(ErrorCode::kVerification, Cause::kMalformed,
                    "bundle malformed: " + std::string(entry.path) + " " + key.error().message,
                    std::string(kDamagedHint));
      return malformed(entry.path, key.error().message);
    }
    if (*key != head_->source_key) return malformed(entry.path, "its key is not that of source_did");
  } else if (entry.kind == EntryKind::kPrivateKey) {
    const auto key = crypto::SigningKey::from_seed(entry.content);
    if (!key || key->public_key() != head_->source_key) return malformed(entry.path, "does not derive source_did");
  }
  return {};
}

Result<BundleEntry> BundleReader::Impl::give_service_file() {
  TRY(end_sections_before(section_));
  service_file_given_ = true;
  BundleEntry entry;
  entry.kind = EntryKind::kServiceFile;
  entry.path = service_file_->path;
  entry.size_bytes = service_file_->size_bytes;
  entry.header = &*service_file_;
  return entry;
}

Result<std::size_t> BundleReader::Impl::read_content(std::span<char> out) {
  SPL_CHECK(service_file_given_);
  const std::size_t n = TRY_TAR(tar_->read(out));
  service_file_sha256_.update({out.data(), n});
  if (tree_) TRY(tree_->take({out.data(), n}));
  return n;
}

Result<void> BundleReader::Impl::end_service_file() {
  rest_.resize(kRestBytes);
  while (TRY(read_content(rest_)) > 0) {
  }
  const Digest sha256 = service_file_sha256_.finish();
  if (tree_) TRY(tree_->leave(sha256));
  if (service_file_->type == codec::TarType::kFile) {
    std::string line;
    append_digest_line(line, sha256, service_file_->path);
    section_sha256_.update(line);
    bundle_sha256_.update(line);
  }
  service_file_.reset();
  service_file_given_ = false;
  return {};
}

Result<void> BundleReader::Impl::end_sections_before(std::size_t section) {
  for (; given_section_ < section; ++given_section_) {
    const Section& ended = manifest_.sections[given_section_];
    if (!is_wanted(given_section_)) continue;
    if (section_sha256_.finish() != ended.sha256) return malformed(ended.prefix, "its digest is not the manifest's");
    if (ended.prefix == "identity/" && ended.files != 2)
      return malformed(ended.prefix, "did_document.json and private_key.bin must both be there");
  }
  return {};
}

Result<void> BundleReader::Impl::end_bundle() {
  TRY(end_sections_before(manifest_.sections.size()));
  // What was read has verified by the digests of its sections, which are signed as well.
  if (!wanted_.empty()) {
    done_ = true;
    return {};
  }
  if (bundle_sha256_.finish() != manifest_.bundle_sha256)
    return malformed(kManifestPath, "bundle_sha256 is not the digest of the files");
  if (records_ != manifest_.record_count)
    return malformed(kManifestPath, "record_count is " + std::to_string(manifest_.record_count) + ", the bundle has " +
                                        std::to_string(records_) + " records");
  if (threads_ != manifest_.thread_count)
    return malformed(kManifestPath, "thread_count is " + std::to_string(manifest_.thread_count) + ", the bundle has " +
                                        std::to_string(threads_) + " threads");
  done_ = true;
  return {};
}

Result<std::unique_ptr<BundleReader>> BundleReader::open(Source& in, const ReaderOptions& options) {
  auto container = Container::open(in, options);
  if (!container) return as_malformed(std::move(container).error());
  auto impl = std::make_unique<Impl>(std::move(*container), std::make_unique<Head>(), options.workers);
  TRY(impl->read_head());
  return std::unique_ptr<BundleReader>(new BundleReader(std::move(impl)));
}

BundleReader::BundleReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BundleReader::~BundleReader() = default;
void BundleReader::set_records(Records records) {
  impl_->set_records(records);
}
Result<void> BundleReader::limit_to(const std::function<bool(std::string_view prefix)>& wanted) {
  return impl_->limit_to(wanted);
}
Result<void> BundleReader::again(const std::function<bool(std::string_view prefix)>& wanted) {
  impl_ = impl_->next_passage();
  return impl_->begin_again(wanted);
}
const Manifest& BundleReader::manifest() const {
  return impl_->manifest();
}
std::string_view BundleReader::manifest_text() const {
  return impl_->manifest_text();
}

const crypto::Signature& BundleReader::signature() const {
  return impl_->signature();
}
const Opening& BundleReader::opening() const {
  return impl_->opening();
}
Result<std::optional<BundleEntry>> BundleReader::next() {
  return impl_->next();
}
Result<std::size_t> BundleReader::read_content(std::span<char> out) {
  return impl_->read_content(out);
}
std::uint64_t BundleReader::tar_bytes() const {
  return impl_->tar_bytes();
}

}  // namespace spl::bundle
