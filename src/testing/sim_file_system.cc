#include "testing/sim_file_system.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/encoding.h"
#include "base/limits.h"

namespace spl::testing {
namespace {

using env::FileType;
using env::OpenMode;

// So that a wrong offset is an error and not the end of the memory.
constexpr std::uint64_t kSimFileBytesMax = std::uint64_t{1} << 32;

std::unexpected<Error> failed(std::string_view doing, const std::string& path, int errno_value) {
  return base::fail_errno("cannot " + std::string(doing) + " " + base::escaped(path), errno_value);
}

bool fits(std::uint64_t offset, std::size_t length) {
  return offset <= kSimFileBytesMax && length <= kSimFileBytesMax - offset;
}

void collect(const SimInode& directory, const std::string& prefix, std::map<std::string, std::string>& out) {
  for (const auto& [name, entry] : directory.entries) {
    const SimInodePtr& inode = entry.inode;
    const std::string path = prefix + name;
    if (inode->type == FileType::kDirectory) {
      out[path + "/"] = "";
      collect(*inode, path + "/", out);
    } else {
      out[path] = inode->type == FileType::kSymlink ? "-> " + inode->target : inode->content.now();
    }
  }
}

std::string unnamed_in(const std::string& directory) {
  return std::string(env::kUnnamedFile) + " " + directory;
}

}  // namespace

class SimFileSystem::SimFile final : public env::UnnamedFile {
 public:
  enum class Access : std::uint8_t { kRead, kReadWrite, kNameable };
  SimFile(SimFileSystem& fs, SimInodePtr inode, std::string path, Access access)
      : fs_(fs), boot_(fs.boot_), inode_(std::move(inode)), path_(std::move(path)), access_(access) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    const std::scoped_lock lock(fs_.mutex_);
    TRY(begin("read"));
    const std::string& content = inode_->content.now();
    return offset >= content.size() ? 0 : content.copy(out.data(), out.size(), offset);
  }

  Result<void> write_at(std::uint64_t offset, std::string_view octets) override {
    const std::scoped_lock lock(fs_.mutex_);
    const Fault fault = next_fault(Wants::kRoom);
    if (fault == Fault::kPowerOff) return error_of(fault, "write", path_);
    if (access_ == Access::kRead) return failed("write", path_, EBADF);
    if (!fits(offset, octets.size())) return failed("write", path_, EFBIG);
    if (fault != Fault::kNone) {
      inode_->content.write(offset, octets.substr(0, octets.size() / 2));
      return error_of(fault, "write", path_);
    }
    inode_->content.write(offset, octets);
    return {};
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    const std::scoped_lock lock(fs_.mutex_);
    TRY(begin("truncate"));
    if (access_ == Access::kRead) return failed("truncate", path_, EBADF);
    if (!fits(size_bytes, 0)) return failed("truncate", path_, EFBIG);
    if (size_bytes > inode_->content.now().size()) TRY(fs_.want_room("truncate", path_));
    inode_->content.truncate(size_bytes);
    return {};
  }

  Result<std::uint64_t> size() override {
    const std::scoped_lock lock(fs_.mutex_);
    TRY(begin("look at"));
    return inode_->content.now().size();
  }

  Result<void> sync() override {
    const std::scoped_lock lock(fs_.mutex_);
    const Fault fault = next_fault();
    if (fault == Fault::kNone) {
      inode_->content.sync();
      inode_->durable_traits = inode_->traits;
      return {};
    }
    if (fault != Fault::kPowerOff) inode_->content.lose_pending();
    return error_of(fault, "make durable", path_);
  }

  Result<void> give_name(const std::string& path) override {
    const std::scoped_lock lock(fs_.mutex_);
    const Fault fault = next_fault(Wants::kRoom);
    if (fault != Fault::kNone) return error_of(fault, "name", path);
    if (access_ != Access::kNameable) return failed("name", path, EINVAL);
    const Place place = TRY(fs_.locate("name", path));
    if (place.inode) return failed("name", path, EEXIST);
    fs_.disk_.link(*place.directory, place.name, inode_);
    access_ = Access::kReadWrite;
    return {};
  }

 private:
  // A file from before a reboot is dead, and what is done with it no call.
  Fault next_fault(Wants wants = Wants::kNothing) {
    return boot_ == fs_.boot_ ? fs_.next_fault(wants) : Fault::kPowerOff;
  }
  Result<void> begin(std::string_view doing) {
    const Fault fault = next_fault();
    if (fault != Fault::kNone) return error_of(fault, doing, path_);
    return {};
  }

  SimFileSystem& fs_;
  const std::uint64_t boot_;
  const SimInodePtr inode_;
  const std::string path_;
  Access access_;
};

class SimFileSystem::SimLock final : public env::Lock {
 public:
  SimLock(SimFileSystem& fs, SimInodePtr inode) : fs_(fs), boot_(fs.boot_), inode_(std::move(inode)) {}
  ~SimLock() override {
    const std::scoped_lock lock(fs_.mutex_);
    if (boot_ == fs_.boot_) fs_.locked_.erase(inode_.get());
  }

 private:
  SimFileSystem& fs_;
  const std::uint64_t boot_;
  const SimInodePtr inode_;
};

std::uint64_t SimFileSystem::calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

void SimFileSystem::fail_at(std::uint64_t call, SimError error) {
  const std::scoped_lock lock(mutex_);
  faults_[call] = error == SimError::kEio ? Fault::kEio : Fault::kEnospc;
}

void SimFileSystem::fail_from(std::uint64_t call, SimError error) {
  const std::scoped_lock lock(mutex_);
  lasting_from_ = call;
  lasting_ = error == SimError::kEio ? Fault::kEio : Fault::kEnospc;
}

void SimFileSystem::mend() {
  const std::scoped_lock lock(mutex_);
  faults_.clear();
  lasting_from_.reset();
}

bool SimFileSystem::is_full() const {
  const std::scoped_lock lock(mutex_);
  return lasting_from_ && lasting_ == Fault::kEnospc && calls_ >= *lasting_from_;
}

void SimFileSystem::cut_at(std::uint64_t call) {
  const std::scoped_lock lock(mutex_);
  cut_call_ = call;
}

bool SimFileSystem::is_off() const {
  const std::scoped_lock lock(mutex_);
  return off_;
}

void SimFileSystem::reboot(Survivors how) {
  const std::scoped_lock lock(mutex_);
  ++boot_;
  off_ = false;
  cut_call_.reset();
  faults_.clear();
  lasting_from_.reset();
  locked_.clear();
  Generator generator(how.seed);
  switch (how.kind) {
    case Survivors::Kind::kEverything:
      break;
    case Survivors::Kind::kSyncedOnly:
      disk_.cut(nullptr);
      break;
    case Survivors::Kind::kSeeded:
      disk_.cut(&generator);
      break;
  }
}

std::map<std::string, std::string> SimFileSystem::contents() const {
  const std::scoped_lock lock(mutex_);
  std::map<std::string, std::string> tree;
  collect(*disk_.root(), "/", tree);
  return tree;
}

void SimFileSystem::set_nameable(bool nameable) {
  const std::scoped_lock lock(mutex_);
  nameable_ = nameable;
}

void SimFileSystem::set_free_bytes(std::uint64_t free_bytes) {
  const std::scoped_lock lock(mutex_);
  free_bytes_ = free_bytes;
}

SimFileSystem::Fault SimFileSystem::next_fault(Wants wants) {
  ++calls_;
  if (cut_call_ && calls_ >= *cut_call_) off_ = true;
  if (off_) return Fault::kPowerOff;
  const bool lasts = lasting_from_ && calls_ >= *lasting_from_;
  if (lasts && (lasting_ == Fault::kEio || wants == Wants::kRoom)) return lasting_;
  const auto fault = faults_.find(calls_);
  if (fault == faults_.end()) return Fault::kNone;
  return fault->second;
}

std::unexpected<Error> SimFileSystem::error_of(Fault fault, std::string_view doing, const std::string& path) {
  if (fault == Fault::kEio) return failed(doing, path, EIO);
  if (fault == Fault::kEnospc) return failed(doing, path, ENOSPC);
  return fail("cannot " + std::string(doing) + " " + base::escaped(path) + ": the power is cut (simulated)");
}

Result<void> SimFileSystem::begin(std::string_view doing, const std::string& path, Wants wants) {
  const Fault fault = next_fault(wants);
  if (fault != Fault::kNone) return error_of(fault, doing, path);
  return {};
}

Result<void> SimFileSystem::want_room(std::string_view doing, const std::string& path) const {
  if (lasting_from_ && calls_ >= *lasting_from_) return error_of(lasting_, doing, path);
  return {};
}

Result<SimFileSystem::Place> SimFileSystem::locate(std::string_view doing, const std::string& path) const {
  if (path.empty()) return failed(doing, path, ENOENT);
  // From the root to where the path has led so far.
  std::vector<Place> way = {{nullptr, "", disk_.root()}};
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, end - at);
    at = end + 1;
    if (name.empty() || name == ".") continue;
    const SimInodePtr directory = way.back().inode;
    if (!directory) return failed(doing, path, ENOENT);
    if (directory->type != FileType::kDirectory) return failed(doing, path, ENOTDIR);
    if (name.size() > base::kNameBytesMax) return failed(doing, path, ENAMETOOLONG);
    if (name == "..") {
      if (way.size() > 1) way.pop_back();
      continue;
    }
    const auto entry = directory->entries.find(name);
    way.push_back({directory, name, entry == directory->entries.end() ? nullptr : entry->second.inode});
  }
  return std::move(way.back());
}

Result<SimInodePtr> SimFileSystem::find_directory(std::string_view doing, const std::string& path) const {
  Place place = TRY(locate(doing, path));
  if (!place.inode) return failed(doing, path, ENOENT);
  if (place.inode->type != FileType::kDirectory) return failed(doing, path, ENOTDIR);
  return std::move(place.inode);
}

Result<SimInodePtr> SimFileSystem::open_inode(const std::string& path, OpenMode how, std::uint32_t mode) {
  Place place = TRY(locate("open", path));
  const bool is_new = how == OpenMode::kCreateNew || how == OpenMode::kCreateNewAnyMode;
  const bool makes = how == OpenMode::kCreate || is_new;
  if (place.inode) {
    if (is_new) return failed("open", path, EEXIST);
    if (place.inode->type == FileType::kDirectory) return failed("open", path, EISDIR);
    if (place.inode->type == FileType::kSymlink) return failed("open", path, ELOOP);
    return std::move(place.inode);
  }
  if (!makes) return failed("open", path, ENOENT);
  TRY(want_room("open", path));
  SimInodePtr inode = disk_.make(FileType::kFile, mode & 0777);
  disk_.link(*place.directory, place.name, inode);
  return inode;
}

Result<std::unique_ptr<env::File>> SimFileSystem::open(const std::string& path, OpenMode how, std::uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("open", path));
  SimInodePtr inode = TRY(open_inode(path, how, mode));
  const auto access = how == OpenMode::kRead ? SimFile::Access::kRead : SimFile::Access::kReadWrite;
  return std::make_unique<SimFile>(*this, std::move(inode), path, access);
}

Result<std::unique_ptr<env::File>> SimFileSystem::open_unnamed(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("make", unnamed_in(directory), Wants::kRoom));
  TRY(find_directory("make a temporary file in", directory));
  return std::make_unique<SimFile>(*this, disk_.make(FileType::kFile, 0600), unnamed_in(directory),
                                   SimFile::Access::kReadWrite);
}

Result<std::unique_ptr<env::UnnamedFile>> SimFileSystem::open_nameable(const std::string& directory,
                                                                       std::uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("make", unnamed_in(directory), Wants::kRoom));
  TRY(find_directory("make a temporary file in", directory));
  if (!nameable_) return std::unique_ptr<env::UnnamedFile>();
  return std::make_unique<SimFile>(*this, disk_.make(FileType::kFile, mode & 0777), unnamed_in(directory),
                                   SimFile::Access::kNameable);
}

Result<std::optional<env::FileInfo>> SimFileSystem::info(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("look at", path));
  // What keeps a path from leading somewhere is that there is nothing.
  const Result<Place> place = locate("look at", path);
  if (!place || !place->inode) return std::nullopt;
  const SimInode& inode = *place->inode;
  return env::FileInfo{
      .type = inode.type,
      .size_bytes = inode.type == FileType::kSymlink ? inode.target.size() : inode.content.now().size(),
      .mode = inode.traits.mode,
      .uid = inode.traits.uid,
      .gid = inode.traits.gid,
      .device = 1,
      .inode = inode.number,
      .links = inode.names,
      .modified = inode.traits.modified,
      .changed = {}};
}

Result<void> SimFileSystem::make_directory(const std::string& path, std::uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("make directory", path, Wants::kRoom));
  const Place place = TRY(locate("make directory", path));
  if (place.inode) return failed("make directory", path, EEXIST);
  disk_.link(*place.directory, place.name, disk_.make(FileType::kDirectory, mode & 0777));
  return {};
}

Result<void> SimFileSystem::rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("rename", from, Wants::kRoom));
  const Place source = TRY(locate("rename", from));
  const Place target = TRY(locate("rename to", to));
  if (!source.inode) return failed("rename", from, ENOENT);
  if (!source.directory || !target.directory) return failed("rename to", to, EBUSY);
  if (source.inode == target.inode) return {};
  if (holds(*source.inode, *target.directory)) return failed("rename to", to, EINVAL);
  if (target.inode) {
    const bool onto_directory = target.inode->type == FileType::kDirectory;
    const bool is_directory = source.inode->type == FileType::kDirectory;
    if (onto_directory && !is_directory) return failed("rename to", to, EISDIR);
    if (!onto_directory && is_directory) return failed("rename to", to, ENOTDIR);
    if (!target.inode->entries.empty()) return failed("rename to", to, ENOTEMPTY);
  }
  disk_.move(source.directory, source.name, target.directory, target.name);
  return {};
}

Result<void> SimFileSystem::remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("remove", path));
  const Result<Place> place = locate("remove", path);
  if (!place || !place->inode) return {};
  if (!place->directory) return failed("remove", path, EBUSY);
  if (!place->inode->entries.empty()) return failed("remove", path, ENOTEMPTY);
  disk_.unlink(*place->directory, place->name);
  return {};
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("list", directory));
  const SimInodePtr inode = TRY(find_directory("list", directory));
  std::vector<std::string> names;
  for (const auto& entry : inode->entries) names.push_back(entry.first);
  return names;
}

Result<void> SimFileSystem::sync_directory(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  const Fault fault = next_fault();
  if (fault == Fault::kPowerOff) return error_of(fault, "make durable", directory);
  const SimInodePtr inode = TRY(find_directory("make durable", directory));
  if (fault != Fault::kNone) {
    SimDisk::lose_pending(*inode);
    return error_of(fault, "make durable", directory);
  }
  disk_.sync_directory(inode);
  return {};
}

Result<void> SimFileSystem::sync_all(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  const Fault fault = next_fault();
  if (fault == Fault::kPowerOff) return error_of(fault, "make durable", directory);
  TRY(find_directory("make durable", directory));
  if (fault != Fault::kNone) {
    disk_.lose_all_pending();
    return error_of(fault, "make durable", directory);
  }
  disk_.sync_all();
  return {};
}

Result<std::unique_ptr<env::Lock>> SimFileSystem::try_lock(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("lock", path));
  SimInodePtr inode = TRY(open_inode(path, OpenMode::kCreate, 0600));
  if (!locked_.insert(inode.get()).second) return std::unique_ptr<env::Lock>();
  return std::make_unique<SimLock>(*this, std::move(inode));
}

Result<std::unique_ptr<env::Lock>> SimFileSystem::try_lock_directory(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("lock", path));
  SimInodePtr inode = TRY(find_directory("lock", path));
  if (!locked_.insert(inode.get()).second) return std::unique_ptr<env::Lock>();
  return std::make_unique<SimLock>(*this, std::move(inode));
}

Result<std::uint64_t> SimFileSystem::free_bytes(const std::string& directory) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("look at", directory));
  TRY(find_directory("look at", directory));
  return lasting_from_ && calls_ >= *lasting_from_ ? 0 : free_bytes_;
}

}  // namespace spl::testing
