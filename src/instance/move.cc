#include "instance/move.h"

#include <cstdlib>

namespace spl::instance {
namespace {

constexpr std::string_view kMovedSetting = "moved_at";  // a time, or ""
constexpr std::string_view kMovedSequenceSetting = "moved_sequence";

}  // namespace

Result<std::optional<std::string>> moved_at(store::StoreReader& reader) {
  auto when = TRY(reader.setting(kMovedSetting));
  if (when && when->empty()) when.reset();
  return when;
}

Result<void> require_not_moved(store::StoreReader& reader) {
  const auto when = TRY(moved_at(reader));
  if (!when) return {};
  return fail(ErrorCode::kRefused, Cause::kMoved, "this instance has moved: it was exported with --move at " + *when,
              "write to it where it is now, or bring it back: a later bundle of it comes home with spl import, and spl "
              "move cancel says that it never went");
}

Result<std::uint64_t> moved_sequence(store::StoreReader& reader) {
  const auto text = TRY(reader.setting(kMovedSequenceSetting));
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

Result<void> note_move(store::StoreWriter& writer, const std::string& now, std::uint64_t sequence) {
  TRY(writer.set_setting(kMovedSequenceSetting, std::to_string(sequence)));
  return writer.set_setting(kMovedSetting, now);
}

Result<void> note_return(store::StoreWriter& writer) {
  return writer.set_setting(kMovedSetting, "");
}

Result<bool> cancel_move(Instance& instance) {
  bool had_moved = false;
  TRY(instance.committer().run([&had_moved](store::StoreWriter& writer) -> Result<void> {
    had_moved = TRY(moved_at(writer)).has_value();
    return had_moved ? note_return(writer) : Result<void>();
  }));
  return had_moved;
}

}  // namespace spl::instance
