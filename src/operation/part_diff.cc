#include "operation/part_diff.h"

#include <map>
#include <optional>

#include "base/encoding.h"
#include "surface/postgres/postgres.h"
#include "surface/redis/key_line.h"

namespace spl::operation {
namespace {

using bundle::SurfaceKind;

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kRefsBytesMax = 256u << 20;
constexpr std::size_t kPackHeadBytes = 12;

// Lines of a file, each without its newline.
class Lines {
 public:
  explicit Lines(BundleSide& side) : side_(side) {}

  Result<std::optional<std::string_view>> next() {
    for (;;) {
      const std::size_t end = buffer_.find('\n', looked_);
      if (end != std::string::npos) {
        const std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
        at_ = looked_ = end + 1;
        return line;
      }
      if (!TRY(read_more())) {
        if (at_ == buffer_.size()) return std::nullopt;
        return side_.malformed("its last line does not end");
      }
    }
  }
  // The next octets, fewer at the end of the file; before any other call.
  Result<std::string_view> octets(std::size_t count) {
    while (buffer_.size() - at_ < count && TRY(read_more())) {
    }
    return std::string_view(buffer_).substr(at_, count);
  }

 private:
  Result<bool> read_more() {
    buffer_.erase(0, at_);
    looked_ = buffer_.size();
    at_ = 0;
    if (buffer_.size() > surface::kKeyLineBytesMax) return side_.malformed("a line is too long");
    buffer_.resize(looked_ + kPieceBytes);
    const auto n = side_.content().read(std::span(buffer_).subspan(looked_));
    buffer_.resize(looked_ + (n ? *n : 0));
    return TRY(n) > 0;
  }

  BundleSide& side_;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t looked_ = 0;
};

// What a bundle of git says of the history that it carries: an object's id is its content's, so refs that name the same
// objects carry the same history, however it is packed.
struct GitHistory {
  std::map<std::string, std::string> refs;  // and the object's id
  std::string capabilities;
  std::string pack_head;  // with the number of objects
  bool operator==(const GitHistory&) const = default;
};

Result<GitHistory> read_history(BundleSide& side) {
  Lines lines(side);
  GitHistory history;
  std::size_t bytes = 0;
  for (bool first = true;; first = false) {
    const auto line = TRY(lines.next());
    if (!line) return side.malformed("no bundle of git");
    bytes += line->size();
    if (bytes > kRefsBytesMax) return side.malformed("it has too many refs");
    if (first) {
      if (!line->starts_with("# v") || !line->ends_with(" git bundle")) return side.malformed("no bundle of git");
      continue;
    }
    if (line->empty()) break;
    const std::size_t space = line->find(' ');
    if (line->starts_with('@') || line->starts_with('-')) {
      history.capabilities.append(*line).append("\n");
    } else if (space == std::string_view::npos) {
      return side.malformed("no bundle of git");
    } else if (line->substr(space + 1) != "HEAD") {
      history.refs.emplace(line->substr(space + 1), line->substr(0, space));
    }
  }
  history.pack_head = TRY(lines.octets(kPackHeadBytes));
  return history;
}

// Adds to `counts` what is in one of two ordered maps and not in the other.
ItemCounts compare_refs(const GitHistory& a, const GitHistory& b) {
  ItemCounts counts;
  for (const auto& [name, id] : a.refs) {
    const auto other = b.refs.find(name);
    if (other == b.refs.end()) {
      ++counts.removed;
    } else if (other->second != id) {
      ++counts.changed;
    }
  }
  for (const auto& [name, id] : b.refs) counts.added += a.refs.contains(name) ? 0 : 1;
  return counts;
}

// The lines of a db-<n>.ndjson, one a key, ascending by the key's octets.
class RedisKeys {
 public:
  explicit RedisKeys(BundleSide& side) : side_(side), lines_(side) {}

  Result<void> next() {
    constexpr std::string_view kBegin = "{\"key\":\"";
    const auto line = TRY(lines_.next());
    there_ = line.has_value();
    if (!there_) return {};
    const std::size_t end = line->starts_with(kBegin) ? line->find('"', kBegin.size()) : std::string_view::npos;
    if (end == std::string_view::npos) return side_.malformed("a line is no key");
    auto key = base::from_base64(line->substr(kBegin.size(), end - kBegin.size()));
    if (!key) return side_.malformed("a key is not base64");
    key_ = std::move(*key);
    value_.assign(line->substr(end));
    return {};
  }
  [[nodiscard]] bool there() const { return there_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const std::string& value() const { return value_; }

 private:
  BundleSide& side_;
  Lines lines_;
  bool there_ = false;
  std::string key_;
  std::string value_;  // type, expiry and dump, as they are written
};

Result<ItemCounts> compare_keys(BundleSide& side_a, BundleSide& side_b) {
  RedisKeys a(side_a);
  RedisKeys b(side_b);
  TRY(a.next());
  TRY(b.next());
  ItemCounts counts;
  while (a.there() || b.there()) {
    const bool only_a = !b.there() || (a.there() && a.key() < b.key());
    const bool only_b = !a.there() || (b.there() && b.key() < a.key());
    if (only_a) {
      ++counts.removed;
    } else if (only_b) {
      ++counts.added;
    } else if (a.value() != b.value()) {
      ++counts.changed;
    }
    if (!only_b) TRY(a.next());
    if (!only_a) TRY(b.next());
  }
  return counts;
}

bool is_history(const BundleSide& side) {
  return side.kind() == SurfaceKind::kGit && side.path().ends_with(".bundle");
}
bool is_keys(const BundleSide& side) {
  return side.kind() == SurfaceKind::kRedis && side.rest().starts_with("db-");
}

bool is_dump(const BundleSide& side) {
  return side.kind() == SurfaceKind::kPostgres && side.rest() == surface::kDumpArchive;
}

// Whether the file is one thing of its part, and not what describes others or stands apart for them.
bool is_item(const BundleSide& side) {
  if (side.kind() == SurfaceKind::kFiles) return side.rest().starts_with("tree/");
  return side.kind() != SurfaceKind::kRedis;
}

bool none(const ItemCounts& counts) {
  return counts.added + counts.removed + counts.changed == 0;
}

}  // namespace

ItemCounts& ItemCounts::operator+=(const ItemCounts& other) {
  added += other.added;
  removed += other.removed;
  changed += other.changed;
  touched += other.touched;
  return *this;
}

std::string_view items_of(SurfaceKind kind) {
  switch (kind) {
    case SurfaceKind::kFiles:
      return "entries";
    case SurfaceKind::kGit:
      return "refs and repositories";
    case SurfaceKind::kSqlite:
      return "databases";
    case SurfaceKind::kRedis:
      return "keys";
    case SurfaceKind::kPostgres:
    case SurfaceKind::kMariadb:
    case SurfaceKind::kCommand:
      break;
  }
  return "dumps";
}

Result<std::uint64_t> count_items(BundleSide& side) {
  if (is_history(side)) return TRY(read_history(side)).refs.size();
  if (!is_keys(side)) return is_item(side) ? 1 : 0;
  Lines lines(side);
  std::uint64_t keys = 0;
  while (TRY(lines.next())) ++keys;
  return keys;
}

Result<FileComparison> compare_service_file(BundleSide& a, BundleSide& b, surface::DumpContent& dumps) {
  if (a.kind() == b.kind() && is_history(a)) {
    const GitHistory history_a = TRY(read_history(a));
    const GitHistory history_b = TRY(read_history(b));
    return FileComparison{history_a == history_b, compare_refs(history_a, history_b)};
  }
  if (a.kind() == b.kind() && is_keys(a)) {
    const ItemCounts counts = TRY(compare_keys(a, b));
    return FileComparison{none(counts), counts};
  }
  if (a.kind() == b.kind() && is_dump(a)) {
    const Digest content_a = TRY(dumps.digest(a.content(), a.shown()));
    const Digest content_b = TRY(dumps.digest(b.content(), b.shown()));
    const bool same = content_a == content_b;
    return FileComparison{same, {.changed = same ? 0U : 1U}};
  }
  FileComparison comparison;
  comparison.same = TRY(a.digest()) == TRY(b.digest());
  if (!is_item(a)) return comparison;
  comparison.counts.changed = comparison.same ? 0 : 1;
  const codec::TarEntry& of_a = *a.header();
  const codec::TarEntry& of_b = *b.header();
  const bool touched = of_a.uid != of_b.uid || of_a.gid != of_b.gid || of_a.mtime_s != of_b.mtime_s;
  comparison.counts.touched = comparison.same && touched ? 1 : 0;
  return comparison;
}

}  // namespace spl::operation
