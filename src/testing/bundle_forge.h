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
  // Changes the header's blocks after they were made; the checksum of the last one is computed again afterwards.
  std::function<void(std::string& header_blocks)> edit_header;
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
  // Done to the finished signature.
  std::function<void(std::string&)> edit_signature;

  [[nodiscard]] const crypto::SigningKey& key() const { return key_; }
  // With what the entries bear out.
  [[nodiscard]] bundle::Manifest manifest() const;
  [[nodiscard]] std::string tar() const;
  [[nodiscard]] std::string tar_zst() const;

  std::vector<ForgedEntry> entries;

 private:
  crypto::SigningKey key_;
};

// Puts the right checksum into a 512-byte header.
void fix_checksum(std::string& blocks, std::size_t header_at);

}  // namespace spl::testing
