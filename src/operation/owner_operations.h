// What the console can have done to the owner's door: it is the owner's, whatever the door says. Each on an instance
// that is open in this process; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"

namespace spl::operation {

struct OwnerStatus {
  bool claimed = false;
  std::uint64_t sessions = 0;
  std::string panel;  // its address; "" where the router was never started

  static constexpr auto shape() {
    using S = OwnerStatus;
    return codec::shape(codec::member("claimed", &S::claimed, "whether the door has an owner"),
                        codec::member("sessions", &S::sessions, "of browsers that are signed in"),
                        codec::member("panel", &S::panel, "the panel's address"));
  }
};
// Shown once.
struct OwnerLink {
  SecretBytes url;      // the code is in it
  bool claims = false;  // else it signs in
  std::string expires_at;

  static constexpr auto shape() {
    using L = OwnerLink;
    return codec::shape(
        codec::member("url_base64", &L::url, "to be opened in a browser, once"),
        codec::member("claims", &L::claims, "whether it makes an owner; else it signs in"),
        codec::member("expires_at", &L::expires_at, "missing: not before it is used", codec::Presence::kOmitted));
  }
};
struct NewPassword {
  SecretBytes password;

  static constexpr auto shape() {
    return codec::shape(codec::member("password_base64", &NewPassword::password, "from now on"));
  }
};
struct OwnerSession {
  std::string id;
  std::string made_at;
  std::string used_at;
  std::string address;
  std::string agent;

  static constexpr auto shape() {
    using S = OwnerSession;
    return codec::shape(codec::member("id", &S::id, "to end it by"), codec::member("made_at", &S::made_at, "when"),
                        codec::member("used_at", &S::used_at, "when it was last used"),
                        codec::member("address", &S::address, "from where"),
                        codec::member("agent", &S::agent, "what the browser says of itself"));
  }
};
struct SessionName {
  std::string id;  // "" is all of them

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &SessionName::id, "a session; missing: all", codec::Presence::kOmitted));
  }
};
struct EndedSessions {
  std::uint64_t ended = 0;

  static constexpr auto shape() { return codec::shape(codec::member("ended", &EndedSessions::ended, "how many")); }
};

Result<OwnerStatus> owner_status(instance::Instance& instance);
Result<OwnerLink> make_owner_link(instance::Instance& instance);
// Every session ends.
Result<OwnerStatus> set_owner_password(instance::Instance& instance, const NewPassword& password);
Result<std::vector<OwnerSession>> owner_sessions(instance::Instance& instance);
Result<EndedSessions> end_sessions(instance::Instance& instance, const SessionName& session);
// There is no owner afterwards.
Result<OwnerStatus> reset_owner(instance::Instance& instance);

}  // namespace spl::operation
