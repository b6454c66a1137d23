#include "http/client.h"

#include <algorithm>

#include "base/stream.h"
#include "env/connect.h"

namespace spl::http {
namespace {

WireTimes wire_times(const ClientTimes& times) {
  WireTimes wire;
  wire.head = times.head;
  return wire;
}

Error unavailable(Error error, const Url& url) {
  if (error.cause != Cause::kCancelled) error.code = ErrorCode::kUnavailable;
  return std::move(error).in(url.text());
}

}  // namespace

Client::Client(env::Descriptor socket, env::Env env, Url url, const ClientTimes& times)
    : clock_(env.clock),
      url_(std::move(url)),
      times_(times),
      channel_(std::move(socket), env.clock, nullptr),
      wire_(channel_, env.clock, wire_times(times)) {}

Result<std::unique_ptr<Client>> Client::connect(env::Env env, const Url& url, const TlsContext& tls,
                                                base::Progress& progress, const ClientTimes& times) {
  if (progress.cancelled()) return base::fail_cancelled("nobody was asked");
  auto socket = env::connect_address("tcp:" + url.authority(), times.connect);
  if (!socket) return std::unexpected(unavailable(std::move(socket).error(), url));
  std::unique_ptr<Client> client(new Client(std::move(*socket), env, url, times));
  client->channel_.set_watch([&progress] { return progress.cancelled(); });
  if (!url.is_tls) return client;
  client->channel_.set_timeout(times.connect);
  const auto shaken = client->channel_.connect_tls(tls, url.host);
  if (!shaken) return std::unexpected(unavailable(shaken.error(), url));
  return client;
}

Result<Answer> Client::ask(std::string_view method, std::string_view target, const Fields& fields,
                           std::string_view content, std::size_t content_bytes_max) {
  Fields all{{"host", url_.authority()}, {"content-length", std::to_string(content.size())}};
  all.insert(all.end(), fields.begin(), fields.end());
  auto answer = asked(request_text(method, target, all), content, content_bytes_max);
  if (answer) return answer;
  is_open_ = false;
  return std::unexpected(unavailable(std::move(answer).error(), url_));
}

Result<Answer> Client::asked(std::string_view text, std::string_view content, std::size_t content_bytes_max) {
  channel_.set_deadline(clock_.steady() + times_.answer);
  // All of it, whatever has come meanwhile: with TLS that may be no answer but what the server says of the session.
  TRY(channel_.write_all({text, content}));
  AnswerHead head = TRY(wire_.read_answer(times_.head));
  Answer answer{head.status, std::move(head.fields), {}};
  if (const auto length = wire_.body_length(); length && *length > content_bytes_max)
    return fail(ErrorCode::kUnavailable, Cause::kTooLarge, "the answer is longer than is taken");
  BodySource body(wire_);
  answer.content = TRY(base::read_all(body, content_bytes_max));
  const std::string* connection = find_field(answer.fields, "connection");
  is_open_ = connection == nullptr || !begins_with(*connection, "close");
  return answer;
}

}  // namespace spl::http
