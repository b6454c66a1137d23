// What an examination of an instance or a pre-flight found. Values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "store/record_store.h"

namespace spl::instance {

struct Finding {
  std::string check;   // "signature", "signer", "identity", ...
  std::string status;  // "ok", "warn", "stop"
  std::string subject;
  std::string message;
  std::string hint;
};

codec::Json findings_json(const std::vector<Finding>& findings);
Result<std::vector<Finding>> parse_findings(const codec::Json& json);

// A "warn" for each record of a reserved thread that takes no effect under `did`: by its id, as far as a person would
// read, then how many there are.
Result<void> find_ineffective(store::StoreReader& reader, const std::optional<std::string>& did,
                              std::vector<Finding>& findings);

}  // namespace spl::instance
