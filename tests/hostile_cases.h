// Bundles that break one rule each and are otherwise correctly signed, as an attacker with a key would make them.
#pragma once

#include <functional>
#include <ostream>
#include <span>

#include "testing/bundle_forge.h"

namespace spl::testing {

struct Hostile {
  const char* name;
  std::function<void(BundleForge&)> forge;
  const char* message;  // a part of what a reader says, the entry among it
};

inline void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

std::span<const Hostile> hostile_bundles();

}  // namespace spl::testing
