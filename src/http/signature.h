// HTTP Message Signatures (RFC 9421) with Ed25519: the text that is signed, and the fields that carry it. One signature
// a message; components without parameters. Everything that is parsed is hostile. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "http/message.h"

namespace spl::http {

inline constexpr std::size_t kSignatureInputBytesMax = 2048;
inline constexpr std::size_t kSignatureComponentsMax = 32;
inline constexpr std::string_view kContentDigestField = "content-digest";  // RFC 9530
inline constexpr std::string_view kSignatureField = "signature";
inline constexpr std::string_view kSignatureInputField = "signature-input";

// What of a message a component may name.
struct SignedMessage {
  std::string_view method;  // of a request; of an answer empty
  std::string_view target;  // as it stands in the request's first line
  int status = 0;           // of an answer
  const Fields& fields;
};

// What is covered, and the parameters beside it.
struct SignatureInput {
  std::vector<std::string> components;  // "@method", "content-digest": lowercase, no repeats
  std::optional<std::int64_t> created;  // Unix seconds
  std::optional<std::int64_t> expires;
  std::string key_id;  // empty: not said, as the three below
  std::string nonce;
  std::string algorithm;
  std::string tag;

  [[nodiscard]] bool covers(std::string_view component) const;
};

struct ReceivedSignature {
  SignatureInput input;
  std::string parameters;  // of the input, as they were sent
  crypto::Signature signature;
};

// The value of the "signature-input" field without its label.
std::string parameters_text(const SignatureInput& input);
// The signature base (RFC 9421, 2.5). Code kVerification where a component is not to be had from this message.
Result<std::string> signature_base(const SignedMessage& message, const std::vector<std::string>& components,
                                   std::string_view parameters);
// Adds the two fields to `fields`, which are part of the message.
Result<void> sign_message(SignedMessage message, const SignatureInput& input, const crypto::SigningKey& key,
                          Fields& fields);
// Nothing where the message has neither field. Code kVerification where they are not one signature of 64 octets.
Result<std::optional<ReceivedSignature>> received_signature(const Fields& fields);
// Whether the signature is this key's over what it says that it covers.
bool signature_holds(const SignedMessage& message, const ReceivedSignature& received, const crypto::PublicKey& key);

// "sha-256=:...:".
std::string content_digest(std::string_view content);

}  // namespace spl::http
