#include "record/did_document.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codec/json.h"
#include "crypto/ed25519.h"

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

// Another implementation may write it otherwise, and say more: what an instance keeps is made from the key again.
TEST(DidDocument, IsReadForItsKeyAlone) {
  Json::Object document = members();
  std::ranges::reverse(document);
  document.emplace_back("service", Json::Array{});
  member(document, "@context") = "https://www.w3.org/ns/did/v1";
  EXPECT_EQ(why(document), "accepted");
  std::erase_if(document, [](const auto& m) { return m.first != "id" && m.first != "verificationMethod"; });
  EXPECT_EQ(why(document), "accepted");
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
