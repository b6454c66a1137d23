#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace spl::base {

std::unexpected<Error> fail_errno(std::string_view what, int errno_value) {
  char text[128];
  const char* reason = strerror_r(errno_value, text, sizeof text);
  std::string hint;
  if (errno_value == ENOSPC || errno_value == EDQUOT) hint = "free some disk space and try again";
  if (errno_value == EACCES || errno_value == EPERM) hint = "check owner and mode of the path";
  return fail(ErrorCode::kFailed, std::string(what) + ": " + reason, std::move(hint));
}

}  // namespace spl::base
