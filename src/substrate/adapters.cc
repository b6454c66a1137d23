#include "substrate/adapters.h"

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "codec/json.h"
#include "record/thread.h"
#include "substrate/authority.h"
#include "substrate/body_members.h"

namespace spl::substrate {
namespace {

using codec::Json;

constexpr std::string_view kAdapterKind = "spl.adapter.v1";
constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kWordsMax = 256;
constexpr std::uint64_t kNumberMax = 1'000'000;

bool is_url(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

bool is_shown_whole(const std::string& text) {
  return !text.empty() && text.size() <= kTextBytesMax && base::escaped(text, kTextBytesMax) == text;
}

}  // namespace

Result<void> check_adapter(const Adapter& adapter) {
  if (!adapter.did.starts_with("did:") || !is_shown_whole(adapter.did))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(adapter.did, 80) + "\" is no DID");
  const bool is_cli = adapter.family == AdapterFamily::kCli;
  if (is_cli && (adapter.command.empty() || adapter.command.size() > kWordsMax || !adapter.url.empty()))
    return fail(ErrorCode::kUsage, "an adapter of the family cli has a command and no URL");
  if (!is_cli && (!adapter.command.empty() || !is_url(adapter.url) || !is_shown_whole(adapter.url)))
    return fail(ErrorCode::kUsage, "an adapter of the family proxy has a URL and no command",
                "such as https://adapter.example/v1");
  for (const std::string& word : adapter.command) {
    if (word.size() > kTextBytesMax) return fail(ErrorCode::kUsage, "a word of the command is longer than 4096 bytes");
  }
  for (const auto& number : {adapter.timeout_s, adapter.max_concurrent}) {
    if (number && (*number == 0 || *number > kNumberMax))
      return fail(ErrorCode::kUsage, "an adapter's limits are from 1 to 1000000");
  }
  return {};
}

std::string adapter_body(const Adapter& adapter) {
  Json body = Json::Object{{"kind", kAdapterKind}, {"state", "active"}};
  const Json members = codec::shape_json(adapter);
  for (const auto& [name, value] : *members.object()) body.add(name, value);
  return body.text();
}

std::string removed_adapter_body(const std::string& did) {
  return Json(Json::Object{{"did", did}, {"kind", kAdapterKind}, {"state", "removed"}}).text();
}

Result<std::vector<Adapter>> adapters(store::StoreReader& reader, const std::optional<std::string>& did) {
  std::map<std::string, Adapter> by_did;
  TRY(effective_records(reader, record::kAdaptersThread, did, [&](const Record& record) -> Result<void> {
    const Json body = body_of(record);
    if (text_in(body, "kind") != kAdapterKind) return {};
    if (text_in(body, "state") == "removed") {
      by_did.erase(text_in(body, "did"));
      return {};
    }
    // What is no adapter's body is none.
    auto adapter = codec::parse_shape<Adapter>(body, codec::Unknown::kIgnored);
    if (adapter && check_adapter(*adapter)) by_did.insert_or_assign(adapter->did, std::move(*adapter));
    return {};
  }));
  std::vector<Adapter> found;
  for (auto& [name, adapter] : by_did) found.push_back(std::move(adapter));
  return found;
}

}  // namespace spl::substrate
