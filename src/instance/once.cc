#include "instance/once.h"

namespace spl::instance {
namespace {

std::int64_t seconds_of(env::Clock& clock) {
  return std::chrono::floor<std::chrono::seconds>(clock.now().time_since_epoch()).count();
}

std::int64_t too_old(std::int64_t now) {
  return now - std::chrono::seconds(kAnswersKept).count();
}

}  // namespace

Result<bool> answered_before(store::StoreReader& reader, env::Clock& clock, Once* once) {
  if (once == nullptr) return false;
  auto kept = TRY(reader.kept_answer(once->key));
  if (!kept || kept->made_at < too_old(seconds_of(clock))) return false;
  if (kept->request != once->request)
    return fail(ErrorCode::kRefused, "another request was sent with this Idempotency-Key",
                "a key is for one request, sent once or again: give each its own");
  once->given = std::move(kept->answer);
  once->repeated = true;
  return true;
}

Result<void> keep_answer(store::StoreWriter& writer, env::Clock& clock, const PutReport& report, Once* once) {
  if (once == nullptr) return {};
  once->given = once->answer(report);
  const std::int64_t now = seconds_of(clock);
  return writer.keep_answer(once->key, {now, once->request, *once->given}, too_old(now));
}

}  // namespace spl::instance
