// What a database is besides what lies in it: how its text is encoded and ordered, and what is set for it. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "surface/postgres/connection.h"
#include "surface/postgres/engine_text.h"

namespace spl::surface {

struct DatabaseSettings {
  std::string encoding = {};  // empty: the server's own
  LocaleFacts locale = {};
  std::vector<std::string> warnings = {};  // what is not as the bundle wants it, and what to do
  // What follows CREATE DATABASE for it.
  [[nodiscard]] std::string sql(const ServerConnection& server) const;
};
// Of the database in which the session is, or of another one. Nothing where there is none.
Result<std::optional<DatabaseSettings>> read_settings(ServerConnection& server, const std::string& database);
// What is restored gets those of the live database, else those of the engine's text, as far as this server has them.
Result<DatabaseSettings> settings_of_restored(ServerConnection& server, const std::string& live,
                                              const EngineFacts& engine);

// Who may connect, how many, and what is set for it: as of another database, or as of a new one where there is none.
Result<void> copy_properties(ServerConnection& admin, const std::string& from, const std::string& to);

}  // namespace spl::surface
