// What an examination or a pre-flight found. Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "codec/shape.h"

namespace spl::surface {

enum class FindingStatus : std::uint8_t { kOk, kWarn, kStop };
constexpr auto names_of(FindingStatus /*type*/) {
  using enum FindingStatus;
  return std::array{std::pair{kOk, "ok"}, std::pair{kWarn, "warn"}, std::pair{kStop, "stop"}};
}

struct Finding {
  std::string check;  // "signature", "signer", "identity", "engine", "room", ...
  FindingStatus status = FindingStatus::kOk;
  std::string subject;
  std::string message;
  std::string hint;

  static constexpr auto shape() {
    return codec::shape(codec::member("check", &Finding::check, "what was looked at"),
                        codec::member("status", &Finding::status, "stop: nothing is changed because of it"),
                        codec::path_member("subject", &Finding::subject, "what it is about"),
                        codec::path_member("message", &Finding::message, "what was found"),
                        codec::path_member("hint", &Finding::hint, "what to do; may be empty"));
  }
};

}  // namespace spl::surface
