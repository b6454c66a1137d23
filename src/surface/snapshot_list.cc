#include "surface/snapshot_list.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/both.h"
#include "env/process.h"
#include "surface/tree_walk.h"
#include "surface/volume_snapshot.h"

namespace spl::surface {
namespace {

constexpr std::size_t kListBytesMax = 4u << 20;

struct ListText {
  std::vector<ListedSnapshot> snapshots;
  static constexpr auto shape() {
    return codec::shape(codec::member("snapshots", &ListText::snapshots, "what is there, or about to be"));
  }
};

// Backups of one process change one list.
std::mutex& list_mutex() {
  static std::mutex mutex;
  return mutex;
}

Result<bool> is_under_way(const ListedSnapshot& snapshot) {
  if (snapshot.pid <= 0) return false;
  const auto mark = TRY(env::process_mark(snapshot.pid));
  return mark && *mark == snapshot.mark;
}

bool is_well_formed(const ListedSnapshot& snapshot) {
  constexpr std::size_t kIdLength = 16;
  return snapshot.id.size() == kIdLength && snapshot.id.find_first_not_of("0123456789abcdef") == std::string::npos &&
         !snapshot.of.empty();
}

}  // namespace

std::string snapshot_name(std::string_view id) {
  return std::string(kOwnNamePrefix) + "snapshot-" + std::string(id);
}

Result<std::vector<ListedSnapshot>> SnapshotList::all() const {
  if (!TRY(env_.fs.info(path_))) return std::vector<ListedSnapshot>();
  const auto text = env::read_file(env_.fs, path_, kListBytesMax);
  auto list = text ? codec::parse_shape_text<ListText>(*text, codec::Unknown::kIgnored)
                   : Result<ListText>(std::unexpected(text.error()));
  if (list) return std::move(list->snapshots);
  return fail(
      list.error().code, list.error().cause,
      path_ + " cannot be read, and it lists file-system snapshots that are to be removed: " + list.error().message,
      "remove what it names by hand, then the file");
}

Result<void> SnapshotList::write(const std::vector<ListedSnapshot>& snapshots) const {
  if (!snapshots.empty()) return env::write_file_atomically(env_.fs, path_, codec::shape_text(ListText{snapshots}));
  TRY(env_.fs.remove(path_));
  return env_.fs.sync_directory(env::parent_of(path_));
}

Result<void> SnapshotList::put(ListedSnapshot snapshot) {
  snapshot.pid = env::own_process_id();
  snapshot.mark = TRY(env::process_mark(snapshot.pid)).value_or("");
  const std::scoped_lock lock(list_mutex());
  auto snapshots = TRY(all());
  const auto found = std::ranges::find(snapshots, snapshot.id, &ListedSnapshot::id);
  if (found == snapshots.end()) {
    snapshots.push_back(std::move(snapshot));
  } else {
    *found = std::move(snapshot);
  }
  return write(snapshots);
}

Result<void> SnapshotList::remove(std::string_view id) {
  const std::scoped_lock lock(list_mutex());
  auto snapshots = TRY(all());
  if (std::erase_if(snapshots, [id](const ListedSnapshot& one) { return one.id == id; }) == 0) return {};
  return write(snapshots);
}

Result<void> remove_leftover_snapshots(env::Env env, const std::string& list_path, const std::string& tool_path) {
  SnapshotList list(env, list_path);
  Result<void> all;
  for (const ListedSnapshot& snapshot : TRY(list.all())) {
    if (TRY(is_under_way(snapshot))) continue;
    const auto removal =
        is_well_formed(snapshot) ? remove_listed(snapshot, tool_path) : Result<Removal>(Removal::kNothingThere);
    if (!removal) {
      all = base::both(std::move(all), std::unexpected(removal.error()));
    } else if (*removal != Removal::kNotMounted) {
      all = base::both(std::move(all), list.remove(snapshot.id));
    }
  }
  if (!all) all.error().hint = "it stays listed in " + list_path + ": the next start of spl tries again";
  return all;
}

}  // namespace spl::surface
