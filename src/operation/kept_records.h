// Records of the store that a restore replaces by its bundle's: written to a file of the restore's journal, and put
// back from it (docs/formats/restore-journal.md). One thread; who calls holds the home's lock.
#pragma once

#include <cstdint>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "operation/restore_journal.h"
#include "store/record_store.h"

namespace spl::operation {

// Writes all that `records` has, in the order of their arrival; durable when it returns. Gives how many there are.
Result<std::uint64_t> keep_records(env::Env env, const std::string& path, store::StoreReader& records,
                                   base::Progress& progress);

// Whether the file is whole, before anything is begun with it.
Result<void> check_kept_records(env::Env env, const RestoreJournals& journals, const RestoreJournal& journal,
                                base::Progress& progress);

// In one transaction what the restore has kept takes the place of all records that are there; nothing where it was
// never committed, or was done before.
Result<void> put_records_back(env::Env env, const RestoreJournals& journals, const RestoreJournal& journal,
                              store::RecordStore& store, base::Progress& progress);

}  // namespace spl::operation
