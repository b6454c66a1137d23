#include "cli/slow_input.h"

#include "home/daemon_mark.h"

namespace spl::cli {

Result<std::optional<spool::Received>> receive_if_slow(Session& session, env::InputFile& file, std::string_view phase) {
  const env::Env env = session.env();
  const std::string directory = session.paths().run();
  const bool contended = !file.size_bytes() && TRY(env.fs.info(directory));
  if (!contended || TRY(home::running_daemon(env, session.paths()))) return std::nullopt;
  return std::optional(TRY(spool::Received::all_of(env, directory, file, session.progress(), phase)));
}

}  // namespace spl::cli
