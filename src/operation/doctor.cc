#include "operation/doctor.h"

#include "base/words.h"
#include "crypto/sha256.h"
#include "federation/pairing.h"
#include "instance/move.h"
#include "operation/door_doctor.h"
#include "operation/schedules.h"
#include "operation/service_doctor.h"

namespace spl::operation {
namespace {

using base::counted;

constexpr std::uint64_t kProgressEvery = 8192;  // records

Finding verdict(std::string check, const std::string& subject, const Result<void>& result, std::string good) {
  if (result) return {std::move(check), FindingStatus::kOk, subject, std::move(good), ""};
  return {std::move(check), FindingStatus::kStop, subject, result.error().message, result.error().hint};
}

// Every record against its id; the signatures against their actors, where those are keys.
Result<void> check_records(instance::Instance& instance, base::Progress& progress, std::vector<Finding>& findings) {
  const auto reader = TRY(instance.store().reader());
  const std::uint64_t total = TRY(reader->counts()).records;
  std::uint64_t done = 0;
  std::uint64_t broken = 0;
  std::uint64_t wrong_sigs = 0;
  std::string first_broken;
  std::string why_broken;
  auto walked = reader->changes(0, ~std::uint64_t{0}, {}, [&](const store::StoredRecord& row) -> Result<void> {
    const auto record = record::parse_stored(row.canonical, row.judged_by, row.sig);
    if (!record || record->id != row.id) {
      if (broken++ == 0) {
        first_broken = row.id.hex();
        const bool hashes = record::check_content(row.id, row.canonical).has_value();
        why_broken = hashes && !record ? record.error().message : "the record does not hash to its id";
      }
    } else if (record->sig && !record::signature_is_valid(*record)) {
      ++wrong_sigs;
    }
    if (++done % kProgressEvery == 0) progress.update("checking records", done, total, "records");
    return progress.cancelled() ? base::fail_cancelled("nothing was changed") : Result<void>();
  });
  if (!walked && progress.cancelled()) return walked;
  const std::string subject = counted(done, "record");
  if (broken > 0) {
    findings.push_back({"content addresses", FindingStatus::kStop, first_broken,
                        broken == 1 ? why_broken : why_broken + "; broken in all: " + counted(broken, "record"),
                        "import a good bundle into a new home"});
  } else if (!walked) {
    findings.push_back({"content addresses", FindingStatus::kStop, subject,
                        walked.error().message + "; the records after it were not read",
                        "import a good bundle into a new home"});
  } else if (done != total) {
    findings.push_back(
        {"content addresses", FindingStatus::kStop, subject, "the store counts " + std::to_string(total), ""});
  } else {
    findings.push_back({"content addresses", FindingStatus::kOk, subject, "every record hashes to its id", ""});
  }
  if (wrong_sigs > 0)
    findings.push_back({"signatures", FindingStatus::kWarn, counted(wrong_sigs, "record"),
                        "the signature is not by the actor's key", "such a record is kept, and takes no effect by it"});
  return {};
}

// Told only where it is wrong: a home has no log before its first daemon.
void check_log(instance::Instance& instance, std::vector<Finding>& findings) {
  const std::string path = instance.paths().log();
  for (const auto& [name, wanted] :
       {std::pair(env::parent_of(path), env::FileType::kDirectory), std::pair(path, env::FileType::kFile)}) {
    const auto followed = env::follow_links(instance.env().fs, name);
    const auto info = followed ? instance.env().fs.info(*followed) : std::unexpected(followed.error());
    if (info && (!*info || (*info)->type == wanted)) continue;
    findings.push_back({"log", FindingStatus::kWarn, name,
                        info ? "the daemon cannot write its log: something else is there" : info.error().message,
                        "move away what is there: the next daemon makes it anew"});
    return;
  }
}

// Pairs that need their owner, and those who wait for one.
Result<void> check_pairs(instance::Instance& instance, std::vector<Finding>& findings) {
  for (const federation::PairSummary& pair : TRY(federation::list_pairs(instance))) {
    if (pair.state == substrate::PairState::kRevoked) continue;
    if (pair.two_copies) {
      findings.push_back({"pairs", FindingStatus::kWarn, pair.peer_did,
                          "the peer lives twice: nothing is pulled from it",
                          "end one of the two, then: spl federation refresh " + pair.peer_did});
    } else if (pair.last_error) {
      findings.push_back({"pairs", FindingStatus::kWarn, pair.peer_did, "the last sync failed: " + *pair.last_error,
                          "spl sync " + pair.peer_did + " tries again"});
    }
  }
  const std::size_t waiting = TRY(federation::list_requests(instance)).size();
  if (waiting > 0)
    findings.push_back({"pairs", FindingStatus::kWarn, counted(waiting, "instance"), "waits for this one's owner",
                        "spl aitl list shows what is asked"});
  return {};
}

}  // namespace

Result<std::vector<Finding>> examine(instance::Instance& instance, base::Progress& progress) {
  std::vector<Finding> findings;
  progress.update("checking the store", 0, 0, "");
  findings.push_back(verdict("store", instance.store().name(), instance.store().check(), "the store is sound"));
  TRY(check_records(instance, progress, findings));
  if (instance.did()) {
    findings.push_back(verdict("identity", *instance.did(), instance.verify_identity(),
                               "key, document and modes are as they must be"));
  } else {
    // A store that was lost and made anew is worse than one that never had an identity.
    const bool lost = !instance.check_files_are_known();
    const Error error = instance.no_identity();
    findings.push_back({"identity", lost ? FindingStatus::kStop : FindingStatus::kWarn, instance.paths().root,
                        error.message, error.hint});
  }
  check_log(instance, findings);
  const auto reader = TRY(instance.store().reader());
  if (const auto moved = TRY(instance::moved_at(*reader)))
    findings.push_back({"move", FindingStatus::kWarn, instance.did().value_or(""),
                        "this instance has moved: it was exported with --move at " + *moved + " and takes no writes",
                        "import a later bundle of it to bring it home; spl move cancel says that it never went"});
  if (const auto checked = add_ineffective(*reader, instance.did(), findings); !checked)
    findings.push_back({"authority", FindingStatus::kStop, instance.store().name(), checked.error().message, ""});
  if (const auto tokens = reader->tokens(); !tokens)
    findings.push_back({"tokens", FindingStatus::kStop, instance.store().name(), tokens.error().message, ""});
  TRY(check_pairs(instance, findings));
  TRY(examine_services(instance, progress, findings));
  TRY(examine_door(instance, findings));
  TRY(examine_schedules(instance, findings));
  return findings;
}

}  // namespace spl::operation
