#include "surface/tool_volume.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "env/child_process.h"

namespace spl::surface {
namespace {

constexpr std::chrono::seconds kToolTimeMax{20};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

}  // namespace

Result<std::string> said_by_tool(const std::string& tool_path, std::vector<std::string> words) {
  env::ChildOptions options;
  options.arguments = std::move(words);
  options.environment = {"PATH=" + tool_path, "LC_ALL=C"};
  env::CommandLimits limits;
  limits.at_most = kToolTimeMax;
  return env::output_of_command(options, "", limits);
}

std::vector<std::vector<std::string>> rows_of(std::string_view text, char separator) {
  std::vector<std::vector<std::string>> rows;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::vector<std::string>& row = rows.emplace_back();
    for (;;) {
      const std::size_t end = line.find(separator);
      row.push_back(trimmed(line.substr(0, end)));
      if (end == std::string_view::npos) break;
      line.remove_prefix(end + 1);
    }
  }
  return rows;
}

std::string tool_name(std::string_view id) {
  return "spl-snapshot-" + std::string(id);
}

ToolVolume::ToolVolume(VolumeRoom room, ListedSnapshot entry) : room_(std::move(room)), entry_(std::move(entry)) {}

ToolVolume::~ToolVolume() {
  root_.close();
  if (!is_listed_) return;
  const auto removed = remove_listed(entry_, room_.tool_path);
  const auto done = removed ? room_.list().remove(entry_.id) : Result<void>(std::unexpected(removed.error()));
  if (!done)
    room_.env.log.write(env::LogLevel::kError, "snapshot not removed",
                        {{"where", entry_.where}, {"error", done.error().message}});
}

Result<void> ToolVolume::do_prepare() {
  is_listed_ = true;
  TRY(room_.list().put(entry_));
  TRY(create());
  {
    // Closed before it is removed.
    const auto opened = open();
    if (!opened) return std::unexpected(opened.error());
  }
  const auto removed = remove_listed(entry_, room_.tool_path);
  return removed ? Result<void>() : Result<void>(std::unexpected(removed.error()));
}

Result<void> ToolVolume::do_open() {
  root_ = TRY(open());
  return {};
}

}  // namespace spl::surface
