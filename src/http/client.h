// A client's connection to one server, over TCP, plain or TLS: a request and its answer at a time. Everything that
// comes back is hostile, and has a bound in size and time. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "http/channel.h"
#include "http/message.h"
#include "http/tls.h"
#include "http/url.h"
#include "http/wire.h"

namespace spl::http {

struct ClientTimes {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds head{60'000};     // until the head of the answer is there
  std::chrono::milliseconds answer{300'000};  // until all of it is
};

struct Answer {
  int status = 0;
  Fields fields;
  std::string content;
};

class Client {
 public:
  // `tls` is for addresses that ask for it, and outlives the client. `progress` is asked whether to go on.
  static Result<std::unique_ptr<Client>> connect(env::Env env, const Url& url, const TlsContext& tls,
                                                 base::Progress& progress, const ClientTimes& times = {});

  // `fields` are sent as they are, with "host" and "content-length" before them. An answer longer than
  // `content_bytes_max` is an error. All errors have code kUnavailable; after one the client is of no more use.
  Result<Answer> ask(std::string_view method, std::string_view target, const Fields& fields, std::string_view content,
                     std::size_t content_bytes_max);
  // Whether another request can be sent.
  [[nodiscard]] bool is_open() const { return is_open_; }
  [[nodiscard]] const Url& url() const { return url_; }

 private:
  Client(env::Descriptor socket, env::Env env, Url url, const ClientTimes& times);
  Result<Answer> asked(std::string_view text, std::string_view content, std::size_t content_bytes_max);

  env::Clock& clock_;
  Url url_;
  ClientTimes times_;
  Channel channel_;
  Wire wire_;
  bool is_open_ = true;
};

}  // namespace spl::http
