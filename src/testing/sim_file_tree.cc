// What SimFileSystem does with links, owners, times and attributes.
#include <cerrno>
#include <utility>

#include "base/encoding.h"
#include "testing/sim_file_system.h"

namespace spl::testing {
namespace {

using env::FileType;

std::unexpected<Error> failed(std::string_view doing, const std::string& path, int errno_value) {
  return base::fail_errno("cannot " + std::string(doing) + " " + base::escaped(path), errno_value);
}

}  // namespace

Result<void> SimFileSystem::rename_to_new(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("rename", from, Wants::kRoom));
  const Place source = TRY(locate("rename", from));
  const Place target = TRY(locate("rename to", to));
  if (!source.inode) return failed("rename", from, ENOENT);
  if (target.inode) return failed("rename to", to, EEXIST);
  if (!source.directory || !target.directory) return failed("rename to", to, EBUSY);
  if (holds(*source.inode, *target.directory)) return failed("rename to", to, EINVAL);
  disk_.move(source.directory, source.name, target.directory, target.name);
  return {};
}

Result<void> SimFileSystem::exchange(const std::string& one, const std::string& other) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("exchange", one));
  const Place first = TRY(locate("exchange", one));
  const Place second = TRY(locate("exchange", other));
  if (!first.inode) return failed("exchange", one, ENOENT);
  if (!second.inode) return failed("exchange", other, ENOENT);
  if (!first.directory || !second.directory) return failed("exchange", one, EBUSY);
  if (first.inode == second.inode) return {};
  if (holds(*first.inode, *second.directory) || holds(*second.inode, *first.directory))
    return failed("exchange", one, EINVAL);
  disk_.exchange(first.directory, first.name, second.directory, second.name);
  return {};
}

Result<void> SimFileSystem::make_symbolic_link(const std::string& target, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("make the link", path, Wants::kRoom));
  const Place place = TRY(locate("make the link", path));
  if (place.inode) return failed("make the link", path, EEXIST);
  if (target.empty()) return failed("make the link", path, ENOENT);
  const SimInodePtr link = disk_.make(FileType::kSymlink, 0777);
  link->target = target;
  disk_.link(*place.directory, place.name, link);
  return {};
}

Result<std::string> SimFileSystem::read_symbolic_link(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  const SimInodePtr inode = TRY(begin_at("read the link", path));
  if (inode->type != FileType::kSymlink) return failed("read the link", path, EINVAL);
  return inode->target;
}

Result<void> SimFileSystem::make_hard_link(const std::string& existing, const std::string& path) {
  const std::scoped_lock lock(mutex_);
  TRY(begin("make", path, Wants::kRoom));
  const Place source = TRY(locate("make", existing));
  const Place place = TRY(locate("make", path));
  if (!source.inode) return failed("make", path, ENOENT);
  if (place.inode) return failed("make", path, EEXIST);
  if (source.inode->type == FileType::kDirectory) return failed("make", path, EPERM);
  disk_.link(*place.directory, place.name, source.inode);
  return {};
}

Result<void> SimFileSystem::set_mode(const std::string& path, std::uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  const SimInodePtr inode = TRY(begin_at("set the mode of", path));
  if (inode->type == FileType::kSymlink) return failed("set the mode of", path, ELOOP);
  inode->traits.mode = mode;
  return {};
}

Result<void> SimFileSystem::set_owner(const std::string& path, std::uint32_t uid, std::uint32_t gid) {
  const std::scoped_lock lock(mutex_);
  const SimInodePtr inode = TRY(begin_at("set the owner of", path));
  inode->traits.uid = uid;
  inode->traits.gid = gid;
  return {};
}

Result<void> SimFileSystem::set_modified(const std::string& path, env::FileTime time) {
  const std::scoped_lock lock(mutex_);
  TRY(begin_at("set the time of", path))->traits.modified = time;
  return {};
}

Result<std::vector<env::ExtendedAttribute>> SimFileSystem::attributes(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  std::vector<env::ExtendedAttribute> attributes;
  for (const auto& [name, value] : TRY(begin_at("list the attributes of", path))->traits.attributes)
    attributes.push_back({name, value});
  return attributes;
}

Result<void> SimFileSystem::set_attribute(const std::string& path, const env::ExtendedAttribute& attribute) {
  const std::scoped_lock lock(mutex_);
  const SimInodePtr inode = TRY(begin_at("set the attribute " + base::escaped(attribute.name) + " of", path));
  if (inode->type == FileType::kSymlink) return failed("set an attribute of", path, EPERM);
  inode->traits.attributes[attribute.name] = attribute.value;
  return {};
}

Result<SimInodePtr> SimFileSystem::begin_at(std::string_view doing, const std::string& path) {
  TRY(begin(doing, path));
  Place place = TRY(locate(doing, path));
  if (!place.inode) return failed(doing, path, ENOENT);
  return std::move(place.inode);
}

}  // namespace spl::testing
