// What an account may do, as SHOW GRANTS says it of a session: its own rights, those of its role, and everybody's. A
// server shows to who may not see a trigger, an event or a routine that there is none, so that this is asked before
// anything is believed to be complete. One thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "surface/mariadb/mariadb_session.h"

namespace spl::surface {

class MariadbRights {
 public:
  static Result<MariadbRights> of(MariadbSession& session);
  // A line of SHOW GRANTS; what is no grant of rights is passed over.
  void add(std::string_view grant);

  // "SELECT", "SHOW VIEW", ...: on all of a database, or on all databases.
  [[nodiscard]] bool has(std::string_view right, std::string_view database) const;
  [[nodiscard]] bool has_everywhere(std::string_view right) const { return contains(everywhere_, right); }
  [[nodiscard]] bool has_any_everywhere() const { return !everywhere_.empty(); }
  [[nodiscard]] bool has_on_table(std::string_view right, std::string_view database, std::string_view table) const;
  // Whether it may give to others what it has everywhere.
  [[nodiscard]] bool may_give() const { return may_give_; }
  // Of these those that it does not have, with ", " between them; "" where it has all.
  [[nodiscard]] std::string missing(const std::vector<std::string_view>& rights, std::string_view database) const;
  [[nodiscard]] std::string missing_everywhere(const std::vector<std::string_view>& rights) const;
  // A right that reaches beyond this one database, as words for a message: "SELECT on `ctx_%`"; "" where none does.
  [[nodiscard]] std::string beyond(std::string_view database) const;

 private:
  using Words = std::set<std::string, std::less<>>;
  struct Grant {
    Words rights;
    std::string database;  // a pattern, where `table` is empty
    std::string table;
    std::string to;
  };
  static bool contains(const Words& rights, std::string_view right);

  Words everywhere_;
  bool may_give_ = false;
  std::vector<Grant> grants_;
};

// As GRANT has a database's name: '%' and '_' stand for any, unless there is a backslash before them.
bool mariadb_pattern_matches(std::string_view pattern, std::string_view name);

}  // namespace spl::surface
