// The operations that go through the owner's door, the home's Unix socket, as one JSON document each way. Where each is
// found stands here once, for the daemon's route and for the client; what goes each way is said by the operation's own
// shapes. Pure; any thread.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"
#include "codec/shape.h"
#include "operation/operations.h"

namespace spl::api {

using operation::Operations;

struct DoorPlace {
  std::string_view path;
  int status = 200;  // of a good answer
  std::string_view summary;
};

template <auto Operation>
inline constexpr DoorPlace kDoorPlace{};

template <>
inline constexpr DoorPlace kDoorPlace<&Operations::emit>{"/v1/local/emit", 201, "Makes a record."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::generate_identity>{"/v1/local/identity/generate", 201,
                                                                      "Makes the instance's identity."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::endorse>{"/v1/local/endorse", 200,
                                                            "Signs records of reserved threads into effect."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::cancel_move>{"/v1/local/move/cancel", 200,
                                                                "Takes back that the instance has moved."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::create_account>{"/v1/local/accounts", 201,
                                                                   "Makes a service account."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::revoke_account>{"/v1/local/accounts/revoke", 200,
                                                                   "Ends a service account and all its tokens."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::create_token>{"/v1/local/tokens", 201,
                                                                 "Makes a token. It is shown this once."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::revoke_token>{"/v1/local/tokens/revoke", 200, "Ends a token."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::grant_consent>{"/v1/local/consents", 201,
                                                                  "Grants consent: what may pass to peers."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::revoke_consent>{"/v1/local/consents/revoke", 200, "Ends a grant."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::add_adapter>{"/v1/local/adapters", 201, "Lists an adapter."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::remove_adapter>{"/v1/local/adapters/remove", 200,
                                                                   "Takes an adapter off the list."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::add_rule>{"/v1/local/rules", 201, "Lays down a rule."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::remove_rule>{"/v1/local/rules/remove", 200, "Takes a rule back."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::set_permissions>{"/v1/local/permissions", 200,
                                                                    "Says whether permission rules are asked."};

template <>
inline constexpr DoorPlace kDoorPlace<&Operations::command_services>{
    "/v1/local/services/command", 200, "Starts, stops, restarts, pauses or resumes services."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::install_services>{
    "/v1/local/services/install", 200, "Installs the software of services that the home or a catalog declares."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::add_context>{"/v1/local/contexts", 201, "Adds a context."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::remove_context>{"/v1/local/contexts/remove", 200,
                                                                   "Removes a context."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::rename_context>{
    "/v1/local/contexts/rename", 200, "Gives a context another name, in every surface that is split by it."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::set_secret>{"/v1/local/secrets", 200,
                                                               "Takes the value of a secret."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::delete_secret>{"/v1/local/secrets/delete", 200,
                                                                  "Removes the value of a secret."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::swap_previous_back>{
    "/v1/local/services/previous", 200, "What a restore has replaced takes its place again."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::discard_previous>{"/v1/local/services/discard-previous", 200,
                                                                     "What a restore has replaced goes."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::remove_service>{"/v1/local/services/remove", 200,
                                                                   "Removes a service."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::pair>{"/v1/local/pairs", 201, "Asks another instance for a pair."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::pause_pair>{"/v1/local/pairs/pause", 200, "Pauses a pair."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::resume_pair>{"/v1/local/pairs/resume", 200, "Resumes a pair."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::revoke_pair>{"/v1/local/pairs/revoke", 200, "Ends a pair."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::refresh_pair>{"/v1/local/pairs/refresh", 200,
                                                                 "Looks for a peer anew."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::sync>{"/v1/local/sync", 200, "Pulls what peers have."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::retire_identity>{"/v1/local/identity/retire", 200,
                                                                    "Ends the instance's identity, for good."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::approve_request>{"/v1/local/requests/approve", 200,
                                                                    "Approves what another instance asks."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::reject_request>{"/v1/local/requests/reject", 200,
                                                                   "Rejects what another instance asks."};

template <>
inline constexpr DoorPlace kDoorPlace<&Operations::cancel_job>{"/v1/local/jobs/cancel", 200, "Asks a job to end."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::delete_backup>{"/v1/local/backups/delete", 200, "Deletes a backup."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::prune_backups>{"/v1/local/backups/prune", 200,
                                                                  "Removes backups that need not stay."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::set_schedule>{"/v1/local/schedules", 200, "Sets a schedule."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::remove_schedule>{"/v1/local/schedules/remove", 200,
                                                                    "Removes a schedule; its backups stay."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::run_schedule>{"/v1/local/schedules/run", 200,
                                                                 "Makes the backup of a schedule now."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::read_schedule>{"/v1/local/schedules/read", 200,
                                                                  "Says that a schedule's failure was read."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::command_router>{"/v1/local/router", 200,
                                                                   "Starts, stops or reloads the router."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::make_owner_link>{"/v1/local/owner/link", 201,
                                                                    "Makes a link that claims, or signs in."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::set_owner_password>{"/v1/local/owner/password", 200,
                                                                       "Gives the owner another password."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::end_sessions>{"/v1/local/owner/sign-out", 200,
                                                                 "Ends sessions of browsers."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::reset_owner>{"/v1/local/owner/reset", 200,
                                                                "Forgets the owner: the door can be claimed anew."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::create_tenant>{"/v1/local/tenants", 201, "Makes a tenant."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::start_tenant>{"/v1/local/tenants/start", 200, "Starts a tenant."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::stop_tenant>{"/v1/local/tenants/stop", 200, "Stops a tenant."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::link_tenant>{
    "/v1/local/tenants/link", 201, "Makes a link that claims a tenant's door, or signs in."};
template <>
inline constexpr DoorPlace kDoorPlace<&Operations::remove_tenant>{"/v1/local/tenants/remove", 200,
                                                                  "Removes a tenant with all that it has."};

// Of Result<Answer> (Operations::*)(const Request&), or without a request, or with its progress.
template <class Operation>
struct DoorShapes;
template <class A>
struct DoorShapes<Result<A> (Operations::*)()> {
  using Answer = A;
  using Request = void;
};
template <class A, class R>
struct DoorShapes<Result<A> (Operations::*)(const R&)> {
  using Answer = A;
  using Request = R;
  static constexpr bool kTellsProgress = false;
};
template <class A, class R>
struct DoorShapes<Result<A> (Operations::*)(const R&, base::Progress&)> {
  using Answer = A;
  using Request = R;
  static constexpr bool kTellsProgress = true;
};

// A text that may hold a secret: wiped when it goes.
struct WipedText {
  std::string text;
  explicit WipedText(std::string made) : text(std::move(made)) {}
  WipedText(const WipedText&) = delete;
  WipedText& operator=(const WipedText&) = delete;
  ~WipedText() { explicit_bzero(text.data(), text.size()); }
};

}  // namespace spl::api
