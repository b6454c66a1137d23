#include "operation/export_history.h"

#include <algorithm>
#include <cstdlib>

#include "bundle/manifest.h"

namespace spl::operation {
namespace {

// And the DID.
constexpr std::string_view kSeenSequenceSetting = "restored_sequence:";
constexpr std::string_view kSeenDigestSetting = "restored_export:";

Result<std::uint64_t> number(store::StoreReader& reader, std::string_view name) {
  const auto text = TRY(reader.setting(name));
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

std::string of(std::string_view prefix, std::string_view did) {
  return std::string(prefix) + std::string(did);
}

Result<void> set_previous(store::StoreWriter& writer, const PastExport& previous) {
  TRY(writer.set_setting(store::kPreviousExportSequenceSetting, std::to_string(previous.sequence)));
  return writer.set_setting(store::kPreviousExportSetting, previous.bundle_sha256);
}

}  // namespace

Result<std::uint64_t> last_sequence(store::StoreReader& reader) {
  return number(reader, store::kExportSequenceSetting);
}

Result<PastExport> previous_export(store::StoreReader& reader) {
  return PastExport{TRY(number(reader, store::kPreviousExportSequenceSetting)),
                    TRY(reader.setting(store::kPreviousExportSetting)).value_or("")};
}

Result<PastExport> newest_seen(store::StoreReader& reader, std::string_view did) {
  return PastExport{TRY(number(reader, of(kSeenSequenceSetting, did))),
                    TRY(reader.setting(of(kSeenDigestSetting, did))).value_or("")};
}

std::string restored_setting(std::string_view did, std::string_view service, std::string_view context) {
  return "restored:" + std::string(did) + ":" + std::string(service) + ":" + std::string(context);
}

std::string backed_up_setting(std::string_view service, std::string_view context) {
  return "backed_up:" + std::string(service) + ":" + std::string(context);
}

Result<void> forget_backups(store::StoreWriter& writer, const std::vector<std::string>& services,
                            std::string_view context) {
  for (const std::string& service : services) {
    const std::string setting = backed_up_setting(service, context);
    if (TRY(writer.setting(setting))) TRY(writer.set_setting(setting, ""));
  }
  return {};
}

Result<std::uint64_t> take_sequence(store::StoreWriter& writer) {
  const std::uint64_t sequence = TRY(last_sequence(writer)) + 1;
  if (sequence > bundle::kExportSequenceMax)
    return fail("export_sequence has reached 2^53-1, the last that a bundle may have");
  TRY(writer.set_setting(store::kExportSequenceSetting, std::to_string(sequence)));
  return sequence;
}

Result<void> note_finished(store::StoreWriter& writer, const PastExport& done) {
  if (TRY(previous_export(writer)).sequence >= done.sequence) return {};
  return set_previous(writer, done);
}

Result<void> note_seen(store::StoreWriter& writer, std::string_view did, const PastExport& seen) {
  if (TRY(newest_seen(writer, did)).sequence >= seen.sequence) return {};
  TRY(writer.set_setting(of(kSeenDigestSetting, did), seen.bundle_sha256));
  return writer.set_setting(of(kSeenSequenceSetting, did), std::to_string(seen.sequence));
}

Result<void> take_over(store::StoreWriter& writer, const std::optional<std::string>& did_before, std::string_view did,
                       const PastExport& imported) {
  if (did_before)
    TRY(note_seen(writer, *did_before, {TRY(last_sequence(writer)), TRY(previous_export(writer)).bundle_sha256}));
  const PastExport seen = TRY(newest_seen(writer, did));
  TRY(writer.set_setting(store::kExportSequenceSetting, std::to_string(std::max(seen.sequence, imported.sequence))));
  if (imported.sequence >= seen.sequence) {
    TRY(set_previous(writer, imported));
  } else if (did_before != did) {
    // It comes back to where it was before.
    TRY(set_previous(writer, seen.bundle_sha256.empty() ? PastExport() : seen));
  }
  return note_seen(writer, did, imported);
}

}  // namespace spl::operation
