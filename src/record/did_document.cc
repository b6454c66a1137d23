#include "record/did_document.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/did_key.h"

namespace spl::record {
namespace {

using codec::Json;

constexpr std::string_view kKeyType = "Ed25519VerificationKey2020";
constexpr std::string_view kDidContext = "https://www.w3.org/ns/did/v1";
constexpr std::string_view kKeyContext = "https://w3id.org/security/suites/ed25519-2020/v1";
// What DID Core lets a key be used for, but for agreeing on keys: that takes another key than this.
constexpr std::array<std::string_view, 4> kRelationships = {"authentication", "assertionMethod", "capabilityDelegation",
                                                            "capabilityInvocation"};

bool is_text(const Json* json, std::string_view text) {
  return json != nullptr && json->string() != nullptr && *json->string() == text;
}

std::unexpected<Error> wrong(std::string rule) {
  return fail(ErrorCode::kVerification, std::move(rule));
}

std::string key_id_of(const std::string& did, const std::string& multibase) {
  return did + "#" + multibase;
}

// The document's verification method, which is the only one and of the type that there is.
Result<const Json*> only_method(const Json& document) {
  const Json* methods = document.find("verificationMethod");
  const bool is_array = methods != nullptr && methods->array() != nullptr;
  const auto is_of_the_type = [](const Json& method) { return is_text(method.find("type"), kKeyType); };
  const auto count = is_array ? std::ranges::count_if(*methods->array(), is_of_the_type) : 0;
  if (count == 0) return wrong("has no Ed25519VerificationKey2020");
  if (count > 1) return wrong("has more than one Ed25519VerificationKey2020");
  if (methods->array()->size() > 1) return wrong("has another verification method beside its key");
  return methods->array()->data();
}

Result<void> check_method(const Json& method, const std::string& did, const std::string& key_id) {
  if (!is_text(method.find("id"), key_id)) return wrong("its verification method's id is not that of its key");
  if (!is_text(method.find("controller"), did)) return wrong("its verification method's controller is not its DID");
  if (method.object()->size() != 4) return wrong("its verification method has members that do not come from the key");
  return {};
}

// Both contexts that the members need, or the first alone, in an array or not.
Result<void> check_context(const Json* context) {
  if (is_text(context, kDidContext)) return {};
  const Json::Array* urls = context == nullptr ? nullptr : context->array();
  const bool good = urls != nullptr && !urls->empty() && urls->size() <= 2 && is_text(urls->data(), kDidContext) &&
                    (urls->size() == 1 || is_text(&urls->back(), kKeyContext));
  if (!good) return wrong("@context is not that of a DID document with such a key");
  return {};
}

}  // namespace

std::string did_document_text(const crypto::PublicKey& key) {
  const std::string did = crypto::did_of(key);
  const std::string multibase = crypto::multibase_of(key);
  const std::string key_id = key_id_of(did, multibase);
  const Json document =
      Json::Object{{"@context", Json::Array{kDidContext, kKeyContext}},
                   {"id", did},
                   {"verificationMethod",
                    Json::Array{Json::Object{
                        {"id", key_id}, {"type", kKeyType}, {"controller", did}, {"publicKeyMultibase", multibase}}}},
                   {"authentication", Json::Array{key_id}},
                   {"assertionMethod", Json::Array{key_id}}};
  return document.pretty() + "\n";
}

Result<crypto::PublicKey> parse_did_document(std::string_view text) {
  const auto document = Json::parse(text);
  if (!document) return wrong(document.error().message);
  const Json* method = TRY(only_method(*document));
  const Json* multibase = method->find("publicKeyMultibase");
  if (multibase == nullptr || multibase->string() == nullptr)
    return wrong("its Ed25519VerificationKey2020 has no publicKeyMultibase");
  const auto key = crypto::parse_multibase(*multibase->string());
  if (!key) return wrong("publicKeyMultibase: " + key.error().message);
  const std::string did = crypto::did_of(*key);
  const std::string key_id = key_id_of(did, *multibase->string());
  if (!is_text(document->find("id"), did)) return wrong("its id is not the DID of its key");
  TRY(check_method(*method, did, key_id));
  TRY(check_context(document->find("@context")));
  for (const auto& [name, value] : *document->object()) {
    if (name == "@context" || name == "id" || name == "verificationMethod") continue;
    if (std::ranges::find(kRelationships, name) == kRelationships.end())
      return wrong("member \"" + base::escaped(name, 80) + "\" does not come from the key alone");
    const bool is_key =
        value.array() != nullptr && value.array()->size() == 1 && is_text(value.array()->data(), key_id);
    if (!is_key) return wrong(name + " is not the array of its one key's id");
  }
  return *key;
}

}  // namespace spl::record
