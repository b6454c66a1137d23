// Two steps that were both taken, whatever became of the first. Pure; any thread.
#pragma once

#include <utility>

#include "base/result.h"

namespace spl::base {

// The first error, with what the other one says.
[[nodiscard]] inline Result<void> both(Result<void> first, Result<void> second) {
  if (first) return second;
  if (!second) first.error().message += "; and " + second.error().message;
  return first;
}

}  // namespace spl::base
