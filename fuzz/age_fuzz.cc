// The readers of foreign bytes in crypto/: age files, their headers, keys as text, did:key. The first octet says which.
// Whatever comes in, nothing may crash; and what is accepted must be what would have been written.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/stream.h"
#include "crypto/age.h"
#include "crypto/age_header.h"
#include "crypto/did_key.h"

namespace {

using namespace spl;
using namespace spl::crypto;

constexpr std::string_view kIdentity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
constexpr int kLogNMax = 4;  // so that a run is quick
constexpr std::size_t kPlainBytesMax = 16u << 20;

const std::vector<AgeIdentity>& identities() {
  static const std::vector<AgeIdentity> all = parse_identity_file(kIdentity).value();
  return all;
}

void fill_with_pattern(std::span<char> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i * 17 + 3);
}

Result<std::string> decrypt(std::string_view file) {
  static const SecretBytes passphrase("passphrase");
  base::StringSource in(file);
  const auto source = TRY(AgeDecryptSource::open(in, identities(), &passphrase, kLogNMax));
  return base::read_all(*source, kPlainBytesMax);
}

// A header that is accepted is written back as it was, but for the MAC, which is under another key.
void check_header(std::string_view text) {
  const auto header = parse_age_header(text);
  if (!header) return;
  SPL_CHECK(header->length_bytes <= text.size() && !header->stanzas.empty());
  const std::string again = write_age_header(header->stanzas, SecretBytes("0123456789abcdef"));
  SPL_CHECK(again.size() == header->length_bytes && again.starts_with(header->maced));
}

void check_texts(std::string_view text) {
  if (const auto key = parse_did_key(text)) SPL_CHECK(did_of(*key) == text);
  if (const auto key = parse_multibase(text)) SPL_CHECK(multibase_of(*key) == text);
  if (const auto recipient = Recipient::parse(text)) SPL_CHECK(recipient->text() == text);
  if (const auto all = parse_identity_file(text)) SPL_CHECK(all->size() <= kAgeIdentitiesMax);
}

// Seals the rest of the input, and opens it whole, then with one octet changed at a place that the input says.
void check_round_trip(std::string_view input) {
  if (input.size() < 4) return;
  std::size_t place = 0;
  for (const char c : input.substr(0, 3)) place = place << 8 | static_cast<unsigned char>(c);
  const char change = input[3];
  input.remove_prefix(4);
  base::StringSink out;
  const auto sink = AgeEncryptSink::make(out, {identities().front().recipient()}, fill_with_pattern).value();
  SPL_CHECK(sink->write(input) && sink->finish());
  const auto opened = decrypt(out.text);
  SPL_CHECK(opened && *opened == input);
  if (change == 0) return;
  char& octet = out.text[place % out.text.size()];
  octet = static_cast<char>(octet ^ change);
  SPL_CHECK(!decrypt(out.text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      (void)decrypt(input);
      break;
    case 1:
      check_header(input);
      break;
    case 2:
      check_texts(input);
      break;
    default:
      check_round_trip(input);
      break;
  }
  return 0;
}
