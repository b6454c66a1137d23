// Rights that others than the owners have on what lies in a database, or a schema of it. One thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "surface/postgres/connection.h"
#include "surface/postgres/database_facts.h"

namespace spl::surface {

// As SQL has them, ascending: "GRANT SELECT ON TABLE public.notes TO reader". Those that PostgreSQL or an extension
// gives by itself are left out. Of a whole database those on the database are in it.
Result<std::vector<std::string>> list_grants(ServerConnection& server, const Scope& schema);
// Takes them back from everybody. What is the role's, and what it has made of an extension, is not believed to be an
// extension's.
Result<void> revoke_grants(ServerConnection& server, const Scope& schema, const std::string& role);

}  // namespace spl::surface
