// Which records of the reserved threads take effect (records.md, "Authority"), and what they add up to.
// Everything here reads through a StoreReader and follows its rules for threads: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "record/record_shape.h"
#include "store/record_store.h"

namespace spl::substrate {

// Calls `visit` for the effective records of a reserved thread, by clock, then id. `did` is the instance's; without one
// nothing takes effect.
Result<void> effective_records(store::StoreReader& reader, std::string_view thread,
                               const std::optional<std::string>& did,
                               const std::function<Result<void>(const Record&)>& visit);

struct IneffectiveRecord {
  RecordId id;
  std::string thread;
  std::string actor;
  std::string act;
  std::string reason;  // "another actor", "no signature", "wrong signature"

  static constexpr auto shape() {
    return codec::shape(codec::member("id", &IneffectiveRecord::id, "the record's id"),
                        codec::member("thread", &IneffectiveRecord::thread, "its reserved thread"),
                        codec::member("actor", &IneffectiveRecord::actor, "who it says has acted"),
                        codec::member("act", &IneffectiveRecord::act, "what it says was done"),
                        codec::member("reason", &IneffectiveRecord::reason, "why it takes no effect"));
  }
};
// The records of all reserved threads that do not take effect, at most `limit`, and how many there are in all.
struct Ineffective {
  std::vector<IneffectiveRecord> records;
  std::uint64_t count = 0;
};
Result<Ineffective> ineffective_records(store::StoreReader& reader, const std::optional<std::string>& did,
                                        std::size_t limit);

// Of effective records.
struct AuthorityCounts {
  std::uint64_t federation_pairs = 0;
  std::uint64_t consent_grants = 0;
  std::uint64_t service_accounts = 0;
};
Result<AuthorityCounts> authority_counts(store::StoreReader& reader, const std::optional<std::string>& did);

}  // namespace spl::substrate
