// The record of records.md: eight members, seven of them hashed, and a signature that may stand
// beside. A Record in memory is always valid and canonical, and its id is the hash of what it says:
// parse_* is the only way to get one. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace spl::record {

// SHA-256 of a record's canonical form; shown as 64 lowercase hexadecimal digits.
struct RecordId {
  Digest digest;
  auto operator<=>(const RecordId&) const = default;
  [[nodiscard]] std::string hex() const { return base::to_hex(digest.view()); }
  static Result<RecordId> parse(std::string_view hex);
};

enum class Act : std::uint8_t { kIntend, kDo, kKnow, kLearn, kGet, kPut, kCall, kMap };
constexpr auto names_of(Act) {
  using enum Act;
  return std::array{std::pair{kIntend, "INTEND"}, std::pair{kDo, "DO"},   std::pair{kKnow, "KNOW"},
                    std::pair{kLearn, "LEARN"},   std::pair{kGet, "GET"}, std::pair{kPut, "PUT"},
                    std::pair{kCall, "CALL"},     std::pair{kMap, "MAP"}};
}
std::string_view act_name(Act act);

struct Record {
  RecordId id;
  std::string canonical;  // the object of the seven hashed members: what is hashed and signed
  Act act = Act::kIntend;
  std::string actor;
  std::uint64_t clock = 0;
  std::string thread;
  std::optional<std::string> judged_by;
  std::optional<crypto::Signature> sig;
  bool lacks_clock = false;  // who gave it left that to the store: it stands with 0 until with_clock(), and is not put
  // Where two values stand in `canonical`.
  std::size_t body_begin = 0, body_end = 0;
  std::size_t parents_begin = 0, parents_end = 0;

  [[nodiscard]] std::string_view body() const {
    return std::string_view(canonical).substr(body_begin, body_end - body_begin);
  }
  [[nodiscard]] std::string_view parents() const {
    return std::string_view(canonical).substr(parents_begin, parents_end - parents_begin);
  }
};

// A record object in any JSON form, members in any order, with `sig` and `judged_by` if it has
// them. A missing clock takes `clock_if_absent`, or is an error where there is none.
Result<Record> parse_record(std::string_view json, std::optional<std::uint64_t> clock_if_absent = {});
// The largest line that can hold a record of kRecordBytesMax.
inline constexpr std::size_t kRecordLineBytesMax = base::kRecordBytesMax + 512;
// The record that lacks a clock, with one. It has no signature yet.
Result<Record> with_clock(const Record& record, std::uint64_t clock);
// A line of NDJSON or of a sync page: a record object, or {"id":..,"record":..,"sig":..} whose id
// is checked.
Result<Record> parse_record_line(std::string_view json);
// Whether the first member of the object that tells belongs to the second of these. False where it is neither.
bool is_wrapped_record(std::string_view json);
// A record's file in a bundle: exactly the octets that file_text() makes. `id` is what its name
// says.
Result<Record> parse_record_file(std::string_view content, const RecordId& id);
// How much memory it takes at most, about, to parse records of `bytes` together, one after the other, the largest of
// them of `largest`: an object of many short members is many times its text. Who parses in parallel keeps within a sum.
constexpr std::size_t parsing_cost(std::size_t bytes, std::size_t largest) {
  return 2 * bytes + 10 * largest;
}
inline constexpr std::size_t kParsingCostMax = 64u << 20;

// What the store keeps, read back.
Result<Record> parse_stored(std::string_view canonical, std::optional<std::string_view> judged_by,
                            std::optional<std::string_view> sig);

// Fails where what the store keeps under an id is something else: nothing damaged is handed on.
Result<void> check_content(const RecordId& id, std::string_view canonical);

// The content of a record's file in a bundle: its canonical object with judged_by and sig among the
// members, sorted. Where it has neither, this is `canonical` itself, and so where `canonical` is no
// record (in a damaged store).
std::string file_text(std::string_view canonical, std::optional<std::string_view> judged_by,
                      std::optional<std::string_view> sig);
std::string file_text(const Record& record);
// Appends {"id":..,"record":{...},"sig":..?}, as a line of NDJSON takes it.
void append_element(std::string& out, const RecordId& id, std::string_view canonical,
                    std::optional<std::string_view> judged_by, std::optional<std::string_view> sig);

// Whether the record's file would keep within its limit with a signature.
bool fits_with_sig(std::string_view canonical, std::optional<std::string_view> judged_by);
// True where the record carries a signature by its actor's key; false too where the actor is no
// did:key.
bool signature_is_valid(const Record& record);

// What every record's actor and thread must be. Code kUsage.
Result<void> check_actor(std::string_view actor);
Result<void> check_thread(std::string_view thread);

// body.<name> where it is a string.
std::optional<std::string> body_string(std::string_view body, std::string_view name);

}  // namespace spl::record

namespace spl {
using record::Record;
using record::RecordId;
}  // namespace spl
