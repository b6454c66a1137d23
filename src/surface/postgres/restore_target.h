// Where a part of a restore goes: the server, what is live there and what stands beside it, and the session that may
// change both. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "surface/part.h"
#include "surface/postgres/connection.h"

namespace spl::surface {

class RestoreTarget {
 public:
  static Result<RestoreTarget> of(env::Clock& clock, const Place& place, std::string_view restore_id);

  [[nodiscard]] const ServerAddress& url() const { return url_; }  // its database is the live one
  [[nodiscard]] const ServerAddress& admin() const { return admin_; }
  [[nodiscard]] const std::string& database() const { return url_.database(); }
  [[nodiscard]] const std::optional<std::string>& schema() const { return schema_; }
  // Of the schema or else database that is live.
  [[nodiscard]] const std::string& live() const { return schema_ ? *schema_ : url_.database(); }
  // Of what is staged or previous, of the role that loads it, and of the database that it is loaded into.
  [[nodiscard]] const std::string& other() const { return other_; }

  // As the role that may create databases and roles: in a database that no restore touches, or in a given one.
  Result<ServerConnection> open_admin(base::Progress* progress = nullptr) const;
  Result<ServerConnection> open_admin_in(const std::string& database, base::Progress* progress = nullptr) const;
  // Where the live schema is, or nothing where that database is not there.
  Result<std::optional<ServerConnection>> open_beside_live(base::Progress* progress = nullptr) const;

 private:
  RestoreTarget(env::Clock& clock, ServerAddress url, ServerAddress admin)
      : clock_(&clock), url_(std::move(url)), admin_(std::move(admin)) {}

  env::Clock* clock_;
  ServerAddress url_;
  ServerAddress admin_;
  std::optional<std::string> schema_;
  std::string other_;
};

// Databases and schemas by their object ids, which stay when names change. Nothing where there is none.
Result<std::optional<std::string>> database_oid(ServerConnection& server, const std::string& name);
Result<std::optional<std::string>> schema_oid(ServerConnection& server, const std::string& name);

// Ends the sessions of others in these databases: one that somebody is in keeps its name.
Result<void> end_sessions(ServerConnection& server, const std::string& database, const std::string& other);
// Of changes of names, again while somebody is in the way, for a while.
Result<void> run_when_free(ServerConnection& server, env::Clock& clock, const std::string& sql,
                           const std::function<Result<void>()>& before_each_try);

// Whether live and other have changed places, and doing so: `mark` is the object id of what was staged. The names
// change in one transaction, so that there is always one of the two states.
class Exchange {
 public:
  Exchange(const RestoreTarget& target, env::Clock& clock) : target_(target), clock_(clock) {}
  Result<void> bring_live(const std::string& mark) { return put(mark, Side::kLive); }
  // Nothing where what was staged is no more.
  Result<void> take_back(const std::string& mark) { return put(mark, Side::kOther); }
  // An error where what was staged is not the other one.
  Result<void> expect_other(const std::string& mark);

 private:
  enum class Side : std::uint8_t { kLive, kOther };
  Result<void> put(const std::string& mark, Side side);
  Result<std::optional<std::string>> oid(ServerConnection& server, const std::string& name) const;
  Result<void> rename(ServerConnection& server, bool has_live, bool has_other);
  Result<ServerConnection> open();

  const RestoreTarget& target_;
  env::Clock& clock_;
};

}  // namespace spl::surface
