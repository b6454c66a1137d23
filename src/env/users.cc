#include "env/users.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace spl::env {
namespace {

constexpr std::size_t kEntryBytes = 16u << 10;
constexpr std::size_t kEntryBytesMax = 1u << 20;

// `look` fills the entry, as getpwnam_r does; nothing where there is none.
template <class Entry, class Look>
Result<std::optional<Entry>> find_entry(const std::string& what, std::vector<char>& buffer, const Look& look) {
  for (buffer.resize(kEntryBytes);; buffer.resize(2 * buffer.size())) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(&entry, buffer.data(), buffer.size(), &found);
    if (error == ERANGE && buffer.size() < kEntryBytesMax) continue;
    // Some data bases answer so where the name is not there.
    if (error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) return std::optional<Entry>();
    if (error != 0) return base::fail_errno(what, error);
    return found == nullptr ? std::optional<Entry>() : std::optional<Entry>(entry);
  }
}

UserAccount account_of(const passwd& entry) {
  return {entry.pw_name, {entry.pw_uid, entry.pw_gid}, entry.pw_dir == nullptr ? "/" : entry.pw_dir};
}

}  // namespace

Result<std::optional<UserAccount>> find_user(const std::string& name) {
  std::vector<char> buffer;
  const auto entry = TRY(find_entry<passwd>("user " + name, buffer, [&](passwd* e, char* b, std::size_t n, passwd** f) {
    return ::getpwnam_r(name.c_str(), e, b, n, f);
  }));
  return entry ? std::optional(account_of(*entry)) : std::nullopt;
}

Result<std::optional<UserAccount>> find_user(std::uint32_t uid) {
  std::vector<char> buffer;
  const auto entry =
      TRY(find_entry<passwd>("user " + std::to_string(uid), buffer, [&](passwd* e, char* b, std::size_t n, passwd** f) {
        return ::getpwuid_r(uid, e, b, n, f);
      }));
  return entry ? std::optional(account_of(*entry)) : std::nullopt;
}

Result<std::optional<std::uint32_t>> find_group(const std::string& name) {
  std::vector<char> buffer;
  const auto entry = TRY(find_entry<group>("group " + name, buffer, [&](group* e, char* b, std::size_t n, group** f) {
    return ::getgrnam_r(name.c_str(), e, b, n, f);
  }));
  return entry ? std::optional<std::uint32_t>(entry->gr_gid) : std::nullopt;
}

std::uint32_t own_user_id() {
  return ::getuid();
}

}  // namespace spl::env
