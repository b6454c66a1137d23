// What an examination of an instance or a pre-flight found. Values; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "store/record_store.h"

namespace spl::operation {

enum class FindingStatus : std::uint8_t { kOk, kWarn, kStop };
constexpr auto names_of(FindingStatus) {
  using enum FindingStatus;
  return std::array{std::pair{kOk, "ok"}, std::pair{kWarn, "warn"}, std::pair{kStop, "stop"}};
}

struct Finding {
  std::string check;  // "signature", "signer", "identity", ...
  FindingStatus status = FindingStatus::kOk;
  std::string subject;
  std::string message;
  std::string hint;

  static constexpr auto shape() {
    return codec::shape(codec::member("check", &Finding::check, "what was looked at"),
                        codec::member("status", &Finding::status, "stop: nothing is changed because of it"),
                        codec::path_member("subject", &Finding::subject, "what it is about"),
                        codec::path_member("message", &Finding::message, "what was found"),
                        codec::path_member("hint", &Finding::hint, "what to do; may be empty"));
  }
};

// The first "stop"; null where there is none.
const Finding* first_stop(const std::vector<Finding>& findings);

// A "warn" for each record of a reserved thread that takes no effect under `did`: by its id, as far as a person would
// read, then how many there are.
Result<void> add_ineffective(store::StoreReader& reader, const std::optional<std::string>& did,
                             std::vector<Finding>& findings);

}  // namespace spl::operation
