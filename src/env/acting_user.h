// Whose rights this process has on files. Root works on the home of another user with the rights of that user, so that
// what it makes there is that user's, and nothing in the home (a symbolic link, a path in a file) leads it where that
// user may not go. decisions/D-10 says why it is done so. Linux only: the ids for file access are a thread's own, and
// threads inherit them. Sources: setfsuid(2), credentials(7), capabilities(7).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "env/users.h"

namespace spl::env {

enum class ActFor : bool {
  kFiles,       // file access alone: AsOneself gives it back for a while
  kEverything,  // the process is that user's from now on, for good
};

// Where this process is root's and the directory is there and another user's: acts as that user from now on, with the
// directory's group and the user's others. To be called before this process has any other thread. Code kRefused where
// it cannot, or that user cannot reach the directory.
Result<void> act_for_owner_of(const std::string& directory, ActFor what);

// While it lives, this thread has the file access that the process was started with: for what the caller names on the
// command line and does not lie in the home.
class AsOneself {
 public:
  AsOneself();
  AsOneself(const AsOneself&) = delete;
  AsOneself& operator=(const AsOneself&) = delete;
  ~AsOneself();

 private:
  const bool acting_;
};

// While it lives, this thread has that user's file access alone, where this process is root's and a user is given: for
// what lies where that user may put links. What it makes is that user's.
class AsFileUser {
 public:
  explicit AsFileUser(const std::optional<UserIds>& user);
  AsFileUser(const AsFileUser&) = delete;
  AsFileUser& operator=(const AsFileUser&) = delete;
  ~AsFileUser();

 private:
  std::optional<UserIds> before_ = {};
};

// While it lives, this thread is that user (its effective id) to a server that asks the kernel who is at the other end
// of a socket. Root's own file access stays root's: the socket may lie where that user reaches nothing, as its service
// has a group for that. For a connection alone, then: what opens files in between does so as root.
class AsUser {
 public:
  // Where this process is root's. An error where the kernel does not let it: then it is who it was.
  static Result<std::unique_ptr<AsUser>> take(std::uint32_t uid);
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;
  ~AsUser();

 private:
  explicit AsUser(std::uint32_t file_user) : file_user_(file_user) {}
  const std::uint32_t file_user_;  // before
};

// While it lives, this thread has the file access of that user and group, where this process is root's and the kernel
// lets it; elsewhere nothing has changed. /proc shows a process to who has its ids, also without CAP_SYS_PTRACE.
class WithFileAccessOf {
 public:
  explicit WithFileAccessOf(UserIds ids);
  WithFileAccessOf(const WithFileAccessOf&) = delete;
  WithFileAccessOf& operator=(const WithFileAccessOf&) = delete;
  ~WithFileAccessOf();

 private:
  const bool changes_;
  UserIds before_;
};

// Whose file access this thread has.
std::uint32_t file_access_user();

}  // namespace spl::env
