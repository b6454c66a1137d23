#include "tenant/mark.h"

#include "tenant/register.h"

namespace spl::tenant {
namespace {

constexpr std::size_t kMarkBytesMax = 64u << 10;

}  // namespace

std::string mark_file(const home::HomePaths& paths) {
  return env::join(paths.root, "tenant.json");
}

Result<std::optional<TenantMark>> read_mark(env::Env env, const home::HomePaths& paths) {
  const std::string file = mark_file(paths);
  if (!TRY(env.fs.info(file))) return std::optional<TenantMark>();
  const std::string text = TRY(env::read_file(env.fs, file, kMarkBytesMax));
  auto mark = TRY_IN(file, codec::parse_shape_text<TenantMark>(text, codec::Unknown::kIgnored));
  if (!is_tenant_name(mark.name) || !home::is_host_name(mark.host))
    return fail(file + " does not say which tenant this is", "take it away where this home is no tenant's");
  return std::optional(std::move(mark));
}

Result<void> write_mark(env::Env env, const home::HomePaths& paths, const TenantMark& mark) {
  return env::write_file_atomically(env.fs, mark_file(paths), codec::shape_text(mark) + "\n");
}

home::RouterConfig router_of(const TenantMark& mark) {
  home::RouterConfig config;
  config.names = {mark.host};
  config.https = mark.https;
  config.http = 0;
  config.services = home::ServiceOrigins::kName;
  return config;
}

}  // namespace spl::tenant
