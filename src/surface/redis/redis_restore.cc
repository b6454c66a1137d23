#include <algorithm>
#include <charconv>
#include <climits>
#include <map>
#include <optional>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "surface/redis/key_line.h"
#include "surface/redis/redis.h"
#include "surface/redis/redis_share.h"
#include "surface/redis/redis_view.h"
#include "surface/redis/scratch_server.h"
#include "surface/redis/staged_keys.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::size_t kBatchKeys = 256;
constexpr std::size_t kBatchBytes = 4u << 20;
constexpr std::uint64_t kBodyBytesMax = 512u << 20;  // of a server that does not say
constexpr std::string_view kMark = "keys of redis";
constexpr std::string_view kLargeFolder = "large/";

// The lines of the part's current file.
class Lines {
 public:
  explicit Lines(PartSource& files) : files_(files) {}
  // False at the end. Good until the next call.
  Result<bool> next(std::string_view& line) {
    begin_ += used_;
    used_ = 0;
    for (std::size_t looked = begin_;;) {
      const std::size_t end = buffer_.find('\n', looked);
      if (end != std::string::npos) {
        line = std::string_view(buffer_).substr(begin_, end - begin_);
        used_ = line.size() + 1;
        return true;
      }
      looked = buffer_.size() - begin_;
      buffer_.erase(0, begin_);
      begin_ = 0;
      if (buffer_.size() > kKeyLineBytesMax)
        return fail(ErrorCode::kVerification, Cause::kMalformed, "a line is too long");
      buffer_.resize(looked + kPieceBytes);
      const std::size_t n = TRY(files_.read(std::span(buffer_).subspan(looked)));
      buffer_.resize(looked + n);
      if (n > 0) continue;
      if (buffer_.empty()) return false;
      return fail(ErrorCode::kVerification, Cause::kMalformed, "the last line does not end");
    }
  }

 private:
  PartSource& files_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t used_ = 0;
};

class SpoolBody final : public Source {
 public:
  explicit SpoolBody(spool::Spool& spool) : spool_(spool) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = TRY(spool_.read_at(at_, out));
    at_ += n;
    return n;
  }

 private:
  spool::Spool& spool_;
  std::uint64_t at_ = 0;
};

class RedisRestore final : public RestorePart {
 public:
  RedisRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : surroundings_(surroundings), place_(std::move(place)), request_(std::move(request)) {}

  Result<void> inspect(std::vector<Finding>& findings) override;
  Result<std::string> stage(PartSource& files, base::Progress& progress) override;
  Result<std::optional<SecretBytes>> staged_url(std::string_view mark) override;
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override;
  Result<void> swap(std::string_view /*mark*/) override {
    TRY(connect());
    return keys_->swap();
  }
  Result<void> swap_back(std::string_view /*mark*/) override {
    TRY(connect());
    return keys_->swap_back();
  }
  Result<void> retire(std::string_view /*mark*/) override {
    TRY(connect());
    return keys_->retire();
  }
  Result<std::vector<Count>> count_live() override {
    TRY(connect());
    return std::vector<Count>{{"keys", TRY(keys_->count_live())}};
  }
  Result<bool> has_other(std::string_view /*mark*/) override {
    TRY(connect());
    return keys_->has_other();
  }
  Result<void> discard(std::string_view /*mark*/) override {
    TRY(connect());
    return keys_->discard();
  }

 private:
  using Large = std::multimap<Digest, std::pair<std::uint32_t, KeyHead>>;  // with the live database

  Result<void> connect();
  void inspect_engine(const RedisServerFacts& facts, std::vector<Finding>& findings) const;
  Result<void> inspect_room(std::vector<Finding>& findings);
  Result<void> inspect_data(const RedisServerFacts& facts, std::vector<Finding>& findings);
  void note(std::vector<Finding>& findings, std::string check, FindingStatus status, std::string message,
            std::string hint = {}) const {
    findings.push_back({std::move(check), status, place_.subject, std::move(message), std::move(hint)});
  }
  Result<void> stage_database(std::uint32_t database, PartSource& files, base::Progress& progress);
  Result<void> stage_batch(std::uint32_t database, std::vector<KeyLine>& batch);
  Result<void> stage_large(const Digest& name, std::uint64_t bytes, PartSource& files, base::Progress& progress);
  Result<std::string> live_name(const std::string& key) const;
  Result<void> check_length(const std::string& key, std::uint64_t body_bytes) const;
  [[nodiscard]] std::unexpected<Error> no_part(std::string_view path, const std::string& why) const {
    return fail(ErrorCode::kVerification, Cause::kMalformed,
                place_.subject + ": " + base::escaped(path, 200) + ": " + why);
  }

  const Surroundings& surroundings_;
  const Place place_;
  const RestoreRequest request_;
  std::optional<RedisConnection> connection_;
  RedisShare share_;
  std::unique_ptr<StagedKeys> keys_;
  std::optional<ScratchServer> scratch_;
  Large large_;
  std::uint64_t staged_ = 0;         // keys, of them
  std::uint64_t staged_ending_ = 0;  // those that have an end
  std::uint64_t body_bytes_max_ = kBodyBytesMax;
  bool has_staged_ = false;
};

Result<void> RedisRestore::connect() {
  if (connection_ && !connection_->is_broken()) return {};
  keys_.reset();
  connection_.reset();
  const RedisAddress address = TRY_IN(place_.subject, RedisAddress::parse(place_.url.reveal()));
  share_ = TRY(redis_share_of(place_, address));
  auto connection = TRY(RedisConnection::open_loaded(address, surroundings_.env.clock, surroundings_.progress));
  connection_.emplace(std::move(connection));
  StagedKeysOptions options{request_.id, request_.keep_directory, {}};
  for (const std::string& other : place_.other_databases) {
    std::uint32_t number = 0;
    std::from_chars(other.data(), other.data() + other.size(), number);
    options.other_databases.push_back(number);
  }
  keys_ = place_.key_prefix ? staged_names(*connection_, surroundings_, share_, std::move(options))
                            : staged_databases(*connection_, surroundings_, share_, std::move(options));
  return {};
}

void RedisRestore::inspect_engine(const RedisServerFacts& facts, std::vector<Finding>& findings) const {
  constexpr std::string_view kWord = " rdb ";
  unsigned wanted = 0;
  const std::size_t at = request_.engine.find(kWord);
  const std::string_view number =
      at == std::string::npos ? "" : std::string_view(request_.engine).substr(at + kWord.size());
  if (std::from_chars(number.begin(), number.end(), wanted).ec == std::errc::result_out_of_range) wanted = UINT_MAX;
  const std::string here = "redis " + facts.version + " rdb " + std::to_string(facts.rdb_version);
  if (wanted <= facts.rdb_version) {
    note(findings, "engine", FindingStatus::kOk,
         here + " is here" +
             (request_.engine.empty() ? "" : ", the bundle is of " + base::escaped(request_.engine, 60)));
  } else {
    note(findings, "engine", FindingStatus::kStop,
         "the bundle is of " + base::escaped(request_.engine, 60) + ", which " + here + " cannot read",
         "install a Redis that is not older than the bundle's");
  }
  if (const auto version = ScratchServer::version(); !version)
    note(findings, "tools", FindingStatus::kStop,
         "values are tried in a server of their own: " + version.error().message, "install redis-server here, too");
}

Result<void> RedisRestore::inspect_room(std::vector<Finding>& findings) {
  const auto memory = TRY(connection_->info("memory"));
  const auto number = [&memory](const std::string& name) {
    const auto found = memory.find(name);
    std::uint64_t value = 0;
    if (found != memory.end())
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    return value;
  };
  const std::uint64_t most = number("maxmemory");
  const auto policy = memory.find("maxmemory_policy");
  if (most > 0 && policy != memory.end() && policy->second != "noeviction") {
    note(findings, "memory", FindingStatus::kStop,
         "the server may throw keys away when its memory is full (maxmemory-policy " + base::escaped(policy->second) +
             "), also those that are being restored",
         "CONFIG SET maxmemory-policy noeviction for the time of the restore");
  } else if (most > 0 && number("used_memory") + request_.bytes > most) {
    note(findings, "memory", FindingStatus::kStop,
         "about " + std::to_string(request_.bytes >> 20) + " MiB are staged in the server, which has " +
             std::to_string(most >> 20) + " MiB in all (maxmemory)",
         "raise maxmemory for the time of the restore");
  }
  const auto spare = TRY(spare_databases(*connection_, {}));
  if (!place_.key_prefix && spare.empty())
    note(findings, "databases", FindingStatus::kStop, "the server has no empty database to stage keys in",
         "raise `databases` in its configuration and start it again");
  return {};
}

Result<void> RedisRestore::inspect_data(const RedisServerFacts& facts, std::vector<Finding>& findings) {
  bool has_keys = false;
  if (place_.key_prefix) {
    has_keys = TRY(keys_->count_live()) > 0;
  } else if (share_.database) {
    has_keys = facts.keys.contains(*share_.database);
  } else {
    has_keys = !facts.keys.empty();
  }
  if (has_keys && request_.data == InTheWay::kStops)
    note(findings, "data", FindingStatus::kStop, "keys are in the way",
         "--replace puts the bundle's in their place, and keeps them as previous");
  return {};
}

Result<void> RedisRestore::inspect(std::vector<Finding>& findings) {
  TRY(connect());
  const RedisServerFacts facts = TRY(facts_of(*connection_));
  TRY(check_age(*connection_, facts));
  const auto replication = TRY(connection_->info("replication"));
  const auto role = replication.find("role");
  if (role != replication.end() && role->second != "master")
    note(findings, "engine", FindingStatus::kStop, "the server is a replica, which takes no writes",
         "declare the url of its master");
  const auto cluster = TRY(connection_->info("cluster"));
  if (const auto enabled = cluster.find("cluster_enabled"); enabled != cluster.end() && enabled->second == "1")
    note(findings, "engine", FindingStatus::kStop, "the server is a node of a cluster, into which nothing is restored",
         "declare the url of a server that is none");
  inspect_engine(facts, findings);
  TRY(inspect_room(findings));
  return inspect_data(facts, findings);
}

// What a key of the bundle is called here.
Result<std::string> RedisRestore::live_name(const std::string& key) const {
  // As a mark it would be believed.
  if (is_of_a_restore(key))
    return fail(ErrorCode::kStop, place_.subject + ": the key " + base::escaped(key, 100) +
                                      " has a name that restores have for what they stage");
  if (!place_.key_prefix) return key;
  const std::string& before = place_.bundled_key_prefix ? *place_.bundled_key_prefix : *place_.key_prefix;
  if (!key.starts_with(before))
    return fail(ErrorCode::kStop, place_.subject + ": the key " + base::escaped(key, 100) + " does not begin with " +
                                      base::escaped(before));
  return *place_.key_prefix + key.substr(before.size());
}

// The server closes a connection that sends it more than it takes, without an answer.
Result<void> RedisRestore::check_length(const std::string& key, std::uint64_t body_bytes) const {
  if (body_bytes <= body_bytes_max_) return {};
  return fail(ErrorCode::kStop,
              place_.subject + ": the value of the key " + base::escaped(key, 100) + " has " +
                  std::to_string(body_bytes) + " octets, and the server takes " + std::to_string(body_bytes_max_),
              "CONFIG SET proto-max-bulk-len and client-query-buffer-limit to more for the time of the restore");
}

Result<void> RedisRestore::stage_batch(std::uint32_t database, std::vector<KeyLine>& batch) {
  if (batch.empty()) return {};
  TRY_IN(place_.subject, scratch_->try_keys(batch));
  std::vector<std::string> names;
  for (const KeyLine& line : batch) {
    TRY(check_length(line.head.key, line.dump.size()));
    names.push_back(keys_->staged_name(TRY(live_name(line.head.key))));
  }
  TRY(connection_->select(TRY(keys_->database_for(database))));
  for (std::size_t i = 0; i < batch.size(); ++i)
    TRY(tell_restore(*connection_, names[i], batch[i].head.expires_at_ms, batch[i].dump));
  std::optional<std::string> refused;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const RedisReply reply = TRY(connection_->answer());
    if (reply.is_error()) refused = std::string(reply.text());
  }
  if (refused) return redis_refused(connection_->name(), "RESTORE", *refused);
  staged_ += batch.size();
  staged_ending_ += static_cast<std::uint64_t>(
      std::ranges::count_if(batch, [](const KeyLine& line) { return line.head.expires_at_ms.has_value(); }));
  batch.clear();
  return {};
}

Result<void> RedisRestore::stage_database(std::uint32_t database, PartSource& files, base::Progress& progress) {
  const std::string path = "db-" + std::to_string(database) + ".ndjson";
  Lines lines(files);
  std::string_view text;
  std::optional<std::string> last;
  std::vector<KeyLine> batch;
  std::size_t batch_bytes = 0;
  for (;;) {
    auto more = lines.next(text);
    if (!more)
      return more.error().code == ErrorCode::kVerification ? no_part(path, more.error().message)
                                                           : std::unexpected(more.error());
    if (!*more) break;
    if (progress.cancelled()) return base::fail_cancelled("nothing was restored");
    auto line = parse_key_line(text);
    if (!line) return no_part(path, "a line " + line.error().message);
    if (last && line->head.key <= *last) return no_part(path, "its keys are not in ascending order");
    last = line->head.key;
    if (line->large) {
      large_.emplace(*line->large, std::pair{database, line->head});
      continue;
    }
    batch_bytes += text.size();
    batch.push_back(std::move(*line));
    if (batch.size() < kBatchKeys && batch_bytes < kBatchBytes) continue;
    TRY(stage_batch(database, batch));
    batch_bytes = 0;
    progress.update("restoring keys", staged_, 0, "keys");
  }
  return stage_batch(database, batch);
}

// The value of one key or more. It waits in the spool: it is tried before any of them gets it.
Result<void> RedisRestore::stage_large(const Digest& name, std::uint64_t bytes, PartSource& files,
                                       base::Progress& progress) {
  auto body = TRY(spool::Spool::make(surroundings_.env, surroundings_.spool));
  crypto::Sha256 digest;
  std::string buffer(kPieceBytes, '\0');
  for (;;) {
    if (progress.cancelled()) return base::fail_cancelled("nothing was restored");
    const std::size_t n = TRY(files.read(buffer));
    if (n == 0) break;
    const std::string_view piece = std::string_view(buffer).substr(0, n);
    digest.update(piece);
    TRY(body.append(piece));
  }
  const std::string path = std::string(kLargeFolder) + base::to_hex(name.view());
  if (digest.finish() != name) return no_part(path, "is not what its name says");
  const auto [begin, end] = large_.equal_range(name);
  if (begin == end) return no_part(path, "is the value of no key");
  for (auto at = begin; at != end; ++at) {
    const auto& [database, head] = at->second;
    TRY(check_length(head.key, bytes));
    const std::string key = keys_->staged_name(TRY(live_name(head.key)));
    SpoolBody tried(body);
    TRY_IN(place_.subject, scratch_->try_large(head.type, tried, bytes));
    TRY(connection_->select(TRY(keys_->database_for(database))));
    SpoolBody given(body);
    const RedisReply reply = TRY(restore_long(*connection_, key, head.expires_at_ms, given, bytes));
    if (reply.is_error()) return redis_refused(connection_->name(), "RESTORE", reply.text());
    ++staged_;
    if (head.expires_at_ms) ++staged_ending_;
  }
  large_.erase(begin, end);
  return {};
}

Result<std::string> RedisRestore::stage(PartSource& files, base::Progress& progress) {
  TRY(connect());
  TRY(keys_->discard());
  large_.clear();
  staged_ = 0;
  staged_ending_ = 0;
  body_bytes_max_ = kBodyBytesMax;
  if (const auto most = connection_->parameter("proto-max-bulk-len"))
    std::from_chars(most->data(), most->data() + most->size(), body_bytes_max_);
  scratch_.reset();
  scratch_.emplace(TRY(ScratchServer::start(surroundings_, progress)));
  TRY(keys_->begin());
  while (const auto entry = TRY(files.next())) {
    std::string_view path = entry->path;
    Digest digest;
    if (path.starts_with(kLargeFolder) && base::parse_hex_digest(path.substr(kLargeFolder.size()), digest)) {
      TRY(stage_large(digest, entry->size_bytes, files, progress));
      continue;
    }
    constexpr std::string_view kPrefix = "db-";
    constexpr std::string_view kSuffix = ".ndjson";
    std::uint32_t database = 0;
    if (!path.starts_with(kPrefix) || !path.ends_with(kSuffix)) return no_part(path, "is no file of a redis part");
    path = path.substr(kPrefix.size(), path.size() - kPrefix.size() - kSuffix.size());
    const auto [end, error] = std::from_chars(path.begin(), path.end(), database);
    const bool is_whole = !place_.database && !place_.key_prefix;
    const bool is_number = error == std::errc{} && end == path.end() && path == std::to_string(database);
    if (!is_number || (database != 0 && !is_whole)) return no_part(entry->path, "is no file of a redis part");
    TRY(stage_database(database, files, progress));
  }
  if (!large_.empty())
    return no_part(std::string(kLargeFolder) + base::to_hex(large_.begin()->first.view()), "is missing");
  TRY(keys_->end());
  scratch_.reset();
  has_staged_ = true;
  return std::string(kMark);
}

// Of one database, which is a whole one while it is staged. Names that are staged, and a whole server's databases, have
// no address.
Result<std::optional<SecretBytes>> RedisRestore::staged_url(std::string_view mark) {
  if (!place_.database) return std::optional<SecretBytes>();
  if (mark.empty()) return std::optional(SecretBytes(std::string_view()));
  TRY(connect());
  const std::string number = std::to_string(TRY(keys_->database_for(0)));
  // What it holds is a command's from now on.
  has_staged_ = false;
  const std::string_view url = place_.url.reveal();
  const std::size_t path = url.starts_with("unix:") ? url.size() : url.find('/', url.find("//") + 2);
  std::string text;
  text.reserve(url.size() + number.size() + 8);
  text.append(url.substr(0, path)).append(url.starts_with("unix:") ? "?db=" : "/").append(number);
  SecretBytes made(text);
  explicit_bzero(text.data(), text.size());
  return std::optional(std::move(made));
}

Result<std::vector<Count>> RedisRestore::check(std::string_view /*mark*/, base::Progress& /*progress*/) {
  TRY(connect());
  const std::uint64_t keys = TRY(keys_->count_staged());
  const std::uint64_t wanted = staged_ - staged_ending_;
  if (has_staged_ && keys != wanted)
    return fail(place_.subject + ": " + std::to_string(wanted) + " keys were staged, " + std::to_string(keys) +
                " are there");
  return std::vector<Count>{{"keys", keys}};
}

}  // namespace

std::unique_ptr<RestorePart> redis_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<RedisRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
