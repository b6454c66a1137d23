#include "surface/postgres/owners.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameShown = 70;

// $1 is a schema, or empty where it is about all of them. Who has most comes first.
constexpr const char* kOwnersOfObjects =
    "SELECT pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind "
    "IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND ($1::text = "
    "'' OR n.nspname = $1::text) AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND "
    "d.objid = c.oid AND d.deptype = 'e') GROUP BY 1 ORDER BY count(*) DESC, 1";

Result<bool> is_superuser(ServerConnection& server, const std::string& role) {
  return TRY(server.query("SELECT FROM pg_roles WHERE rolname = $1 AND rolsuper", {role})).size() > 0;
}

}  // namespace

Result<Owners> owners_of_restored(const RestoreTarget& target, Trust signer) {
  Owners owners;
  auto live = TRY(target.open_beside_live());
  std::vector<std::string> candidates;
  if (live) {
    const Rows rows = TRY(live->query(kOwnersOfObjects, {target.schema().value_or("")}));
    owners.live_roles = rows.size();
    if (rows.size() > 0) candidates.push_back(rows.text(0, 0));
    const Rows place =
        target.schema()
            ? TRY(live->query("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = $1", {target.live()}))
            : TRY(live->query("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", {target.live()}));
    if (place.size() > 0) owners.place = place.text(0, 0);
  }
  candidates.push_back(target.url().user());
  if (!owners.place.empty()) candidates.push_back(owners.place);
  ServerConnection server = live ? std::move(*live) : TRY(target.open_admin());
  // What is live was given to a superuser here: of one's own it stays so.
  if (signer == Trust::kOwn && owners.live_roles > 0) owners.objects = candidates.front();
  for (const std::string& role : candidates) {
    if (owners.objects.empty() && !TRY(is_superuser(server, role))) owners.objects = role;
  }
  if (owners.objects.empty() && signer == Trust::kStranger)
    return fail(ErrorCode::kStop,
                "what somebody else has made would belong to the superuser " +
                    base::escaped(candidates.front(), kNameShown) + ", and its functions would run as one",
                "let a role that is no superuser own what is live, or name one in the url");
  if (owners.objects.empty()) owners.objects = candidates.front();
  if (owners.place.empty()) owners.place = owners.objects;
  owners.may_create_in_public =
      TRY(server.query("SELECT FROM pg_namespace n JOIN pg_roles r ON r.rolname = $1 WHERE n.nspname = 'public' AND "
                       "has_schema_privilege(r.oid, n.oid, 'CREATE')",
                       {owners.objects}))
          .size() > 0;
  return owners;
}

}  // namespace spl::surface
