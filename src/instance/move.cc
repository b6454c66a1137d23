#include "instance/move.h"

namespace spl::instance {
namespace {

constexpr std::string_view kMovedSetting = "moved_at";  // a time, or ""

}  // namespace

Result<std::optional<std::string>> moved_at(store::StoreReader& reader) {
  auto when = TRY(reader.setting(kMovedSetting));
  if (when && when->empty()) when.reset();
  return when;
}

Result<void> require_not_moved(store::StoreReader& reader) {
  const auto when = TRY(moved_at(reader));
  if (!when) return {};
  return fail(ErrorCode::kRefused, "this instance has moved: it was exported with --move at " + *when,
              "write to it where it is now, or take the move back with spl move cancel");
}

Result<void> note_move(store::StoreWriter& writer, const std::string& now) {
  return writer.set_setting(kMovedSetting, now);
}

Result<bool> cancel_move(Instance& instance) {
  bool had_moved = false;
  TRY(instance.committer().run([&had_moved](store::StoreWriter& writer) -> Result<void> {
    had_moved = TRY(moved_at(writer)).has_value();
    return had_moved ? writer.set_setting(kMovedSetting, "") : Result<void>();
  }));
  return had_moved;
}

}  // namespace spl::instance
