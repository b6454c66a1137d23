// What a running daemon says of itself in the home: run/spl.pid, its process id and a newline, for people and scripts;
// and run/daemon.json, from which commands learn its port and store. Both may be left behind by a daemon that was
// killed, or by a power cut: what they say is believed only while that very process lives and has the home's lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::home {

struct DaemonMark {
  int pid = 0;
  std::string process_mark;  // tells the process from all others that ever have its id
  std::string address;       // "http://127.0.0.1:9100"
  std::uint16_t port = 0;
  std::string store_url;  // as it was given to serve; "" is the home's own

  static constexpr auto shape() {
    return codec::shape(codec::member("pid", &DaemonMark::pid, "its process id"),
                        codec::member("process_mark", &DaemonMark::process_mark, "what tells it from later processes"),
                        codec::member("address", &DaemonMark::address, "where it serves"),
                        codec::member("port", &DaemonMark::port, "of its TCP door"),
                        codec::member("store", &DaemonMark::store_url, "as it was given to serve"));
  }
};

// As run/daemon.json holds it; nothing where the text is not one that mark_text made.
std::string mark_text(const DaemonMark& mark);
std::optional<DaemonMark> parse_mark(std::string_view text);

// Whether this is still the daemon of the home.
Result<bool> is_alive(const DaemonMark& mark, const HomePaths& paths);
// Of one that is alive; nothing otherwise.
Result<std::optional<DaemonMark>> running_daemon(env::Env env, const HomePaths& paths);
// Whether there is one at all, whoever's.
Result<bool> has_daemon_mark(env::Env env, const HomePaths& paths);
Result<void> write_daemon_mark(env::Env env, const HomePaths& paths, const DaemonMark& mark);
void remove_daemon_mark(env::Env env, const HomePaths& paths);

}  // namespace spl::home
