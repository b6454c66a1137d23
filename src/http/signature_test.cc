#include "http/signature.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace spl::http {
namespace {

// RFC 9421, B.1.4 and B.2.6: the key, the request and its signature with Ed25519.
constexpr std::string_view kPublicKey = "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb";
constexpr std::string_view kSeed = "9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5";
constexpr std::string_view kParameters =
    R"(("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519")";
constexpr std::string_view kSignature =
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";

Fields example_fields() {
  return {{"host", "example.com"},
          {"date", "Tue, 20 Apr 2021 02:07:55 GMT"},
          {"content-type", "application/json"},
          {"content-digest",
           "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"},
          {"content-length", "18"}};
}

Fields signed_example() {
  Fields fields = example_fields();
  fields.emplace_back("signature-input", "sig-b26=" + std::string(kParameters));
  fields.emplace_back("signature", "sig-b26=:" + std::string(kSignature) + ":");
  return fields;
}

crypto::PublicKey example_key() {
  return crypto::parse_public_key(base::from_hex(kPublicKey).value()).value();
}

constexpr std::string_view kTarget = "/foo?param=Value&Pet=dog";

TEST(SignatureTest, TheExampleOfTheRfcHolds) {
  const Fields fields = signed_example();
  const auto received = received_signature(fields);
  ASSERT_TRUE(received && *received) << (received ? "" : received.error().message);
  EXPECT_EQ((*received)->input.created, 1618884473);
  EXPECT_EQ((*received)->input.key_id, "test-key-ed25519");
  EXPECT_EQ((*received)->input.components.size(), 6u);
  EXPECT_TRUE(signature_holds({"POST", kTarget, 0, fields}, **received, example_key()));
}

TEST(SignatureTest, TheExampleOfTheRfcIsMade) {
  Fields fields = example_fields();
  SignatureInput input;
  input.components = {"date", "@method", "@path", "@authority", "content-type", "content-length"};
  input.created = 1618884473;
  input.key_id = "test-key-ed25519";
  const auto key = crypto::SigningKey::from_seed(base::from_hex(kSeed).value());
  ASSERT_TRUE(key);
  ASSERT_TRUE(sign_message({"POST", kTarget, 0, fields}, input, *key, fields));
  EXPECT_EQ(*find_field(fields, "signature-input"), "spl=" + std::string(kParameters));
  EXPECT_EQ(*find_field(fields, "signature"), "spl=:" + std::string(kSignature) + ":");
}

TEST(SignatureTest, WhatIsCoveredCannotBeChanged) {
  const auto holds = [](std::string_view method, std::string_view target, const Fields& fields) {
    const auto received = received_signature(fields);
    return received && *received && signature_holds({method, target, 0, fields}, **received, example_key());
  };
  ASSERT_TRUE(holds("POST", kTarget, signed_example()));
  EXPECT_TRUE(holds("POST", "/foo", signed_example())) << "the query is not covered here";
  EXPECT_FALSE(holds("PUT", kTarget, signed_example()));
  EXPECT_FALSE(holds("POST", "/foo/?param=Value&Pet=dog", signed_example()));
  for (std::size_t i : {0u, 1u, 2u, 4u}) {
    Fields changed = signed_example();
    changed[i].second += "x";
    EXPECT_FALSE(holds("POST", kTarget, changed)) << changed[i].first;
    changed = signed_example();
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(holds("POST", kTarget, changed)) << "without field " << i;
  }
  Fields twice = signed_example();
  twice.emplace_back("content-type", "text/plain");
  EXPECT_FALSE(holds("POST", kTarget, twice));
  Fields later = signed_example();
  for (auto& [name, value] : later) {
    if (name == "signature-input") value.replace(value.find("1618884473"), 10, "1618884474");
  }
  EXPECT_FALSE(holds("POST", kTarget, later));
}

TEST(SignatureTest, QueryAndStatusHaveTheirForms) {
  const Fields none;
  EXPECT_EQ(signature_base({"GET", "/a", 0, none}, {"@query"}, "()").value(),
            "\"@query\": ?\n\"@signature-params\": ()");
  EXPECT_EQ(signature_base({"GET", "/a?b=c?d", 0, none}, {"@path", "@query"}, "()").value(),
            "\"@path\": /a\n\"@query\": ?b=c?d\n\"@signature-params\": ()");
  EXPECT_EQ(signature_base({"", "", 503, none}, {"@status"}, "()").value(),
            "\"@status\": 503\n\"@signature-params\": ()");
  EXPECT_FALSE(signature_base({"", "", 503, none}, {"@method"}, "()"));
  EXPECT_FALSE(signature_base({"GET", "/a", 0, none}, {"@status"}, "()"));
  EXPECT_FALSE(signature_base({"GET", "/a", 0, none}, {"@nothing"}, "()"));
}

TEST(SignatureTest, WhatIsNotOneSignatureIsRefused) {
  const std::string good = "spl=:" + std::string(kSignature) + ":";
  const auto fields = [](std::string input, std::string signature) {
    return Fields{{"signature-input", std::move(input)}, {"signature", std::move(signature)}};
  };
  ASSERT_TRUE(received_signature(fields("spl=(\"@method\");created=1", good)));
  EXPECT_FALSE(received_signature(Fields{}).value().has_value());
  for (const char* input : {"",
                            "spl",
                            "spl=",
                            "spl=(",
                            "spl=(\"@method\"",
                            "spl=(\"@method\" )",
                            "spl=(\"@method\"\"date\")",
                            "spl=(\"@method\" \"@method\")",
                            "spl=(@method)",
                            "spl=(\"@method\";req)",
                            "spl=(\"@method\");created",
                            "spl=(\"@method\");created=\"1\"",
                            "spl=(\"@method\");created=99999999999999999",
                            "spl=(\"@method\");keyid=x",
                            "spl=(\"@method\");created=1;created=2",
                            "spl=(\"@method\");why=1",
                            "spl=(\"@method\") ",
                            "spl=(\"@method\"), b=(\"date\")",
                            "Spl=(\"@method\")",
                            "other=(\"@method\")",
                            "spl=(\"\")"}) {
    EXPECT_FALSE(received_signature(fields(input, good))) << input;
  }
  for (const char* signature : {"", "spl", "spl=", "spl=::", "spl=:AAAA:", "spl=:!:", "spl=\"AAAA\""})
    EXPECT_FALSE(received_signature(fields("spl=(\"@method\")", signature))) << signature;
  EXPECT_FALSE(received_signature(Fields{{"signature", good}}));
  Fields twice = fields("spl=(\"@method\")", good);
  twice.emplace_back("signature", good);
  EXPECT_FALSE(received_signature(twice));
  EXPECT_FALSE(received_signature(fields("spl=(" + std::string(3000, ' ') + ")", good)));
}

TEST(SignatureTest, TheDigestOfContentIsThatOfTheRfc) {
  // RFC 9530, appendix D: {"hello": "world"} with its line break.
  EXPECT_EQ(content_digest("{\"hello\": \"world\"}\n"), "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
}

}  // namespace
}  // namespace spl::http
