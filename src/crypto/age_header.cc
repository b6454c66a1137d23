#include "crypto/age_header.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/encoding.h"
#include "crypto/age.h"
#include "crypto/kdf.h"

namespace spl::crypto {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1\n";
constexpr std::string_view kStanzaMark = "-> ";
constexpr std::string_view kEndMark = "---";
constexpr std::size_t kColumns = 64;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::kVerification, "age header: " + std::string(what));
}

bool is_graphic(char c) {
  return c >= 0x21 && c <= 0x7e;
}

// Lines of a text that ends with a line feed.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view next() {
    const std::size_t end = rest_.find('\n');
    SPL_CHECK(end != std::string_view::npos);
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }

 private:
  std::string_view rest_;
};

Result<std::vector<std::string>> parse_arguments(std::string_view line) {
  if (!line.starts_with(kStanzaMark)) return malformed("a stanza does not begin with '-> '");
  line.remove_prefix(kStanzaMark.size());
  std::vector<std::string> arguments;
  for (;;) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view argument = line.substr(0, end);
    if (argument.empty() || !std::ranges::all_of(argument, is_graphic))
      return malformed("a stanza has an empty argument or one that is not graphic ASCII");
    arguments.emplace_back(argument);
    if (end == line.size()) return arguments;
    line.remove_prefix(end + 1);
  }
}

Result<std::string> parse_body(Lines& lines) {
  std::string encoded;
  for (;;) {
    if (lines.empty()) return malformed("a stanza's body does not end with a line below 64 columns");
    const std::string_view line = lines.next();
    if (line.size() > kColumns) return malformed("a stanza's body has a line over 64 columns");
    encoded += line;
    if (line.size() < kColumns) break;
  }
  auto body = base::from_base64(encoded, base::Padding::kNone);
  if (!body) return malformed("a stanza's body is " + body.error().message);
  return body;
}

Result<Digest> parse_mac(std::string_view line) {
  if (!line.starts_with("--- ")) return malformed("the last line does not begin with '--- '");
  const auto mac = base::from_base64(line.substr(4), base::Padding::kNone);
  if (!mac || mac->size() != Digest{}.octets.size()) return malformed("the MAC is malformed");
  return Digest::from(*mac);
}

Result<void> check_beginning(std::string_view prefix) {
  if (looks_like_armored_age(prefix))
    return fail(ErrorCode::kVerification, "the age file is ASCII-armored, which is not accepted",
                "take the armor off: the binary form is its base64, decoded");
  if (!looks_like_age(prefix)) return malformed("not an age file");
  if (!prefix.starts_with(kVersionLine)) {
    const std::size_t end = std::min(prefix.find('\n'), prefix.size());
    return fail(ErrorCode::kVerification,
                "age header: version '" + base::escaped(prefix.substr(kAgeMagicBytes, end - kAgeMagicBytes), 32) +
                    "' is not supported, only v1 is",
                "decrypt it with the age that made it, and take what it gives");
  }
  return {};
}

// The header without anything behind it.
Result<std::string_view> cut_header(std::string_view prefix) {
  const std::string_view within = prefix.substr(0, kAgeHeaderBytesMax);
  const std::size_t end = within.find("\n---");
  const std::size_t line_feed = end == std::string_view::npos ? end : within.find('\n', end + 1);
  if (line_feed != std::string_view::npos) return within.substr(0, line_feed + 1);
  if (prefix.size() < kAgeHeaderBytesMax) return malformed("cut short");
  return malformed("longer than " + std::to_string(kAgeHeaderBytesMax) + " bytes");
}

Digest mac_of(std::string_view maced, const SecretBytes& file_key) {
  return hmac_sha256(hkdf_sha256(file_key.reveal(), {}, "header").reveal(), maced);
}

}  // namespace

bool AgeHeader::authentic(const SecretBytes& file_key) const {
  const Digest expected = mac_of(maced, file_key);
  return CRYPTO_memcmp(expected.octets.data(), mac.octets.data(), mac.octets.size()) == 0;
}

Result<AgeHeader> parse_age_header(std::string_view prefix) {
  TRY(check_beginning(prefix));
  const std::string_view text = TRY(cut_header(prefix));
  const std::size_t end_line = text.rfind('\n', text.size() - 2) + 1;
  AgeHeader header;
  header.length_bytes = text.size();
  header.mac = TRY(parse_mac(text.substr(end_line, text.size() - end_line - 1)));
  header.maced = text.substr(0, end_line + kEndMark.size());
  Lines lines(text.substr(kVersionLine.size(), end_line - kVersionLine.size()));
  if (lines.empty()) return malformed("no stanza");
  while (!lines.empty()) {
    if (header.stanzas.size() == kAgeStanzasMax)
      return malformed("more than " + std::to_string(kAgeStanzasMax) + " stanzas");
    AgeStanza stanza;
    stanza.arguments = TRY(parse_arguments(lines.next()));
    stanza.body = TRY(parse_body(lines));
    header.stanzas.push_back(std::move(stanza));
  }
  return header;
}

std::string write_age_header(const std::vector<AgeStanza>& stanzas, const SecretBytes& file_key) {
  SPL_CHECK(!stanzas.empty() && stanzas.size() <= kAgeStanzasMax);
  std::string text(kVersionLine);
  for (const AgeStanza& stanza : stanzas) {
    text += "->";
    for (const std::string& argument : stanza.arguments) text += " " + argument;
    text += '\n';
    const std::string body = base::to_base64(stanza.body, base::Padding::kNone);
    for (std::size_t at = 0; at < body.size(); at += kColumns) text += body.substr(at, kColumns) + '\n';
    if (body.size() % kColumns == 0) text += '\n';
  }
  text += kEndMark;
  const Digest mac = mac_of(text, file_key);
  text += " " + base::to_base64(mac.view(), base::Padding::kNone) + '\n';
  SPL_CHECK(text.size() <= kAgeHeaderBytesMax);
  return text;
}

}  // namespace spl::crypto
