#include "store/memory/memory_store.h"

#include <atomic>

#include "store/conformance.h"
#include "store/conformance_beside.h"
#include "store/conformance_load.h"
#include "testing/fake_clock.h"

namespace spl::store {
namespace {

struct MemoryBackend {
  static std::string next_incarnation() {
    static std::atomic<int> made{0};
    std::string digits = std::to_string(++made);
    return std::string(32 - digits.size(), '0') + digits;
  }
  spl::testing::FakeClock clock;
  std::unique_ptr<RecordStore> store = make_memory_store(next_incarnation(), &clock);
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreConformance, MemoryBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreUnderLoad, MemoryBackend);
INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreBesideRecords, MemoryBackend);

TEST(MemoryStore, HasTheIncarnationThatItWasGiven) {
  EXPECT_EQ(make_memory_store("00112233445566778899aabbccddeeff")->reader().value()->incarnation().value(),
            "00112233445566778899aabbccddeeff");
}

}  // namespace
}  // namespace spl::store
