// How config.toml is read, part by part, and what is wrong with it said. Apart from what it says (config.h), which many
// want and none of them with a parser of TOML. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "codec/toml_text.h"
#include "home/router_config.h"

namespace spl::home {

inline std::unexpected<Error> config_error_at(const std::string& path, std::uint64_t line, const std::string& why) {
  return fail(ErrorCode::kUsage, path + ":" + std::to_string(line) + ": " + why,
              "mend the line or take it out: every line is optional");
}
inline std::unexpected<Error> config_error(const std::string& path, const toml::source_region& at,
                                           const std::string& why) {
  return config_error_at(path, at.begin.line, why);
}

// Code kUsage with file and line.
Result<RouterConfig> parse_router_config(const std::string& path, const toml::node& node);

}  // namespace spl::home
