// Reads a bundle from its first byte to its last and believes nothing: every rule of docs/formats/bundle.md is checked
// on the way, on all cores, in bounded memory. What next() gives is not verified as a whole before next() has said
// that there is nothing more: until then the caller may only stage. Where it was limited to some sections only those
// are read, each held to its own signed digest.
//
// Errors about the bundle have the code kVerification; those of the source keep their own. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "bundle/layout.h"
#include "bundle/manifest.h"
#include "bundle/opening.h"
#include "codec/tar.h"
#include "crypto/age.h"
#include "record/record.h"

namespace spl::bundle {

struct ReaderOptions {
  std::span<const crypto::AgeIdentity> identities;  // outlives the reader
  const SecretBytes* passphrase = nullptr;          // outlives the reader
  std::size_t workers = 1;
};

// An error of age, zstd or tar as the reader reports it.
std::unexpected<Error> as_malformed(Error error);

// One file of the bundle. The views and the record live until the next call of next().
struct BundleEntry {
  EntryKind kind = EntryKind::kRecord;
  std::string_view path;
  std::uint64_t size_bytes = 0;
  Digest sha256;                            // of the content; not of a kServiceFile, which is read by read_content()
  std::string_view content;                 // empty for a kServiceFile
  const Record* record = nullptr;           // of a kRecord, where they are given
  const codec::TarEntry* header = nullptr;  // of a kServiceFile
};

class BundleReader {
 public:
  // Reads and checks manifest and signature. `in` outlives the reader.
  static Result<std::unique_ptr<BundleReader>> open(Source& in, const ReaderOptions& options);
  ~BundleReader();

  [[nodiscard]] const Manifest& manifest() const;
  [[nodiscard]] std::string_view manifest_text() const;
  [[nodiscard]] const crypto::Signature& signature() const;  // over manifest_text(), by source_did; it is valid
  // How the file was really encrypted.
  [[nodiscard]] const Opening& opening() const;
  // What next() does with records; kChecked where nothing else was said. Before the first next().
  void set_records(Records records);
  // What next() gives is limited to sections whose prefix is `wanted`, where the file can be sought: the others are not
  // read, and nothing is said of them. From a pipe all is read, checked and given. Before the first next().
  Result<void> limit_to(const std::function<bool(std::string_view prefix)>& wanted);
  // After next() has said that all has verified: the sections that are `wanted` are given once more, and each is held
  // to its signed digest again, for a file can be changed meanwhile. Where the file has no table to seek by, all is
  // given. The source can be sought by now (base::SeekableSource).
  Result<void> again(const std::function<bool(std::string_view prefix)>& wanted);
  // The next file after manifest and signature; nothing when the whole bundle has verified.
  Result<std::optional<BundleEntry>> next();
  // Some content of a kServiceFile; 0 when there is no more. What is not read is still checked by the next next().
  Result<std::size_t> read_content(std::span<char> out);
  // Bytes of the tar read so far, for progress.
  [[nodiscard]] std::uint64_t tar_bytes() const;

 private:
  struct Head;
  class Impl;
  explicit BundleReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace spl::bundle
