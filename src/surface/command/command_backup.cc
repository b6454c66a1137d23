#include <algorithm>

#include "surface/command/command.h"
#include "surface/command/part_command.h"

namespace spl::surface {
namespace {

class SpoolSink final : public Sink {
 public:
  explicit SpoolSink(spool::Spool& spool) : spool_(spool) {}
  Result<void> write(std::string_view octets) override { return spool_.append(octets); }

 private:
  spool::Spool& spool_;
};

class SpoolSource final : public Source {
 public:
  explicit SpoolSource(spool::Spool& spool) : spool_(spool) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = TRY(spool_.read_at(at_, out));
    at_ += n;
    return n;
  }

 private:
  spool::Spool& spool_;
  std::uint64_t at_ = 0;
};

class CommandBackup final : public BackupPart {
 public:
  CommandBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings), place_(std::move(place)) {}

  Result<BackupPlan> plan(base::Progress& progress) override;
  Result<void> prepare(base::Progress& progress) override {
    progress_ = &progress;
    return {};
  }
  Result<Consistency> open(Writers writers, std::chrono::nanoseconds deadline) override;
  Result<void> stream(PartSink& out, base::Progress& progress) override;

 private:
  Result<void> dump(const CommandWaits& waits);

  const Surroundings& surroundings_;
  const Place place_;
  base::Progress* progress_ = nullptr;  // of the moment, which is one call of the caller's
  std::optional<spool::Spool> spool_;
};

Result<BackupPlan> CommandBackup::plan(base::Progress& /*progress*/) {
  const std::string& program = place_.commands->dump.front();
  if (program.starts_with('/') && !TRY(surroundings_.env.fs.info(program)))
    return fail(ErrorCode::kUnavailable, place_.subject + ": there is no program " + program,
                "its declaration names it as the dump");
  BackupPlan plan;
  plan.method = "its dump: within the pause where a hook holds its service, else while it runs";
  return plan;
}

Result<void> CommandBackup::dump(const CommandWaits& waits) {
  spool_.emplace(TRY(spool::Spool::make(surroundings_.env, surroundings_.spool)));
  SpoolSink sink(*spool_);
  LimitedSink limited(sink, "its dump", TRY(dump_bytes_max(surroundings_, surroundings_.spool.directory)));
  base::StringSource nothing({});
  return run_part_command(surroundings_, place_, place_.commands->dump, nothing, limited, waits);
}

// With writers held all of it is taken now. Where nobody holds them, the pause of others is not made longer by it.
Result<Consistency> CommandBackup::open(Writers writers, std::chrono::nanoseconds deadline) {
  if (writers == Writers::kRunning) return Consistency::kCrash;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max(deadline - surroundings_.env.clock.since_boot(), std::chrono::nanoseconds(0)));
  TRY(dump({std::min<std::chrono::milliseconds>(left, kCommandTimeMax), progress_}));
  return Consistency::kQuiesced;
}

Result<void> CommandBackup::stream(PartSink& out, base::Progress& progress) {
  progress.update("dumping", 0, 0, "");
  if (!spool_) TRY(dump({kCommandTimeMax, &progress}));
  codec::TarEntry entry;
  entry.path = kCommandDump;
  entry.size_bytes = spool_->size_bytes();
  SpoolSource content(*spool_);
  return out.add(entry, content);
}

}  // namespace

std::unique_ptr<BackupPart> command_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<CommandBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
