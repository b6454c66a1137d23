#include <openssl/bn.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>

#include "bundle/layout.h"
#include "crypto/did_key.h"
#include "hostile_cases.h"
#include "hostile_kit.h"
#include "record/did_document.h"
#include "substrate/accounts.h"

namespace spl::testing {
namespace {

constexpr std::string_view kOtherSeed = "another key of thirty-two bytes!";
constexpr char kChanged[] = "signature verification failed";

struct BnDeleter {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, BnDeleter>;

Number number(std::string_view little_endian) {
  return Number(BN_lebin2bn(reinterpret_cast<const unsigned char*>(little_endian.data()),
                            static_cast<int>(little_endian.size()), nullptr));
}

std::string octets(const BIGNUM& number) {
  std::string text(32, '\0');
  BN_bn2lebinpad(&number, reinterpret_cast<unsigned char*>(text.data()), 32);
  return text;
}

// The order of the base point.
Number order() {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
  return Number(number);
}

std::string sha512(std::string_view text) {
  std::string digest(64, '\0');
  SHA512(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::function<void(BundleForge&)> signature(std::function<void(std::string&)> edit) {
  return [=](BundleForge& f) { f.edit_signature = [=](std::string& s, std::string_view) { edit(s); }; };
}

// The same equation, another text.
void add_order(std::string& signature) {
  const Number sum = number(std::string_view(signature).substr(32));
  BN_add(sum.get(), sum.get(), order().get());
  signature.replace(32, 32, octets(*sum));
}

crypto::PublicKey key_of(std::string_view first, char fill, char last) {
  crypto::PublicKey key;
  key.octets.fill(static_cast<std::uint8_t>(fill));
  std::ranges::copy(first, key.octets.begin());
  key.octets.back() = static_cast<std::uint8_t>(last);
  return key;
}

Forging signer(const crypto::PublicKey& key) {
  return manifest([=](bundle::Manifest& m) { m.source_did = crypto::did_of(key); });
}

Forging document(std::string from, std::string to) {
  return content(bundle::kDidDocumentPath, [=](std::string& text) { replace(text, from, to); });
}

store::Token token(char first) {
  store::Token token;
  token.sha256.octets[0] = static_cast<std::uint8_t>(first);
  token.account = "ci";
  token.created_at = "2026-01-31T12:00:00Z";
  token.scopes = {"records:read"};
  return token;
}

Forging tokens(std::function<void(std::string&)> edit) {
  return at(std::string(bundle::kTokensPath), [=](BundleForge& f) {
    std::string text = substrate::tokens_text({token(1), token(2)});
    edit(text);
    f.add(std::string(bundle::kTokensPath), text);
  });
}

Forging tokens(std::string from, std::string to) {
  return tokens([=](std::string& text) { replace(text, from, to); });
}

const Hostile kSigners[] = {
    {"SignatureOverOtherBytes", at("", signature([](std::string& s) { s[7] ^= 1; })), kChanged},
    {"SignatureOf63Bytes", at("manifest.sig", signature([](std::string& s) { s.pop_back(); })), "not 64 bytes"},
    {"SignatureOf65Bytes", at("manifest.sig", signature([](std::string& s) { s += 'x'; })), "longer than 64 bytes"},
    {"EmptySignature", at("manifest.sig", signature([](std::string& s) { s.clear(); })), "not 64 bytes"},
    {"SignatureWithTheOrderAdded", at("", signature(add_order)), kChanged},
    {"SignatureWithAPointOfSmallOrder",
     at("",
        [](BundleForge& f) {
          f.edit_signature = [&f](std::string& s, std::string_view text) { s = small_order_signature(f, text); };
        }),
     kChanged},
    {"SignatureWithAPointThatIsNotCanonical",
     at("",
        [](BundleForge& f) {
          f.edit_signature = [&f](std::string& s, std::string_view text) {
            s = small_order_signature(f, text);
            // The same point: y = p + 1.
            s.replace(0, 32, "\xEE" + std::string(30, '\xFF') + "\x7F");
          };
        }),
     kChanged},
    {"SignerIsAnother",
     at("",
        [](BundleForge& f) {
          f.edit_manifest = [](bundle::Manifest& m) {
            m.source_did = crypto::did_of(BundleForge(kOtherSeed).key().public_key());
          };
        }),
     kChanged},
    {"SignerIsNoKey", manifest([](bundle::Manifest& m) { m.source_did = "did:web:example.org"; }),
     "source_did: 'did:web:example.org' is not a did:key"},
    {"SignerOfOrderOne", signer(key_of("\1", 0, 0)), "source_did: Ed25519 public key is of small order"},
    {"SignerOfOrderTwo", signer(key_of("\xEC", '\xFF', 0x7F)), "source_did: Ed25519 public key is of small order"},
    {"SignerOfOrderFour", signer(key_of("", 0, 0)), "source_did: Ed25519 public key is of small order"},
    {"SignerOfOrderEight",
     signer(key_of("\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39"
                   "\xb1\x38\x02\x88\x6d\x53\xfc",
                   0, 5)),
     "source_did: Ed25519 public key is of small order"},
    {"SignerThatIsNotCanonical", signer(key_of("\xF0", '\xFF', 0x7F)),
     "source_did: Ed25519 public key is not canonically encoded"},
    {"SignerWithTheSignOfNothing", signer(key_of("\1", 0, '\x80')),
     "source_did: Ed25519 public key is not canonically encoded"},
    // The document.
    {"DocumentOfAnotherKey",
     content(bundle::kDidDocumentPath,
             [](std::string& text) { text = record::did_document_text(BundleForge(kOtherSeed).key().public_key()); }),
     "its key is not that of source_did"},
    {"DocumentWithoutTheMethod",
     at("", [](BundleForge& f) { (void)document("Ed25519VerificationKey2020", "JsonWebKey2020")(f); }),
     "bundle malformed: identity/did_document.json has no Ed25519VerificationKey2020"},
    {"DocumentThatIsNoJson", document("{", ""), "JSON: something after the value at byte 13"},
    {"DocumentWithAnotherId", document("\"id\": \"did:key:", "\"id\": \"did:web:"), "its id is not the DID of its key"},
    {"DocumentWithTwoKeys",
     document("\"verificationMethod\": [",
              "\"verificationMethod\": [{\"type\": \"Ed25519VerificationKey2020\", \"publicKeyMultibase\": \"z\"},"),
     "has more than one Ed25519VerificationKey2020"},
    // The private key.
    {"PrivateKeyOfAnother", content(bundle::kPrivateKeyPath, [](std::string& seed) { seed = kOtherSeed; }),
     "does not derive source_did"},
    {"PrivateKeyOf31Bytes", content(bundle::kPrivateKeyPath, [](std::string& seed) { seed.pop_back(); }),
     "not 32 bytes"},
    {"IdentityWithoutKey", at("identity/", [](BundleForge& f) { f.remove(bundle::kPrivateKeyPath); }),
     "did_document.json and private_key.bin must both be there"},
    {"IdentityWithoutDocument", at("identity/", [](BundleForge& f) { f.remove(bundle::kDidDocumentPath); }),
     "did_document.json and private_key.bin must both be there"},
    // Tokens.
    {"TokensThatAreNoTokens", tokens([](std::string& text) { text = "{\"kind\":\"spl.tokens.v1\"}"; }),
     "is no list of tokens"},
    {"TokensOfAnotherKind", tokens("spl.tokens.v1", "spl.tokens.v2"), "is no list of tokens"},
    {"TokensOutOfOrder", tokens([](std::string& text) { text = substrate::tokens_text({token(2), token(1)}); }),
     "its tokens are not ascending by sha256"},
    {"TokenTwice", tokens([](std::string& text) { text = substrate::tokens_text({token(1), token(1)}); }),
     "its tokens are not ascending by sha256"},
    {"TokensThatAreNotCanonical", tokens("{\"kind\":", "{ \"kind\":"), "not in canonical form"},
    {"TokensWithAnUnknownScope", tokens("records:read", "records:burn"),
     "a token has the unknown scope \"records:burn\""},
    {"TokenWithAnExtraMember", tokens("\"account\"", "\"aaa\":1,\"account\""), "a token has other members"},
    {"TokenWithATimeThatIsNone", tokens("2026-01-31T12:00:00Z", "2026-01-31"),
     "a token's time is not like 2030-01-31T12:00:00Z"},
};

}  // namespace

// S = h a with R = 1: the equation holds for every key.
std::string small_order_signature(const BundleForge& forge, std::string_view text) {
  const std::unique_ptr<BN_CTX, BnDeleter> context(BN_CTX_new());
  std::string secret = sha512(forge.entries[1].content).substr(0, 32);
  secret[0] = static_cast<char>(secret[0] & 0xF8);
  secret[31] = static_cast<char>((secret[31] & 0x3F) | 0x40);
  std::string signature = "\1" + std::string(31, '\0');
  const Number h = number(sha512(signature + std::string(forge.key().public_key().view()) + std::string(text)));
  const Number product(BN_new());
  BN_mod_mul(product.get(), h.get(), number(secret).get(), order().get(), context.get());
  return signature + octets(*product);
}

std::span<const Hostile> hostile_signers() {
  return kSigners;
}

}  // namespace spl::testing
