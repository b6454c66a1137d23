// A request that a client may send again, because it does not know whether the first one came through: it is done once,
// and the same answer is given to all that have its key. What is kept is written in the transaction of what was done.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/env.h"
#include "store/record_store.h"

namespace spl::instance {

inline constexpr std::chrono::hours kAnswersKept{24};

struct PutReport;

struct Once {
  Digest key;      // of who asks, and the key that was given
  Digest request;  // of what is asked: another request with the same key is a mistake
  std::function<std::string(const PutReport&)> answer;  // to what was done now
  std::optional<std::string> given = {};                // the answer; to be sent when the call returns
  bool repeated = false;                                // it is that of the first time, and nothing was done
};

// Both as a part of a transaction; `once` may be null. True where it was answered before: then nothing is to be done.
// Code kRefused where something else was asked with that key.
Result<bool> answered_before(store::StoreReader& reader, env::Clock& clock, Once* once);
Result<void> keep_answer(store::StoreWriter& writer, env::Clock& clock, const PutReport& report, Once* once);

}  // namespace spl::instance
