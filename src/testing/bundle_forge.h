// Makes bundles by hand, for tests of readers: well-formed ones, and ones that break a rule and are correctly signed
// all the same, as an attacker with a key would make them. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifest.h"
#include "codec/tar.h"
#include "crypto/ed25519.h"
#include "record/record.h"

namespace spl::testing {

struct ForgedEntry {
  codec::TarEntry header;
  std::string content;
  std::optional<std::string> content_in_tar;  // and the first of its padding, where that is another than content
  // Changes the header's blocks after they were made; the checksum of the last one is computed again afterwards, unless
  // edits_checksum is set.
  std::function<void(std::string& header_blocks)> edit_header;
  bool edits_checksum = false;
  bool counted = true;  // in the manifest's digests and sections
};

class BundleForge {
 public:
  // An instance with an identity from `seed` and a few records on several threads.
  explicit BundleForge(std::string_view seed = "forge forge forge forge forge 32");

  // A valid record by did:example:forge.
  static Record make_record(std::string_view thread, std::uint64_t clock, std::string_view body = "{}");
  // A file's place in the tar; kept sorted by path.
  void add(std::string path, std::string content);
  void add_record(const Record& record);
  ForgedEntry& entry(std::string_view path);
  void remove(std::string_view path);
  void swap(std::string_view first, std::string_view second);

  // What is done after digests, sections and counts were filled in, before signing.
  std::function<void(bundle::Manifest&)> edit_manifest;
  std::function<void(std::string&)> edit_manifest_text;
  // Done to the finished signature of the manifest.
  std::function<void(std::string& signature, std::string_view manifest_text)> edit_signature;
  // Done to manifest.json and manifest.sig, the last thing of all.
  std::function<void(std::vector<ForgedEntry>& head)> edit_head;

  [[nodiscard]] const crypto::SigningKey& key() const { return key_; }
  // With what the entries bear out.
  [[nodiscard]] bundle::Manifest manifest() const;
  // Where the entry's first header block is in tar().
  [[nodiscard]] std::uint64_t offset_of(std::string_view path) const;
  [[nodiscard]] std::string tar() const;
  [[nodiscard]] std::string tar_zst() const;

  std::vector<ForgedEntry> entries;

 private:
  [[nodiscard]] std::vector<ForgedEntry> head() const;
  crypto::SigningKey key_;
};

// Puts the right checksum into a 512-byte header.
void fix_checksum(std::string& blocks, std::size_t header_at);

}  // namespace spl::testing
