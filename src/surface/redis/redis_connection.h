// A connection to a Redis server: commands and their answers, one after the other or many at once. Over hiredis. One
// thread. Sources: https://redis.io/docs/latest/develop/reference/protocol-spec/, hiredis.h.
#pragma once

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "env/descriptor.h"
#include "env/env.h"

namespace spl::surface {

// Where a server is: "unix:PATH", or "redis://[user[:password]@]host[:port][/database]", octets in it as %XX.
struct RedisAddress {
  static Result<RedisAddress> parse(std::string_view url);

  std::string socket;  // or
  std::string host;
  int port = 6379;
  std::string user;  // "" is the default one
  SecretBytes password;
  std::uint32_t database = 0;
  // For messages, without what is secret.
  [[nodiscard]] std::string text() const;
};

class RedisReply {
 public:
  explicit RedisReply(redisReply* reply) : reply_(reply, &release) {}
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] bool is_error() const;
  [[nodiscard]] std::int64_t integer() const;   // 0 of anything else
  [[nodiscard]] std::string_view text() const;  // of a string, a status or an error; "" of anything else
  [[nodiscard]] std::size_t size() const;       // of an array
  [[nodiscard]] std::string_view text(std::size_t element) const;  // of an array's; "" of anything else
  // Of an array within an array.
  [[nodiscard]] std::vector<std::string> texts(std::size_t element) const;

 private:
  static void release(redisReply* reply);
  std::unique_ptr<redisReply, void (*)(redisReply*)> reply_;
};

class RedisConnection {
 public:
  using Words = std::span<const std::string_view>;

  // Code kUnavailable where nobody answers, or where the password is wrong.
  static Result<RedisConnection> open(const RedisAddress& address);
  // The same, and waits for one that still reads its data from the disk.
  static Result<RedisConnection> open_loaded(const RedisAddress& address, env::Clock& clock, base::Progress* progress);

  // One command. An answer that is an error is one here. Answers that an error before it has left unread are dropped.
  Result<RedisReply> ask(std::initializer_list<std::string_view> words) {
    return ask(Words(words.begin(), words.end()));
  }
  Result<RedisReply> ask(Words words);
  // Many at once: what was told is answered in the same order. Errors of the server are answers.
  Result<void> tell(std::initializer_list<std::string_view> words) { return tell(Words(words.begin(), words.end())); }
  Result<void> tell(Words words);
  Result<RedisReply> answer();
  // A command whose last word comes in pieces: its beginning, then `last_bytes` of octets, then the answer.
  Result<void> begin_long(Words words, std::uint64_t last_bytes);
  Result<void> send_piece(std::string_view octets);
  Result<void> end_long();

  Result<void> select(std::uint32_t database);
  // A section of INFO: name to value.
  Result<std::map<std::string, std::string>> info(std::string_view section);
  // A parameter of CONFIG; nothing where the server does not say.
  std::optional<std::string> parameter(std::string_view name);

  // Every wait from now on is at most this long.
  Result<void> limit_waits(std::chrono::milliseconds at_most);
  // Its socket, of which nothing that was answered is unread: the connection is of no use afterwards.
  Result<env::Descriptor> take_socket();
  [[nodiscard]] const std::string& name() const { return name_; }
  // Whether it is of no use any more: it is closed, or a long command was begun and not ended.
  [[nodiscard]] bool is_broken() const;

 private:
  static Result<RedisConnection> connect(const RedisAddress& address);
  RedisConnection(redisContext* context, std::string name) : context_(context, &release), name_(std::move(name)) {}
  static void release(redisContext* context);
  [[nodiscard]] std::unexpected<Error> broken() const;

  std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
  std::string name_;
  std::size_t unread_ = 0;  // answers
  bool is_within_long_ = false;
};

// An answer of the server that says no.
std::unexpected<Error> redis_refused(const std::string& server, std::string_view command, std::string_view answer);
// A text in which * ? [ ] \ mean themselves, for MATCH.
std::string redis_glob_of(std::string_view text);

}  // namespace spl::surface
