#include "surface/redis/kept_keys.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/encoding.h"
#include "surface/redis/scratch_server.h"

namespace spl::surface {
namespace {

constexpr std::size_t kScanCount = 512;
constexpr std::int64_t kNever = -1;
constexpr std::uint64_t kShortBodyBytesMax = 64u << 10;
constexpr std::size_t kToldAtOnce = 256;
constexpr std::uint64_t kAnswersBytes = 16u << 20;

struct Head {
  std::uint64_t key_bytes = 0;
  std::uint64_t body_bytes = 0;
  std::int64_t expires_at_ms = kNever;
};

// A part of a file.
class FileBody final : public Source {
 public:
  FileBody(env::File& file, std::uint64_t at, std::uint64_t bytes) : file_(file), at_(at), left_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
    if (out.empty()) return std::size_t{0};
    const std::size_t n = TRY(file_.read_at(at_, out));
    at_ += n;
    left_ -= n;
    return n;
  }

 private:
  env::File& file_;
  std::uint64_t at_;
  std::uint64_t left_;
};

}  // namespace

Result<void> scan_keys(RedisConnection& connection, std::string_view prefix,
                       const std::function<Result<void>(const std::vector<std::string>&)>& each) {
  const std::string pattern = redis_glob_of(prefix) + "*";
  std::string cursor = "0";
  do {
    const RedisReply reply =
        TRY(connection.ask({"SCAN", cursor, "MATCH", pattern, "COUNT", std::to_string(kScanCount)}));
    cursor = reply.text(0);
    const auto keys = reply.texts(1);
    if (!keys.empty()) TRY(each(keys));
  } while (cursor != "0");
  return {};
}

Result<std::uint64_t> keep_keys(RedisConnection& connection, std::string_view prefix,
                                const std::vector<std::string>& passed_over, env::FileSystem& fs,
                                const std::string& path) {
  const auto file = TRY(fs.open(path, env::OpenMode::kCreateNew));
  std::uint64_t at = 0;
  std::uint64_t kept = 0;
  const auto append = [&](std::string_view octets) -> Result<void> {
    TRY(file->write_at(at, octets));
    at += octets.size();
    return {};
  };
  TRY(scan_keys(connection, prefix, [&](const std::vector<std::string>& keys) -> Result<void> {
    // What is asked for at once, the server holds at once.
    for (const std::string& key : keys) TRY(connection.tell({"MEMORY", "USAGE", key}));
    std::vector<std::uint64_t> sizes;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const RedisReply size = TRY(connection.answer());
      sizes.push_back(size.is_error() ? kAnswersBytes : static_cast<std::uint64_t>(size.integer()));
    }
    std::size_t asked = 0;
    const auto ask_some = [&]() -> Result<void> {
      for (std::uint64_t bytes = 0; asked < keys.size() && bytes < kAnswersBytes; ++asked) {
        bytes += sizes[asked];
        TRY(connection.tell({"PEXPIRETIME", keys[asked]}));
        TRY(connection.tell({"DUMP", keys[asked]}));
      }
      return {};
    };
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i == asked) TRY(ask_some());
      const std::string& key = keys[i];
      const RedisReply expires = TRY(connection.answer());
      const RedisReply body = TRY(connection.answer());
      // Gone meanwhile: its time was over.
      if (body.is_null() || std::ranges::find(passed_over, key) != passed_over.end()) continue;
      if (expires.is_error()) return redis_refused(connection.name(), "PEXPIRETIME", expires.text());
      if (body.is_error()) return redis_refused(connection.name(), "DUMP", body.text());
      const Head head{key.size() - prefix.size(), body.text().size(), expires.integer()};
      std::array<char, sizeof(Head)> octets{};
      std::memcpy(octets.data(), &head, sizeof head);
      TRY(append({octets.data(), octets.size()}));
      TRY(append(std::string_view(key).substr(prefix.size())));
      TRY(append(body.text()));
      ++kept;
    }
    return {};
  }));
  TRY(file->sync());
  return kept;
}

Result<void> bring_back_keys(RedisConnection& connection, std::string_view prefix, env::FileSystem& fs,
                             const std::string& path) {
  const auto file = TRY(fs.open(path, env::OpenMode::kRead));
  const std::uint64_t size = TRY(file->size());
  std::size_t told = 0;
  const auto hear = [&]() -> Result<void> {
    for (; told > 0; --told) {
      const RedisReply reply = TRY(connection.answer());
      if (reply.is_error()) return redis_refused(connection.name(), "RESTORE", reply.text());
    }
    return {};
  };
  std::string held;
  for (std::uint64_t at = 0; at < size;) {
    Head head;
    std::array<char, sizeof(Head)> octets{};
    const std::size_t n = TRY(file->read_at(at, octets));
    std::memcpy(&head, octets.data(), sizeof head);
    at += n;
    if (n != sizeof head || head.key_bytes > size - at || head.body_bytes > size - at - head.key_bytes)
      return fail(Cause::kMalformed, path + " is damaged");
    std::string key(static_cast<std::size_t>(head.key_bytes), '\0');
    TRY(file->read_at(at, key));
    at += head.key_bytes;
    key.insert(0, prefix);
    FileBody body(*file, at, head.body_bytes);
    at += head.body_bytes;
    std::optional<std::int64_t> expires;
    if (head.expires_at_ms != kNever) expires = head.expires_at_ms;
    if (head.body_bytes <= kShortBodyBytesMax) {
      held.resize(static_cast<std::size_t>(head.body_bytes));
      TRY(base::read_full(body, held));
      TRY(tell_restore(connection, key, expires, held));
      if (++told == kToldAtOnce) TRY(hear());
      continue;
    }
    TRY(hear());
    const RedisReply restored = TRY(restore_long(connection, key, expires, body, head.body_bytes));
    if (restored.is_error()) return redis_refused(connection.name(), "RESTORE", restored.text());
  }
  return hear();
}

Result<bool> KeptFiles::are_there() const {
  if (directory_.empty()) return false;
  return TRY(fs_.info(directory_)).has_value();
}

Result<std::vector<std::string>> KeptFiles::list() const {
  if (!TRY(are_there())) return std::vector<std::string>();
  return fs_.list(directory_);
}

Result<void> KeptFiles::make(const std::function<Result<std::uint64_t>(const std::string& directory)>& write) {
  if (directory_.empty()) return {};
  TRY(env::remove_tree(fs_, unfinished()));
  TRY(env::make_directories(fs_, unfinished()));
  if (TRY(write(unfinished())) == 0) return env::remove_tree(fs_, unfinished());
  TRY(fs_.sync_directory(unfinished()));
  TRY(fs_.rename(unfinished(), directory_));
  return fs_.sync_directory(env::parent_of(directory_));
}

Result<void> KeptFiles::remove() {
  if (directory_.empty()) return {};
  TRY(env::remove_tree(fs_, unfinished()));
  return env::remove_tree(fs_, directory_);
}

}  // namespace spl::surface
