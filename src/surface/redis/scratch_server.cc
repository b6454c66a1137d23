#include "surface/redis/scratch_server.h"

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "env/users.h"

namespace spl::surface {
namespace {

constexpr std::chrono::milliseconds kAnswersWithin{20'000};
constexpr std::chrono::milliseconds kLookEvery{10};
constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::string_view kKey = "k";
const std::string kNoLimit = "1000000000000";
const std::vector<std::string> kEnvironment{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                            "LC_ALL=C.UTF-8"};

std::unexpected<Error> refused(std::string_view key, std::string_view answer) {
  return fail(ErrorCode::kVerification, Cause::kMalformed,
              "the value of the key " + base::escaped(key, 100) + " is refused by redis: " + base::escaped(answer));
}

}  // namespace

Result<void> tell_restore(RedisConnection& connection, std::string_view key, std::optional<std::int64_t> expires_at_ms,
                          std::string_view body) {
  return connection.tell({"RESTORE", key, std::to_string(expires_at_ms.value_or(0)), body, "REPLACE", "ABSTTL"});
}

Result<RedisReply> restore_long(RedisConnection& connection, std::string_view key,
                                std::optional<std::int64_t> expires_at_ms, Source& body, std::uint64_t bytes) {
  // The key must not be there: a body that comes in pieces is the last word.
  TRY(connection.ask({"DEL", key}));
  TRY(connection.begin_long(std::array<std::string_view, 3>{"RESTORE", key, "0"}, bytes));
  std::string buffer(kPieceBytes, '\0');
  for (std::uint64_t sent = 0; sent < bytes;) {
    const std::size_t n = TRY(body.read(buffer));
    if (n == 0) return fail("a value ends too early");
    TRY(connection.send_piece(std::string_view(buffer).substr(0, n)));
    sent += n;
  }
  TRY(connection.end_long());
  RedisReply reply = TRY(connection.answer());
  if (!reply.is_error() && expires_at_ms) TRY(connection.ask({"PEXPIREAT", key, std::to_string(*expires_at_ms)}));
  return reply;
}

Result<std::string> ScratchServer::version() {
  return env::output_of_command({.arguments = {"redis-server", "--version"}, .environment = kEnvironment}, {}, {});
}

Result<ScratchServer> ScratchServer::start(const Surroundings& surroundings, base::Progress& progress) {
  const std::string directory = env::join(surroundings.scratch_directory, "redis");
  TRY(env::remove_tree(surroundings.env.fs, directory));
  TRY(surroundings.env.fs.make_directory(directory));
  env::ChildOptions options{
      .arguments = {"redis-server", "--port", "0", "--unixsocket", "s", "--unixsocketperm", "700", "--save", "",
                    "--appendonly", "no", "--sanitize-dump-payload", "yes", "--daemonize", "no", "--databases", "1",
                    "--maxmemory", "0",
                    // Whatever length the live server takes.
                    "--proto-max-bulk-len", kNoLimit, "--client-query-buffer-limit", kNoLimit,
                    // Where memory ends, it is the first to go.
                    "--oom-score-adj", "absolute", "--oom-score-adj-values", "1000 1000 1000", "--logfile", ""},
      .environment = kEnvironment,
      .working_directory = directory};
  if (env::own_user_id() == 0) {
    // What a stranger wrote is not looked at by root.
    if (const auto nobody = TRY(env::find_user("nobody"))) {
      TRY(surroundings.env.fs.set_owner(directory, nobody->ids.uid, nobody->ids.gid));
      options.user = nobody->ids;
    }
  }
  auto process = TRY(env::ChildProcess::start(options));
  RedisAddress address;
  address.socket = env::join(directory, "s");
  const auto until = surroundings.env.clock.since_boot() + kAnswersWithin;
  for (;;) {
    auto connection = RedisConnection::open(address);
    if (connection) return ScratchServer(std::move(process), std::move(*connection), std::move(address));
    if (progress.cancelled()) return base::fail_cancelled("nothing was restored");
    if (surroundings.env.clock.since_boot() > until)
      return fail(ErrorCode::kUnavailable,
                  "a redis-server to try values in does not answer: " + base::escaped(process->said(), 500));
    surroundings.env.clock.sleep_for(kLookEvery);
  }
}

Result<void> ScratchServer::try_keys(std::span<const KeyLine> keys) {
  return told_of_end(tell_keys(keys));
}

Result<void> ScratchServer::try_large(RedisType type, Source& body, std::uint64_t bytes) {
  return told_of_end(tell_large(type, body, bytes));
}

// A value that ends the server is a value that is refused.
Result<void> ScratchServer::told_of_end(Result<void> tried) const {
  if (tried || tried.error().code == ErrorCode::kVerification || RedisConnection::open(address_)) return tried;
  return fail(ErrorCode::kVerification, Cause::kMalformed, "the redis-server in which values are tried ended at one",
              "the value is broken, or the machine has no memory for it");
}

Result<void> ScratchServer::tell_keys(std::span<const KeyLine> keys) {
  TRY(connection_.ask({"FLUSHALL"}));
  for (const KeyLine& line : keys) {
    TRY(connection_.tell({"RESTORE", kKey, "0", line.dump, "REPLACE"}));
    TRY(connection_.tell({"TYPE", kKey}));
  }
  for (const KeyLine& line : keys) {
    const RedisReply restored = TRY(connection_.answer());
    if (restored.is_error()) return refused(line.head.key, restored.text());
    const RedisReply type = TRY(connection_.answer());
    if (type.text() != codec::enum_name(line.head.type))
      return refused(line.head.key, "it is a " + std::string(type.text()));
  }
  return {};
}

Result<void> ScratchServer::tell_large(RedisType type, Source& body, std::uint64_t bytes) {
  const RedisReply restored = TRY(restore_long(connection_, kKey, {}, body, bytes));
  if (restored.is_error()) return refused("(a large one)", restored.text());
  const RedisReply its = TRY(connection_.ask({"TYPE", kKey}));
  if (its.text() != codec::enum_name(type)) return refused("(a large one)", "it is a " + std::string(its.text()));
  TRY(connection_.ask({"FLUSHALL"}));
  return {};
}

}  // namespace spl::surface
