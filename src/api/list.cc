#include "api/list.h"

#include <algorithm>

namespace spl::api {
namespace {

constexpr std::size_t kAddedBytesMax = 32u << 10;  // before they go to the spool

}  // namespace

Result<bool> ListTurns::begin(env::Clock& clock, base::Progress& asker) {
  const auto end = clock.steady() + limits_.patience;
  std::unique_lock lock(mutex_);
  const auto is_free = [this] {
    return readings_ < limits_.readings && (limits_.asks_late || unsent_bytes_ < limits_.unsent_bytes);
  };
  while (!is_free()) {
    if (clock.steady() >= end) return false;
    changed_.wait_for(lock, std::min<std::chrono::milliseconds>(http::kWatchInterval, limits_.patience), is_free);
    if (asker.cancelled()) return fail(Cause::kCancelled, "nobody waits for the list any more");
  }
  ++readings_;
  return true;
}

void ListTurns::end() {
  const std::scoped_lock lock(mutex_);
  --readings_;
  changed_.notify_all();
}

bool ListTurns::has_room() {
  const std::scoped_lock lock(mutex_);
  return !limits_.asks_late || unsent_bytes_ < limits_.unsent_bytes;
}

void ListTurns::add_unsent(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  unsent_bytes_ += bytes;
}

void ListTurns::drop_unsent(std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::scoped_lock lock(mutex_);
  unsent_bytes_ -= bytes;
  changed_.notify_all();
}

Result<void> List::take(const std::function<Result<void>(store::StoreReader&)>& walk) {
  if (!TRY(turns_.begin(instance_.env().clock, exchange_.progress())))
    return fail(ErrorCode::kUnavailable, "too many lists at once", "try again");
  struct Turn {
    ListTurns& turns;
    ~Turn() { turns.end(); }
  } const turn{turns_};
  const auto reader = TRY(instance_.store().reader());
  return walk(*reader);
}

Result<void> List::add(std::string_view octets) {
  while (!octets.empty()) {
    const std::string_view piece = octets.substr(0, kAddedBytesMax - added_.size());
    added_ += piece;
    octets.remove_prefix(piece.size());
    if (added_.size() == kAddedBytesMax) TRY(put_by());
  }
  return {};
}

Result<void> List::put_by() {
  if (exchange_.progress().cancelled()) return fail(Cause::kCancelled, "nobody waits for the list any more");
  if (!spool_ && !turns_.has_room())
    return fail(ErrorCode::kUnavailable, "too many long answers wait for their readers", "try again");
  if (!spool_)
    spool_ = TRY_IN("spool", spool::Spool::make(instance_.env(),
                                                {instance_.paths().run(), spool::Secrecy::kPlain, kListHeldBytesMax}));
  const std::uint64_t before = spooled_bytes();
  TRY_IN("spool", spool_->append(added_));
  turns_.add_unsent(spooled_bytes() - before);
  added_.clear();
  return {};
}

Result<void> List::send(std::string_view content_type) {
  exchange_.stream(content_type);
  if (spool_) {
    std::string piece(kAnswerBufferBytes, '\0');
    for (std::uint64_t at = 0; at < spool_->size_bytes();) {
      const std::size_t n = TRY(spool_->read_at(at, piece));
      TRY(exchange_.write({piece.data(), n}));
      at += n;
    }
  }
  TRY(exchange_.write(added_));
  return exchange_.finish();
}

}  // namespace spl::api
