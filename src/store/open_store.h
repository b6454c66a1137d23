// Which store a URL names, and opening it: the one place that knows every kind. Any thread.
//
//   sqlite:PATH   sqlite://PATH   PATH that begins with a slash      one file and what lies beside it
//   memory:                                                           for tests; gone with the process
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/env.h"
#include "store/record_store.h"
#include "store/tuning.h"

namespace spl::store {

struct StoreLocation {
  std::string url;   // as people are shown it
  std::string file;  // the database's; "" where it has none
};

// Code kUsage for a URL that names no store that this program has.
Result<StoreLocation> locate_store(std::string_view url);
// The same URL, with a relative path made absolute.
std::string absolute_store_url(std::string_view url);
// Every file that the store consists of, or may make beside it.
std::vector<std::string> store_files(const StoreLocation& location);
// Whether there is one. One that has no file always is.
Result<bool> store_exists(env::Env env, const StoreLocation& location);
// What a store sorts on disk goes there, for the whole process: before the first store is opened.
void keep_temporary_files_in(const std::string& directory);

// An error where the file was made by a newer program, or by another one.
Result<std::unique_ptr<RecordStore>> open_store(env::Env env, const StoreLocation& location, StoreOpen how,
                                                const StoreTuning& tuning = {});

}  // namespace spl::store
