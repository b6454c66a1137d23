#include "operation/metrics.h"

#include <cstdlib>
#include <map>

#include "base/rfc3339.h"
#include "base/version.h"
#include "federation/pairing.h"

namespace spl::operation {
namespace {

constexpr std::string_view kExportsSetting = "exports_finished";
constexpr std::string_view kLastExportSetting = "last_export_at";
constexpr std::string_view kImportsSetting = "imports_finished";
constexpr std::string_view kLastImportSetting = "last_import_at";

Result<std::uint64_t> number(store::StoreReader& reader, std::string_view setting) {
  const auto text = TRY(reader.setting(setting));
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

Result<void> count(store::StoreWriter& writer, std::string_view counter, std::string_view time, std::string_view now) {
  TRY(writer.set_setting(counter, std::to_string(TRY(number(writer, counter)) + 1)));
  return writer.set_setting(time, now);
}

// Families of metrics, each with its help and type before its samples.
class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = "spl_" + std::string(name);
    text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  void sample(std::uint64_t value) { text_ += name_ + " " + std::to_string(value) + "\n"; }
  void sample(std::string_view label, std::string_view of, std::uint64_t value) {
    text_ += name_ + "{" + std::string(label) + "=\"" + escaped(of) + "\"} " + std::to_string(value) + "\n";
  }
  std::string take() { return std::move(text_); }

 private:
  static std::string escaped(std::string_view label) {
    std::string out;
    for (const char c : label) {
      if (c == '\\' || c == '"') out.push_back('\\');
      if (c == '\n') {
        out += "\\n";
      } else {
        out.push_back(c);
      }
    }
    return out;
  }
  std::string text_;
  std::string name_;
};

void add_time(Text& text, std::string_view name, std::string_view help, const std::optional<std::string>& at) {
  const auto time = at ? base::parse_rfc3339(*at) : std::nullopt;
  if (!time) return;
  text.family(name, "gauge", help);
  text.sample(static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count()));
}

void add_pairs(Text& text, const std::vector<federation::PairSummary>& pairs) {
  using substrate::PairState;
  std::map<PairState, std::uint64_t> by_state;
  for (const auto& pair : pairs) ++by_state[pair.state];
  text.family("pairs", "gauge", "Pairs with other instances, by state.");
  for (const auto& [state, name] : names_of(PairState{})) text.sample("state", name, by_state[state]);
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, const auto& value) {
    text.family(name, type, help);
    for (const auto& pair : pairs) {
      if (pair.state == PairState::kRevoked) continue;
      if (const std::optional<std::uint64_t> known = value(pair)) text.sample("peer", pair.peer_did, *known);
    }
  };
  using Summary = federation::PairSummary;
  each("sync_lag_seconds", "gauge", "Since there was nothing more to fetch from a peer.",
       [](const Summary& pair) { return pair.lag_seconds; });
  each("sync_received_records_total", "counter", "Records of a peer that were new here.",
       [](const Summary& pair) { return std::optional(pair.received); });
  each("sync_refused_records_total", "counter", "Records of a peer that were bad.",
       [](const Summary& pair) { return std::optional(pair.refused); });
  each("sync_failing", "gauge", "Whether the last sync with a peer ended with an error.",
       [](const Summary& pair) { return std::optional<std::uint64_t>(pair.last_error ? 1 : 0); });
}

}  // namespace

Result<void> count_export(store::StoreWriter& writer, std::string_view now) {
  return count(writer, kExportsSetting, kLastExportSetting, now);
}

Result<void> count_import(store::StoreWriter& writer, std::string_view now) {
  return count(writer, kImportsSetting, kLastImportSetting, now);
}

Result<std::string> metrics_text(instance::Instance& instance) {
  const auto reader = TRY(instance.store().reader());
  const store::StoreCounts counts = TRY(reader->counts());
  const auto authority = TRY(substrate::authority_counts(*reader, instance.did()));
  Text text;
  text.family("build_info", "gauge", "The program's version.");
  text.sample("version", base::kVersion, 1);
  text.family("records", "gauge", "Records in the store.");
  text.sample(counts.records);
  text.family("threads", "gauge", "Threads in the store.");
  text.sample(counts.threads);
  text.family("redacted_records", "gauge", "Records of which peers gave no body.");
  text.sample(TRY(reader->redacted_count()));
  text.family("consent_grants", "gauge", "Grants in effect.");
  text.sample(authority.consent_grants);
  add_pairs(text, TRY(federation::list_pairs(instance)));
  text.family("pair_requests", "gauge", "Instances that wait for the owner's decision.");
  text.sample(TRY(federation::list_requests(instance)).size());
  text.family("exports_total", "counter", "Exports that were finished.");
  text.sample(TRY(number(*reader, kExportsSetting)));
  text.family("imports_total", "counter", "Imports that were finished.");
  text.sample(TRY(number(*reader, kImportsSetting)));
  add_time(text, "last_backup_timestamp_seconds", "When the last export was finished.",
           TRY(reader->setting(kLastExportSetting)));
  add_time(text, "last_import_timestamp_seconds", "When the last import was finished.",
           TRY(reader->setting(kLastImportSetting)));
  return text.take();
}

}  // namespace spl::operation
