// The record store: an append-only set of records with an arrival sequence, and the little beside
// them that must change in the same transaction. records.md, "The store", is the contract;
// conformance.h holds every implementation to it.
//
// Any thread may call; a store serialises writers itself, and readers never wait for them. A reader or a writer is used
// by one thread and ends before its store; a visitor does not ask its reader the question that it is visiting. What a
// function reports as done is durable. Errors have code kFailed unless it says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "record/record.h"
#include "record/thread.h"

namespace spl::store {

// What became of one record that was put.
enum class PutOutcome : std::uint8_t {
  kInserted,
  kDuplicate,  // there already
  kSigFilled,  // there already, and its absent signature was filled by this valid one; or, on a reserved thread, a
               // wrong one was replaced by it
  kDiffers,    // there already, with another judged_by: the first is kept
};

// A token for the TCP door (federation.md, "Accounts"): the secret itself is never kept.
struct Token {
  Digest sha256;  // of the whole token
  std::string account;
  std::vector<std::string> scopes;  // ascending
  std::string created_at;           // RFC 3339
  std::optional<std::string> expires_at;
};

struct StoreCounts {
  std::uint64_t records = 0;
  std::uint64_t threads = 0;
};

struct ThreadSummary {
  std::string thread;
  record::ThreadState state = record::ThreadState::kLoose;
  std::uint64_t records = 0;
  std::uint64_t last_sequence = 0;

  static constexpr auto shape() {
    return codec::shape(codec::member("thread", &ThreadSummary::thread, "the thread's id; may be empty"),
                        codec::member("state", &ThreadSummary::state, "a fold over its records"),
                        codec::member("records", &ThreadSummary::records, "how many it has"),
                        codec::member("last_sequence", &ThreadSummary::last_sequence,
                                      "the arrival sequence of the one that came last"));
  }
};

// A record as it lies in the store; the views live until the callback returns.
struct StoredRecord {
  RecordId id;
  std::uint64_t sequence = 0;
  std::string_view canonical;
  std::optional<std::string_view> judged_by;
  std::optional<std::string_view> sig;  // 64 octets
  bool is_signed = false;               // on a reserved thread: `sig` is the actor's, which was checked when it was put
};
// The first and the last id that begin with these digits.
std::pair<RecordId, RecordId> ids_between(std::string_view digits);
// Parsed, and checked against its id: a damaged store hands on nothing.
Result<Record> parse_row(const StoredRecord& row);
// What StoredRecord::is_signed is to say of a record that is put: for stores.
bool is_signed(const Record& record);
// What a peer gave of a record whose body it does not give (federation.md, "Consent"). It is no record: it is not
// counted, folded, listed among the changes or exported, and it goes when the record comes.
struct RedactedRecord {
  RecordId id;
  std::string thread;
  std::string actor;
  record::Act act = record::Act::kIntend;
  std::uint64_t clock = 0;
  std::string peer;  // the DID of who gave it first
};
// Whether its thread, actor and clock are what a record may have, and its peer what an actor may be. Code kUsage.
Result<void> check_redacted(const RedactedRecord& redacted);
// When records came into this store, which no bundle says: those from this sequence on, up to that of the next.
struct Arrival {
  std::uint64_t first_sequence = 0;
  std::int64_t at = 0;  // seconds since 1970
};
// The answer to a request that may come again, and what was asked.
struct KeptAnswer {
  std::int64_t made_at = 0;  // seconds since 1970
  Digest request;
  std::string answer;
};
// Called for each record; an error ends the walk and is given back.
using RecordVisitor = std::function<Result<void>(const StoredRecord&)>;
using ThreadVisitor = std::function<Result<void>(const ThreadSummary&)>;
using RedactedVisitor = std::function<Result<void>(const RedactedRecord&)>;

enum class RecordOrder : std::uint8_t {
  kClock,     // by clock, then id: how people are shown a thread
  kSequence,  // by arrival
  kAny,       // whatever is quickest
};

// Reads one unchanging state of the store, however long it lives.
class StoreReader {
 public:
  virtual ~StoreReader() = default;
  // From sums that are kept with every put: at once.
  virtual Result<StoreCounts> counts() = 0;
  // The records of the log, counted one by one and without those sums: another number than counts() says means damage.
  virtual Result<std::uint64_t> log_size() = 0;
  // 32 hexadecimal digits: which life of the store this is.
  virtual Result<std::string> incarnation() = 0;
  // Shows what lies under an id, as it is; false where there is nothing.
  virtual Result<bool> look(const RecordId& id, const RecordVisitor& visit) = 0;
  Result<bool> contains(const RecordId& id);
  // The ids that begin with these hexadecimal digits (lowercase, at most 64), ascending, at most `limit`.
  virtual Result<std::vector<RecordId>> ids_beginning(std::string_view digits, std::size_t limit) = 0;
  // The record, parsed and checked against its id.
  Result<std::optional<Record>> find(const RecordId& id);
  virtual Result<void> thread_records(std::string_view thread, RecordOrder order, const RecordVisitor& visit) = 0;
  // Records that arrived after `since`, by sequence, at most `limit`; of one thread where one is
  // named.
  virtual Result<void> changes(std::uint64_t since, std::uint64_t limit, std::optional<std::string_view> thread,
                               const RecordVisitor& visit) = 0;
  // The same records, the newest first, without a limit.
  virtual Result<void> newest_first(std::uint64_t since, std::optional<std::string_view> thread,
                                    const RecordVisitor& visit) = 0;
  // When the record of this sequence came; nothing where that is not known: of those that a store of an older version
  // had.
  virtual Result<std::optional<Arrival>> arrival(std::uint64_t sequence) = 0;
  // The least sequence of what came in that second or a later one; nothing where nothing did.
  virtual Result<std::optional<std::uint64_t>> first_arrived_since(std::int64_t seconds) = 0;
  virtual Result<std::optional<KeptAnswer>> kept_answer(const Digest& key) = 0;
  // All records in the order of a bundle: by path, bytewise, which is by "<directory>/", then id.
  // `directory` is the thread's.
  virtual Result<void> bundle_order(
      const std::function<Result<void>(std::string_view directory, const StoredRecord&)>& visit) = 0;
  // Every thread, by its directory's name.
  virtual Result<void> threads(const ThreadVisitor& visit) = 0;
  virtual Result<std::optional<ThreadSummary>> thread(std::string_view thread) = 0;
  // The clock that follows the largest of (actor, thread). Of an actor that is a key, a clock of 2^62 or more counts
  // only where the actor signed it: an actor is a claim, and anybody could bring the clock to its end.
  virtual Result<std::uint64_t> next_clock(std::string_view actor, std::string_view thread) = 0;
  virtual Result<std::optional<std::string>> setting(std::string_view name) = 0;
  // Names and values of the settings whose names begin with `prefix`.
  virtual Result<std::map<std::string, std::string>> settings_beginning(std::string_view prefix) = 0;
  virtual Result<std::vector<Token>> tokens() = 0;  // by sha256
  // Counts them one by one: they are few beside the records.
  virtual Result<std::uint64_t> redacted_count() = 0;
  // By id.
  virtual Result<void> redacted(const RedactedVisitor& visit) = 0;
};

// One transaction. What it reads is what it wrote. Gone without commit() means that nothing
// happened.
class StoreWriter : public StoreReader {
 public:
  // Takes away what put_redacted() has kept of the same id.
  virtual Result<PutOutcome> put(const Record& record) = 0;
  // False where as much is known already, from whichever peer, or the record itself is there. What check_redacted()
  // refuses is an error.
  virtual Result<bool> put_redacted(const RedactedRecord& redacted) = 0;
  // Everything put after the call can be taken back by rollback_to_mark(), and only the latest mark
  // is kept.
  virtual Result<void> mark() = 0;
  virtual Result<void> rollback_to_mark() = 0;
  virtual Result<void> set_setting(std::string_view name, std::string_view value) = 0;
  virtual Result<void> remove_setting(std::string_view name) = 0;  // also where there is none
  virtual Result<void> new_incarnation(std::string_view hex) = 0;
  virtual Result<void> put_token(const Token& token) = 0;
  virtual Result<bool> remove_token(const Digest& sha256) = 0;  // false: was not there
  // Takes away those that were made before `since`.
  virtual Result<void> keep_answer(const Digest& key, const KeptAnswer& answer, std::int64_t since) = 0;
  // Writes something that says nothing. What a commit has written whose sync failed can be read, and may be taken for a
  // commit after a power cut: the commit of this transaction takes its place.
  virtual Result<void> fence() = 0;
  // Says that very many records follow, and promises that no two have one id: the store may put off the upkeep of its
  // indexes until commit(). Where the promise is broken put() or commit() fails. Not together with mark(). In a store
  // that has records it does nothing.
  virtual Result<void> expect_many_distinct() = 0;
  // Takes every record away, and what was known of threads and clocks, of redacted records and arrivals, and the
  // answers that speak of records, with them; settings and
  // tokens stay. What is put from then on arrives in a log that begins anew: new_incarnation() is to be called, too.
  // Not together with mark().
  virtual Result<void> clear_records() = 0;
  // Durable when it returns. Once.
  virtual Result<void> commit() = 0;
};

class RecordStore {
 public:
  virtual ~RecordStore() = default;
  // Readers are for one thread at a time each; several may live at once.
  virtual Result<std::unique_ptr<StoreReader>> reader() = 0;
  // Waits for the writer before. For one thread at a time.
  virtual Result<std::unique_ptr<StoreWriter>> writer() = 0;
  // For people: "sqlite:/path/hub.db", "memory".
  [[nodiscard]] virtual std::string name() const = 0;
  // Where its files are; empty where it has none.
  [[nodiscard]] virtual std::string directory() const = 0;
  // Every file that it consists of, or may make.
  [[nodiscard]] virtual std::vector<std::string> files() const = 0;
  // What the store can check of itself; an error says what is broken.
  virtual Result<void> check() = 0;
  // Another number than before says that a commit of this object may have changed what takes effect: it put a record or
  // a signature on a reserved thread, or took records away. For who keeps what such records add up to: to be asked
  // before they are read.
  [[nodiscard]] virtual std::uint64_t authority_generation() const = 0;
  // True, and then for ever, once its files were found not to be at their place any more: it takes and tells nothing
  // more, because whoever opens the store next finds another one or none.
  [[nodiscard]] virtual bool is_lost() const { return false; }
};

// Settings are small named texts of the layers above; these names are in use.
inline constexpr std::string_view kDidSetting = "did";
inline constexpr std::string_view kIdentityCreatedAtSetting = "identity_created_at";  // RFC 3339
inline constexpr std::string_view kExportSequenceSetting = "export_sequence";
inline constexpr std::string_view kPreviousExportSetting = "previous_export";                   // a digest, or ""
inline constexpr std::string_view kPreviousExportSequenceSetting = "previous_export_sequence";  // and its number

}  // namespace spl::store
