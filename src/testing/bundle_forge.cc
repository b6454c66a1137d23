#include "testing/bundle_forge.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "base/check.h"
#include "bundle/digest.h"
#include "bundle/layout.h"
#include "codec/zstd.h"
#include "crypto/did_key.h"
#include "crypto/sha256.h"
#include "record/did_document.h"
#include "record/thread.h"

namespace spl::testing {
namespace {

constexpr std::size_t kChecksumAt = 148;

void append_entry(std::string& tar, const ForgedEntry& forged) {
  std::string header;
  codec::append_tar_header(header, forged.header);
  if (forged.edit_header) {
    forged.edit_header(header);
    if (!forged.edits_checksum) fix_checksum(header, header.size() - codec::kTarBlock);
  }
  tar += header;
  const std::string& content = forged.content_in_tar.value_or(forged.content);
  tar += content;
  tar.append(codec::tar_padding(content.size()), '\0');
}

std::string section_of(std::string_view path) {
  if (!path.starts_with(bundle::kServicesPrefix)) return std::string(path.substr(0, path.find('/') + 1));
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) at = path.find('/', at) + 1;
  return std::string(path.substr(0, at));
}

}  // namespace

void fix_checksum(std::string& blocks, std::size_t header_at) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < codec::kTarBlock; ++i) {
    const bool in_checksum = i >= kChecksumAt && i < kChecksumAt + 8;
    sum += in_checksum ? ' ' : static_cast<unsigned char>(blocks[header_at + i]);
  }
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum & 0777777);
  text[7] = ' ';
  blocks.replace(header_at + kChecksumAt, 8, text, 8);
}

BundleForge::BundleForge(std::string_view seed) : key_(std::move(*crypto::SigningKey::from_seed(seed))) {
  add(std::string(bundle::kDidDocumentPath), record::did_document_text(key_.public_key()));
  add(std::string(bundle::kPrivateKeyPath), std::string(seed));
  for (std::uint64_t clock = 0; clock < 3; ++clock) {
    add_record(make_record("th_alpha", clock));
    add_record(make_record("", clock, "{\"text\":\"caf\xc3\xa9\"}"));
  }
}

Record BundleForge::make_record(std::string_view thread, std::uint64_t clock, std::string_view body) {
  auto made =
      record::parse_record("{\"act\":\"DO\",\"actor\":\"did:example:forge\",\"body\":" + std::string(body) +
                           ",\"clock\":" + std::to_string(clock) +
                           ",\"data_type\":\"SCALAR\",\"parents\":[],\"thread\":\"" + std::string(thread) + "\"}");
  SPL_CHECK(made.has_value());
  return std::move(*made);
}

void BundleForge::add(std::string path, std::string content) {
  ForgedEntry forged;
  forged.header.path = std::move(path);
  forged.header.size_bytes = content.size();
  forged.content = std::move(content);
  const auto at = std::ranges::lower_bound(entries, forged.header.path, {},
                                           [](const ForgedEntry& e) -> const std::string& { return e.header.path; });
  entries.insert(at, std::move(forged));
}

void BundleForge::add_record(const Record& record) {
  add(record::record_path(record::thread_directory(record.thread), record.id), record::file_text(record));
}

ForgedEntry& BundleForge::entry(std::string_view path) {
  const auto at = std::ranges::find_if(entries, [path](const ForgedEntry& e) { return e.header.path == path; });
  SPL_CHECK(at != entries.end());
  return *at;
}

void BundleForge::remove(std::string_view path) {
  std::erase_if(entries, [path](const ForgedEntry& e) { return e.header.path == path; });
}

void BundleForge::swap(std::string_view first, std::string_view second) {
  std::swap(entry(first), entry(second));
}

bundle::Manifest BundleForge::manifest() const {
  bundle::Manifest manifest;
  manifest.created_at = "2026-01-31T12:00:00Z";
  manifest.created_by = "spl 0.1.0";
  manifest.source_did = crypto::did_of(key_.public_key());
  manifest.export_sequence = 1;
  manifest.snapshot = {"2026-01-31T12:00:00Z", 0, "quiesced"};
  std::string all_lines;
  std::vector<std::string> lines;  // one a section
  std::set<std::string> threads;
  std::uint64_t offset = 0;
  for (const ForgedEntry& forged : entries) {
    const std::uint64_t tar_bytes =
        codec::tar_header_bytes(forged.header) + forged.content.size() + codec::tar_padding(forged.content.size());
    const std::string& path = forged.header.path;
    if (forged.counted) {
      const std::string prefix = section_of(path);
      if (manifest.sections.empty() || manifest.sections.back().prefix != prefix) {
        manifest.sections.push_back({prefix, 0, 0, {}, offset});
        lines.emplace_back();
      }
      if (forged.header.type == codec::TarType::kFile) {
        bundle::append_digest_line(lines.back(), crypto::sha256(forged.content), path);
        manifest.sections.back().files += 1;
        manifest.sections.back().bytes += forged.content.size();
      }
      if (prefix == "records/") {
        manifest.record_count += 1;
        threads.insert(path.substr(0, path.rfind('/')));
      }
    }
    offset += tar_bytes;
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    manifest.sections[i].sha256 = crypto::sha256(lines[i]);
    all_lines += lines[i];
  }
  manifest.bundle_sha256 = crypto::sha256(all_lines);
  manifest.thread_count = threads.size();
  const auto has = [&manifest](std::string_view prefix) {
    return std::ranges::any_of(manifest.sections, [prefix](const bundle::Section& s) { return s.prefix == prefix; });
  };
  manifest.identity_included = has("identity/");
  manifest.tokens_carried = has("credentials/");
  return manifest;
}

std::vector<ForgedEntry> BundleForge::head() const {
  bundle::Manifest said = manifest();
  if (edit_manifest) edit_manifest(said);
  ForgedEntry text;
  text.header.path = bundle::kManifestPath;
  text.content = bundle::manifest_text(said);
  if (edit_manifest_text) edit_manifest_text(text.content);
  text.header.size_bytes = text.content.size();
  ForgedEntry signature;
  signature.header.path = bundle::kSignaturePath;
  signature.content = key_.sign(text.content).view();
  if (edit_signature) edit_signature(signature.content, text.content);
  signature.header.size_bytes = signature.content.size();
  std::vector<ForgedEntry> head = {std::move(text), std::move(signature)};
  if (edit_head) edit_head(head);
  return head;
}

std::uint64_t BundleForge::offset_of(std::string_view path) const {
  std::string tar;
  for (const ForgedEntry& forged : head()) append_entry(tar, forged);
  for (const ForgedEntry& forged : entries) {
    if (forged.header.path == path) break;
    append_entry(tar, forged);
  }
  return tar.size();
}

std::string BundleForge::tar() const {
  std::string tar;
  for (const ForgedEntry& forged : head()) append_entry(tar, forged);
  for (const ForgedEntry& forged : entries) append_entry(tar, forged);
  codec::append_tar_end(tar, tar.size());
  return tar;
}

std::string BundleForge::tar_zst() const {
  std::string out;
  codec::ZstdCompressor(3).compress_frame(tar(), out);
  return out;
}

}  // namespace spl::testing
