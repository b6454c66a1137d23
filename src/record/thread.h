// Threads: their names in a bundle, and their state, which is a fold over their records that does
// not depend on order (records.md, "Threads"; docs/decisions/D-03-thread-fold.md). Pure; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record/record.h"

namespace spl::record {

// The directory of a thread in a bundle: its id with every octet outside A-Z a-z 0-9 . _ - and a
// leading dot as %XX;
// "%" for the empty one; over 200 octets "%%" and the SHA-256 of the id. One thread, one directory.
std::string thread_directory(std::string_view thread);
// "records/<directory>/<id>.json"
std::string record_path(std::string_view directory, const RecordId& id);

// The threads whose records take effect only with authority.
bool is_reserved(std::string_view thread);
inline constexpr std::string_view kPairsThread = "th_federation_pairs";
inline constexpr std::string_view kConsentThread = "th_consent";
inline constexpr std::string_view kEngineConfigThread = "th_engine_config";
inline constexpr std::string_view kActorRegistryThread = "th_actor_registry";
inline constexpr std::string_view kServiceAccountsThread = "th_service_accounts";
inline constexpr std::string_view kAdaptersThread = "th_adapters";
const std::vector<std::string_view>& reserved_threads();

// What a record can mean for the state of its thread: bits, kept by stores so that most records
// need not be read again.
enum FoldFlag : std::uint8_t {
  kOpens = 1,      // INTEND
  kWorks = 2,      // DO or CALL
  kCancels = 4,    // a DO with body.cancels
  kRejects = 8,    // a KNOW with body.verdict "reject"
  kFulfills = 16,  // a KNOW with body.fulfills
};
// Beside them in a store: on a reserved thread, where it decides, the signature was found to be the actor's.
inline constexpr std::uint8_t kSignedFlag = 32;
inline constexpr std::uint8_t kEnds = kCancels | kRejects | kFulfills;
std::uint8_t fold_flags(const Record& record);

enum class ThreadState : std::uint8_t { kCancelled, kRejected, kClosed, kActive, kOpen, kLoose };
constexpr auto names_of(ThreadState) {
  using enum ThreadState;
  return std::array{std::pair{kCancelled, "cancelled"}, std::pair{kRejected, "rejected"}, std::pair{kClosed, "closed"},
                    std::pair{kActive, "active"},       std::pair{kOpen, "open"},         std::pair{kLoose, "loose"}};
}
std::string_view thread_state_name(ThreadState state);

// Collects the records of one thread, in any order, and says its state.
class ThreadFold {
 public:
  void add(const Record& record) { add(record, fold_flags(record)); }
  void add(const Record& record, std::uint8_t flags);
  [[nodiscard]] ThreadState state() const;
  // The ids of the records that end the thread now, ascending: what an INTEND must name to open it
  // anew.
  [[nodiscard]] std::vector<RecordId> endings() const;
  // The ids of the INTENDs that opened it anew and that nothing has ended since, ascending: what work on them names as
  // its parent, so that it counts whatever its actor's clock says.
  [[nodiscard]] std::vector<RecordId> reopenings() const;

 private:
  struct Moment {  // "later" is by clock, then id
    std::uint64_t clock = 0;
    RecordId id;
    auto operator<=>(const Moment&) const = default;
  };
  struct Ending {
    Moment moment;
    ThreadState state;
    std::vector<RecordId> names;  // for a reject: none, it needs none
  };
  struct Opening {
    Moment moment;
    std::vector<RecordId> parents;
  };
  struct Settled {
    std::vector<const Ending*> standing;
    bool reopened = false;
    Moment reopened_at;                // the latest INTEND that opened it anew, or the ending that it answered
                                       // where that is later
    std::vector<RecordId> reopenings;  // ascending
  };
  [[nodiscard]] Settled settle() const;

  std::vector<Ending> endings_;
  std::vector<Opening> openings_;
  bool works_ = false;
  Moment last_work_;
  std::vector<RecordId> worked_on_;  // parents of DOs and CALLs
};

}  // namespace spl::record
