// Putting records into an instance: given ones (from a file, a pipe, a request) and new ones of its own. Any thread, on
// an open instance.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "instance/instance.h"
#include "instance/once.h"
#include "record/record.h"
#include "record/record_shape.h"

namespace spl::instance {

struct PutReport {
  std::uint64_t inserted = 0;
  std::uint64_t deduplicated = 0;  // those of the details are among them
  struct Details {
    std::uint64_t sigs_filled = 0;
    std::uint64_t differing = 0;  // another judged_by than the one that was there

    static constexpr auto shape() {
      return codec::shape(codec::member("sigs_filled", &Details::sigs_filled, "got the signature that they lacked"),
                          codec::member("differing", &Details::differing, "have another judged_by here: it stays"));
    }
  } details;

  static constexpr auto shape() {
    return codec::shape(codec::member("inserted", &PutReport::inserted, "records that are new here"),
                        codec::member("deduplicated", &PutReport::deduplicated, "records that were here already"));
  }
};

// Whether records of an actor may be put; its error is given back.
using ActorCheck = std::function<Result<void>(std::string_view actor)>;
// What becomes of a record that the instance is the actor of, and that gets its clock here.
enum class OwnRecords : std::uint8_t { kAsGiven, kSigned };
// Who puts records, and how.
struct PutBy {
  std::string account = {};  // that of the token that puts; "" is the owner
  OwnRecords own = OwnRecords::kAsGiven;
  Once* once = nullptr;                  // the request may come again
  std::vector<RecordId>* ids = nullptr;  // gets those of the records, in the order in which they were given
};
// The permission rules, where they are enabled, are asked about every record that the functions below put, as they were
// committed before: code kRefused, cause kRuleDenied where they do not allow it, and nothing of the call is put.
// Records that lack a clock get the next of their (actor, thread) within the transaction, and are signed only then.
// Where `once` was answered before nothing is put, and the report is empty.
//
// NDJSON of any length: one record or {"id","record","sig"} a line; empty lines are passed over. All or nothing; an
// error names the line. Parsed beside the store; one transaction. Memory is bounded. `check` (may be empty) is asked by
// the caller's thread.
Result<PutReport> put_ndjson(Instance& instance, Source& in, base::Progress& progress, const ActorCheck& check = {},
                             const PutBy& by = {});
// A few records, already parsed, through the group commit.
Result<PutReport> put_records(Instance& instance, const std::vector<Record>& records, const PutBy& by = {});

// What a person or program asks to be recorded.
struct Emission {
  record::Act act = record::Act::kIntend;
  std::optional<std::string> text;        // body.text
  std::optional<std::string> thread;      // absent: an INTEND opens one, others are on the empty thread
  std::optional<std::string> actor;       // absent: the instance, and the record is signed
  std::optional<std::string> body;        // a JSON object that the text and the rest are added to
  std::vector<RecordId> fulfills;         // body.fulfills
  std::optional<std::string> name_space;  // body.namespace

  static constexpr auto shape() {
    using enum codec::Presence;
    return codec::shape(
        codec::member("act", &Emission::act, "what is recorded"),
        codec::member("text", &Emission::text, "body.text", kOmitted),
        codec::member("thread", &Emission::thread, "its thread; without it an INTEND opens one", kOmitted),
        codec::member("actor", &Emission::actor, "who acts, where it is not the instance", kOmitted),
        codec::member("body", &Emission::body, "the text of a JSON object: more members of the body", kOmitted),
        codec::member("fulfills", &Emission::fulfills, "the records that this one answers", kOmitted),
        codec::member("namespace", &Emission::name_space, "body.namespace", kOmitted));
  }
};
struct Emitted {
  RecordId id;
  std::string thread;

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &Emitted::id, "the record's id"),
                        codec::member("thread", &Emitted::thread, "its thread; may be empty"));
  }
};
Result<Emitted> emit(Instance& instance, const Emission& emission);
// The same as a part of a unit of the committer, for what the instance itself lays down: no rule is asked, so that its
// owner can always take one back.
Result<Emitted> emit_within(Instance& instance, store::StoreWriter& writer, const Emission& emission);

// Signs the named records of reserved threads into effect: one record with body.endorses on each thread concerned. The
// ids of those records; for what is in force already none is written.
Result<std::vector<RecordId>> endorse(Instance& instance, const std::vector<RecordId>& ids);

}  // namespace spl::instance
