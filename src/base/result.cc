#include "base/result.h"

#include <cerrno>
#include <cstring>

#include "base/secrets.h"

namespace spl::base {
namespace {

const char* hint_of(int errno_value) {
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
      return "free some disk space and try again";
    case EACCES:
    case EPERM:
      return "check owner and mode of the path";
    case ENOENT:
      return "check the path: nothing of that name is there";
    case ENOTDIR:
      return "check the path: a part of it is no directory";
    case EISDIR:
      return "name a file, not a directory";
    case EEXIST:
      return "remove or rename what is there, or name another";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case ELOOP:
      return "name what the symbolic link leads to";
    case EROFS:
      return "choose a place on a file system that can be written";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f), or choose another file system";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n) and try again";
    case ENOMEM:
      return "free some memory and try again";
    case EIO:
      return "the device may be failing: look into the system's log";
    default:
      return "";
  }
}

Cause cause_of(int errno_value) {
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
      return Cause::kNoSpace;
    case EACCES:
    case EPERM:
      return Cause::kDenied;
    case ENOENT:
      return Cause::kNoSuchFile;
    case EEXIST:
      return Cause::kFileExists;
    case EROFS:
      return Cause::kReadOnly;
    case ENOMEM:
      return Cause::kNoMemory;
    default:
      return Cause::kUnspecified;
  }
}

}  // namespace

Error Error::in(std::string_view what) && {
  message.insert(0, without_secrets(std::string(what) + ": "));
  return std::move(*this);
}

std::unexpected<Error> fail(ErrorCode code, Cause cause, std::string message, std::string hint) {
  return std::unexpected(Error{code, without_secrets(std::move(message)), without_secrets(std::move(hint)), cause});
}

std::unexpected<Error> fail_errno(std::string_view what, int errno_value) {
  char text[128];
  const char* reason = strerror_r(errno_value, text, sizeof text);
  return std::unexpected(Error{ErrorCode::kFailed, without_secrets(std::string(what)) + ": " + reason,
                               hint_of(errno_value), cause_of(errno_value), reason});
}

std::unexpected<Error> fail_cancelled(std::string_view what_remains) {
  return fail(Cause::kCancelled, "interrupted: " + std::string(what_remains));
}

std::unexpected<Error> told_of(std::string_view what, Error error) {
  error.message = without_secrets(std::string(what)) + ": " + (error.reason.empty() ? error.message : error.reason);
  return std::unexpected(std::move(error));
}

}  // namespace spl::base
