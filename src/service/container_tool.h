// Containers of this machine, by the program that made them: podman or docker, whichever knows the name; podman is
// asked first where this process is not root's. What it tells is read from its JSON and never from its text for people.
// Any thread. Sources: podman(1), podman-inspect(1), docker(1), "docker container inspect".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/progress.h"
#include "base/result.h"

namespace spl::service {

// As both programs allow it: never an option, a path or a pattern.
bool is_container_name(std::string_view name);

struct RestartPolicy {
  std::string name = "no";  // or "always", "on-failure", "unless-stopped"
  std::uint64_t tries = 0;  // of "on-failure"; 0: without end

  // Whether the program starts it by itself, once its own service has been started anew.
  [[nodiscard]] bool comes_back() const { return name == "always" || name == "unless-stopped"; }
  // As the programs take it: "on-failure:3".
  [[nodiscard]] std::string text() const { return tries == 0 ? name : name + ":" + std::to_string(tries); }
};

struct ContainerState {
  std::string id;    // 64 hexadecimal digits
  std::string name;  // without the slash that docker puts before it
  bool runs = false;
  bool is_paused = false;
  bool restarts = false;  // it has ended, and is started again and again
  int pid = 0;            // of its first process, as this machine counts; 0: none
  RestartPolicy restart;
  std::string unit;  // of systemd, where that runs it; else ""
};
// What `inspect` has said of one container. Code kUnavailable where that cannot be.
Result<ContainerState> parse_container_state(std::string_view inspected);
// What `ps` has said of ids, one a line: the only one, or none.
Result<std::optional<std::string>> parse_container_id(std::string_view listed);

class Container {
 public:
  // The one of this name, as it is now: in one question where it is there. Code kUnavailable where neither program is
  // there, or neither knows it, with what to do.
  static Result<std::pair<Container, ContainerState>> find(const std::string& name);

  [[nodiscard]] const std::string& tool() const { return tool_; }
  [[nodiscard]] Result<ContainerState> ask() const;
  [[nodiscard]] Result<void> start(std::chrono::milliseconds at_most, base::Progress& progress) const;
  // By the signal that it wants, and by KILL after that time.
  [[nodiscard]] Result<void> stop(std::chrono::milliseconds after) const;
  [[nodiscard]] Result<void> pause() const;
  [[nodiscard]] Result<void> unpause() const;
  [[nodiscard]] Result<void> set_restart(const RestartPolicy& policy) const;
  // The end of what it has said.
  [[nodiscard]] Result<std::string> log(int lines) const;

 private:
  Container(std::string tool, std::string id) : tool_(std::move(tool)), id_(std::move(id)) {}
  [[nodiscard]] Result<void> order(const std::vector<std::string>& words, std::chrono::milliseconds at_most,
                                   base::Progress* progress = nullptr) const;
  std::string tool_;
  std::string id_;
};

}  // namespace spl::service
