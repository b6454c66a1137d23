// What a restore writes down in a database of its own, so that it is where the data is, whenever the server stops: on
// which side what was staged is, what is beside the tables on either side, and how far an exchange has come. One
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/programs.h"

namespace spl::surface {

enum class BookSide : std::uint8_t { kNone, kStaged, kLive };  // none: there is no book, or an unfinished one
enum class ProgramsOf : std::uint8_t { kFresh, kOld };

// A view of the live database, and the name under which it stays in it.
struct KeptView {
  std::string name;
  std::string kept_as;
};
struct ColumnDefault {
  std::string table;
  std::string column;
  std::string text;  // in which the database is the live one
};

class RestoreBook {
 public:
  RestoreBook(MariadbSession& admin, const MariadbTarget& target) : admin_(admin), target_(target) {}

  // The tables of it; nothing of a former try is there. No book yet: that is finish().
  Result<void> begin();
  // Adds what was brought, in the order of list_programs().
  Result<void> add_program(ProgramsOf whose, const MariadbProgram& program);
  // Adds the defaults of columns in `database` that name it, as those that take numbers from a sequence do: as they are
  // to be in the live one.
  Result<void> add_defaults_of(const std::string& database);
  // Who is to define what was brought. With it there is a book, durably.
  Result<void> finish(const MariadbDefaults& defaults, const std::string& account);
  Result<BookSide> side();
  // "`book`.`staged` TO `book`.`live`", or back: a part of the statement that exchanges the tables.
  [[nodiscard]] std::string rename_to_live() const;
  [[nodiscard]] std::string rename_to_staged() const;

  // What was live, written down once before it is touched. Nothing where it has been already.
  Result<void> note_old();
  Result<bool> has_old();
  Result<bool> had_live();
  Result<void> forget_old();

  Result<std::size_t> count_programs(ProgramsOf whose);
  // In the order of list_programs().
  Result<std::vector<ProgramName>> program_names(ProgramsOf whose);
  Result<MariadbProgram> program(ProgramsOf whose, std::size_t number);
  // Views of what was live that cannot be made again: they stay under other names.
  Result<std::vector<KeptView>> kept_views();
  // Takes these defaults away from the columns of `database`; and gives them to them, as they are to be there. A server
  // looks for the sequence of a default that there is, and so it can only be said where both are.
  Result<void> drop_defaults(const std::string& database);
  Result<void> set_defaults(const std::string& database);
  Result<MariadbDefaults> defaults(ProgramsOf whose);
  // Who is to define what was brought.
  Result<std::string> account() { return fact("account"); }
  // Whether what is beside the tables that are live is complete.
  Result<bool> is_arranged();
  Result<void> set_arranged(bool arranged);
  // Whether the events that were brought run, as they did where they come from.
  Result<bool> has_events();
  Result<void> note_events();
  Result<bool> has_granted();
  Result<void> note_granted();

 private:
  Result<std::string> fact(const std::string& name);
  Result<void> set_fact(const std::string& name, const std::string& value);
  Result<void> commit();
  Result<std::vector<ColumnDefault>> column_defaults();
  Result<void> alter_columns(const std::string& database, const std::function<std::string(const ColumnDefault&)>& how);
  [[nodiscard]] std::string table(std::string_view name) const { return mariadb_name(target_.book(), name); }

  MariadbSession& admin_;
  const MariadbTarget& target_;
  std::size_t added_ = 0;  // programs
};

}  // namespace spl::surface
