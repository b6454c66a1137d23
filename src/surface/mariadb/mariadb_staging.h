// Loads a dump that somebody else made into a database made for it, as a user made for it: the user has rights on that
// database and on nothing else, and logs in as itself. So whatever the dump tries ends at the server. One thread; one
// restore. See docs/formats/mariadb.md.
#pragma once

#include <set>
#include <string>

#include "surface/mariadb/mariadb_facts.h"
#include "surface/mariadb/mariadb_target.h"
#include "surface/mariadb/programs.h"
#include "surface/mariadb/restore_book.h"
#include "surface/part.h"

namespace spl::surface {

class MariadbStaging {
 public:
  // `engine`: what the manifest says of it.
  MariadbStaging(const Surroundings& surroundings, const MariadbTarget& target, Trust signer, MariadbEngine engine)
      : surroundings_(surroundings), target_(target), signer_(signer), engine_(std::move(engine)) {}

  // All of it. With the last step there is a book.
  Result<void> run(PartSource& files, base::Progress& progress);
  // Whatever run() has left, at any point, or an exchange: all but what is live. No error where there is nothing.
  static Result<void> remove(env::Env machine, const MariadbTarget& target);

 private:
  Result<void> run_steps(PartSource& files, base::Progress& progress);
  Result<MariadbDefaults> make_database(MariadbSession& admin);
  Result<void> make_loader(MariadbSession& admin);
  Result<void> load(Source& dump, std::uint64_t bytes, base::Progress& progress);
  Result<void> refuse_reach(MariadbSession& loader);
  Result<void> run_one(MariadbSession& loader, std::string statement, std::uint64_t line);
  Result<void> run_without_directories(MariadbSession& loader, const std::string& statement);
  Result<void> lock_loader_out(MariadbSession& admin);
  Result<void> refuse_what_is_not_for_here(MariadbSession& admin);
  Result<void> refuse_directories(MariadbSession& admin);
  Result<void> refuse_strangers_programs(MariadbSession& admin);
  Result<void> note_programs(MariadbSession& admin, RestoreBook& book);
  std::unexpected<Error> failed_statement(const MariadbSession& loader, Error error, std::uint64_t line) const;

  const Surroundings& surroundings_;
  const MariadbTarget& target_;
  const Trust signer_;
  const MariadbEngine engine_;
  SecretBytes password_;
  std::string host_;                                   // from which the server sees us
  std::set<std::string, std::less<>> enabled_events_;  // that are loaded as ones that do not run
};

}  // namespace spl::surface
