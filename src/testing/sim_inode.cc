#include "testing/sim_inode.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace spl::testing {
namespace {

void overwrite(std::string& content, std::uint64_t offset, std::string_view octets) {
  if (octets.empty()) return;
  if (content.size() < offset + octets.size()) content.resize(offset + octets.size());
  content.replace(offset, octets.size(), octets);
}

// Which of `count` operations in order get to the disk: the first few, or any.
std::vector<bool> pick_survivors(std::size_t count, Generator& generator) {
  std::vector<bool> survives(count);
  if (generator() % 2 == 0) {
    const std::size_t first = generator() % (count + 1);
    std::fill_n(survives.begin(), first, true);
  } else {
    for (std::size_t i = 0; i < count; ++i) survives[i] = generator() % 2 == 0;
  }
  return survives;
}

}  // namespace

void SimContent::write(std::uint64_t offset, std::string_view octets) {
  if (octets.empty()) return;
  overwrite(now_, offset, octets);
  pending_.push_back({Kind::kWrite, offset, std::string(octets)});
}

void SimContent::truncate(std::uint64_t size_bytes) {
  now_.resize(size_bytes);
  pending_.push_back({Kind::kTruncate, size_bytes, {}});
}

void SimContent::sync() {
  for (const Operation& operation : pending_) apply(operation);
  pending_.clear();
}

void SimContent::apply(const Operation& operation) {
  if (operation.kind == Kind::kTruncate) {
    durable_.resize(operation.at);
  } else {
    overwrite(durable_, operation.at, operation.octets);
  }
}

// Each sector for itself gets to the disk or does not.
void SimContent::apply_torn(const Operation& operation, Generator& generator) {
  const std::uint64_t end = operation.at + operation.octets.size();
  for (std::uint64_t at = operation.at; at < end;) {
    const std::uint64_t next = std::min(end, (at / kSimSectorBytes + 1) * kSimSectorBytes);
    if (generator() % 2 == 0) {
      const std::string_view octets = operation.octets;
      overwrite(durable_, at, octets.substr(at - operation.at, next - at));
    }
    at = next;
  }
}

void SimContent::cut(Generator* generator) {
  if (generator != nullptr && !pending_.empty()) {
    const std::vector<bool> survives = pick_survivors(pending_.size(), *generator);
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      // Also of those that do not get there whole, some do in part.
      const bool torn = pending_[i].kind == Kind::kWrite && (*generator)() % 4 == 0;
      if (torn) {
        apply_torn(pending_[i], *generator);
      } else if (survives[i]) {
        apply(pending_[i]);
      }
    }
  }
  pending_.clear();
  now_ = durable_;
}

bool holds(const SimInode& inode, const SimInode& below) {
  return &inode == &below ||
         std::ranges::any_of(inode.entries, [&](const auto& entry) { return holds(*entry.second.inode, below); });
}

SimDisk::SimDisk() : root_(make(env::FileType::kDirectory, 0755)) {}

SimDisk::~SimDisk() {
  // What a cut left may be a ring of directories that no root leads to.
  for (const SimInodePtr& inode : living()) {
    inode->entries.clear();
    inode->durable_entries.clear();
    inode->pending.clear();
  }
}

SimInodePtr SimDisk::make(env::FileType type, std::uint32_t mode) {
  auto inode = std::make_shared<SimInode>();
  inode->type = type;
  inode->number = ++last_number_;
  inode->traits.mode = mode;
  inode->durable_traits.mode = mode;
  inodes_.emplace_back(inode);
  return inode;
}

void SimDisk::link(SimInode& directory, const std::string& name, const SimInodePtr& inode) {
  const SimName what{inode, ++last_number_};
  ++inode->names;
  directory.entries[name] = what;
  directory.pending.push_back({++operation_id_, SimInode::Kind::kLink, name, what});
}

void SimDisk::unlink(SimInode& directory, const std::string& name) {
  --directory.entries.at(name).inode->names;
  directory.entries.erase(name);
  directory.pending.push_back({++operation_id_, SimInode::Kind::kUnlink, name});
}

void SimDisk::move(const SimInodePtr& from_directory, const std::string& from, const SimInodePtr& to_directory,
                   const std::string& to) {
  const SimName what = from_directory->entries.at(from);
  from_directory->entries.erase(from);
  if (const auto replaced = to_directory->entries.find(to); replaced != to_directory->entries.end())
    --replaced->second.inode->names;
  to_directory->entries[to] = what;
  // The durable old name goes when the new one comes: it has the same number.
  to_directory->pending.push_back({++operation_id_, SimInode::Kind::kLink, to, what});
  if (from_directory != to_directory)
    from_directory->pending.push_back({operation_id_, SimInode::Kind::kMovedAway, {}, {}, to_directory});
}

void SimDisk::exchange(const SimInodePtr& directory, const std::string& name, const SimInodePtr& other_directory,
                       const std::string& other_name) {
  std::swap(directory->entries.at(name), other_directory->entries.at(other_name));
  directory->pending.push_back({++operation_id_,
                                SimInode::Kind::kExchange,
                                name,
                                directory->entries.at(name),
                                {},
                                other_directory,
                                other_name,
                                other_directory->entries.at(other_name)});
  if (directory != other_directory)
    other_directory->pending.push_back({operation_id_, SimInode::Kind::kMovedAway, {}, {}, directory});
}

void SimDisk::sync_up_to(const SimInodePtr& directory, std::uint64_t id) {
  std::vector<SimInode::Operation>& pending = directory->pending;
  const auto last = std::ranges::find_if(pending, [&](const auto& op) { return op.id > id; });
  const std::vector<SimInode::Operation> due(std::make_move_iterator(pending.begin()), std::make_move_iterator(last));
  pending.erase(pending.begin(), last);
  for (const SimInode::Operation& operation : due) {
    if (operation.kind == SimInode::Kind::kMovedAway) {
      const SimInodePtr into = operation.into.lock();
      if (into) sync_up_to(into, operation.id);
    } else {
      apply(directory, operation);
    }
  }
}

void SimDisk::take_durable_name(const SimInodePtr& directory, const std::string& name) {
  const auto old = directory->durable_entries.find(name);
  if (old == directory->durable_entries.end()) return;
  old->second.inode->durable_names.erase(old->second.number);
  directory->durable_entries.erase(old);
}

void SimDisk::put_durable_name(const SimInodePtr& directory, const std::string& name, const SimName& what) {
  const auto before = what.inode->durable_names.find(what.number);
  if (before != what.inode->durable_names.end()) {
    const SimInode::Where where = before->second;
    if (const SimInodePtr held = where.directory.lock()) take_durable_name(held, where.name);
  }
  take_durable_name(directory, name);
  directory->durable_entries[name] = what;
  what.inode->durable_names[what.number] = {directory, name};
}

void SimDisk::apply(const SimInodePtr& directory, const SimInode::Operation& operation) {
  switch (operation.kind) {
    case SimInode::Kind::kUnlink:
      take_durable_name(directory, operation.name);
      break;
    case SimInode::Kind::kExchange:
      take_durable_name(operation.other_directory, operation.other_name);
      put_durable_name(directory, operation.name, operation.what);
      put_durable_name(operation.other_directory, operation.other_name, operation.other_what);
      break;
    case SimInode::Kind::kLink:
      put_durable_name(directory, operation.name, operation.what);
      break;
    case SimInode::Kind::kMovedAway:
      break;
  }
}

void SimDisk::apply_some(const std::vector<SimInodePtr>& inodes, Generator& generator) {
  std::vector<std::pair<SimInodePtr, const SimInode::Operation*>> chosen;
  for (const SimInodePtr& directory : inodes) {
    const std::vector<bool> survives = pick_survivors(directory->pending.size(), generator);
    for (std::size_t i = 0; i < directory->pending.size(); ++i) {
      const SimInode::Operation& operation = directory->pending[i];
      // A move is decided where it leads to.
      if (survives[i] && operation.kind != SimInode::Kind::kMovedAway) {
        chosen.emplace_back(directory, &operation);
      }
    }
  }
  std::ranges::sort(chosen, {}, [](const auto& entry) { return entry.second->id; });
  for (const auto& [directory, operation] : chosen) apply(directory, *operation);
}

void SimDisk::sync_all() {
  for (const SimInodePtr& inode : living()) {
    inode->content.sync();
    inode->durable_traits = inode->traits;
    if (inode->type == env::FileType::kDirectory) sync_directory(inode);
  }
}

void SimDisk::lose_all_pending() {
  for (const SimInodePtr& inode : living()) {
    inode->content.lose_pending();
    lose_pending(*inode);
  }
}

void SimDisk::cut(Generator* generator) {
  const std::vector<SimInodePtr> inodes = living();
  if (generator != nullptr) apply_some(inodes, *generator);
  for (const SimInodePtr& inode : inodes) {
    inode->content.cut(generator);
    if (generator != nullptr && (*generator)() % 2 == 0) inode->durable_traits = inode->traits;
    inode->traits = inode->durable_traits;
    inode->pending.clear();
    inode->entries = inode->durable_entries;
    inode->names = inode->durable_names.size();
  }
}

std::vector<SimInodePtr> SimDisk::living() {
  std::vector<SimInodePtr> inodes;
  for (const std::weak_ptr<SimInode>& weak : inodes_) {
    if (SimInodePtr inode = weak.lock()) inodes.push_back(std::move(inode));
  }
  inodes_.assign(inodes.begin(), inodes.end());
  return inodes;
}

}  // namespace spl::testing
