#include "bundle/writer.h"

#include <algorithm>

#include "base/check.h"
#include "base/encoding.h"
#include "base/utf8.h"
#include "bundle/digest.h"
#include "bundle/layout.h"
#include "codec/tar.h"
#include "record/own_thread.h"
#include "record/thread.h"

namespace spl::bundle {
namespace {

constexpr int kZstdLevel = 3;
constexpr std::size_t kFrameBytesMax = 16u << 20;  // of tar: what a reader of one part must decompress at most
constexpr std::size_t kBatchesInFlightPerWorker = 2;
// Whatever the number of cores: what they hold is memory, and one thread that reads the store feeds no more of them.
constexpr std::size_t kBatchesInFlightMax = 16;
constexpr std::size_t kInFlightBytesMax = 80u << 20;

struct Span {
  std::size_t begin = 0;
  std::size_t size = 0;
};

void append_entry(std::string& tar, codec::TarEntry& entry, std::string_view content) {
  entry.size_bytes = content.size();
  codec::append_tar_header(tar, entry);
  tar += content;
  tar.append(codec::tar_padding(content.size()), '\0');
}

std::unexpected<Error> damaged(const RecordId& id, std::string_view what) {
  return fail(Cause::kStoreDamaged, "record " + id.hex() + ": the store " + std::string(what), "run spl doctor");
}

// What a thread uses again for every batch. Were it allocated anew, the allocator would keep what is freed in pieces:
// an export's memory would grow with the number of batches.
struct Workbench {
  codec::ZstdCompressor compressor{kZstdLevel};
  std::string tar;
  std::string frame;  // as large as a frame might become; what it became is copied out
};

Workbench& workbench() {
  thread_local Workbench bench;
  return bench;
}

void compress(std::string_view tar, std::string& out, std::vector<codec::SeekFrame>& frames) {
  auto& [compressor, ignored, frame] = workbench();
  while (!tar.empty()) {
    const std::string_view piece = tar.substr(0, kFrameBytesMax);
    frame.clear();
    compressor.compress_frame(piece, frame);
    out += frame;
    frames.push_back({static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(piece.size())});
    tar.remove_prefix(piece.size());
  }
}

}  // namespace

// One file: everything as places in the batch's arena.
struct BundleWriter::Item {
  Span path;
  Span content;  // of a record: its canonical form
  std::optional<RecordId> record;
  std::optional<Span> judged_by;
  std::optional<Span> sig;
  std::optional<std::size_t> header;  // of an entry that is no plain file: which one of the batch's
  // Of a piece of a large entry: its content is tar as it is. The last one has the digest line.
  bool is_raw = false;
  std::optional<Span> digest_line;
  std::uint64_t raw_content_bytes = 0;
};

struct BundleWriter::Batch {
  std::string arena;
  std::vector<Item> items;
  std::vector<codec::TarEntry> headers;  // without paths

  Batch() { arena.reserve(kBatchBytes); }
  // Empty again, with its room; but not with that of a giant.
  void clear() {
    items.clear();
    headers.clear();
    arena.clear();
    if (arena.capacity() > 2 * kBatchBytes) *this = Batch();
  }
  Span keep(std::string_view octets) {
    arena += octets;
    return {arena.size() - octets.size(), octets.size()};
  }
  [[nodiscard]] std::string_view at(Span span) const { return std::string_view(arena).substr(span.begin, span.size); }
};

// A batch, ready for the spool.
struct BundleWriter::Packed {
  Result<void> outcome;
  std::string octets;  // frames, or the tar itself
  std::vector<codec::SeekFrame> frames;
  std::string digest_lines;
  std::uint64_t files = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t tar_bytes = 0;
  std::unique_ptr<Batch> emptied;  // to be filled again
};

BundleWriter::Packed BundleWriter::pack(std::unique_ptr<Batch> batch, Compression compression) {
  Packed packed;
  std::string& tar = workbench().tar;
  tar.clear();
  tar.reserve(kBatchBytes + 2 * codec::kTarBlock);
  codec::TarEntry entry;
  std::string with_sig;
  record::OwnThread own;
  for (const Item& item : batch->items) {
    std::string_view content = batch->at(item.content);
    if (item.is_raw) {
      tar += content;
      if (item.digest_line) {
        packed.digest_lines += batch->at(*item.digest_line);
        packed.content_bytes += item.raw_content_bytes;
        ++packed.files;
      }
      continue;
    }
    if (item.header) entry = std::move(batch->headers[*item.header]);
    entry.path = batch->at(item.path);
    if (item.header && entry.type != codec::TarType::kFile) {
      codec::append_tar_header(tar, entry);
      entry = codec::TarEntry();
      continue;
    }
    Digest sha256 = crypto::sha256(content);
    if (item.record) {
      if (sha256 != item.record->digest) {
        packed.outcome = damaged(*item.record, "has content under its id that does not hash to it");
        return packed;
      }
      if (!own.lies_in(content, parts_of_record_path(entry.path).directory)) {
        packed.outcome = damaged(*item.record, "has it in another thread than its own");
        return packed;
      }
      if (item.judged_by || item.sig) {
        const auto view = [&batch](const std::optional<Span>& span) {
          return span ? std::optional(batch->at(*span)) : std::nullopt;
        };
        with_sig = record::file_text(content, view(item.judged_by), view(item.sig));
        content = with_sig;
        if ((item.judged_by && !base::is_utf8(batch->at(*item.judged_by))) || content.size() > base::kRecordBytesMax) {
          packed.outcome = damaged(*item.record, "has a judged_by with it that no record can have");
          return packed;
        }
        sha256 = crypto::sha256(content);
      }
    }
    append_entry(tar, entry, content);
    append_digest_line(packed.digest_lines, sha256, entry.path);
    packed.content_bytes += content.size();
    ++packed.files;
    if (item.header) entry = codec::TarEntry();
  }
  packed.tar_bytes = tar.size();
  batch->clear();
  packed.emptied = std::move(batch);
  if (compression == Compression::kZstd) {
    compress(tar, packed.octets, packed.frames);
  } else {
    packed.octets = tar;
  }
  return packed;
}

BundleWriter::BundleWriter(spool::Spool spool, const WriterOptions& options)
    : spool_(std::move(spool)),
      compression_(options.compression),
      batch_bytes_(options.batch_bytes),
      batch_(std::make_unique<Batch>()),
      pool_(std::make_unique<Pool>(
          std::min(options.workers, kBatchesInFlightMax),
          std::min(kBatchesInFlightPerWorker * options.workers, kBatchesInFlightMax),
          [compression = options.compression](std::unique_ptr<Batch>&& batch) {
            return pack(std::move(batch), compression);
          },
          kInFlightBytesMax)) {}

BundleWriter::~BundleWriter() = default;

Result<void> BundleWriter::begin_section(std::string prefix) {
  TRY(end_section());
  SPL_CHECK(sections_.empty() || sections_.back().prefix < prefix);
  sections_.push_back({std::move(prefix), 0, 0, {}, body_bytes_});
  in_section_ = true;
  return {};
}

// Called before something of `bytes` is put into the batch.
Result<void> BundleWriter::make_room(std::size_t bytes) {
  SPL_CHECK(in_section_);
  const std::uint64_t tar_bytes = 2 * codec::kTarBlock + bytes;
  if (pending_bytes_ > 0 && pending_bytes_ + tar_bytes > batch_bytes_) TRY(push_batch());
  pending_bytes_ += tar_bytes;
  return {};
}

Result<void> BundleWriter::add_file(std::string_view path, std::string_view content) {
  TRY(make_room(content.size()));
  Item item;
  item.path = batch_->keep(path);
  item.content = batch_->keep(content);
  batch_->items.push_back(item);
  return {};
}

Result<void> BundleWriter::begin_entry(const codec::TarEntry& entry) {
  SPL_CHECK(entry_left_bytes_ == 0);
  SPL_CHECK(entry.type == codec::TarType::kFile || entry.size_bytes == 0);
  entry_ = entry;
  entry_left_bytes_ = entry.size_bytes;
  entry_is_raw_ = entry.size_bytes > batch_bytes_ / 2;
  TRY(make_room(entry.path.size() + entry.link.size() + (entry_is_raw_ ? 0 : entry.size_bytes)));
  if (entry_is_raw_) {
    std::string header;
    codec::append_tar_header(header, entry);
    add_raw(header);
    return {};
  }
  Item item;
  item.path = batch_->keep(entry.path);
  item.content = {batch_->arena.size(), static_cast<std::size_t>(entry.size_bytes)};
  item.header = batch_->headers.size();
  batch_->headers.push_back(entry);
  batch_->headers.back().path.clear();
  batch_->items.push_back(item);
  return {};
}

Result<void> BundleWriter::write(std::string_view octets) {
  SPL_CHECK(octets.size() <= entry_left_bytes_);
  entry_left_bytes_ -= octets.size();
  if (!entry_is_raw_) {
    batch_->arena += octets;
    return {};
  }
  entry_sha256_.update(octets);
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, batch_bytes_ / 2);
    TRY(make_room(piece.size()));
    add_raw(piece);
    octets.remove_prefix(piece.size());
  }
  if (entry_left_bytes_ == 0) end_entry();
  return {};
}

// A piece of tar, as it is.
void BundleWriter::add_raw(std::string_view tar) {
  Item item;
  item.is_raw = true;
  item.content = batch_->keep(tar);
  batch_->items.push_back(item);
}

// The last octet of a large entry came.
void BundleWriter::end_entry() {
  add_raw(std::string(codec::tar_padding(entry_.size_bytes), '\0'));
  std::string line;
  append_digest_line(line, entry_sha256_.finish(), entry_.path);
  Item& last = batch_->items.back();
  last.digest_line = batch_->keep(line);
  last.raw_content_bytes = entry_.size_bytes;
}

Result<void> BundleWriter::follow(std::string_view directory, const RecordId& id) {
  const bool same = record_count_ > 0 && directory == last_directory_;
  if (same && id <= last_id_) return damaged(id, "gives it twice or out of order");
  if (!same) {
    // A slash follows a directory in a path.
    const std::string before = last_directory_ + "/";
    if (record_count_ > 0 && std::string(directory) + "/" <= before)
      return damaged(id, "gives its thread twice or out of order");
    last_directory_ = directory;
    ++thread_count_;
  }
  last_id_ = id;
  ++record_count_;
  return {};
}

Result<void> BundleWriter::add_record(std::string_view directory, const RecordToWrite& record) {
  TRY(follow(directory, record.id));
  TRY(make_room(record.canonical.size() + (record.judged_by ? record.judged_by->size() : 0)));
  Item item;
  item.path = batch_->keep(record::record_path(directory, record.id));
  item.content = batch_->keep(record.canonical);
  item.record = record.id;
  if (record.judged_by) item.judged_by = batch_->keep(*record.judged_by);
  if (record.sig) item.sig = batch_->keep(*record.sig);
  batch_->items.push_back(item);
  return {};
}

Result<void> BundleWriter::push_batch() {
  while (pool_->full()) TRY(take_packed());
  const std::size_t bytes = batch_->arena.size();
  pool_->push(std::move(batch_), bytes);
  batch_ = spare_ ? std::move(spare_) : std::make_unique<Batch>();
  pending_bytes_ = 0;
  return {};
}

Result<void> BundleWriter::take_packed() {
  Packed packed = pool_->pop();
  TRY(std::move(packed.outcome));
  Section& section = sections_.back();
  section.files += packed.files;
  section.bytes += packed.content_bytes;
  section_sha256_.update(packed.digest_lines);
  bundle_sha256_.update(packed.digest_lines);
  body_bytes_ += packed.tar_bytes;
  for (const codec::SeekFrame& frame : packed.frames) seek_table_.add(frame.compressed_bytes, frame.decompressed_bytes);
  spare_ = std::move(packed.emptied);
  return spool_.append(packed.octets);
}

Result<void> BundleWriter::end_section() {
  SPL_CHECK(entry_left_bytes_ == 0);
  if (!in_section_) return {};
  if (!batch_->items.empty()) TRY(push_batch());
  while (!pool_->empty()) TRY(take_packed());
  Section& section = sections_.back();
  section.sha256 = section_sha256_.finish();
  if (section.files == 0) sections_.pop_back();
  in_section_ = false;
  return {};
}

Result<void> BundleWriter::finish_body(Manifest& manifest) {
  TRY(end_section());
  manifest.sections = std::move(sections_);
  manifest.bundle_sha256 = bundle_sha256_.finish();
  pool_.reset();
  return {};
}

Result<void> BundleWriter::write_out(std::string_view manifest_text, const crypto::Signature& signature, Sink& out) {
  std::string head;
  codec::TarEntry entry;
  entry.path = "manifest.json";
  append_entry(head, entry, manifest_text);
  entry.path = "manifest.sig";
  append_entry(head, entry, signature.view());
  std::string tail;
  codec::append_tar_end(tail, head.size() + body_bytes_);
  if (compression_ == Compression::kNone) {
    TRY(out.write(head));
    TRY(spool_.write_to(out));
    return out.write(tail);
  }
  codec::SeekTable whole;
  std::string octets;
  std::vector<codec::SeekFrame> frames;
  compress(head, octets, frames);
  TRY(out.write(octets));
  TRY(spool_.write_to(out));
  for (const codec::SeekFrame& frame : frames) whole.add(frame.compressed_bytes, frame.decompressed_bytes);
  for (const codec::SeekFrame& frame : seek_table_.frames())
    whole.add(frame.compressed_bytes, frame.decompressed_bytes);
  octets.clear();
  frames.clear();
  compress(tail, octets, frames);
  for (const codec::SeekFrame& frame : frames) whole.add(frame.compressed_bytes, frame.decompressed_bytes);
  whole.append_to(octets);
  return out.write(octets);
}

}  // namespace spl::bundle
