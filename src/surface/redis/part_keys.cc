#include "surface/redis/part_keys.h"

#include <cstring>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::size_t kHeldOfAllBytes = 16u << 20;
constexpr std::size_t kHeldOfPartBytes = 2u << 20;  // of a split: there may be many
constexpr std::size_t kShortBodyBytesMax = 4096;    // goes with its key, so that it is read in order
constexpr std::size_t kPieceBytes = 3u << 18;       // base64 of it needs no padding
constexpr std::string_view kFolder = "large/";

// What is sorted after a key.
struct Content {
  std::int64_t expires_at_ms = 0;
  std::uint64_t at = 0;
  std::uint64_t bytes = 0;
  Digest digest;
  RedisType type = RedisType::kString;
  bool expires = false;
  bool is_short = false;  // the body follows
};

// In the order of the file's names, then in that of the keys: a dot comes before every digit.
std::string sort_key(const std::string& database, const std::string& key) {
  return database + "." + key;
}

codec::TarEntry file_of(std::string path, std::uint64_t bytes) {
  codec::TarEntry entry;
  entry.path = std::move(path);
  entry.size_bytes = bytes;
  entry.mode = 0600;
  return entry;
}

}  // namespace

bool is_of_a_restore(std::string_view key) {
  constexpr std::string_view kBefore = "spl:";
  constexpr std::size_t kDigits = 16;
  return key.size() > kBefore.size() + kDigits && key.starts_with(kBefore) && key[kBefore.size() + kDigits] == ':' &&
         key.substr(kBefore.size(), kDigits).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<PartKeys> PartKeys::make(const Surroundings& surroundings, RedisShare share) {
  const std::size_t held = share.database || !share.prefix.empty() ? kHeldOfPartBytes : kHeldOfAllBytes;
  auto keys = TRY(spool::SortedRuns::make(surroundings.env, surroundings.spool, held));
  auto bodies = TRY(spool::Spool::make(surroundings.env, surroundings.spool));
  return PartKeys(std::move(share), std::move(keys), std::move(bodies));
}

Result<void> PartKeys::begin_key(const RdbKey& key) {
  database_ = share_.database ? "0" : std::to_string(key.database);
  head_ = {key.key, key.type, key.expires_at_ms};
  held_.clear();
  body_ = {bodies_.size_bytes(), 0};
  digest_.reset();
  return {};
}

Result<void> PartKeys::spool_held() {
  if (!digest_) digest_.emplace();
  digest_->update(held_);
  TRY(bodies_.append(held_));
  held_.clear();
  return {};
}

Result<void> PartKeys::body(std::string_view piece) {
  held_ += piece;
  body_.bytes += piece.size();
  return body_.bytes > kShortBodyBytesMax ? spool_held() : Result<void>();
}

Result<void> PartKeys::end_key() {
  Content content;
  content.expires = head_.expires_at_ms.has_value();
  content.expires_at_ms = head_.expires_at_ms.value_or(0);
  content.type = head_.type;
  content.at = body_.at;
  content.bytes = body_.bytes;
  content.is_short = !digest_;
  const bool is_large = body_.bytes > kLineBodyBytesMax;
  if (is_large) {
    content.digest = digest_->finish();
    large_.emplace(content.digest, body_);
  }
  std::string octets(sizeof content, '\0');
  std::memcpy(octets.data(), &content, sizeof content);
  octets += held_;
  TRY(keys_.add(sort_key(database_, head_.key), octets));
  Database& database = databases_[database_];
  ++database.keys;
  database.line_bytes += is_large ? large_key_line(head_, content.digest).size()
                                  : key_line_begin(head_).size() + base64_bytes(body_.bytes) + kKeyLineEnd.size();
  return {};
}

Result<void> PartKeys::write_line(std::string_view key, std::string_view octets, PartSink& out) {
  Content content;
  std::memcpy(&content, octets.data(), sizeof content);
  octets.remove_prefix(sizeof content);
  KeyHead head{std::string(key), content.type, {}};
  if (content.expires) head.expires_at_ms = content.expires_at_ms;
  if (content.bytes > kLineBodyBytesMax) return out.write(large_key_line(head, content.digest));
  std::string line = key_line_begin(head);
  if (content.is_short) {
    line += base::to_base64(octets);
    line += kKeyLineEnd;
    return out.write(line);
  }
  TRY(out.write(line));
  buffer_.resize(kPieceBytes);
  for (std::uint64_t done = 0; done < content.bytes;) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, content.bytes - done));
    const std::size_t n = TRY(bodies_.read_at(content.at + done, std::span(buffer_).first(wanted)));
    if (n != wanted) return fail(Cause::kSpool, "the spool ends within a value");
    TRY(out.write(base::to_base64(std::string_view(buffer_).substr(0, n))));
    done += n;
  }
  return out.write(kKeyLineEnd);
}

Result<void> PartKeys::write_body(Body body, PartSink& out) {
  buffer_.resize(kPieceBytes);
  while (body.bytes > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, body.bytes));
    const std::size_t n = TRY(bodies_.read_at(body.at, std::span(buffer_).first(wanted)));
    if (n != wanted) return fail(Cause::kSpool, "the spool ends within a value");
    TRY(out.write(std::string_view(buffer_).substr(0, n)));
    body.at += n;
    body.bytes -= n;
  }
  return {};
}

Result<void> PartKeys::stream(PartSink& out, base::Progress& progress) {
  TRY(keys_.rewind());
  std::string_view key;
  std::string_view content;
  std::uint64_t done = 0;
  for (const auto& [name, database] : databases_) {
    TRY(out.begin(file_of("db-" + name + ".ndjson", database.line_bytes)));
    for (std::uint64_t i = 0; i < database.keys; ++i) {
      if (progress.cancelled()) return base::fail_cancelled("there is no bundle");
      if (done++ % 1024 == 0) progress.update("writing keys", done, keys_.entries(), "keys");
      if (!TRY(keys_.next(key, content))) return fail(Cause::kSpool, "the spool has fewer keys than it took");
      TRY(write_line(key.substr(name.size() + 1), content, out));
    }
  }
  for (const auto& [digest, body] : large_) {
    TRY(out.begin(file_of(std::string(kFolder) + base::to_hex(digest.view()), body.bytes)));
    TRY(write_body(body, out));
  }
  return {};
}

}  // namespace spl::surface
