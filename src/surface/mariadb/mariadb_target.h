// Where a part of a restore goes: the server, the database that is live there, and those beside it. One thread.
//
//   live      what the url or the split names
//   fresh     what is staged: tables that a dump brought
//   old       what was live before the exchange
//   book      what a restore writes down (restore_book.h)
#pragma once

#include <string>
#include <string_view>

#include "surface/mariadb/mariadb_session.h"
#include "surface/part.h"

namespace spl::surface {

// What a restore has beside the live databases begins with it.
inline constexpr std::string_view kMariadbOwn = "spl_";

class MariadbTarget {
 public:
  // Code kUsage where neither url nor split names a database.
  static Result<MariadbTarget> of(env::Clock& clock, const Place& place, std::string_view restore_id);

  [[nodiscard]] const MariadbAddress& url() const { return url_; }
  [[nodiscard]] const MariadbAddress& admin() const { return admin_; }
  [[nodiscard]] const std::string& live() const { return live_; }
  [[nodiscard]] std::string fresh() const { return beside_ + "_new"; }
  [[nodiscard]] std::string old() const { return beside_ + "_old"; }
  [[nodiscard]] std::string book() const { return beside_ + "_book"; }
  // The user that loads a dump.
  [[nodiscard]] const std::string& loader() const { return beside_; }

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
};

// Ends the sessions of a user, or those that are in a database; what may not be ended is left.
Result<void> end_sessions_of(MariadbSession& admin, const std::string& user);
Result<void> end_sessions_in(MariadbSession& admin, const std::string& database);
// Makes what the engine has written durable, as far as the session may.
void make_durable(MariadbSession& admin);

}  // namespace spl::surface
