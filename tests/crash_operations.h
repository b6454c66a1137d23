// The operations that are swept (crash_test.cc), and the disks on which they begin.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crash_fixture.h"

namespace spl::testing {

// A disk with the home of an instance.
Image home_without_identity();
Image home_with_identity(const CrashOptions& options = {});
// With records and an account of its own, and with a finished export.
Image home_in_use(const CrashOptions& options = {});

// A bundle of another instance, with 20 records, an account and a token.
const std::string& foreign_bundle();

// Caches, log and pages so small that some hundred records spill from the writer's cache into the log, are
// checkpointed, and have the log cut back; and that some thousand ids are sorted on disk.
store::StoreSizes small_sizes();

enum class SweepSize : std::uint8_t { kSmall, kLarge, kSlow };
struct SweptOperation {
  const char* name;
  CrashOperation (*make)();
  SweepSize size = SweepSize::kSmall;
};
inline std::ostream& operator<<(std::ostream& out, const SweptOperation& swept) {
  return out << swept.name;
}
std::span<const SweptOperation> swept_operations();

}  // namespace spl::testing
