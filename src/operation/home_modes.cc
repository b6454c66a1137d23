#include "operation/home_modes.h"

#include <algorithm>

#include "env/users.h"
#include "service/program.h"

namespace spl::operation {
namespace {

constexpr std::uint32_t kOthersWrite = 0002;
constexpr std::uint32_t kGroupWrites = 0020;
constexpr std::uint32_t kOthersAny = 0007;
constexpr std::uint32_t kReads = 0044;
constexpr std::uint32_t kPassed = 0011;
constexpr std::uint32_t kNotOwner = 0077;

class HomeModes {
 public:
  HomeModes(env::Env env, const service::ServiceSet& set, std::vector<Finding>& findings)
      : env_(env), set_(set), paths_(set.paths()), findings_(findings) {}

  Result<void> check() {
    const auto root = TRY(info_of(paths_.root));
    if (!root) return {};
    owner_ = root->uid;
    const bool has_users = TRY(have_users());
    for (const std::string& path : {paths_.root, paths_.data(), paths_.software(), paths_.run()})
      TRY(check_passed(path, has_users));
    for (const std::string& path : {paths_.secrets(), paths_.services()}) TRY(check_closed(path, "700"));
    // What stands beside the store has the store's mode.
    for (const std::string& path : {paths_.store(), paths_.socket()}) TRY(check_closed(path, "600"));
    for (const std::string& path : {paths_.identity(), paths_.config(), paths_.contexts()})
      TRY(check_owner(path, owner_));
    for (const service::Declaration& service : set_.services()) TRY(check_service(service));
    return {};
  }

 private:
  void add(FindingStatus status, const std::string& path, std::string message, std::string hint) {
    findings_.push_back({"modes", status, path, std::move(message), std::move(hint)});
  }

  // Of what is there in the end: a link has no mode of its own.
  Result<std::optional<env::FileInfo>> info_of(const std::string& path) {
    return env_.fs.info(TRY(env::follow_links(env_.fs, path)));
  }

  // Whether processes of other users have to pass through the home to what is theirs.
  Result<bool> have_users() {
    for (const service::Declaration& service : set_.services()) {
      const auto user = service::user_of(set_, service);
      if (user && *user && (*user)->uid != owner_) return true;
    }
    return false;
  }

  // 0711
  Result<void> check_passed(const std::string& path, bool has_users) {
    const auto info = TRY(info_of(path));
    if (!info) return {};
    const std::string is = ": its mode is " + mode_text(info->mode);
    const std::string hint = "chmod 711 " + path;
    if ((info->mode & kOthersWrite) != 0) {
      add(FindingStatus::kStop, path, "everybody may put things of theirs there" + is, hint);
    } else if ((info->mode & kGroupWrites) != 0) {
      add(FindingStatus::kStop, path, "its group may put things of theirs there" + is, hint);
    } else if ((info->mode & kReads) != 0) {
      add(FindingStatus::kWarn, path, "others may list what is in it" + is, hint);
    } else if (has_users && (info->mode & kPassed) != kPassed) {
      add(FindingStatus::kStop, path, "users of services do not get through to what is theirs" + is, hint);
    }
    return check_owner(path, owner_);
  }

  // 0700 and 0600
  Result<void> check_closed(const std::string& path, const std::string& wanted) {
    const auto info = TRY(info_of(path));
    if (!info) return {};
    if ((info->mode & kNotOwner) != 0)
      add(FindingStatus::kStop, path, "it is not closed to others: its mode is " + mode_text(info->mode),
          "chmod " + wanted + " " + path);
    return check_owner(path, owner_);
  }

  Result<void> check_owner(const std::string& path, std::uint32_t owner) {
    const auto info = TRY(info_of(path));
    if (info && info->uid != owner)
      add(FindingStatus::kStop, path, "it belongs to " + user_text(info->uid) + ", and should to " + user_text(owner),
          "chown " + user_text(owner) + " " + path);
    return {};
  }

  // 0750 and its user's. Where the operator runs it, nobody here knows who that is.
  Result<void> check_service(const service::Declaration& service) {
    const auto user = service::user_of(set_, service);
    if (!user) {
      findings_.push_back({"user", FindingStatus::kStop, service.name, user.error().message, user.error().hint});
      return {};
    }
    for (const std::string& path : {set_.data_directory(service.name), set_.run_directory(service.name)}) {
      const auto info = TRY(info_of(path));
      if (!info) continue;
      if ((info->mode & (kOthersAny | kGroupWrites)) != 0)
        add(FindingStatus::kWarn, path,
            "others get at the state of " + service.name + ": its mode is " + mode_text(info->mode),
            "chmod 750 " + path);
      if (service.run) TRY(check_owner(path, *user ? (*user)->uid : owner_));
    }
    return {};
  }

  env::Env env_;
  const service::ServiceSet& set_;
  const home::HomePaths& paths_;
  std::vector<Finding>& findings_;
  std::uint32_t owner_ = 0;
};

}  // namespace

std::string mode_text(std::uint32_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3)
    text += static_cast<char>('0' + ((mode >> static_cast<unsigned>(shift)) & 7));
  return text;
}

std::string user_text(std::uint32_t uid) {
  const auto account = env::find_user(uid);
  return account && *account ? (*account)->name : std::to_string(uid);
}

Result<void> check_home_modes(env::Env env, const service::ServiceSet& set, std::vector<Finding>& findings) {
  return HomeModes(env, set, findings).check();
}

}  // namespace spl::operation
