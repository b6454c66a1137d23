// Where something stands in a file that a person wrote, for errors about it. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace spl::service {

struct FilePlace {
  std::string file;
  std::uint64_t line = 0;
};

// "<file>:<line>: <why>", code kUsage.
std::unexpected<Error> wrong_at(const FilePlace& place, const std::string& why, std::string hint = {});

}  // namespace spl::service
