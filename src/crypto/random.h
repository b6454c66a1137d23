// Where this layer's callers pass in randomness: nothing here has a generator of its own.
#pragma once

#include <functional>
#include <span>

namespace spl::crypto {

// Fills all of the span with octets fit for keys; one that cannot does not return (env/env.h,
// Random).
using FillRandom = std::function<void(std::span<char>)>;

}  // namespace spl::crypto
