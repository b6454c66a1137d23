#include "federation/whereabouts.h"

#include <algorithm>
#include <cstdlib>

#include "env/env.h"
#include "federation/peer_notes.h"
#include "http/url.h"
#include "instance/move.h"

namespace spl::federation {
namespace {

constexpr std::string_view kBaseUrlSetting = "base_url";
constexpr std::string_view kSequenceSetting = "announcement_sequence";
constexpr std::string_view kLatestSetting = "announcement_latest";

std::uint64_t unix_milliseconds(std::chrono::system_clock::time_point time) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
}

}  // namespace

Result<std::string> own_base_url(instance::Instance& instance) {
  const std::string configured = TRY(instance.config()).base_url;
  if (!configured.empty()) return TRY_IN("base_url in config.toml", http::Url::parse(configured)).text();
  const auto served = TRY(TRY(instance.store().reader())->setting(kBaseUrlSetting));
  return served.value_or("");
}

Result<void> note_base_url(instance::Instance& instance, const std::string& base_url) {
  return instance.committer().run([&base_url](store::StoreWriter& writer) -> Result<void> {
    if (TRY(writer.setting(kBaseUrlSetting)) == base_url) return {};
    return writer.set_setting(kBaseUrlSetting, base_url);
  });
}

Result<std::optional<std::string>> own_manifest(instance::Instance& instance, codec::Json::Object more) {
  const auto identity = instance.identity();
  const std::string url = TRY(own_base_url(instance));
  if (!identity || url.empty()) return std::nullopt;
  const auto now = instance.env().clock.now();
  Manifest manifest;
  manifest.did = identity->did;
  manifest.base_url = url;
  manifest.pair_endpoint = url + std::string(kPairPath);
  manifest.sync_change_endpoint = url + std::string(kChangesPath);
  manifest.issued_at = env::rfc3339(now);
  manifest.expires_at = env::rfc3339(now + kManifestLifetime - std::chrono::seconds(1));
  codec::Json document = codec::shape_json(manifest);
  for (auto& [name, value] : more) document.add(std::move(name), std::move(value));
  return sign_document(std::move(document), *identity);
}

Result<std::optional<std::string>> own_announcement(instance::Instance& instance) {
  const auto identity = instance.identity();
  Announcement announcement;
  announcement.base_url = TRY(own_base_url(instance));
  if (!identity || announcement.base_url.empty()) return std::nullopt;
  const auto now = instance.env().clock.now();
  announcement.did = identity->did;
  announcement.issued_at = env::rfc3339(now);
  std::string text;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    text.clear();
    if (TRY(instance::moved_at(writer))) return {};
    const auto last = TRY(writer.setting(kSequenceSetting));
    const std::uint64_t next = last ? std::strtoull(last->c_str(), nullptr, 10) + 1 : 0;
    announcement.sequence = std::max(next, unix_milliseconds(now));
    announcement.incarnation = TRY(writer.incarnation());
    text = sign_document(codec::shape_json(announcement), *identity);
    TRY(writer.set_setting(kSequenceSetting, std::to_string(announcement.sequence)));
    return writer.set_setting(kLatestSetting, text);
  }));
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

Result<bool> note_known(instance::Instance& instance, const std::string& text) {
  const auto known = verified_announcement(text, instance.env().clock.now());
  if (!known || known->did != instance.did()) return false;
  bool is_newer = false;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    const auto last = TRY(writer.setting(kSequenceSetting));
    is_newer = !last || std::strtoull(last->c_str(), nullptr, 10) < known->sequence;
    return is_newer ? writer.set_setting(kSequenceSetting, std::to_string(known->sequence)) : Result<void>();
  }));
  return is_newer;
}

Result<std::optional<std::string>> latest_announcement(instance::Instance& instance) {
  const std::string url = TRY(own_base_url(instance));
  {
    const auto reader = TRY(instance.store().reader());
    if (TRY(instance::moved_at(*reader))) return announcement_of(*reader, instance.did().value_or(""));
    auto text = TRY(reader->setting(kLatestSetting));
    const auto latest = text ? verified_announcement(*text, instance.env().clock.now()) : fail("there is none");
    if (latest && latest->did == instance.did() && latest->base_url == url &&
        latest->incarnation == TRY(reader->incarnation()))
      return text;
  }
  return own_announcement(instance);
}

}  // namespace spl::federation
