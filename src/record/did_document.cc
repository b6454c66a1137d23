#include "record/did_document.h"

#include "codec/json.h"
#include "crypto/did_key.h"

namespace spl::record {
namespace {

using codec::Json;

constexpr std::string_view kKeyType = "Ed25519VerificationKey2020";

bool is_text(const Json* json, std::string_view text) {
  return json != nullptr && json->string() != nullptr && *json->string() == text;
}

}  // namespace

std::string did_document_text(const crypto::PublicKey& key) {
  const std::string did = crypto::did_of(key);
  const std::string multibase = crypto::multibase_of(key);
  const std::string key_id = did + "#" + multibase;
  const Json document = Json::Object{
      {"@context", Json::Array{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/ed25519-2020/v1"}},
      {"id", did},
      {"verificationMethod",
       Json::Array{
           Json::Object{{"id", key_id}, {"type", kKeyType}, {"controller", did}, {"publicKeyMultibase", multibase}}}},
      {"authentication", Json::Array{key_id}},
      {"assertionMethod", Json::Array{key_id}}};
  return document.pretty() + "\n";
}

Result<crypto::PublicKey> parse_did_document(std::string_view text) {
  const auto wrong = [](std::string rule) { return fail(ErrorCode::kVerification, std::move(rule)); };
  const auto document = Json::parse(text);
  if (!document) return wrong(document.error().message);
  const Json* methods = document->find("verificationMethod");
  const Json* multibase = nullptr;
  if (methods != nullptr && methods->array() != nullptr) {
    for (const Json& method : *methods->array()) {
      if (!is_text(method.find("type"), kKeyType)) continue;
      if (multibase != nullptr) return wrong("has more than one Ed25519VerificationKey2020");
      multibase = method.find("publicKeyMultibase");
      if (multibase == nullptr || multibase->string() == nullptr)
        return wrong("its Ed25519VerificationKey2020 has no publicKeyMultibase");
    }
  }
  if (multibase == nullptr)
    return fail(ErrorCode::kVerification, Cause::kNotFound, "has no Ed25519VerificationKey2020");
  const auto key = crypto::parse_multibase(*multibase->string());
  if (!key) return wrong("publicKeyMultibase: " + key.error().message);
  if (!is_text(document->find("id"), crypto::did_of(*key))) return wrong("its id is not the DID of its key");
  return *key;
}

}  // namespace spl::record
