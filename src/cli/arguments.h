// What the command line said, by the names that the command tree gives: "--out" for an option, "FILE" for a positional.
// Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spl::cli {

class Arguments {
 public:
  void add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }

  [[nodiscard]] bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  // The last one given; nothing where none was.
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second.back());
  }
  // Of a required argument: it is there.
  [[nodiscard]] const std::string& at(std::string_view name) const { return values_.find(name)->second.back(); }
  [[nodiscard]] const std::vector<std::string>& all(std::string_view name) const {
    static const std::vector<std::string> kNone;
    const auto found = values_.find(name);
    return found == values_.end() ? kNone : found->second;
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace spl::cli
