#include "home/daemon_mark.h"

#include "codec/shape.h"
#include "env/process.h"

namespace spl::home {
namespace {

constexpr std::size_t kMarkBytesMax = 64u << 10;

std::string mark_path(const HomePaths& paths) {
  return env::join(paths.run(), "daemon.json");
}

}  // namespace

std::string mark_text(const DaemonMark& mark) {
  return codec::shape_json(mark).text();
}

std::optional<DaemonMark> parse_mark(std::string_view text) {
  const auto json = codec::Json::parse(text);
  if (!json) return std::nullopt;
  auto mark = codec::parse_shape<DaemonMark>(*json, codec::Unknown::kIgnored);
  if (!mark || mark->pid == 0) return std::nullopt;
  return std::move(*mark);
}

Result<bool> is_alive(const DaemonMark& mark, const HomePaths& paths) {
  if (TRY(env::process_mark(mark.pid)) != mark.process_mark) return false;
  // The kernel does not name the holder of every lock: on some file systems it tells only that there is one.
  const auto holder = env::lock_holder(paths.root);
  if (holder) return *holder == mark.pid;
  return env::is_locked(paths.root);
}

Result<std::optional<DaemonMark>> running_daemon(env::Env env, const HomePaths& paths) {
  if (!TRY(env.fs.info(mark_path(paths)))) return std::nullopt;
  const auto text = env::read_file(env.fs, mark_path(paths), kMarkBytesMax);
  // It may have been removed meanwhile.
  if (!text) return std::nullopt;
  auto mark = parse_mark(*text);
  if (!mark || !TRY(is_alive(*mark, paths))) return std::nullopt;
  return mark;
}

Result<bool> has_daemon_mark(env::Env env, const HomePaths& paths) {
  return TRY(env.fs.info(mark_path(paths))).has_value();
}

Result<void> write_daemon_mark(env::Env env, const HomePaths& paths, const DaemonMark& mark) {
  TRY(env::write_file_atomically(env.fs, mark_path(paths), mark_text(mark) + "\n"));
  return env::write_file_atomically(env.fs, paths.pid(), std::to_string(mark.pid) + "\n");
}

void remove_daemon_mark(env::Env env, const HomePaths& paths) {
  // What stays is seen to be stale.
  (void)env.fs.remove(paths.pid());
  (void)env.fs.remove(mark_path(paths));
}

}  // namespace spl::home
