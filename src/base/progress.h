// How an operation tells what it does and how far it is. Called from the operation's thread, often: an implementation
// decides what to show. Also how it is asked to stop.
#pragma once

#include <cstdint>
#include <string_view>

namespace spl::base {

class Progress {
 public:
  virtual ~Progress() = default;
  // `phase` is a constant ("reading records"); `total` is 0 where it is not known. `unit`: "records", "bytes".
  virtual void update(std::string_view phase, std::uint64_t done, std::uint64_t total, std::string_view unit) = 0;
  // What is done next, for who wants to follow it: "asking the daemon". Not a secret.
  virtual void step(std::string_view) {}
  // Whose work follows: a service and one of its surfaces; both empty where it is nobody's in particular.
  virtual void enter(std::string_view, std::string_view) {}
  // True when the operation should end with an error and take everything back.
  virtual bool cancelled() { return false; }
};

class NoProgress final : public Progress {
 public:
  void update(std::string_view, std::uint64_t, std::uint64_t, std::string_view) override {}
};

}  // namespace spl::base
