#include "env/acting_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "base/check.h"
#include "base/encoding.h"

namespace spl::env {
namespace {

constexpr uid_t kNoUser = std::numeric_limits<uid_t>::max();
constexpr gid_t kNoGroup = std::numeric_limits<gid_t>::max();

// Written once, before there are threads.
struct Acting {
  bool yes = false;
  uid_t user = 0;
  gid_t group = 0;
};
Acting& acting() {
  static Acting instance;
  return instance;
}

// These two cannot fail, and say what was: an id that is none changes nothing.
bool set_file_ids(uid_t user, gid_t group) {
  ::setfsgid(group);
  ::setfsuid(user);
  return static_cast<gid_t>(::setfsgid(kNoGroup)) == group && static_cast<uid_t>(::setfsuid(kNoUser)) == user;
}

int take_groups(uid_t user, gid_t group) {
  const passwd* entry = ::getpwuid(user);
  return entry != nullptr ? ::initgroups(entry->pw_name, group) : ::setgroups(1, &group);
}

std::string user_name(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return entry != nullptr ? std::string(entry->pw_name) : "user " + std::to_string(user);
}

}  // namespace

Result<void> act_for_owner_of(const std::string& directory, ActFor what) {
  if (::geteuid() != 0 || acting().yes) return {};
  struct stat info{};
  // What is not there yet will be root's; what else is wrong is found by who uses it.
  if (::stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid == 0) return {};
  const std::string owner = user_name(info.st_uid);
  const std::string what_failed =
      "root cannot act for " + owner + ", whose home " + base::escaped(directory, 512) + " is";
  const std::string hint = "run it as " + owner + ", or give the home to root (chown -R)";
  if (take_groups(info.st_uid, info.st_gid) != 0) {
    Error error = base::fail_errno(what_failed, errno).error();
    return fail(ErrorCode::kRefused, error.cause, error.message, hint);
  }
  const bool done = what == ActFor::kFiles ? set_file_ids(info.st_uid, info.st_gid)
                                           : ::setresgid(info.st_gid, info.st_gid, info.st_gid) == 0 &&
                                                 ::setresuid(info.st_uid, info.st_uid, info.st_uid) == 0;
  if (!done) return fail(ErrorCode::kRefused, Cause::kDenied, what_failed, hint);
  acting() = {what == ActFor::kFiles, info.st_uid, info.st_gid};
  if (::stat(directory.c_str(), &info) != 0)
    return fail(ErrorCode::kRefused, Cause::kDenied,
                base::escaped(directory, 512) + " is the home of " + owner + ", who cannot reach it",
                "let that user pass through the directories above it, or give the home to root (chown -R)");
  return {};
}

AsOneself::AsOneself() : acting_(acting().yes) {
  if (acting_) set_file_ids(::geteuid(), ::getegid());
}

AsOneself::~AsOneself() {
  if (acting_) set_file_ids(acting().user, acting().group);
}

AsFileUser::AsFileUser(const std::optional<UserIds>& user) {
  if (!user || ::geteuid() != 0) return;
  before_ = UserIds{static_cast<std::uint32_t>(::setfsuid(kNoUser)), static_cast<std::uint32_t>(::setfsgid(kNoGroup))};
  // Root can: to go on with root's rights is what may not be.
  SPL_CHECK(set_file_ids(user->uid, user->gid));
}

AsFileUser::~AsFileUser() {
  if (before_) SPL_CHECK(set_file_ids(before_->uid, before_->gid));
}

// By the system call itself: the C library's function would change every thread.
Result<std::unique_ptr<AsUser>> AsUser::take(std::uint32_t uid) {
  const std::uint32_t before = file_access_user();
  if (::syscall(SYS_setresuid, -1, uid, -1) != 0) {
    const int error = errno;
    return base::fail_errno("cannot act for " + user_name(uid), error);
  }
  // Nothing where the kernel does not let it, as where root acts for another's home: then files are the user's, too.
  ::setfsuid(before);
  return std::unique_ptr<AsUser>(new AsUser(before));
}

AsUser::~AsUser() {
  // A thread that stayed another user would go on with the wrong rights.
  SPL_CHECK(::syscall(SYS_setresuid, -1, 0, -1) == 0);
  ::setfsuid(file_user_);
}

WithFileAccessOf::WithFileAccessOf(UserIds ids) : changes_(::geteuid() == 0) {
  if (!changes_) return;
  before_ = {file_access_user(), static_cast<std::uint32_t>(::setfsgid(kNoGroup))};
  set_file_ids(ids.uid, ids.gid);
}

WithFileAccessOf::~WithFileAccessOf() {
  // A thread that stayed another user would go on with the wrong rights.
  if (changes_) SPL_CHECK(set_file_ids(before_.uid, before_.gid));
}

std::uint32_t file_access_user() {
  return static_cast<std::uint32_t>(::setfsuid(kNoUser));
}

}  // namespace spl::env
