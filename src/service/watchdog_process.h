// The other side of watchdog.h: the process that watches, and what the two say to each other. For watchdog.cc.
// Sources: pidfd_open(2), timerfd_create(2), signalfd(2), unix(7).
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "env/program_image.h"
#include "service/watchdog.h"

namespace spl::service {

constexpr std::size_t kHooksMax = 100;  // what it tells of them fits into the socket's buffer
// The descriptors of the process that watches: the logs of the hooks come next, then the pidfds.
constexpr int kSocket = 3;
constexpr int kTimer = 4;
constexpr int kNothing = 5;
constexpr int kChildren = 6;
constexpr int kFirstLog = 7;

enum class WatchdogWord : char {
  kTake = 'T',       // a process, with its pidfd
  kTakeGroup = 'F',  // the switch of a frozen group, and how it is thawed: `number` is the version
  kBefore = 'P',     // a hook begins
  kCount = 'C',      // how many processes and groups are held?
  kResume = 'R',
  kReady = 'W',  // and these are its answers
  kHeld = 'H',
  kBeforeBegun = 'b',  // by the command's own process, with its pidfd
  kBeforeFailed = 'f',
  kBeforeEnded = 'e',
  kBeforeKilled = 'k',
  kLetGo = 'G',  // all that it holds; what is due after that comes next
  kBegun = 'B',
  kEnded = 'E',
  kKilled = 'K',
  kInTime = 'I',
  kLate = 'L',
};

struct WatchdogMessage {
  WatchdogWord word = WatchdogWord::kTake;
  std::uint32_t number = 0;  // of a hook, or how many are held
  // Of kEnded and kBeforeEnded: as waitpid(2) gives it; of kBeforeBegun: its process; of kBeforeFailed: errno; of
  // kHeld: 1 where the deadline has passed.
  std::int32_t status = 0;
};

// With a descriptor, where it is not -1.
bool send_octets(int socket, const void* octets, std::size_t size, int descriptor);
// False at the end. The descriptor that came with it, or -1.
bool receive_octets(int socket, void* octets, std::size_t size, int& descriptor);

struct HookImages {
  std::vector<env::ProgramImage> before;
  std::vector<env::ProgramImage> after;
};
// SIGCHLD alone.
sigset_t children_signal();
// What the process that was forked does. `descriptors`: socket, timer, nothing, children, the logs.
[[noreturn]] void run_watchdog(const HookImages& images, const std::vector<HookCommands>& hooks,
                               const std::vector<int>& descriptors);

}  // namespace spl::service
