// What is in a database beside its tables: routines, views, triggers and events. They cannot be moved to another
// database as tables can, so they are read as the server says them, taken away and made anew, each by one statement
// of its own: a server takes no second one after it, whatever is in the text. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surface/mariadb/mariadb_session.h"

namespace spl::surface {

enum class ProgramKind : std::uint8_t { kRoutine, kView, kTrigger, kEvent };

struct MariadbProgram {
  ProgramKind kind = ProgramKind::kRoutine;
  std::string type;  // "PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY", "VIEW", "TRIGGER", "EVENT"
  std::string name;
  std::string head;     // what stands before DEFINER =: "CREATE ALGORITHM=UNDEFINED "
  std::string definer;  // "DEFINER=`a`@`b`"
  std::string tail;     // and after it
  std::string sql_mode;
  std::string charset;             // of the text
  std::string collation;           // of the session that made it
  std::string database_collation;  // of the database when it was made; "" of a view
  std::string time_zone;           // of an event
  bool operator==(const MariadbProgram&) const = default;
};

// All of them, in an order in which they can be made. `session` is one that may see them all.
Result<std::vector<MariadbProgram>> read_programs(MariadbSession& session, const std::string& database);
// Takes all of them away. Nothing is left half.
Result<void> drop_programs(MariadbSession& session, const std::string& database);
enum class Definers : bool { kAsTheyWere, kThis };
// Makes them in the database, which has none of their names. `definer`: "`a`@`b`", for Definers::kThis.
Result<void> make_programs(MariadbSession& session, const std::string& database,
                           const std::vector<MariadbProgram>& programs, Definers definers, const std::string& definer);

}  // namespace spl::surface
