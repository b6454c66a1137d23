// Where a part of a restore goes: the server, the database that is live there, and those beside it. One thread.
//
//   live      what the url or the split names
//   fresh     what is staged: tables that a dump brought
//   old       what was live before the exchange
//   book      what a restore writes down (restore_book.h)
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "surface/mariadb/mariadb_session.h"
#include "surface/part.h"

namespace spl::surface {

class MariadbTarget {
 public:
  // Code kUsage where neither url nor split names a database.
  static Result<MariadbTarget> of(env::Clock& clock, const Place& place, std::string_view restore_id);

  [[nodiscard]] const MariadbAddress& url() const { return url_; }
  [[nodiscard]] const MariadbAddress& admin() const { return admin_; }
  [[nodiscard]] const std::string& live() const { return live_; }
  [[nodiscard]] std::string fresh() const { return fresh_.empty() ? beside_ + "_new" : fresh_; }
  [[nodiscard]] std::string old() const { return beside_ + "_old"; }
  [[nodiscard]] std::string book() const { return beside_ + "_book"; }
  // Under which the n-th view stays in the live database that cannot be made again.
  [[nodiscard]] std::string kept_view(std::size_t n) const { return beside_ + "_view_" + std::to_string(n); }
  // The user that loads a dump.
  [[nodiscard]] const std::string& loader() const { return beside_; }

  // The same, but that this database is what becomes live.
  [[nodiscard]] MariadbTarget with_fresh(std::string name) const;

  // As who may create databases and users, or as the url has it; in no database.
  Result<MariadbSession> open_admin(base::Progress* progress = nullptr) const;
  Result<MariadbSession> open_url(base::Progress* progress = nullptr) const;
  [[nodiscard]] env::Clock& clock() const { return *clock_; }

 private:
  MariadbTarget(env::Clock& clock, MariadbAddress url, MariadbAddress admin)
      : clock_(&clock), url_(std::move(url)), admin_(std::move(admin)) {}

  env::Clock* clock_;
  MariadbAddress url_;
  MariadbAddress admin_;
  std::string live_;
  std::string beside_;
  std::string fresh_;  // where it is not one of spl's
};

// Ends the sessions of a user, or those that are in a database, and waits until they are gone, for at most half a
// minute; what may not be ended is left.
Result<void> end_sessions_of(MariadbSession& admin, env::Clock& clock, const std::string& user);
Result<void> end_sessions_in(MariadbSession& admin, env::Clock& clock, const std::string& database);
// Runs a statement that wants a table or a database for itself: who stands in the way, in the database, loses his
// session, for the services are down. Not longer than half a minute, or until the session is told not to wait.
Result<void> run_when_free(MariadbSession& admin, env::Clock& clock, const std::string& database,
                           const std::string& sql);

// Makes what the engines with transactions have written durable.
Result<void> make_durable(MariadbSession& admin);
// Makes durable what is in the databases in tables of other engines, whose files nobody else syncs. `beside`: a
// database of spl's, by whose directory it is known that the server's files are here. Gives what could not be made so:
// "my of the engine MyISAM"; "" where all was.
Result<std::string> make_files_durable(MariadbSession& admin, env::Env machine, const MariadbTarget& target,
                                       const std::vector<std::string>& databases, const std::string& beside);

}  // namespace spl::surface
