#include "operation/owner_operations.h"

#include "door/door.h"
#include "operation/router_operations.h"

namespace spl::operation {
namespace {

Result<std::unique_ptr<door::Door>> door_of(instance::Instance& instance) {
  return door::Door::open(instance.env(), instance.paths(), TRY(instance.config()).session_idle);
}

// One that nobody ever came to is not made by being looked at.
Result<bool> has_door(instance::Instance& instance) {
  return TRY(instance.env().fs.info(door::door_file(instance.paths()))).has_value();
}

}  // namespace

Result<OwnerStatus> owner_status(instance::Instance& instance) {
  OwnerStatus status{.panel = TRY(router_plan(instance)).panel_origin()};
  if (!TRY(has_door(instance))) return status;
  const auto door = TRY(door_of(instance));
  status.claimed = TRY(door->is_claimed());
  status.sessions = TRY(door->sessions()).size();
  return status;
}

Result<OwnerLink> make_owner_link(instance::Instance& instance) {
  const std::string origin = TRY(router_plan(instance)).panel_origin();
  const auto door = TRY(door_of(instance));
  OwnerLink link;
  link.claims = !TRY(door->is_claimed());
  if (!link.claims) link.expires_at = env::rfc3339(instance.env().clock.now() + door::kLinkLifetime);
  const SecretBytes code = TRY(door->make_link());
  std::string url = origin + "/-/enter#" + std::string(code.reveal());
  link.url = SecretBytes(url);
  explicit_bzero(url.data(), url.size());
  return link;
}

Result<OwnerStatus> set_owner_password(instance::Instance& instance, const NewPassword& password) {
  TRY(TRY(door_of(instance))->set_password(password.password));
  return owner_status(instance);
}

Result<std::vector<OwnerSession>> owner_sessions(instance::Instance& instance) {
  std::vector<OwnerSession> all;
  if (!TRY(has_door(instance))) return all;
  for (const door::Session& session : TRY(TRY(door_of(instance))->sessions()))
    all.push_back({session.id, session.made_at, session.used_at, session.address, session.agent});
  return all;
}

Result<EndedSessions> end_sessions(instance::Instance& instance, const SessionName& session) {
  return EndedSessions{TRY(TRY(door_of(instance))->sign_out(session.id))};
}

Result<OwnerStatus> reset_owner(instance::Instance& instance) {
  TRY(TRY(door_of(instance))->reset());
  return owner_status(instance);
}

}  // namespace spl::operation
