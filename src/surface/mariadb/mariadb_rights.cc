#include "surface/mariadb/mariadb_rights.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/encoding.h"
#include "base/words.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;

// "`a`", without its quotes; nothing where the text does not begin with a name. What was read is taken away.
std::optional<std::string> take_name(std::string_view& text) {
  if (!text.starts_with('`')) return std::nullopt;
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '`') {
      ++i;
      if (i >= text.size() || text[i] != '`') {
        text.remove_prefix(i);
        return name;
      }
    }
    name += text[i];
  }
  return std::nullopt;
}

bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

bool has_wildcard(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '%' || pattern[i] == '_') {
      return true;
    }
  }
  return false;
}

// What stands before the first wildcard.
std::size_t certain_octets(std::string_view pattern) {
  std::size_t i = 0;
  for (; i < pattern.size() && pattern[i] != '%' && pattern[i] != '_'; ++i) {
    if (pattern[i] == '\\') ++i;
  }
  return i;
}

}  // namespace

bool mariadb_pattern_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    const bool is_escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    const char c = p < pattern.size() ? pattern[p + (is_escaped ? 1 : 0)] : '\0';
    if (p < pattern.size() && !is_escaped && c == '%') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && ((!is_escaped && c == '_') || c == name[n])) {
      p += is_escaped ? 2 : 1;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

Result<MariadbRights> MariadbRights::of(MariadbSession& session) {
  MariadbRights rights;
  const MariadbRows rows = TRY(session.query("SHOW GRANTS"));
  for (std::size_t i = 0; i < rows.size(); ++i) rights.add(rows.text(i, 0));
  return rights;
}

void MariadbRights::add(std::string_view grant) {
  if (!take(grant, "GRANT ")) return;
  Grant made;
  for (;;) {
    // A role begins with its name.
    const std::size_t end = grant.find_first_of(",(`");
    const std::size_t on = grant.find(" ON ");
    const std::size_t size = std::min(end, on);
    if (size == 0 || size == std::string_view::npos) return;
    std::string word(grant.substr(0, size));
    while (word.ends_with(' ')) word.pop_back();
    grant.remove_prefix(size);
    // On some columns alone: of no use to who wants all.
    const bool is_of_columns = take(grant, "(");
    while (is_of_columns && !take(grant, ")")) {
      if (grant.empty() || (grant.front() == '`' && !take_name(grant))) return;
      if (!grant.empty() && grant.front() != ')' && grant.front() != '`') grant.remove_prefix(1);
    }
    if (!is_of_columns) made.rights.insert(std::move(word));
    if (take(grant, ", ")) continue;
    if (!take(grant, " ON ")) return;
    break;
  }
  const bool may_give = grant.ends_with(" WITH GRANT OPTION");
  if (take(grant, "*.* TO ")) {
    everywhere_.merge(made.rights);
    everywhere_.erase("USAGE");
    may_give_ = may_give_ || may_give;
    return;
  }
  auto database = take_name(grant);
  if (!database || !take(grant, ".")) return;
  made.database = std::move(*database);
  if (!take(grant, "*")) {
    auto table = take_name(grant);
    if (!table) return;
    made.table = std::move(*table);
  }
  if (!take(grant, " TO ")) return;
  const std::string_view to = grant.substr(0, grant.find(" WITH "));
  made.to = to;
  grants_.push_back(std::move(made));
}

bool MariadbRights::contains(const Words& rights, std::string_view right) {
  return rights.contains(right) || rights.contains("ALL PRIVILEGES");
}

bool MariadbRights::has(std::string_view right, std::string_view database) const {
  if (has_everywhere(right)) return true;
  // Of what an account has by patterns the server takes the one that says most.
  std::map<std::string_view, const Grant*> best;
  for (const Grant& grant : grants_) {
    if (!grant.table.empty() || !mariadb_pattern_matches(grant.database, database)) continue;
    const Grant*& other = best[grant.to];
    if (other == nullptr || certain_octets(grant.database) > certain_octets(other->database)) other = &grant;
  }
  return std::ranges::any_of(best, [&](const auto& one) { return contains(one.second->rights, right); });
}

bool MariadbRights::has_on_table(std::string_view right, std::string_view database, std::string_view table) const {
  if (has(right, database)) return true;
  return std::ranges::any_of(grants_, [&](const Grant& grant) {
    return grant.table == table && grant.database == database && contains(grant.rights, right);
  });
}

std::string MariadbRights::missing(const std::vector<std::string_view>& rights, std::string_view database) const {
  std::vector<std::string> words;
  for (const std::string_view right : rights) {
    if (!has(right, database)) words.emplace_back(right);
  }
  return base::join(words, ", ");
}

std::string MariadbRights::missing_everywhere(const std::vector<std::string_view>& rights) const {
  std::vector<std::string> words;
  for (const std::string_view right : rights) {
    if (!has_everywhere(right)) words.emplace_back(right);
  }
  if (!may_give_) words.emplace_back("GRANT OPTION");
  return base::join(words, ", ");
}

std::string MariadbRights::beyond(std::string_view database) const {
  if (!everywhere_.empty()) return *everywhere_.begin() + " on all databases";
  for (const Grant& grant : grants_) {
    const bool is_own = grant.table.empty()
                            ? !has_wildcard(grant.database) && mariadb_pattern_matches(grant.database, database)
                            : grant.database == database;
    if (is_own || grant.rights.empty()) continue;
    return *grant.rights.begin() + " on " + base::escaped(grant.database, kNameShown) +
           (grant.table.empty() ? "" : "." + base::escaped(grant.table, kNameShown));
  }
  return "";
}

}  // namespace spl::surface
