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

// Of Result<Answer> (Operations::*)(const Request&), or without a request.
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
