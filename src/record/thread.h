// Threads: their names in a bundle, and their state, which is a fold over their records that does
// not depend on order (records.md, "Threads"; docs/decisions/D-03-thread-fold.md). Pure; any
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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

// Shows the records of one thread that have any of these flags, in any order; asked again it shows the same ones.
using FoldWalk =
    std::function<Result<void>(std::uint8_t flags, const std::function<Result<void>(const Record&)>& visit)>;

// From this one on a clock may be anybody's claim (docs/decisions/D-08-clocks-that-are-claims.md).
inline constexpr std::uint64_t kClaimedClockMin = std::uint64_t{1} << 62;

// What body.answers of an INTEND may be: an ending among its parents stands for the earlier ones of the same actor,
// too.
inline constexpr std::string_view kAnswersEarlier = "earlier";

// The state of a thread. Its memory grows with the number of INTENDs and endings, and not with what they name.
class ThreadFold {
 public:
  // Errors are those of `walk`.
  static Result<ThreadFold> of(const FoldWalk& walk);
  static ThreadFold of(const std::vector<const Record*>& records);

  [[nodiscard]] ThreadState state() const { return state_; }
  // The ids of the records that end the thread now, ascending: what an INTEND must name to open it
  // anew.
  [[nodiscard]] std::vector<RecordId> endings() const;
  // Of each actor the last of them: what an INTEND with kAnswersEarlier must name.
  [[nodiscard]] std::vector<RecordId> last_endings() const;
  // The ids of the INTENDs that opened it anew and that nothing has ended since, ascending: what work on them names as
  // its parent, so that it counts whatever its actor's clock says.
  [[nodiscard]] const std::vector<RecordId>& reopenings() const { return reopenings_; }

 private:
  struct Moment {  // "later" is by clock, then id
    std::uint64_t clock = 0;
    RecordId id;
    auto operator<=>(const Moment&) const = default;
  };
  struct Opening {
    Moment moment;
    bool answers_earlier = false;
    bool is_done = false;  // an ending that was answered names it
  };
  struct Ending {
    Moment moment;
    std::uint8_t flags = 0;   // of kEnds, those that count
    std::uint32_t actor = 0;  // the number of its actor
    bool is_named = false;    // by an INTEND, among its parents
    bool stands_for_earlier = false;
    bool is_answered = false;
  };
  struct Passes;
  void collect(const Record& record);
  void sort();
  void name_endings(const Record& intend);
  void weigh(const Record& ending);
  void answer();
  void find_done(const Record& ending);
  void find_reopening(const Record& intend);
  Result<bool> is_active(const FoldWalk& walk) const;
  [[nodiscard]] ThreadState worst() const;
  // Null where there is none.
  Opening* opening(const RecordId& id);
  Ending* ending(const RecordId& id);

  std::vector<Opening> openings_;  // by id
  std::vector<Ending> endings_;    // by id
  std::map<Digest, std::uint32_t> actors_;
  std::optional<Moment> last_reject_;  // of those that were answered
  std::optional<Moment> reopened_at_;  // the latest INTEND that opened it anew, or the ending that it answered where
                                       // that is later
  std::vector<RecordId> reopenings_;   // ascending
  ThreadState state_ = ThreadState::kLoose;
};

}  // namespace spl::record
