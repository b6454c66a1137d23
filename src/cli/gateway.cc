#include "cli/gateway.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "cli/daemon_info.h"

namespace spl::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kWaitMax = 30s;
constexpr auto kFirstPause = 20ms;
constexpr std::chrono::milliseconds kPauseMax = 500ms;

Error held_by_another(Session& session, Error error) {
  if (const auto pid = lock_holder(session.paths().lock())) error.message += " (pid " + std::to_string(*pid) + ")";
  return error;
}

}  // namespace

std::optional<int> lock_holder(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  std::array<char, 64> wanted{};
  std::snprintf(wanted.data(), wanted.size(), "%02x:%02x:%lu", major(status.st_dev), minor(status.st_dev),
                static_cast<unsigned long>(status.st_ino));
  // "1: FLOCK  ADVISORY  WRITE 708 00:13:13 0 EOF"
  std::ifstream locks("/proc/locks");
  for (std::string number, kind, mode, access, pid, file, begin, end;
       locks >> number >> kind >> mode >> access >> pid >> file >> begin >> end;) {
    int holder = 0;
    if (kind == "FLOCK" && file == wanted.data() &&
        std::from_chars(pid.data(), pid.data() + pid.size(), holder).ec == std::errc())
      return holder;
  }
  return std::nullopt;
}

Result<Gateway> open_gateway(Session& session, instance::OpenFor how) {
  env::Clock& clock = session.env().clock;
  const auto end = clock.steady() + kWaitMax;
  for (std::chrono::milliseconds pause = kFirstPause;; pause = std::min(2 * pause, kPauseMax)) {
    Gateway gateway{TRY(http::DaemonClient::connect(session.env(), session.paths())), nullptr};
    if (gateway.daemon) return gateway;
    instance::InstanceOptions options;
    options.home = session.paths().root;
    auto opened = instance::Instance::open(session.env(), options, how);
    if (opened) {
      gateway.instance = std::move(*opened);
      return gateway;
    }
    if (opened.error().code != ErrorCode::kUnavailable) return std::unexpected(std::move(opened).error());
    if (clock.steady() + pause > end) return std::unexpected(held_by_another(session, std::move(opened).error()));
    std::this_thread::sleep_for(pause);
  }
}

Result<std::optional<instance::Spooled>> spool_if_slow(Session& session, InputFile& file, ShownProgress& progress,
                                                       std::string_view phase) {
  const env::Env env = session.env();
  const std::string directory = session.paths().run();
  const bool contended = !file.size_bytes() && TRY(env.fs.info(directory));
  if (!contended || TRY(running_daemon(env, session.paths()))) return std::nullopt;
  return std::optional(TRY(instance::Spooled::receive(env, directory, file, progress, phase)));
}

Result<instance::IdentitySummary> generate_identity(Gateway& gateway) {
  if (gateway.daemon) return gateway.daemon->generate_identity();
  auto made = gateway.instance->generate_identity();
  // A home that was made for it is not left behind.
  if (!made) made.error() = instance::Instance::unmade_after(std::move(gateway.instance), made.error());
  return made;
}

}  // namespace spl::cli
