#include "testing/sim_vfs_locks.h"

namespace spl::testing {

int VfsDatabase::lock(VfsHolder& holder, int level) {
  const std::scoped_lock lock(mutex_);
  if (holder.level >= level) return SQLITE_OK;
  switch (level) {
    case SQLITE_LOCK_SHARED:
      if (pending_ != nullptr) return SQLITE_BUSY;
      ++sharers_;
      holder.level = level;
      return SQLITE_OK;
    case SQLITE_LOCK_RESERVED:
      if (reserved_ != nullptr || pending_ != nullptr) return SQLITE_BUSY;
      reserved_ = &holder;
      holder.level = level;
      return SQLITE_OK;
    case SQLITE_LOCK_EXCLUSIVE:
      return exclude_locked(holder, level);
    default:
      return SQLITE_MISUSE;
  }
}

// Who waits for the readers to go keeps new ones out meanwhile.
int VfsDatabase::exclude_locked(VfsHolder& holder, int level) {
  if (reserved_ != nullptr && reserved_ != &holder) return SQLITE_BUSY;
  if (pending_ != nullptr && pending_ != &holder) return SQLITE_BUSY;
  pending_ = &holder;
  holder.level = SQLITE_LOCK_PENDING;
  if (sharers_ > 1) return SQLITE_BUSY;
  holder.level = level;
  return SQLITE_OK;
}

int VfsDatabase::unlock(VfsHolder& holder, int level) {
  const std::scoped_lock lock(mutex_);
  if (holder.level <= level) return SQLITE_OK;
  if (reserved_ == &holder) reserved_ = nullptr;
  if (pending_ == &holder) pending_ = nullptr;
  if (level == SQLITE_LOCK_NONE) --sharers_;
  holder.level = level;
  return SQLITE_OK;
}

int VfsDatabase::check_reserved(bool& reserved) {
  const std::scoped_lock lock(mutex_);
  reserved = reserved_ != nullptr || pending_ != nullptr;
  return SQLITE_OK;
}

int VfsDatabase::map(VfsHolder& holder, int region, int region_bytes, bool extend, volatile void** memory) {
  const std::scoped_lock lock(mutex_);
  if (!holder.has_memory) {
    holder.has_memory = true;
    ++mappers_;
  }
  const auto index = static_cast<std::size_t>(region);
  *memory = nullptr;
  if (index >= regions_.size() && !extend) return SQLITE_OK;
  while (index >= regions_.size()) {
    regions_.push_back(std::make_unique<std::byte[]>(static_cast<std::size_t>(region_bytes)));
  }
  *memory = regions_[index].get();
  return SQLITE_OK;
}

int VfsDatabase::lock_memory(VfsHolder& holder, int first, int count, int flags) {
  const std::scoped_lock lock(mutex_);
  const auto begin = static_cast<std::size_t>(first);
  const std::size_t end = begin + static_cast<std::size_t>(count);
  if (end > SQLITE_SHM_NLOCK) return SQLITE_MISUSE;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (std::size_t slot = begin; slot < end; ++slot) release_memory_locked(holder, slot);
    return SQLITE_OK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (std::size_t slot = begin; slot < end; ++slot) {
    const bool others_exclude = slot_excluders_[slot] != nullptr && !holder.excludes[slot];
    const bool others_share = slot_shares_[slot] > (holder.shares[slot] ? 1 : 0);
    if (others_exclude || (exclusive && others_share)) return SQLITE_BUSY;
  }
  for (std::size_t slot = begin; slot < end; ++slot) {
    if (exclusive) {
      slot_excluders_[slot] = &holder;
      holder.excludes[slot] = true;
    } else if (!holder.shares[slot]) {
      ++slot_shares_[slot];
      holder.shares[slot] = true;
    }
  }
  return SQLITE_OK;
}

void VfsDatabase::release_memory_locked(VfsHolder& holder, std::size_t slot) {
  if (holder.excludes[slot]) slot_excluders_[slot] = nullptr;
  if (holder.shares[slot]) --slot_shares_[slot];
  holder.excludes[slot] = false;
  holder.shares[slot] = false;
}

void VfsDatabase::unmap(VfsHolder& holder) {
  const std::scoped_lock lock(mutex_);
  if (!holder.has_memory) return;
  for (std::size_t slot = 0; slot < SQLITE_SHM_NLOCK; ++slot) release_memory_locked(holder, slot);
  holder.has_memory = false;
  if (--mappers_ == 0) regions_.clear();
}

}  // namespace spl::testing
