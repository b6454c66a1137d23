#include <charconv>

#include "base/encoding.h"
#include "surface/redis/part_keys.h"
#include "surface/redis/redis.h"
#include "surface/redis/redis_share.h"
#include "surface/redis/redis_view.h"
#include "surface/shared_views.h"

namespace spl::surface {
namespace {

class RedisBackup final : public BackupPart {
 public:
  RedisBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings),
        place_(std::move(place)),
        views_(surroundings.views ? surroundings.views : &own_) {}

  Result<BackupPlan> plan(base::Progress& progress) override;
  Result<void> prepare(base::Progress& /*progress*/) override { return {}; }
  Result<void> hold(std::chrono::milliseconds at_most) override { return view_->hold(at_most); }
  Result<Consistency> open(Writers writers, std::chrono::nanoseconds deadline) override {
    TRY(view_->open(deadline));
    return writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kFilesystem;
  }
  void release() override {
    if (view_) view_->release();
  }
  Result<void> stream(PartSink& out, base::Progress& progress) override {
    const RdbSummary summary = TRY(view_->wait(progress));
    (void)summary;
    return keys_->stream(out, progress);
  }

 private:
  const Surroundings& surroundings_;
  const Place place_;
  SharedViews own_;
  SharedViews* views_;
  std::shared_ptr<RedisView> view_;
  std::shared_ptr<PartKeys> keys_;
};

Result<BackupPlan> RedisBackup::plan(base::Progress& progress) {
  const RedisAddress address = TRY_IN(place_.subject, RedisAddress::parse(place_.url.reveal()));
  RedisShare share = TRY(redis_share_of(place_, address));
  view_ = views_->get<RedisView>("redis " + std::string(place_.url.reveal()),
                                 [this] { return std::make_shared<RedisView>(surroundings_.env); });
  const RedisServerFacts facts = TRY_IN(place_.subject, view_->plan(address, progress));
  BackupPlan plan;
  plan.engine = "redis " + facts.version + " rdb " + std::to_string(facts.rdb_version);
  plan.method = "a replica's fork";
  if (facts.has_functions)
    plan.warnings.push_back(place_.subject +
                            ": functions (FUNCTION LIST) are not carried; whoever uses them loads them");
  const std::uint64_t all = facts.all_keys();
  plan.bytes = facts.data_bytes;
  if (share.database && all > 0) {
    const auto found = facts.keys.find(*share.database);
    const double part = static_cast<double>(found == facts.keys.end() ? 0 : found->second) / static_cast<double>(all);
    plan.bytes = static_cast<std::uint64_t>(part * static_cast<double>(facts.data_bytes));
  }
  keys_ = std::make_shared<PartKeys>(TRY(PartKeys::make(surroundings_, std::move(share))));
  view_->add(keys_);
  return plan;
}

}  // namespace

std::unique_ptr<BackupPart> redis_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<RedisBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
