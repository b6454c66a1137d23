#include "store/open_store.h"

#include <filesystem>

#include "base/encoding.h"
#include "db/sqlite.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

namespace spl::store {
namespace {

constexpr std::size_t kIncarnationBytes = 16;
constexpr std::string_view kMemory = "memory:";

// The path of an SQLite URL; "" of another.
std::string_view sqlite_path(std::string_view url) {
  for (const std::string_view scheme : {"sqlite://", "sqlite:"}) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return url.starts_with('/') ? url : std::string_view();
}

}  // namespace

Result<StoreLocation> locate_store(std::string_view url) {
  if (url == kMemory) return StoreLocation{std::string(url), ""};
  const std::string path(sqlite_path(url));
  if (path.empty())
    return fail(ErrorCode::kUsage, "this program has no store for " + base::escaped(url), "use sqlite:PATH");
  return StoreLocation{"sqlite:" + path, path};
}

std::string absolute_store_url(std::string_view url) {
  const std::string_view path = sqlite_path(url);
  if (path.empty()) return std::string(url);
  std::error_code error;
  return "sqlite:" + std::filesystem::absolute(path, error).string();
}

std::vector<std::string> store_files(const StoreLocation& location) {
  return location.file.empty() ? std::vector<std::string>() : sqlite_files(location.file);
}

Result<bool> store_exists(env::Env env, const StoreLocation& location) {
  return location.file.empty() || TRY(env.fs.info(location.file));
}

void keep_temporary_files_in(const std::string& directory) {
  db::keep_temporary_files_in(directory);
}

Result<std::unique_ptr<RecordStore>> open_store(env::Env env, const StoreLocation& location, StoreOpen how,
                                                const StoreTuning& tuning) {
  if (location.file.empty()) {
    std::string random(kIncarnationBytes, '\0');
    env.random.fill(random);
    return make_memory_store(base::to_hex(random), &env.clock);
  }
  const auto log = TRY(env.fs.info(location.file + "-wal"));
  auto opened = open_sqlite_store(
      {location.file, tuning.file_layer, tuning.sizes, !log || log->size_bytes == 0, &env.clock}, how);
  if (!opened && opened.error().code == ErrorCode::kFailed && opened.error().hint.empty())
    opened.error().hint =
        "the file is " + location.file + "; a store is opened by the spl that wrote it, or a later one";
  return opened;
}

}  // namespace spl::store
