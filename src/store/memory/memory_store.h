// A record store that lives in memory and dies with the process: for tests of what stands above the store. It behaves
// as the SQLite store does, but for durability; conformance.h holds both to it. Readers share an immutable state; a
// writer works on a copy and puts it in place of the old one when it commits. Any thread.
#pragma once

#include <memory>
#include <string>

#include "env/env.h"
#include "store/record_store.h"

namespace spl::store {

// `incarnation` is 32 hexadecimal digits, of which every store should have its own. Without a clock it does not keep
// when records come. The store outlives its readers and
// writers.
std::unique_ptr<RecordStore> make_memory_store(std::string incarnation, env::Clock* clock = nullptr);

}  // namespace spl::store
