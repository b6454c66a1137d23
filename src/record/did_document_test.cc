#include "record/did_document.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/json.h"
#include "crypto/did_key.h"

namespace spl::record {
namespace {

using codec::Json;

crypto::PublicKey key() {
  return crypto::SigningKey::from_seed("a key of thirty-two bytes for us")->public_key();
}

Json::Object members() {
  return *Json::parse(did_document_text(key()))->object();
}

Json& member(Json::Object& object, std::string_view name) {
  return std::ranges::find(object, name, &Json::Object::value_type::first)->second;
}

std::string why(const Json::Object& document) {
  const auto parsed = parse_did_document(Json(document).text());
  EXPECT_TRUE(parsed || parsed.error().code == ErrorCode::kVerification);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(DidDocument, IsReadAsItWasWritten) {
  EXPECT_EQ(parse_did_document(did_document_text(key())).value(), key());
}

// Another implementation may write the same otherwise.
TEST(DidDocument, IsComparedAsJson) {
  Json::Object document = members();
  std::ranges::reverse(document);
  EXPECT_EQ(why(document), "accepted");
  const std::string key_id = crypto::did_of(key()) + "#" + crypto::multibase_of(key());
  document.emplace_back("capabilityInvocation", Json::Array{key_id});
  document.emplace_back("capabilityDelegation", Json::Array{key_id});
  EXPECT_EQ(why(document), "accepted");
  std::erase_if(document, [](const auto& m) { return m.first == "authentication" || m.first == "assertionMethod"; });
  EXPECT_EQ(why(document), "accepted");
  for (const Json& context :
       {Json("https://www.w3.org/ns/did/v1"), Json(Json::Array{"https://www.w3.org/ns/did/v1"})}) {
    member(document, "@context") = context;
    EXPECT_EQ(why(document), "accepted");
  }
}

TEST(DidDocument, SaysNothingThatTheKeyDoesNotGive) {
  for (const char* name : {"service", "alsoKnownAs", "controller", "keyAgreement", "x"}) {
    Json::Object document = members();
    document.emplace_back(name, Json::Array{});
    EXPECT_EQ(why(document), "member \"" + std::string(name) + "\" does not come from the key alone");
  }
  for (const Json& value : {Json(), Json(Json::Array{}), Json("x"), Json(Json::Array{"x"}), Json(Json::Array{1})}) {
    Json::Object document = members();
    member(document, "assertionMethod") = value;
    EXPECT_EQ(why(document), "assertionMethod is not the array of its one key's id");
  }
  for (const Json& value : {Json(), Json("https://example.org"), Json(Json::Array{}),
                            Json(Json::Array{"https://www.w3.org/ns/did/v1", "https://example.org"})}) {
    Json::Object document = members();
    member(document, "@context") = value;
    EXPECT_EQ(why(document), "@context is not that of a DID document with such a key");
  }
}

TEST(DidDocument, HasOneKeyOfOneType) {
  for (const Json& value : {Json(), Json(Json::Array{}), Json(Json::Array{1}), Json("x")}) {
    Json::Object document = members();
    member(document, "verificationMethod") = value;
    EXPECT_EQ(why(document), "has no Ed25519VerificationKey2020");
  }
  EXPECT_EQ(why({}), "has no Ed25519VerificationKey2020");
  EXPECT_EQ(parse_did_document("[]").error().message, "has no Ed25519VerificationKey2020");
  EXPECT_EQ(parse_did_document("{").error().message.substr(0, 6), "JSON: ");
}

}  // namespace
}  // namespace spl::record
