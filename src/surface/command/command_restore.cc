#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/encoding.h"
#include "codec/enum_names.h"
#include "surface/command/command.h"
#include "surface/command/part_command.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kTurnBytesMax = 64;
constexpr std::string_view kMark = "dump";

// How far the load is. Durable before what it names is begun.
enum class Turn : std::uint8_t {
  kNone,       // nothing is staged
  kStaged,     // what is live was not touched
  kLoading,    // what was live is kept, and the bundle's is being loaded
  kLoaded,     // the bundle's is live
  kUnloading,  // what is kept is being loaded
  kBack,       // what was live is live again
};
constexpr auto names_of(Turn /*type*/) {
  using enum Turn;
  return std::to_array<std::pair<Turn, std::string_view>>({{kNone, "none"},
                                                           {kStaged, "staged"},
                                                           {kLoading, "loading"},
                                                           {kLoaded, "loaded"},
                                                           {kUnloading, "unloading"},
                                                           {kBack, "back"}});
}

class CommandRestore final : public RestorePart {
 public:
  CommandRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : surroundings_(surroundings),
        fs_(surroundings.env.fs),
        place_(std::move(place)),
        request_(std::move(request)),
        staged_(env::join(request_.keep_directory, "staged")),
        previous_(env::join(request_.keep_directory, "previous")) {
    SPL_CHECK(!request_.keep_directory.empty());
  }

  Result<void> inspect(std::vector<Finding>& findings) override;
  Result<std::string> stage(PartSource& files, base::Progress& progress) override;
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override;
  Result<void> swap(std::string_view mark) override;
  Result<void> swap_back(std::string_view mark) override;
  Result<void> retire(std::string_view mark) override;
  Result<std::vector<Count>> count_live() override;
  Result<bool> has_other(std::string_view mark) override;
  Result<void> discard(std::string_view mark) override;

 private:
  [[nodiscard]] std::string turn_file() const { return env::join(request_.keep_directory, "turn"); }
  Result<Turn> turn();
  Result<void> turn_to(Turn turn);
  Result<std::uint64_t> size_of(const std::string& path);
  Result<std::unique_ptr<env::File>> new_file(const std::string& path);
  Result<void> dump_to(const std::string& path);
  Result<void> load(const std::string& path);
  Result<CommandContent> content_of(const std::string& path, base::Progress* progress);

  const Surroundings& surroundings_;
  env::FileSystem& fs_;
  const Place place_;
  const RestoreRequest request_;
  const std::string staged_;    // the bundle's dump
  const std::string previous_;  // of what was live
  std::optional<CommandContent> wanted_;
};

Result<Turn> CommandRestore::turn() {
  if (!TRY(fs_.info(turn_file()))) return Turn::kNone;
  const std::string word = TRY(env::read_file(fs_, turn_file(), kTurnBytesMax));
  for (const auto& [turn, name] : names_of(Turn{})) {
    if (name == word) return turn;
  }
  return fail(Cause::kMalformed, turn_file() + " is damaged");
}

Result<void> CommandRestore::turn_to(Turn turn) {
  return env::write_file_atomically(fs_, turn_file(), codec::enum_name(turn));
}

Result<std::uint64_t> CommandRestore::size_of(const std::string& path) {
  const auto info = TRY(fs_.info(path));
  return info ? info->size_bytes : 0;
}

// Nobody can look into what a command keeps: only its own dump tells whether anything is there.
Result<void> CommandRestore::inspect(std::vector<Finding>& findings) {
  const auto note = [&](std::string check, FindingStatus status, std::string message, std::string hint) {
    findings.push_back({std::move(check), status, place_.subject, std::move(message), std::move(hint)});
  };
  CountingSink count;
  LimitedSink live(count, "its dump", kDumpBytesMax);
  base::StringSource nothing({});
  auto dumped = run_part_command(surroundings_, place_, place_.commands->dump, nothing, live,
                                 {kCommandTimeMax, surroundings_.progress});
  if (!dumped) {
    if (dumped.error().cause == Cause::kCancelled) return dumped;
    note("command", FindingStatus::kStop, "what is there cannot be dumped: " + dumped.error().message,
         "the dump must end with 0, and print nothing where nothing is there");
    return {};
  }
  if (live.bytes() > 0 && request_.data == InTheWay::kStops)
    note("data", FindingStatus::kStop, "data is in the way: its dump has " + std::to_string(live.bytes()) + " bytes",
         "--replace puts the bundle's in its place, and keeps it as previous");
  if (request_.signer == Trust::kStranger)
    note("command", FindingStatus::kWarn,
         "its restore command gets what a stranger has made, and nobody else looks at it",
         "restore it only if that command takes hostile input");
  std::string below = env::parent_of(request_.keep_directory);
  while (!TRY(fs_.info(below))) below = env::parent_of(below);
  const std::uint64_t wanted = request_.bytes + live.bytes();
  const auto free = fs_.free_bytes(below);
  if (free && *free < wanted)
    note("space", FindingStatus::kStop,
         "the dump of the bundle and that of what is there need " + std::to_string(wanted) + " bytes, " +
             std::to_string(*free) + " are free in " + below,
         "make room there");
  return {};
}

Result<std::unique_ptr<env::File>> CommandRestore::new_file(const std::string& path) {
  auto file = TRY(fs_.open(path, env::OpenMode::kCreate));
  TRY(file->truncate(0));
  return file;
}

Result<std::string> CommandRestore::stage(PartSource& files, base::Progress& progress) {
  TRY(discard({}));
  const auto no_part = [&](std::string_view path, const std::string& why) {
    return fail(ErrorCode::kVerification, place_.subject + ": " + base::escaped(path, 100) + " " + why);
  };
  const auto entry = TRY(files.next());
  if (!entry) return no_part(kCommandDump, "is missing");
  if (entry->path != kCommandDump || entry->type != codec::TarType::kFile)
    return no_part(entry->path, "is no dump of a command");
  TRY(env::make_directories(fs_, request_.keep_directory));
  const auto file = TRY(new_file(staged_));
  FileSink out(*file);
  std::string buffer(kPieceBytes, '\0');
  for (;;) {
    if (progress.cancelled()) return base::fail_cancelled("nothing was restored");
    const std::size_t n = TRY(files.read(buffer));
    if (n == 0) break;
    TRY(out.write(std::string_view(buffer.data(), n)));
  }
  if (const auto more = TRY(files.next())) return no_part(more->path, "is no file of a command's part");
  TRY(file->sync());
  TRY(turn_to(Turn::kStaged));
  return std::string(kMark);
}

Result<CommandContent> CommandRestore::content_of(const std::string& path, base::Progress* progress) {
  const auto file = TRY(fs_.open(path, env::OpenMode::kRead));
  FileSource dump(*file);
  return content_of_dump(surroundings_, place_, dump, TRY(file->size()), {kCommandTimeMax, progress});
}

Result<std::vector<Count>> CommandRestore::check(std::string_view /*mark*/, base::Progress& progress) {
  wanted_ = TRY(content_of(staged_, &progress));
  return wanted_->counts;
}

// Durable, or not there.
Result<void> CommandRestore::dump_to(const std::string& path) {
  const auto file = TRY(new_file(path));
  FileSink sink(*file);
  LimitedSink limited(sink, "its dump", TRY(dump_bytes_max(surroundings_, env::parent_of(path))));
  base::StringSource nothing({});
  TRY(run_part_command(surroundings_, place_, place_.commands->dump, nothing, limited, {}));
  TRY(file->sync());
  return fs_.sync_directory(env::parent_of(path));
}

// Whatever it says on its standard output is of no interest.
Result<void> CommandRestore::load(const std::string& path) {
  const auto file = TRY(fs_.open(path, env::OpenMode::kRead));
  FileSource dump(*file);
  CountingSink said;
  LimitedSink limited(said, "its restore", kDumpBytesMax);
  return run_part_command(surroundings_, place_, place_.commands->restore, dump, limited, {});
}

Result<void> CommandRestore::swap(std::string_view /*mark*/) {
  const Turn at = TRY(turn());
  if (at == Turn::kNone || at == Turn::kLoaded) return {};
  // What is kept is whole as soon as anything was loaded.
  if (at == Turn::kStaged || at == Turn::kBack) TRY(dump_to(previous_));
  TRY(turn_to(Turn::kLoading));
  TRY(load(staged_));
  return turn_to(Turn::kLoaded);
}

Result<void> CommandRestore::swap_back(std::string_view /*mark*/) {
  const Turn at = TRY(turn());
  if (at == Turn::kNone || at == Turn::kStaged || at == Turn::kBack) return {};
  TRY(turn_to(Turn::kUnloading));
  TRY(load(previous_));
  return turn_to(Turn::kBack);
}

// The bundle has what was staged; only what was replaced need be kept.
Result<void> CommandRestore::retire(std::string_view /*mark*/) {
  if (TRY(turn()) != Turn::kLoaded || !TRY(fs_.info(staged_))) return {};
  return fs_.remove(staged_);
}

// By a dump of it; where the bundle's was looked at before, both must be the same.
Result<std::vector<Count>> CommandRestore::count_live() {
  const std::string live = env::join(surroundings_.scratch_directory, "live");
  TRY(dump_to(live));
  const auto content = content_of(live, nullptr);
  TRY(fs_.remove(live));
  if (!content) return std::unexpected(content.error());
  if (wanted_ && wanted_->counts == content->counts && wanted_->text != content->text)
    return fail(place_.subject + ": its check finds other content there than in the bundle",
                "the service's log may have what its restore command said");
  return content->counts;
}

Result<bool> CommandRestore::has_other(std::string_view /*mark*/) {
  switch (TRY(turn())) {
    case Turn::kNone:
      return false;
    case Turn::kLoading:
    case Turn::kLoaded:
      return TRY(size_of(previous_)) > 0;
    case Turn::kStaged:
    case Turn::kUnloading:
    case Turn::kBack:
      break;
  }
  return TRY(fs_.info(staged_)).has_value();
}

Result<void> CommandRestore::discard(std::string_view /*mark*/) {
  return env::remove_tree(fs_, request_.keep_directory);
}

}  // namespace

std::unique_ptr<RestorePart> command_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<CommandRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
