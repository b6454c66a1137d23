// How instances sign what they say to each other (docs/formats/federation.md): HTTP Message Signatures (RFC 9421) by
// the instances' keys. A request is signed over its method, path, query, content and the DID that it is meant for; its
// answer over its status, its content, the request's nonce and the DID that asked. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/env.h"
#include "http/client.h"
#include "http/message.h"
#include "substrate/identity.h"

namespace spl::federation {

inline constexpr std::string_view kAudienceField = "spl-audience";  // the DID that a message is meant for
inline constexpr std::string_view kNonceField = "spl-nonce";        // of an answer: the request's
inline constexpr std::size_t kNonceBytesMax = 128;

// Who has asked.
struct Caller {
  std::string did;
  std::string nonce;
  std::int64_t created = 0;  // Unix seconds
};

struct Request {
  std::string method;
  std::string target;
  std::string content;
};

struct SealedRequest {
  http::Fields fields;
  std::string nonce;
};
SealedRequest seal_request(const Request& request, const substrate::Identity& signer, std::string_view audience,
                           env::Env env);
// Who signed it. Cause kAuthRequired where nobody did, kAuthInvalid where it does not hold, is for somebody else than
// `own_did`, or is older or younger than kRequestAgeMax. Whether its nonce was used before is not looked at.
Result<Caller> verified_request(const http::RequestHead& head, std::string_view content, std::string_view own_did,
                                std::int64_t now);

// The fields that sign an answer.
http::Fields seal_answer(int status, std::string_view content, const substrate::Identity& signer, const Caller& caller);
// Fails where it is not `peer_did`'s answer to `own_did`'s request with this nonce. Code kVerification.
Result<void> check_answer(const http::Answer& answer, std::string_view peer_did, std::string_view own_did,
                          std::string_view nonce);

std::int64_t unix_seconds(std::chrono::system_clock::time_point time);

}  // namespace spl::federation
