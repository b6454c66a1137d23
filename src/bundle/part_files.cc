#include "bundle/part_files.h"

#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/encoding.h"
#include "bundle/layout.h"
#include "codec/enum_names.h"
#include "record/thread.h"

namespace spl::bundle {
namespace {

constexpr std::size_t kEncodedBytesMax = 200;
constexpr std::string_view kBundleSuffix = ".bundle";
constexpr std::string_view kDescriptionSuffix = ".json";

bool is_kept(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// An uppercase digit's value; 16 for anything else.
unsigned hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  return c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10) : 16;
}

// <encoded name><suffix>
bool is_named(std::string_view path, std::string_view suffix) {
  return path.ends_with(suffix) && is_encoded_name(path.substr(0, path.size() - suffix.size()));
}

// Of services/<service>/<surface>/<part>/.
bool is_of_a_context(std::string_view prefix) {
  return !prefix.ends_with("/" + std::string(kWholeInstance) + "/");
}

// db-<n>.ndjson, n as it is counted. A part of a split holds one database, called db-0.
bool is_redis_database(std::string_view path, bool split) {
  constexpr std::string_view kPrefix = "db-";
  constexpr std::string_view kSuffix = ".ndjson";
  constexpr std::size_t kDigitsMax = 9;
  if (!path.starts_with(kPrefix) || !path.ends_with(kSuffix)) return false;
  path.remove_prefix(kPrefix.size());
  if (path.size() <= kSuffix.size()) return false;
  path.remove_suffix(kSuffix.size());
  if (path.size() > kDigitsMax || !std::ranges::all_of(path, [](char c) { return c >= '0' && c <= '9'; })) return false;
  return path == "0" || (path.front() != '0' && !split);
}

// large/<sha256 hex>
bool is_large_value(std::string_view path) {
  constexpr std::string_view kFolder = "large/";
  Digest digest;
  return path.starts_with(kFolder) && base::parse_hex_digest(path.substr(kFolder.size()), digest);
}

// Whether a part of a surface of this kind may hold a file of this path.
bool may_hold(SurfaceKind kind, std::string_view prefix, std::string_view path) {
  switch (kind) {
    case SurfaceKind::kFiles:
      return path == "tree.mtree" || path == "tree.attrs.ndjson" || path.starts_with("tree/");
    case SurfaceKind::kGit:
      return is_named(path, kBundleSuffix) || is_named(path, kDescriptionSuffix);
    case SurfaceKind::kSqlite:
      return is_named(path, ".sqlite");
    case SurfaceKind::kPostgres:
      return path == "dump.pgc";
    case SurfaceKind::kMariadb:
      return path == "dump.sql";
    case SurfaceKind::kRedis:
      return is_redis_database(path, is_of_a_context(prefix)) || is_large_value(path);
    case SurfaceKind::kCommand:
      return path == "dump.bin";
  }
  return false;
}

}  // namespace

bool is_encoded_name(std::string_view text) {
  if (text == "%") return true;
  Digest digest;
  if (text.starts_with("%%")) return base::parse_hex_digest(text.substr(2), digest);
  if (text.empty() || text.front() == '.' || text.size() > kEncodedBytesMax) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_kept(text[i])) continue;
    if (text[i] != '%' || i + 2 >= text.size()) return false;
    const unsigned high = hex_value(text[i + 1]);
    const unsigned low = hex_value(text[i + 2]);
    if (high > 15 || low > 15) return false;
    const char decoded = static_cast<char>(high << 4 | low);
    if (is_kept(decoded) && !(i == 0 && decoded == '.')) return false;
    i += 2;
  }
  return true;
}

std::string encoded_name(std::string_view name) {
  return record::thread_directory(name);
}

std::optional<std::string> decoded_name(std::string_view encoded) {
  if (!is_encoded_name(encoded) || encoded.starts_with("%%")) return std::nullopt;
  std::string name;
  if (encoded == "%") return name;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      name += encoded[i];
      continue;
    }
    name += static_cast<char>(hex_value(encoded[i + 1]) << 4 | hex_value(encoded[i + 2]));
    i += 2;
  }
  return name;
}

void PartFiles::begin(std::string_view prefix, std::optional<SurfaceKind> kind) {
  prefix_ = prefix;
  kind_ = kind;
  unpaired_.clear();
}

Result<void> PartFiles::add(std::string_view path) {
  SPL_CHECK(kind_);
  if (!may_hold(*kind_, prefix_, path))
    return malformed(std::string(prefix_).append(path),
                     "a surface of the kind " + std::string(codec::enum_name(*kind_)) + " has no such file");
  return kind_ == SurfaceKind::kGit ? check_pairs(path) : Result<void>();
}

Result<void> PartFiles::end() {
  if (unpaired_.empty()) return {};
  const std::string& name = unpaired_.back();
  return malformed(std::string(prefix_).append(name).append(kBundleSuffix),
                   "stands without its " + base::escaped(name) + std::string(kDescriptionSuffix));
}

// X.json comes after X.bundle, and after all whose names begin with X and stand between the two.
Result<void> PartFiles::check_pairs(std::string_view path) {
  if (!unpaired_.empty() && path >= unpaired_.back() + std::string(kDescriptionSuffix)) {
    if (path != unpaired_.back() + std::string(kDescriptionSuffix)) return end();
    unpaired_.pop_back();
    return {};
  }
  if (path.ends_with(kBundleSuffix)) unpaired_.emplace_back(path.substr(0, path.size() - kBundleSuffix.size()));
  return {};
}

}  // namespace spl::bundle
