#include "record/own_thread.h"

#include "codec/json_cursor.h"
#include "record/thread.h"

namespace spl::record {

bool OwnThread::lies_in(std::string_view canonical, std::string_view directory) {
  if (last_member_.empty() || !canonical.ends_with(last_member_)) {
    // Inside a string every quote has a backslash before it, so this text can only be a member's name.
    constexpr std::string_view kName = ",\"thread\":";
    const std::size_t at = canonical.rfind(",\"thread\":\"");
    if (at == std::string_view::npos || !canonical.ends_with("\"}")) return false;
    const std::string_view member = canonical.substr(at);
    const auto thread = codec::decode_json_string(member.substr(kName.size(), member.size() - kName.size() - 1));
    if (!thread) return false;
    directory_ = thread_directory(*thread);
    last_member_ = member;
  }
  return directory_ == directory;
}

}  // namespace spl::record
