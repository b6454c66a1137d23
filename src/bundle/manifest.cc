#include "bundle/manifest.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <span>

#include "base/encoding.h"
#include "base/limits.h"
#include "base/names.h"
#include "bundle/manifest_check.h"
#include "codec/enum_names.h"
#include "codec/json.h"
#include "codec/json_cursor.h"
#include "codec/json_size.h"
#include "crypto/did_key.h"

namespace spl::bundle {
namespace {

using codec::Json;

// A million sections' members and more; a tree of so many values takes some 150 MiB.
constexpr std::size_t kManifestValuesMax = 1'000'000;
constexpr std::string_view kBeginning = "{\n  \"bundle_version\": ";

std::unexpected<Error> wrong(std::string rule) {
  return fail(ErrorCode::kVerification, std::move(rule));
}

// The members of one object, taken in the order in which they must stand.
class Members {
 public:
  static Result<Members> of(const Json& json, std::string_view what) {
    if (json.object() == nullptr) return wrong(std::string(what) + " is not an object");
    return Members(*json.object(), std::string(what));
  }

  Result<const Json*> take(std::string_view name) {
    if (at_ == members_->size()) return wrong(what_ + " has no member \"" + std::string(name) + "\"");
    const auto& [found, value] = (*members_)[at_++];
    if (found != name)
      return wrong(what_ + ": member \"" + base::escaped(found, 80) + "\" stands where \"" + std::string(name) +
                   "\" must");
    return &value;
  }
  Result<std::string> text(std::string_view name) {
    const Json* value = TRY(take(name));
    if (value->string() == nullptr) return wrong_type(name, "a string");
    return *value->string();
  }
  Result<std::string> name(std::string_view member) {
    std::string value = TRY(text(member));
    if (!base::is_name(value)) return wrong(what_ + ": \"" + base::escaped(value, 80) + "\" is no name");
    return value;
  }
  Result<std::string> one_of(std::string_view name, std::span<const std::string_view> words) {
    std::string value = TRY(text(name));
    if (std::ranges::find(words, value) == words.end())
      return wrong(what_ + ": " + std::string(name) + " is \"" + base::escaped(value, 80) + "\"");
    return value;
  }
  template <codec::NamedEnum E>
  Result<E> one_of(std::string_view name) {
    const std::string word = TRY(text(name));
    const auto value = codec::parse_enum<E>(word);
    if (!value) return wrong(what_ + ": " + std::string(name) + " is \"" + base::escaped(word, 80) + "\"");
    return *value;
  }
  Result<std::uint64_t> number(std::string_view name) {
    const auto value = TRY(take(name))->whole_number();
    if (!value) return wrong_type(name, "a whole number from 0 to 2^63-1");
    return *value;
  }
  Result<bool> boolean(std::string_view name) {
    const Json* value = TRY(take(name));
    if (value->boolean() == nullptr) return wrong_type(name, "true or false");
    return *value->boolean();
  }
  Result<Digest> digest(std::string_view name) {
    Digest digest;
    if (!base::parse_hex_digest(TRY(text(name)), digest)) return wrong_type(name, "64 lowercase hexadecimal digits");
    return digest;
  }
  Result<std::string> time(std::string_view name);
  Result<const Json::Array*> array(std::string_view name) {
    const Json* value = TRY(take(name));
    if (value->array() == nullptr) return wrong_type(name, "an array");
    return value->array();
  }
  [[nodiscard]] bool next_is(std::string_view name) const {
    return at_ < members_->size() && (*members_)[at_].first == name;
  }
  Result<void> end() {
    if (at_ == members_->size()) return {};
    return wrong(what_ + ": member \"" + base::escaped((*members_)[at_].first, 80) + "\" is not allowed");
  }

 private:
  Members(const Json::Object& members, std::string what) : members_(&members), what_(std::move(what)) {}
  [[nodiscard]] std::unexpected<Error> wrong_type(std::string_view name, std::string_view wanted) const {
    return wrong(what_ + ": " + std::string(name) + " is not " + std::string(wanted));
  }
  const Json::Object* members_;
  std::string what_;
  std::size_t at_ = 0;
};

// "2026-01-31T12:00:00Z", with a fraction of a second or not.
bool is_utc_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kShape.size() + 1 || text.size() > 40 || text.back() != 'Z') return false;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '0' ? !is_digit(text[i]) : text[i] != kShape[i]) return false;
  }
  const auto number = [text](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const std::chrono::year_month_day day{std::chrono::year(number(0) * 100 + number(2)), std::chrono::month(number(5)),
                                        std::chrono::day(number(8))};
  if (!day.ok() || number(11) > 23 || number(14) > 59 || number(17) > 60) return false;
  std::string_view fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  if (fraction.empty()) return true;
  return fraction.size() > 1 && fraction[0] == '.' && std::all_of(fraction.begin() + 1, fraction.end(), is_digit);
}

Result<std::string> Members::time(std::string_view name) {
  std::string value = TRY(text(name));
  if (!is_utc_time(value)) return wrong_type(name, "an RFC 3339 time in UTC");
  return value;
}

Result<Scope> parse_scope(const Json& json) {
  Members members = TRY(Members::of(json, "scope"));
  constexpr std::array<std::string_view, 2> kKinds = {"instance", "service"};
  Scope scope;
  if (TRY(members.one_of("kind", kKinds)) == "service") scope.service = TRY(members.name("service"));
  if (members.next_is("context")) scope.context = TRY(members.name("context"));
  TRY(members.end());
  return scope;
}

Result<Encryption> parse_encryption(const Json& json) {
  if (const std::string* word = json.string()) {
    if (*word == "none") return Encryption{};
    if (*word == "passphrase") return Encryption{Encryption::Kind::kPassphrase, {}};
  }
  if (json.array() == nullptr || json.array()->empty())
    return wrong("encryption is neither \"none\" nor \"passphrase\" nor an array of recipients");
  Encryption encryption{Encryption::Kind::kRecipients, {}};
  for (const Json& recipient : *json.array()) {
    if (recipient.string() == nullptr || !recipient.string()->starts_with("age1"))
      return wrong("encryption holds something that is no age recipient");
    encryption.recipients.push_back(*recipient.string());
  }
  return encryption;
}

Result<Surface> parse_surface(const Json& json) {
  Members members = TRY(Members::of(json, "surface"));
  Surface surface;
  surface.name = TRY(members.name("name"));
  surface.kind = TRY(members.one_of<SurfaceKind>("kind"));
  surface.surface_class = TRY(members.one_of<SurfaceClass>("class"));
  surface.per_context = TRY(members.boolean("per_context"));
  surface.included = TRY(members.boolean("included"));
  surface.engine = TRY(members.text("engine"));
  TRY(members.end());
  return surface;
}

Result<Service> parse_service(const Json& json) {
  Members members = TRY(Members::of(json, "service"));
  Service service;
  service.name = TRY(members.name("name"));
  service.version = TRY(members.text("version"));
  service.schema = TRY(members.number("schema"));
  service.declaration = TRY(members.text("declaration"));
  for (const Json& surface : *TRY(members.array("surfaces"))) service.surfaces.push_back(TRY(parse_surface(surface)));
  TRY(members.end());
  return service;
}

Result<Secret> parse_secret(const Json& json) {
  Members members = TRY(Members::of(json, "secret"));
  Secret secret;
  secret.handle = TRY(members.text("handle"));
  secret.secret_class = TRY(members.one_of<SecretClass>("class"));
  secret.required = TRY(members.boolean("required"));
  TRY(members.end());
  return secret;
}

Result<Context> parse_context(const Json& json) {
  Members members = TRY(Members::of(json, "context"));
  Context context;
  context.name = TRY(members.name("name"));
  context.id = TRY(members.number("id"));
  TRY(members.end());
  return context;
}

Result<Snapshot> parse_snapshot(const Json& json) {
  Members members = TRY(Members::of(json, "snapshot"));
  constexpr std::array<std::string_view, 3> kWords = {"quiesced", "filesystem", "crash"};
  Snapshot snapshot;
  snapshot.taken_at = TRY(members.time("taken_at"));
  snapshot.pause_ms = TRY(members.number("pause_ms"));
  snapshot.consistency = TRY(members.one_of("consistency", kWords));
  TRY(members.end());
  return snapshot;
}

bool is_section_prefix(std::string_view prefix) {
  if (prefix == "credentials/" || prefix == "identity/" || prefix == "records/") return true;
  // services/<service>/<surface>/<part>/
  if (!prefix.starts_with("services/") || !prefix.ends_with('/')) return false;
  prefix.remove_prefix(9);
  for (int part = 0; part < 3; ++part) {
    const std::size_t slash = prefix.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view component = prefix.substr(0, slash);
    if (!base::is_name(component) && !(part == 2 && component == "@instance")) return false;
    prefix.remove_prefix(slash + 1);
  }
  return prefix.empty();
}

Result<Section> parse_section(const Json& json) {
  Members members = TRY(Members::of(json, "section"));
  Section section;
  section.prefix = TRY(members.text("prefix"));
  if (!is_section_prefix(section.prefix))
    return wrong("sections: \"" + base::escaped(section.prefix) + "\" is no section's prefix");
  section.files = TRY(members.number("files"));
  if (section.files == 0) return wrong("sections: \"" + section.prefix + "\" has no files");
  section.bytes = TRY(members.number("bytes"));
  section.sha256 = TRY(members.digest("sha256"));
  section.offset = TRY(members.number("offset"));
  TRY(members.end());
  return section;
}

Result<Manifest> parse_members(const Json& json) {
  Members members = TRY(Members::of(json, "manifest"));
  Manifest manifest;
  if (TRY(members.number("bundle_version")) != kBundleVersion) return wrong("bundle_version is not 1");
  manifest.bundle_sha256 = TRY(members.digest("bundle_sha256"));
  manifest.created_at = TRY(members.time("created_at"));
  manifest.created_by = TRY(members.text("created_by"));
  manifest.source_did = TRY(members.text("source_did"));
  manifest.scope = TRY(parse_scope(*TRY(members.take("scope"))));
  manifest.encryption = TRY(parse_encryption(*TRY(members.take("encryption"))));
  manifest.export_sequence = TRY(members.number("export_sequence"));
  if (manifest.export_sequence > kExportSequenceMax) return wrong("export_sequence is over 2^53-1");
  if (members.next_is("previous")) {
    const Json* previous = TRY(members.take("previous"));
    Digest digest;
    if (!previous->is_null()) {
      if (previous->string() == nullptr || !base::parse_hex_digest(*previous->string(), digest))
        return wrong("previous is neither null nor a digest");
      manifest.previous = digest;
    }
  } else {
    TRY(members.take("previous"));
  }
  manifest.record_count = TRY(members.number("record_count"));
  manifest.thread_count = TRY(members.number("thread_count"));
  constexpr std::array<std::string_view, 2> kIdentity = {"included", "omitted"};
  constexpr std::array<std::string_view, 2> kTokens = {"carried", "revoked"};
  manifest.identity_included = TRY(members.one_of("identity", kIdentity)) == "included";
  manifest.tokens_carried = TRY(members.one_of("tokens", kTokens)) == "carried";
  for (const Json& context : *TRY(members.array("contexts"))) manifest.contexts.push_back(TRY(parse_context(context)));
  for (const Json& service : *TRY(members.array("services"))) manifest.services.push_back(TRY(parse_service(service)));
  for (const Json& secret : *TRY(members.array("secrets"))) manifest.secrets.push_back(TRY(parse_secret(secret)));
  manifest.snapshot = TRY(parse_snapshot(*TRY(members.take("snapshot"))));
  for (const Json& section : *TRY(members.array("sections"))) manifest.sections.push_back(TRY(parse_section(section)));
  TRY(members.end());
  TRY(check_agreement(manifest));
  return manifest;
}

template <class T>
Json array_of(const std::vector<T>& items, const std::function<Json(const T&)>& make) {
  Json::Array array;
  for (const T& item : items) array.push_back(make(item));
  return array;
}

Json service_json(const Service& service) {
  return Json::Object{{"name", service.name},
                      {"version", service.version},
                      {"schema", service.schema},
                      {"declaration", service.declaration},
                      {"surfaces", array_of<Surface>(service.surfaces, [](const Surface& surface) -> Json {
                         return Json::Object{{"name", surface.name},
                                             {"kind", std::string(codec::enum_name(surface.kind))},
                                             {"class", std::string(codec::enum_name(surface.surface_class))},
                                             {"per_context", surface.per_context},
                                             {"included", surface.included},
                                             {"engine", surface.engine}};
                       })}};
}

Json scope_json(const Scope& scope) {
  Json json = Json::Object{{"kind", scope.service ? "service" : "instance"}};
  if (scope.service) json.add("service", *scope.service);
  if (scope.context) json.add("context", *scope.context);
  return json;
}

Json encryption_json(const Encryption& encryption) {
  switch (encryption.kind) {
    case Encryption::Kind::kNone:
      return "none";
    case Encryption::Kind::kPassphrase:
      return "passphrase";
    case Encryption::Kind::kRecipients:
      break;
  }
  return array_of<std::string>(encryption.recipients, [](const std::string& r) -> Json { return r; });
}

// The walk holds no more than the text: nobody has signed for it yet.
Result<std::optional<std::string>> find_source_did(std::string_view text) {
  codec::JsonCursor cursor(text);
  TRY(cursor.begin_object());
  std::optional<std::string> did;
  std::string name;
  std::string skipped;
  while (TRY(cursor.next_member(name))) {
    if (name == "source_did") {
      did = TRY(cursor.string());
    } else {
      skipped.clear();
      TRY(cursor.canonical(skipped));
    }
  }
  TRY(cursor.end());
  return did;
}

}  // namespace

std::string manifest_text(const Manifest& manifest) {
  const Json json = Json::Object{
      {"bundle_version", kBundleVersion},
      {"bundle_sha256", base::to_hex(manifest.bundle_sha256.view())},
      {"created_at", manifest.created_at},
      {"created_by", manifest.created_by},
      {"source_did", manifest.source_did},
      {"scope", scope_json(manifest.scope)},
      {"encryption", encryption_json(manifest.encryption)},
      {"export_sequence", manifest.export_sequence},
      {"previous", manifest.previous ? Json(base::to_hex(manifest.previous->view())) : Json()},
      {"record_count", manifest.record_count},
      {"thread_count", manifest.thread_count},
      {"identity", manifest.identity_included ? "included" : "omitted"},
      {"tokens", manifest.tokens_carried ? "carried" : "revoked"},
      {"contexts", array_of<Context>(manifest.contexts,
                                     [](const Context& context) -> Json {
                                       return Json::Object{{"name", context.name}, {"id", context.id}};
                                     })},
      {"services", array_of<Service>(manifest.services, service_json)},
      {"secrets", array_of<Secret>(manifest.secrets,
                                   [](const Secret& secret) -> Json {
                                     return Json::Object{{"handle", secret.handle},
                                                         {"class", std::string(codec::enum_name(secret.secret_class))},
                                                         {"required", secret.required}};
                                   })},
      {"snapshot", Json::Object{{"taken_at", manifest.snapshot.taken_at},
                                {"pause_ms", manifest.snapshot.pause_ms},
                                {"consistency", manifest.snapshot.consistency}}},
      {"sections", array_of<Section>(manifest.sections, [](const Section& section) -> Json {
         return Json::Object{{"prefix", section.prefix},
                             {"files", section.files},
                             {"bytes", section.bytes},
                             {"sha256", base::to_hex(section.sha256.view())},
                             {"offset", section.offset}};
       })}};
  return json.pretty() + "\n";
}

Result<std::uint64_t> check_version(std::string_view text) {
  if (!text.starts_with(kBeginning)) return wrong("does not begin with bundle_version as a manifest must");
  text.remove_prefix(kBeginning.size());
  std::uint64_t version = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), version);
  if (parsed.ec == std::errc::result_out_of_range) version = ~std::uint64_t{0};
  if (parsed.ptr == text.data()) return wrong("bundle_version is not a whole number");
  if (version > kBundleVersion) {
    return fail(ErrorCode::kVerification, Cause::kNewerVersion,
                "bundle_version " + std::string(text.substr(0, static_cast<std::size_t>(parsed.ptr - text.data()))) +
                    " is newer than this program's: it reads up to version " + std::to_string(kBundleVersion),
                "use a newer spl");
  }
  if (version == 0) return wrong("bundle_version is 0");
  return version;
}

Result<Manifest> parse_manifest(std::string_view text) {
  TRY(check_version(text));
  auto json = Json::parse(text);
  if (!json) return wrong(json.error().message);
  return parse_members(*json);
}

Result<std::string> peek_source_did(std::string_view text) {
  if (!codec::has_few_values(text, kManifestValuesMax)) return wrong("has more than a million values");
  auto did = find_source_did(text);
  if (!did) return wrong(did.error().message);
  if (!*did) return wrong("source_did is missing");
  return std::move(**did);
}

}  // namespace spl::bundle
