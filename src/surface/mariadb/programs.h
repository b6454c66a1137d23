// What is in a database beside its tables: routines, views, triggers and events. They cannot be moved to another
// database as tables can, so they are read as the server says them, taken away and made anew, each by one statement
// of its own: a server takes no second one after it, whatever is in the text. One text is in memory at a time. One
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "surface/mariadb/mariadb_session.h"

namespace spl::surface {

enum class ProgramKind : std::uint8_t { kRoutine, kView, kTrigger, kEvent };

struct ProgramName {
  ProgramKind kind = ProgramKind::kRoutine;
  std::string type;  // "PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY", "VIEW", "TRIGGER", "EVENT"
  std::string name;
  bool operator==(const ProgramName&) const = default;
};

struct MariadbProgram : ProgramName {
  std::string head = {};     // what stands before DEFINER =: "CREATE ALGORITHM=UNDEFINED "
  std::string definer = {};  // "DEFINER=`a`@`b`"
  std::string tail = {};     // and after it
  std::string sql_mode = {};
  std::string charset = {};             // of the text
  std::string collation = {};           // of the session that made it
  std::string database_collation = {};  // of the database when it was made; "" of a view
  std::string time_zone = {};           // of an event
  bool operator==(const MariadbProgram&) const = default;
};

// Those that the session may see, in an order in which they can be made. Not among them: views that a restore keeps
// under a name of its own (mariadb_facts.h).
Result<std::vector<ProgramName>> list_programs(MariadbSession& session, const std::string& database);
// Gives all of them to `take`, one at a time, in this order. `session` is one that may see them all.
Result<void> read_programs(MariadbSession& session, const std::string& database,
                           const std::function<Result<void>(const MariadbProgram&)>& take);
// What tells them from any others: a hash of all that read_programs() gives.
Result<std::string> digest_of_programs(MariadbSession& session, const std::string& database);

// For the making of an event: one whose time has passed, or whose end has, would not be made.
inline constexpr std::string_view kLongAgo = "SET SESSION timestamp = 86400";

// Why the server would not make it as it is, in the database that it is in; "" where it would. Nothing is changed.
Result<std::string> why_not_made_again(MariadbSession& session, const std::string& database,
                                       const MariadbProgram& program);

// Takes all away but the views of these names. Nothing is left half.
Result<void> drop_programs(MariadbSession& session, env::Clock& clock, const std::string& database,
                           const std::vector<std::string>& kept_views = {});

enum class Definers : bool { kAsTheyWere, kThis };
enum class Events : bool { kAsTheyWere, kDisabled };
struct ProgramsToMake {
  std::size_t count = 0;
  std::function<Result<MariadbProgram>(std::size_t)> get = {};  // from 0, in the order of list_programs()
  Definers definers = Definers::kAsTheyWere;
  std::string definer = {};  // "`a`@`b`", for Definers::kThis
  Events events = Events::kAsTheyWere;
};
// Makes them in the database, which has none of their names; events last.
Result<void> make_programs(MariadbSession& session, env::Clock& clock, const std::string& database,
                           const ProgramsToMake& wanted);
// Makes again an event that is there, so that it is enabled. `definer` as above.
Result<void> enable_event(MariadbSession& session, env::Clock& clock, const std::string& database,
                          const MariadbProgram& event, const std::string& definer);

}  // namespace spl::surface
