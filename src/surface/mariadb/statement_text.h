// What spl reads and changes in statements of SQL that somebody else has written: heads, and names where they are what
// they seem. Nothing here decides what a dump may do; the server does. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spl::surface {

// The statement as it may be run in another database by another user: without the DEFINER of what it creates, which is
// whoever runs it then, and without the name of a database in ALTER DATABASE, which is the current one then. Anything
// else is left as it is.
std::string without_owner(std::string statement);

// The word that a statement begins with, where mariadb-dump writes none that begins so; "" of one that it may have
// written. A transaction of XA that a dump has prepared would outlive its session and hold its locks, and what is
// executed out of a text is not seen. Where it depends on the server's version what is read, each reading counts.
std::string word_of_no_dump(std::string_view statement);

// "DEFINER=`a`@`b`" within the head of a CREATE statement: where it begins, and how long it is; 0 where there is none.
struct DefinerClause {
  std::size_t at = 0;
  std::size_t size = 0;
};
DefinerClause find_definer(std::string_view statement);

enum class StatementKind : std::uint8_t {
  kOther,
  kCreateTable,
  kAlterTable,
  kCreateTrigger,
  kCreateEvent,
  kAlterEvent,
  kCompound,  // BEGIN NOT ATOMIC: statements in one
};
StatementKind kind_of(std::string_view statement);

// A server writes the database of a sequence into the default of a column, and so does a dump. Without it: the sequence
// is the one in the current database.
std::string with_own_sequences(std::string statement);
// Where a name in quotes is that of the database `from`, before a point, it becomes `to`, which has its quotes.
std::string with_database(std::string_view text, std::string_view from, std::string_view to);
// Every name that stands before a point: databases, and tables and records among them. As they are written.
std::vector<std::string> named_databases(std::string_view text);
// Whether DATA DIRECTORY or INDEX DIRECTORY stands in what SHOW CREATE TABLE says.
bool names_directory(std::string_view text);

// A CREATE EVENT, up to its DO.
class EventStatement {
 public:
  // Nothing where it is another statement, or one that is not understood.
  static std::optional<EventStatement> read(std::string_view statement);
  std::string name;
  bool is_enabled = true;
  // `statement` is the one that was read; `state`: "ENABLE", "DISABLE".
  [[nodiscard]] std::string with(std::string_view statement, std::string_view state) const;

 private:
  std::size_t at_ = 0;  // where the state stands or is to stand
  std::size_t size_ = 0;
};

}  // namespace spl::surface
