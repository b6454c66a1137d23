#include "crypto/x25519.h"

#include <openssl/evp.h>

#include <memory>

#include "base/check.h"
#include "crypto/wiped.h"

namespace spl::crypto {
namespace {

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyDeleter>;

struct DerivationDeleter {
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Derivation = std::unique_ptr<EVP_PKEY_CTX, DerivationDeleter>;

Key private_key(std::string_view scalar) {
  SPL_CHECK(scalar.size() == kX25519Bytes);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, octets_of(scalar), scalar.size()));
  SPL_CHECK(key != nullptr);
  return key;
}

}  // namespace

std::string x25519_public(std::string_view scalar) {
  std::string point(kX25519Bytes, '\0');
  std::size_t length = point.size();
  SPL_CHECK(EVP_PKEY_get_raw_public_key(private_key(scalar).get(), reinterpret_cast<unsigned char*>(point.data()),
                                        &length) == 1 &&
            length == kX25519Bytes);
  return point;
}

Result<SecretBytes> x25519(std::string_view scalar, std::string_view point) {
  SPL_CHECK(point.size() == kX25519Bytes);
  const Key mine = private_key(scalar);
  const Key theirs(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, octets_of(point), point.size()));
  const Derivation derivation(EVP_PKEY_CTX_new(mine.get(), nullptr));
  SPL_CHECK(theirs != nullptr && derivation != nullptr);
  SPL_CHECK(EVP_PKEY_derive_init(derivation.get()) == 1 &&
            EVP_PKEY_derive_set_peer(derivation.get(), theirs.get()) == 1);
  const ErrorQueueMark mark;
  Wiped<kX25519Bytes> shared;
  std::size_t length = kX25519Bytes;
  // OpenSSL fails for a result of zero; the second look does not depend on that.
  if (EVP_PKEY_derive(derivation.get(), shared.octets(), &length) != 1 ||
      shared.view().find_first_not_of('\0') == std::string_view::npos)
    return fail(ErrorCode::kVerification, "X25519 point is of small order");
  SPL_CHECK(length == kX25519Bytes);
  return SecretBytes(shared.view());
}

}  // namespace spl::crypto
