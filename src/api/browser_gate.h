// Who comes by the router: a browser with the owner's session, or a program with a token or a signature. What the
// router says of a request is believed; what a page of another origin has a browser send is not taken
// (docs/formats/door.md). Any thread.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/exchange.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"
#include "door/door.h"
#include "instance/instance.h"

namespace spl::api {

inline constexpr std::string_view kOwnerAccount = "@owner";  // of a session, in the log; no account can have the name
inline constexpr std::string_view kSessionCookie = "__Host-spl";  // of a tenant "__Host-spl-NAME"

class BrowserGate {
 public:
  explicit BrowserGate(instance::Instance& instance);

  // The door, opened when it is first asked for.
  Result<door::Door*> door();

  // Before a request that came by the router is looked at: whose session it is, and that no other origin's page made
  // it. `method` is the request's own, or that for which the router asks.
  Result<void> look_at(Exchange& exchange, std::string_view method);
  // The same, of a request to a service: one with a name of its own has a cookie of its own, which opens that alone.
  Result<void> look_at_service(Exchange& exchange, std::string_view method, std::string_view route);
  // A code for this session that its service's origin takes once, within a minute; and what it takes it for: the token
  // of that origin's cookie, good as long as the session is. Cause kAuthInvalid.
  SecretBytes open_service(const door::Session& session, const std::string& route);
  Result<SecretBytes> enter_service(const SecretBytes& code, const std::string& route);
  // The session stands for the owner; nothing is done where there is none.
  static void let_in(Exchange& exchange);
  // Cause kProofRequired where the session has not shown its password within ten minutes. What is no session passes: a
  // token was made for what it may.
  static Result<void> require_proof(const Exchange& exchange);

  // Of passkeys; asked for and taken once.
  [[nodiscard]] door::Challenges& challenges() { return challenges_; }

  // From where, and by what.
  static door::Visitor visitor_of(const Exchange& exchange);
  // Sets, or ends, the session's cookie.
  void add_cookie(Exchange& exchange, const SecretBytes& token);
  void end_cookie(Exchange& exchange);

 private:
  // What opens one service to one session: of its code or its token the digest.
  struct Entry {
    Digest digest;
    std::string route;
    std::string session;
    std::chrono::steady_clock::time_point until;
  };
  SecretBytes add_entry(std::deque<Entry>& entries, const std::string& route, const std::string& session,
                        std::chrono::steady_clock::time_point until);

  instance::Instance& instance_;
  door::Challenges challenges_;
  const std::string cookie_;
  std::mutex mutex_;  // guards all below
  std::unique_ptr<door::Door> door_;
  std::deque<Entry> codes_;   // a daemon that begins anew has none: the panel gives others
  std::deque<Entry> tokens_;  // the newest
};

// The value of a cookie; nothing where there is none.
std::optional<std::string_view> cookie_of(const http::RequestHead& head, std::string_view name);
// The cookies without those of the door, for a service; "" where none is left.
std::string cookies_for_service(const http::RequestHead& head);

}  // namespace spl::api
