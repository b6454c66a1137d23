// manifest.json: what a bundle says about itself (docs/formats/bundle.md). Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bundle/surface_kind.h"

namespace spl::bundle {

inline constexpr std::uint64_t kBundleVersion = 1;

// What of an instance a bundle carries: all of it, one service, and either limited to one context or not.
struct Scope {
  std::optional<std::string> service;  // kind "service" where it is there
  std::optional<std::string> context;
  bool operator==(const Scope&) const = default;
};

// How the file is encrypted: not at all, for a passphrase, or for age recipients.
struct Encryption {
  enum class Kind : std::uint8_t { kNone, kPassphrase, kRecipients };
  Kind kind = Kind::kNone;
  std::vector<std::string> recipients;  // "age1...", where kRecipients
  bool operator==(const Encryption&) const = default;
};

struct Context {
  std::string name;
  std::uint64_t id = 0;
};

struct Surface {
  std::string name;
  SurfaceKind kind = SurfaceKind::kFiles;
  SurfaceClass surface_class = SurfaceClass::kSource;
  bool per_context = false;
  bool included = false;
  std::string engine;
};

struct Service {
  std::string name, version;
  std::uint64_t schema = 0;
  std::string declaration;  // TOML, for reading only: never acted on
  std::vector<Surface> surfaces;
};

struct Secret {
  std::string handle;
  SecretClass secret_class = SecretClass::kPortable;
  bool required = false;
};

struct Snapshot {
  std::string taken_at;  // RFC 3339
  std::uint64_t pause_ms = 0;
  std::string consistency = "quiesced";
};

// A part of the bundle with a digest of its own: all files whose path begins with `prefix`.
struct Section {
  std::string prefix;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of content
  Digest sha256;
  std::uint64_t offset = 0;  // of its first header, from the first byte after the manifest.sig entry; a hint
};

// What every reader of JSON can count to.
inline constexpr std::uint64_t kExportSequenceMax = (std::uint64_t{1} << 53) - 1;

struct Manifest {
  Digest bundle_sha256;
  std::string created_at;  // RFC 3339
  std::string created_by;  // "spl x.y.z"
  std::string source_did;
  Scope scope;
  Encryption encryption;
  std::uint64_t export_sequence = 0;  // at most kExportSequenceMax
  std::optional<Digest> previous;
  std::uint64_t record_count = 0;
  std::uint64_t thread_count = 0;
  bool identity_included = true;
  bool tokens_carried = false;
  std::vector<Context> contexts;
  std::vector<Service> services;
  std::vector<Secret> secrets;
  Snapshot snapshot;
  std::vector<Section> sections;  // ascending, none a prefix of another
};

// The exact octets of manifest.json.
std::string manifest_text(const Manifest& manifest);

// The bundle_version that `text` begins with. Code kVerification where it is newer than this program's, or where the
// text begins otherwise than every version does.
Result<std::uint64_t> check_version(std::string_view text);
// Strict: exactly the members of this version, in their order, each of its type and within its limits. The messages
// are rules; the caller names the entry. Code kVerification.
Result<Manifest> parse_manifest(std::string_view text);
// Of each section of a manifest that was parsed, the kind of the surface that it is a part of; none of one that is
// no service's.
std::vector<std::optional<SurfaceKind>> section_kinds(const Manifest& manifest);
// source_did of a text whose signature is not checked yet, in little more memory than the text. Code kVerification
// where it has none, is no JSON or has too many values to be parsed.
Result<std::string> peek_source_did(std::string_view text);

// A name of a service, surface or context: [a-z0-9][a-z0-9_-]{0,62}.
bool is_name(std::string_view text);

}  // namespace spl::bundle
