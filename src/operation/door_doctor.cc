#include "operation/door_doctor.h"

#include "base/encoding.h"
#include "operation/backups.h"
#include "router/nginx.h"

namespace spl::operation {

Result<void> examine_door(instance::Instance& instance, std::vector<Finding>& findings) {
  env::Env env = instance.env();
  const auto config = instance.config();
  // That it is broken is said by who examines the configuration.
  if (!config) return {};
  const router::Nginx nginx(env, instance.paths());
  if (TRY(nginx.is_wanted())) {
    const bool runs = TRY(nginx.is_running());
    findings.push_back({"router", runs ? FindingStatus::kOk : FindingStatus::kWarn, "nginx",
                        runs ? "runs" : "is to run, and does not", runs ? "" : "spl router start"});
    if (config->router.services == home::ServiceOrigins::kPath)
      findings.push_back(
          {"router", FindingStatus::kWarn, "services",
           "their pages are on the panel's own origin: what one of them serves acts as the owner",
           "services = \"port\" or \"name\" in [router] of config.toml gives each an origin of its own"});
  }
  const std::string directory = TRY(backup_directory(instance));
  const auto kept = TRY(env.fs.info(directory));
  const auto home = TRY(env.fs.info(instance.paths().root));
  if (!kept || !home || kept->device != home->device || TRY(list_backups(instance)).empty()) return {};
  findings.push_back({"backups", FindingStatus::kWarn, base::escaped(directory),
                      "lies on the disk of the home: what takes the one takes the other",
                      "name a directory on another disk as backup_dir in config.toml"});
  return {};
}

}  // namespace spl::operation
