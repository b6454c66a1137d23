#include "surface/redis/redis_view.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>

#include "base/encoding.h"

namespace spl::surface {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kLookEvery{50};
constexpr std::chrono::minutes kAtRestWithin{30};
constexpr std::chrono::seconds kSilenceAtMost{60};  // of a server that sends: repl-timeout's default
constexpr std::size_t kLineBytesMax = 256;
constexpr std::size_t kEndMarkBytes = 40;
constexpr std::string_view kDelay = "repl-diskless-sync-delay";
constexpr std::string_view kDiskless = "repl-diskless-sync";

std::uint64_t number_in(const std::map<std::string, std::string>& info, const std::string& name) {
  const auto found = info.find(name);
  std::uint64_t number = 0;
  if (found != info.end()) std::from_chars(found->second.data(), found->second.data() + found->second.size(), number);
  return number;
}

std::string text_in(const std::map<std::string, std::string>& info, const std::string& name) {
  const auto found = info.find(name);
  return found == info.end() ? "" : found->second;
}

// "7.0.15" as 70015.
unsigned ordinal_of(std::string_view version) {
  std::array<unsigned, 3> parts{};
  for (unsigned& part : parts) {
    const auto [end, error] = std::from_chars(version.begin(), version.end(), part);
    if (error != std::errc{}) break;
    version.remove_prefix(static_cast<std::size_t>(end - version.begin()));
    if (version.starts_with('.')) version.remove_prefix(1);
  }
  return (parts[0] * 10000) + (parts[1] * 100) + parts[2];
}

// A parameter that is another one for as long as this lives.
class OtherParameter {
 public:
  OtherParameter(RedisConnection& server, std::string_view name, std::string_view value)
      : server_(server), name_(name), was_(server.parameter(name)) {
    if (!was_ || *was_ == value || !server_.ask({"CONFIG", "SET", name_, value})) was_.reset();
  }
  OtherParameter(const OtherParameter&) = delete;
  OtherParameter& operator=(const OtherParameter&) = delete;
  ~OtherParameter() {
    if (was_) (void)server_.ask({"CONFIG", "SET", name_, *was_});
  }

 private:
  RedisConnection& server_;
  std::string name_;
  std::optional<std::string> was_;
};

}  // namespace

unsigned rdb_version_of(std::string_view redis_version) {
  const unsigned ordinal = ordinal_of(redis_version);
  if (ordinal >= 70400) return 12;
  if (ordinal >= 70200) return 11;
  return ordinal >= 70000 ? 10 : 9;
}

std::uint64_t RedisServerFacts::all_keys() const {
  std::uint64_t sum = 0;
  for (const auto& [database, number] : keys) sum += number;
  return sum;
}

Result<RedisServerFacts> facts_of(RedisConnection& connection) {
  RedisServerFacts facts;
  facts.version = text_in(TRY(connection.info("server")), "redis_version");
  facts.rdb_version = rdb_version_of(facts.version);
  const auto memory = TRY(connection.info("memory"));
  facts.data_bytes = number_in(memory, "used_memory_dataset");
  for (const auto& [name, values] : TRY(connection.info("keyspace"))) {
    std::uint32_t database = 0;
    std::uint64_t keys = 0;
    constexpr std::string_view kPrefix = "db";
    constexpr std::string_view kKeys = "keys=";
    if (!name.starts_with(kPrefix) || !values.starts_with(kKeys)) continue;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), database);
    std::from_chars(values.data() + kKeys.size(), values.data() + values.size(), keys);
    facts.keys[database] = keys;
  }
  return facts;
}

Result<void> check_age(const RedisConnection& connection, const RedisServerFacts& facts) {
  constexpr unsigned kOldest = 70000;
  if (ordinal_of(facts.version) >= kOldest) return {};
  return fail(ErrorCode::kUnavailable,
              connection.name() + " is version " + base::escaped(facts.version) + ", and spl knows Redis from 7.0 on");
}

// What the server sends to its replica.
class RedisView::Incoming final : public Source {
 public:
  Incoming(env::Descriptor socket, env::Clock& clock, std::string name)
      : socket_(std::move(socket)), clock_(clock), name_(std::move(name)) {}

  Result<std::size_t> read(std::span<char> out) override {
    TRY(wait_for_octets(clock_.since_boot() + kSilenceAtMost));
    const ssize_t n = ::read(socket_.number(), out.data(), out.size());
    if (n < 0) return base::fail_errno(name_, errno);
    has_ended_ = has_ended_ || n == 0;
    return static_cast<std::size_t>(n);
  }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  // A line without its end, empty ones passed over: the server sends them so that nobody thinks it gone.
  Result<std::string> line(nanoseconds deadline) {
    std::string text;
    for (;;) {
      TRY(wait_for_octets(deadline));
      char c = 0;
      const ssize_t n = ::read(socket_.number(), &c, 1);
      if (n < 0) return base::fail_errno(name_, errno);
      if (n == 0)
        return fail(ErrorCode::kUnavailable, name_ + " has closed its connection to a replica",
                    "the server's log says why; a FLUSHALL does that, too");
      if (c == '\n' && text.empty()) continue;
      if (c == '\n') break;
      text += c;
      if (text.size() > kLineBytesMax) return fail(Cause::kMalformed, name_ + " answers a replica with no line");
    }
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }
  Result<void> say(std::string_view octets) {
    if (::send(socket_.number(), octets.data(), octets.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(octets.size()))
      return base::fail_errno(name_, errno);
    return {};
  }
  // Whoever reads does not wait any more.
  void end() { ::shutdown(socket_.number(), SHUT_RDWR); }

 private:
  Result<void> wait_for_octets(nanoseconds deadline) {
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline - clock_.since_boot());
      if (left <= milliseconds(0)) return fail(Cause::kTimeout, name_ + " did not answer a replica in time");
      pollfd waiting{.fd = socket_.number(), .events = POLLIN, .revents = 0};
      const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1000)));
      if (ready > 0) return {};
      if (ready < 0 && errno != EINTR) return base::fail_errno(name_, errno);
    }
  }

  env::Descriptor socket_;
  env::Clock& clock_;
  std::string name_;
  bool has_ended_ = false;
};

RedisView::RedisView(env::Env machine) : env_(machine) {}

RedisView::~RedisView() {
  if (incoming_) incoming_->end();
}

Result<RedisServerFacts> RedisView::plan(const RedisAddress& address, base::Progress& progress) {
  if (!control_) {
    auto control = TRY(RedisConnection::open_loaded(address, env_.clock, &progress));
    auto replica = TRY(RedisConnection::open(address));
    control_.emplace(std::move(control));
    replica_.emplace(std::move(replica));
  }
  RedisServerFacts facts = TRY(facts_of(*control_));
  TRY(check_age(*control_, facts));
  if (facts.rdb_version > kRdbVersionMax)
    return fail(ErrorCode::kUnavailable, Cause::kNewerVersion,
                control_->name() + " is version " + base::escaped(facts.version) +
                    ", whose values this version of spl does not know");
  if (text_in(TRY(control_->info("cluster")), "cluster_enabled") == "1")
    return fail(ErrorCode::kUsage, control_->name() + " is a node of a cluster, which is not carried",
                "leave the service out with --without");
  const auto replication = TRY(control_->info("replication"));
  if (text_in(replication, "role") != "master")
    return fail(ErrorCode::kUsage, control_->name() + " is a replica, whose writers cannot be held here",
                "declare the url of its master");
  if (const auto functions = control_->ask({"FUNCTION", "LIST"})) facts.has_functions = functions->size() > 0;
  TRY(wait_until_at_rest(progress));
  return facts;
}

// Nothing is saved or rewritten: a server has one child at a time.
Result<void> RedisView::wait_until_at_rest(base::Progress& progress) {
  const nanoseconds until = env_.clock.since_boot() + kAtRestWithin;
  for (;;) {
    const auto persistence = TRY(control_->info("persistence"));
    const bool busy = number_in(persistence, "rdb_bgsave_in_progress") != 0 ||
                      number_in(persistence, "aof_rewrite_in_progress") != 0 ||
                      number_in(persistence, "aof_rewrite_scheduled") != 0 || number_in(persistence, "loading") != 0;
    if (!busy) return {};
    if (env_.clock.since_boot() > until)
      return fail(Cause::kTimeout, control_->name() + " has been saving or rewriting its files for too long");
    if (progress.cancelled()) return base::fail_cancelled("nothing was paused");
    progress.update("waiting until redis has saved", 0, 0, "");
    env_.clock.sleep_for(kLookEvery);
  }
}

Result<void> RedisView::hold(milliseconds at_most) {
  const std::scoped_lock lock(mutex_);
  if (held_until_) return {};
  const nanoseconds until = env_.clock.since_boot() + at_most;
  TRY(control_->ask({"CLIENT", "PAUSE", std::to_string(at_most.count()), "WRITE"}));
  held_until_ = until;
  return {};
}

void RedisView::release() {
  const std::scoped_lock lock(mutex_);
  if (!held_until_) return;
  (void)control_->ask({"CLIENT", "UNPAUSE"});
  held_until_.reset();
}

Result<void> RedisView::open(nanoseconds deadline) {
  const std::scoped_lock lock(mutex_);
  if (!opened_) opened_ = fork(held_until_ ? std::min(deadline, *held_until_) : deadline);
  return *opened_;
}

Result<void> RedisView::fork(nanoseconds deadline) {
  // With the default delay a server waits five seconds for more replicas.
  const OtherParameter at_once(*control_, kDelay, "0");
  const OtherParameter diskless(*control_, kDiskless, "yes");
  TRY(replica_->ask({"REPLCONF", "capa", "eof"}));
  // From 7.0 on: nothing but the RDB, so nothing piles up for a replica that only wants that.
  (void)replica_->ask({"REPLCONF", "rdb-only", "1"});
  const std::string name = replica_->name();
  incoming_ = std::make_unique<Incoming>(TRY(replica_->take_socket()), env_.clock, name);
  TRY(incoming_->say("PSYNC ? -1\r\n"));
  TRY(await_fork(deadline));
  receiver_ = std::jthread([this] {
    auto received = receive();
    incoming_->end();
    const std::scoped_lock lock(mutex_);
    received_ = std::move(received);
    received_condition_.notify_all();
  });
  return {};
}

// The server says +FULLRESYNC just before it forks, and does nothing in between.
Result<void> RedisView::await_fork(nanoseconds deadline) {
  const std::string line = TRY(incoming_->line(deadline));
  if (line.starts_with("+FULLRESYNC")) return {};
  return redis_refused(control_->name(), "PSYNC", line);
}

Result<RdbSummary> RedisView::receive() {
  const std::string head = TRY(incoming_->line(env_.clock.since_boot() + kSilenceAtMost));
  constexpr std::string_view kMark = "$EOF:";
  if (!head.starts_with('$')) return redis_refused(control_->name(), "PSYNC", head);
  // To each part what is its own.
  class Shares final : public RdbSink {
   public:
    explicit Shares(std::vector<std::shared_ptr<PartKeys>>& parts) : parts_(parts) {}
    Result<void> begin_key(const RdbKey& key) override {
      wanted_.clear();
      for (const auto& part : parts_) {
        if (part->share().has(key)) wanted_.push_back(part.get());
      }
      for (PartKeys* part : wanted_) TRY(part->begin_key(key));
      return {};
    }
    Result<void> body(std::string_view piece) override {
      for (PartKeys* part : wanted_) TRY(part->body(piece));
      return {};
    }
    Result<void> end_key() override {
      for (PartKeys* part : wanted_) TRY(part->end_key());
      return {};
    }

   private:
    std::vector<std::shared_ptr<PartKeys>>& parts_;
    std::vector<PartKeys*> wanted_;
  } shares(parts_);
  RdbReader reader(*incoming_);
  auto read = reader.read(shares);
  // Its child is killed by a FLUSHALL, or by want of memory.
  if (!read && read.error().cause == Cause::kMalformed && incoming_->has_ended())
    return fail(ErrorCode::kUnavailable, control_->name() + " has ended what it was sending to a replica",
                "a FLUSHALL of a client does that; the server's log says why");
  const RdbSummary summary = TRY(std::move(read));
  if (head.starts_with(kMark)) {
    std::string mark;
    TRY(reader.read_rest(mark, kEndMarkBytes));
    if (mark != head.substr(kMark.size()))
      return fail(Cause::kMalformed, control_->name() + " did not end what it sent as it said");
  }
  return summary;
}

Result<RdbSummary> RedisView::wait(base::Progress& progress) {
  std::unique_lock lock(mutex_);
  while (!received_) {
    if (progress.cancelled()) return base::fail_cancelled("there is no bundle");
    progress.update("receiving keys", 0, 0, "");
    received_condition_.wait_for(lock, kLookEvery);
  }
  return *received_;
}

}  // namespace spl::surface
