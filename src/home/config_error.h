// How a reader of config.toml says what is wrong, and where. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "codec/toml_text.h"

namespace spl::home {

inline std::unexpected<Error> config_error_at(const std::string& path, std::uint64_t line, const std::string& why) {
  return fail(ErrorCode::kUsage, path + ":" + std::to_string(line) + ": " + why,
              "mend the line or take it out: every line is optional");
}
inline std::unexpected<Error> config_error(const std::string& path, const toml::source_region& at,
                                           const std::string& why) {
  return config_error_at(path, at.begin.line, why);
}

}  // namespace spl::home
