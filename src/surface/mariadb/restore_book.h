// What a restore writes down in a database of its own, so that it is where the data is, whenever the server stops: on
// which side what was staged is, what is beside the tables on either side, and how far an exchange has come. One
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/programs.h"

namespace spl::surface {

enum class BookSide : std::uint8_t { kNone, kStaged, kLive };  // none: there is no book, or an unfinished one
enum class ProgramsOf : std::uint8_t { kFresh, kOld };

class RestoreBook {
 public:
  RestoreBook(MariadbSession& admin, const MariadbTarget& target) : admin_(admin), target_(target) {}

  // What was brought; nothing of a former try is there.
  Result<void> make(const std::vector<MariadbProgram>& fresh, const MariadbDefaults& defaults,
                    const std::string& account);
  Result<BookSide> side();
  // "`book`.`staged` TO `book`.`live`", or back: a part of the statement that exchanges the tables.
  [[nodiscard]] std::string rename_to_live() const;
  [[nodiscard]] std::string rename_to_staged() const;

  // What was live, written down once before it is touched. Nothing where it has been already.
  Result<void> note_old();
  Result<bool> has_old();
  Result<bool> had_live();
  Result<void> forget_old();

  Result<std::vector<MariadbProgram>> programs(ProgramsOf whose);
  Result<MariadbDefaults> defaults(ProgramsOf whose);
  // Who is to define what was brought.
  Result<std::string> account() { return fact("account"); }
  // Whether what is beside the tables that are live is complete.
  Result<bool> is_arranged();
  Result<void> set_arranged(bool arranged);
  Result<bool> has_granted();
  Result<void> note_granted();

 private:
  Result<std::string> fact(const std::string& name);
  Result<void> set_fact(const std::string& name, const std::string& value);
  Result<void> add_programs(ProgramsOf whose, const std::vector<MariadbProgram>& programs);
  [[nodiscard]] std::string table(std::string_view name) const { return mariadb_name(target_.book(), name); }

  MariadbSession& admin_;
  const MariadbTarget& target_;
};

}  // namespace spl::surface
