#include "operation/import_options.h"

#include <algorithm>
#include <charconv>

#include "base/words.h"
#include "crypto/age_keys.h"

namespace spl::codec {
namespace {

constexpr std::array<std::string_view, 3> kEncryptions = {"none", "passphrase", "recipients"};

}  // namespace

Json JsonValue<bundle::Opening>::to(const bundle::Opening& opening) {
  std::string text(kEncryptions[static_cast<std::size_t>(opening.kind)]);
  if (!opening.recipient.empty()) text += ":" + opening.recipient + ":" + std::to_string(opening.recipients);
  return text;
}

Result<bundle::Opening> JsonValue<bundle::Opening>::from(const Json& json) {
  const std::vector<std::string> parts =
      json.string() != nullptr ? base::split(*json.string(), ':') : std::vector<std::string>();
  const auto at = std::ranges::find(kEncryptions, parts.empty() ? "" : parts.front());
  bundle::Opening opening;
  if (at != kEncryptions.end() && (parts.size() == 1 || parts.size() == 3)) {
    opening.kind = static_cast<bundle::Encryption::Kind>(at - kEncryptions.begin());
    if (parts.size() == 1) return opening;
    const std::string& count = parts[2];
    const auto read = std::from_chars(count.data(), count.data() + count.size(), opening.recipients);
    opening.recipient = TRY(crypto::Recipient::parse(parts[1])).text();
    if (opening.kind == bundle::Encryption::Kind::kRecipients && read.ec == std::errc() &&
        read.ptr == count.data() + count.size() && opening.recipients > 0)
      return opening;
  }
  return fail(ErrorCode::kUsage, "is none of none, passphrase, recipients, recipients:AGE1...:COUNT");
}

}  // namespace spl::codec
