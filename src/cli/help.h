// Texts: help and man pages, made from the command tree, and the scripts of shell completion. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace spl::cli {

// The columns that help fills: 40 to 100.
inline constexpr std::size_t kHelpWidthMin = 40;
inline constexpr std::size_t kHelpWidthMax = 100;
// `path` leads from the program to the command.
std::string help_text(const std::vector<const Command*>& path, std::size_t width);
// "spl record put [--ndjson]"
std::string usage_line(const std::vector<const Command*>& path);
// A page of section 1 in the man macros (groff_man(7)): of the program with all its commands, or of one command with
// all below it.
std::string man_page(const std::vector<const Command*>& path);

enum class Shell : std::uint8_t { kBash, kZsh, kFish };
// A small one that asks `spl __complete` (complete.h).
std::string completion_script(Shell shell);

}  // namespace spl::cli
