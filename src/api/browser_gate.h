// Who comes by the router: a browser with the owner's session, or a program with a token or a signature. What the
// router says of a request is believed; what a page of another origin has a browser send is not taken
// (docs/formats/door.md). Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/result.h"
#include "door/door.h"
#include "instance/instance.h"

namespace spl::api {

inline constexpr std::string_view kOwnerAccount = "@owner";  // of a session, in the log; no account can have the name
inline constexpr std::string_view kSessionCookie = "__Host-spl";

class BrowserGate {
 public:
  explicit BrowserGate(instance::Instance& instance) : instance_(instance) {}

  // The door, opened when it is first asked for.
  Result<door::Door*> door();

  // Before a request that came by the router is looked at: whose session it is, and that no other origin's page made
  // it. `method` is the request's own, or that for which the router asks.
  Result<void> look_at(Exchange& exchange, std::string_view method);
  // The session stands for the owner; nothing is done where there is none.
  static void let_in(Exchange& exchange);
  // Cause kProofRequired where the session has not shown its password within ten minutes. What is no session passes: a
  // token was made for what it may.
  static Result<void> require_proof(const Exchange& exchange);

  // From where, and by what.
  static door::Visitor visitor_of(const Exchange& exchange);
  // Sets, or ends, the session's cookie.
  static void add_cookie(Exchange& exchange, const SecretBytes& token);
  static void end_cookie(Exchange& exchange);

 private:
  instance::Instance& instance_;
  std::mutex mutex_;  // guards door_
  std::unique_ptr<door::Door> door_;
};

// The value of a cookie; nothing where there is none.
std::optional<std::string_view> cookie_of(const http::RequestHead& head, std::string_view name);
// The cookies without those of the door, for a service; "" where none is left.
std::string cookies_for_service(const http::RequestHead& head);

}  // namespace spl::api
