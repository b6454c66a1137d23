#include "surface/redis/redis_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::chrono::seconds kConnectAtMost{10};
constexpr std::chrono::minutes kAnswerAtMost{10};  // a script or a save may block the server for long
constexpr std::chrono::minutes kLoadsAtMost{10};
constexpr std::chrono::milliseconds kLookEvery{50};
constexpr int kPortMax = 65535;

timeval time_of(std::chrono::milliseconds time) {
  return {.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
}

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), out);
  return error == std::errc{} && end == text.end() && !text.empty();
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value, 16);
    if (error != std::errc{} || end != digits.end()) return std::nullopt;
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

}  // namespace

Result<RedisAddress> RedisAddress::parse(std::string_view url) {
  RedisAddress address;
  if (url.starts_with("unix:")) {
    address.socket = url.substr(5);
    if (!address.socket.starts_with('/'))
      return fail(ErrorCode::kUsage, "a redis url with unix: wants an absolute path");
    return address;
  }
  const auto wrong = [](const char* why) {
    return fail(ErrorCode::kUsage, std::string("the redis url ") + why,
                "unix:PATH, or redis://[user:password@]host[:port][/database]");
  };
  constexpr std::string_view kScheme = "redis://";
  if (!url.starts_with(kScheme)) return wrong("begins with neither unix: nor redis://");
  url.remove_prefix(kScheme.size());
  if (const std::size_t slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view database = url.substr(slash + 1);
    if (!database.empty() && !parse_number(database, address.database))
      return wrong("ends with no number of a database");
    url = url.substr(0, slash);
  }
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = url.substr(0, at);
    url.remove_prefix(at + 1);
    const std::size_t colon = who.find(':');
    const auto user = percent_decoded(who.substr(0, colon));
    const auto password = percent_decoded(colon == std::string_view::npos ? "" : who.substr(colon + 1));
    if (!user || !password) return wrong("has a % that begins no octet");
    address.user = *user;
    address.password = SecretBytes(*password);
  }
  // [::1]:6379
  const std::size_t bracket = url.rfind(']');
  const std::size_t colon = url.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    if (!parse_number(url.substr(colon + 1), address.port) || address.port < 1 || address.port > kPortMax)
      return wrong("has no port after its host");
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  if (url.empty()) return wrong("names no host");
  address.host = url;
  return address;
}

std::string RedisAddress::text() const {
  return socket.empty() ? "redis at " + base::escaped(host) + ":" + std::to_string(port)
                        : "redis at " + base::escaped(socket);
}

void RedisReply::release(redisReply* reply) {
  if (reply != nullptr) ::freeReplyObject(reply);
}

bool RedisReply::is_null() const {
  return reply_->type == REDIS_REPLY_NIL;
}

bool RedisReply::is_error() const {
  return reply_->type == REDIS_REPLY_ERROR;
}

std::int64_t RedisReply::integer() const {
  return reply_->type == REDIS_REPLY_INTEGER ? reply_->integer : 0;
}

std::string_view RedisReply::text() const {
  return reply_->str == nullptr ? std::string_view() : std::string_view(reply_->str, reply_->len);
}

std::size_t RedisReply::size() const {
  return reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0;
}

std::string_view RedisReply::text(std::size_t element) const {
  if (element >= size() || reply_->element[element]->str == nullptr) return {};
  return {reply_->element[element]->str, reply_->element[element]->len};
}

std::vector<std::string> RedisReply::texts(std::size_t element) const {
  std::vector<std::string> all;
  if (element >= size() || reply_->element[element]->type != REDIS_REPLY_ARRAY) return all;
  const redisReply& array = *reply_->element[element];
  for (std::size_t i = 0; i < array.elements; ++i) {
    if (array.element[i]->str != nullptr) all.emplace_back(array.element[i]->str, array.element[i]->len);
  }
  return all;
}

void RedisConnection::release(redisContext* context) {
  if (context != nullptr) ::redisFree(context);
}

std::unexpected<Error> redis_refused(const std::string& server, std::string_view command, std::string_view answer) {
  const bool is_about_the_user = answer.starts_with("NOAUTH") || answer.starts_with("NOPERM") ||
                                 answer.starts_with("WRONGPASS") ||
                                 answer.starts_with("ERR AUTH");  // the server has no password at all
  return fail(is_about_the_user ? ErrorCode::kUnavailable : ErrorCode::kFailed,
              server + ": " + std::string(command) + ": " + base::escaped(answer),
              is_about_the_user ? "give the surface's url a user and a password ({secret:..}) that may do this" : "");
}

std::unexpected<Error> RedisConnection::broken() const {
  return fail(ErrorCode::kUnavailable, name_ + ": " + base::escaped(context_->errstr),
              "the server must run and answer; its log says more");
}

Result<RedisConnection> RedisConnection::connect(const RedisAddress& address) {
  const timeval at_most = time_of(kConnectAtMost);
  redisContext* context = address.socket.empty()
                              ? ::redisConnectWithTimeout(address.host.c_str(), address.port, at_most)
                              : ::redisConnectUnixWithTimeout(address.socket.c_str(), at_most);
  if (context == nullptr) return fail(Cause::kNoMemory, "there is no memory for a connection");
  RedisConnection connection(context, address.text());
  if (context->err != 0) return connection.broken();
  TRY(connection.limit_waits(kAnswerAtMost));
  if (!address.password.empty()) {
    if (address.user.empty()) {
      TRY(connection.ask({"AUTH", address.password.reveal()}));
    } else {
      TRY(connection.ask({"AUTH", address.user, address.password.reveal()}));
    }
  }
  return connection;
}

Result<RedisConnection> RedisConnection::open(const RedisAddress& address) {
  auto connection = TRY(connect(address));
  TRY(connection.ask({"PING"}));
  return connection;
}

Result<RedisConnection> RedisConnection::open_loaded(const RedisAddress& address, env::Clock& clock,
                                                     base::Progress* progress) {
  auto connection = TRY(connect(address));
  const auto until = clock.since_boot() + kLoadsAtMost;
  constexpr std::array<std::string_view, 1> kPing{"PING"};
  for (;;) {
    TRY(connection.tell(kPing));
    const RedisReply reply = TRY(connection.answer());
    if (!reply.is_error()) return connection;
    if (!reply.text().starts_with("LOADING") || clock.since_boot() > until)
      return redis_refused(connection.name_, "PING", reply.text());
    if (progress != nullptr && progress->cancelled()) return base::fail_cancelled("the server was not waited for");
    clock.sleep_for(kLookEvery);
  }
}

bool RedisConnection::is_broken() const {
  return is_within_long_ || !context_ || context_->err != 0;
}

Result<RedisReply> RedisConnection::ask(Words words) {
  while (unread_ > 0) TRY(answer());
  TRY(tell(words));
  RedisReply reply = TRY(answer());
  if (reply.is_error()) return redis_refused(name_, words.front(), reply.text());
  return reply;
}

Result<void> RedisConnection::tell(Words words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (::redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), texts.data(), sizes.data()) != REDIS_OK)
    return broken();
  ++unread_;
  return {};
}

Result<RedisReply> RedisConnection::answer() {
  void* reply = nullptr;
  if (::redisGetReply(context_.get(), &reply) != REDIS_OK) return broken();
  if (unread_ > 0) --unread_;
  return RedisReply(static_cast<redisReply*>(reply));
}

Result<void> RedisConnection::begin_long(Words words, std::uint64_t last_bytes) {
  std::string head = "*" + std::to_string(words.size() + 1) + "\r\n";
  for (const std::string_view word : words) {
    head += "$" + std::to_string(word.size()) + "\r\n";
    head += word;
    head += "\r\n";
  }
  head += "$" + std::to_string(last_bytes) + "\r\n";
  is_within_long_ = true;
  return send_piece(head);
}

Result<void> RedisConnection::send_piece(std::string_view octets) {
  int done = 0;
  while (done == 0) {
    if (::redisBufferWrite(context_.get(), &done) != REDIS_OK) return broken();
  }
  while (!octets.empty()) {
    const ssize_t n = ::send(context_->fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno(name_, errno);
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> RedisConnection::end_long() {
  TRY(send_piece("\r\n"));
  is_within_long_ = false;
  ++unread_;
  return {};
}

Result<void> RedisConnection::select(std::uint32_t database) {
  TRY(ask({"SELECT", std::to_string(database)}));
  return {};
}

Result<std::map<std::string, std::string>> RedisConnection::info(std::string_view section) {
  const RedisReply reply = TRY(ask({"INFO", section}));
  std::map<std::string, std::string> values;
  std::string_view text = reply.text();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find("\r\n"));
    text.remove_prefix(std::min(text.size(), line.size() + 2));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) values.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  return values;
}

std::optional<std::string> RedisConnection::parameter(std::string_view name) {
  const auto reply = ask({"CONFIG", "GET", name});
  if (!reply || reply->size() < 2) return std::nullopt;
  return std::string(reply->text(1));
}

Result<void> RedisConnection::limit_waits(std::chrono::milliseconds at_most) {
  if (::redisSetTimeout(context_.get(), time_of(at_most)) != REDIS_OK) return broken();
  return {};
}

Result<env::Descriptor> RedisConnection::take_socket() {
  int done = 0;
  while (done == 0) {
    if (::redisBufferWrite(context_.get(), &done) != REDIS_OK) return broken();
  }
  return env::Descriptor(::redisFreeKeepFd(context_.release()));
}

std::string redis_glob_of(std::string_view text) {
  std::string glob;
  for (const char c : text) {
    if (std::string_view("*?[]\\^-").contains(c)) glob += '\\';
    glob += c;
  }
  return glob;
}

}  // namespace spl::surface
