// Makes a bundle: first the body, section by section, compressed on all cores into a spool while it is hashed; then,
// when the manifest can say the digests, manifest, signature and spool go out. So nothing is read twice, and the output
// may be a pipe. One thread; at most a few batches a worker are held, each of 8 MiB of tar or one record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ordered_pool.h"
#include "base/result.h"
#include "base/stream.h"
#include "bundle/manifest.h"
#include "codec/tar.h"
#include "codec/zstd.h"
#include "crypto/sha256.h"
#include "record/record.h"
#include "spool/spool.h"

namespace spl::bundle {

enum class Compression : bool { kNone, kZstd };

inline constexpr std::size_t kBatchBytes = 8u << 20;

struct WriterOptions {
  Compression compression = Compression::kZstd;
  std::size_t workers = 1;
  std::size_t batch_bytes = kBatchBytes;  // of tar: one job, one frame
};

// A record to be written, as the store gives it; the views need only live for the call.
struct RecordToWrite {
  RecordId id;
  std::string_view canonical;
  std::optional<std::string_view> judged_by;
  std::optional<std::string_view> sig;
};

class BundleWriter {
 public:
  BundleWriter(spool::Spool spool, const WriterOptions& options);
  ~BundleWriter();

  // Sections in ascending order of their prefixes, entries within in ascending order of their paths. A section that
  // gets no entry is left out of the manifest.
  Result<void> begin_section(std::string prefix);
  // A small file outside a tree: whole in memory.
  Result<void> add_file(std::string_view path, std::string_view content);
  // Any entry of any size. Exactly entry.size_bytes of content follow by write(), before anything else is added.
  Result<void> begin_entry(const codec::TarEntry& entry);
  Result<void> write(std::string_view octets);
  // Fails, here or at a later call, where no reader would take it: content that does not hash to the id, a directory
  // that is not that of its thread, a path that does not follow the one before.
  Result<void> add_record(std::string_view directory, const RecordToWrite& record);
  // How many records were added, and in how many threads.
  [[nodiscard]] std::uint64_t record_count() const { return record_count_; }
  [[nodiscard]] std::uint64_t thread_count() const { return thread_count_; }

  // Ends the body and fills in the manifest's digest and sections. Then the manifest may be completed and signed.
  Result<void> finish_body(Manifest& manifest);
  // Writes the whole file, but for encryption, which is the sink's.
  Result<void> write_out(std::string_view manifest_text, const crypto::Signature& signature, Sink& out);

 private:
  struct Item;
  struct Batch;
  struct Packed;
  using Pool = base::OrderedPool<std::unique_ptr<Batch>, Packed>;
  static Packed pack(std::unique_ptr<Batch> batch, Compression compression);
  Result<void> push_batch();
  Result<void> take_packed();
  Result<void> end_section();
  Result<void> make_room(std::size_t bytes);
  Result<void> follow(std::string_view directory, const RecordId& id);
  void add_raw(std::string_view tar);
  void end_entry();

  spool::Spool spool_;
  const Compression compression_;
  const std::size_t batch_bytes_;
  std::unique_ptr<Batch> batch_;
  std::unique_ptr<Batch> spare_;  // an emptied one, if any
  std::unique_ptr<Pool> pool_;    // until the body ends
  std::vector<Section> sections_;
  std::uint64_t body_bytes_ = 0;     // of tar, packed so far
  std::uint64_t pending_bytes_ = 0;  // of tar, not packed yet
  crypto::Sha256 section_sha256_;
  crypto::Sha256 bundle_sha256_;
  codec::SeekTable seek_table_;
  bool in_section_ = false;
  // The entry that is being written, of which so much is to come.
  codec::TarEntry entry_;
  std::uint64_t entry_left_bytes_ = 0;
  bool entry_is_raw_ = false;  // too large for one batch: hashed here, and packed piece by piece
  crypto::Sha256 entry_sha256_;
  std::uint64_t record_count_ = 0;
  std::uint64_t thread_count_ = 0;
  std::string last_directory_;  // of the record before
  RecordId last_id_;
};

}  // namespace spl::bundle
