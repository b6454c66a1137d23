// A directory as a test compares it: every name below it, with content and permissions.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace spl::testing {

// Relative path to "<mode> <content or link target>".
inline std::map<std::string, std::string> tree_contents(const std::string& directory) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> tree;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    std::string value = std::to_string(static_cast<unsigned>(entry.symlink_status().permissions())) + " ";
    if (entry.is_symlink()) {
      value += fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      std::ifstream in(entry.path(), std::ios::binary);
      value.append(std::istreambuf_iterator<char>(in), {});
    }
    tree.emplace(fs::relative(entry.path(), directory).string(), std::move(value));
  }
  return tree;
}

}  // namespace spl::testing
