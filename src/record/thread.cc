#include "record/thread.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/enum_names.h"
#include "codec/json_cursor.h"
#include "crypto/sha256.h"

namespace spl::record {
namespace {

constexpr std::size_t kDirectoryBytesMax = 200;

bool is_kept(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// The ids that body.<name> holds: one, or a list of them. What is no id is passed over.
std::vector<RecordId> ids_in(codec::JsonCursor& cursor) {
  std::vector<RecordId> ids;
  const auto take = [&ids, &cursor] {
    const auto text = cursor.string();
    if (!text) return false;
    if (const auto id = RecordId::parse(*text)) ids.push_back(*id);
    return true;
  };
  const auto type = cursor.peek();
  if (type && *type == codec::JsonType::kString) {
    (void)take();
  } else if (type && *type == codec::JsonType::kArray && cursor.begin_array()) {
    std::string skipped;
    for (auto more = cursor.next_element(); more && *more; more = cursor.next_element()) {
      const auto element = cursor.peek();
      if (!element) break;
      if (*element == codec::JsonType::kString ? !take() : !cursor.canonical(skipped)) break;
    }
  }
  return ids;
}

std::vector<RecordId> body_ids(std::string_view body, std::string_view name) {
  codec::JsonCursor cursor(body);
  std::string member;
  std::string skipped;
  if (!cursor.begin_object()) return {};
  for (auto more = cursor.next_member(member); more && *more; more = cursor.next_member(member)) {
    if (member == name) return ids_in(cursor);
    skipped.clear();
    if (!cursor.canonical(skipped)) break;
  }
  return {};
}

std::vector<RecordId> parent_ids(const Record& record) {
  codec::JsonCursor cursor(record.parents());
  return ids_in(cursor);
}

bool mentions(std::string_view body, std::string_view quoted_name) {
  return body.find(quoted_name) != std::string_view::npos;
}

}  // namespace

std::string thread_directory(std::string_view thread) {
  if (thread.empty()) return "%";
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string directory;
  for (std::size_t i = 0; i < thread.size(); ++i) {
    const char c = thread[i];
    if (is_kept(c) && !(i == 0 && c == '.')) {
      directory.push_back(c);
    } else {
      const auto octet = static_cast<unsigned char>(c);
      directory.append({'%', kHex[octet >> 4], kHex[octet & 15]});
    }
  }
  if (directory.size() > kDirectoryBytesMax) return "%%" + base::to_hex(crypto::sha256(thread).view());
  return directory;
}

std::string record_path(std::string_view directory, const RecordId& id) {
  std::string path = "records/";
  path.append(directory).push_back('/');
  base::append_hex(path, id.digest.view());
  path += ".json";
  return path;
}

const std::vector<std::string_view>& reserved_threads() {
  static const std::vector<std::string_view> kAll = {kPairsThread,         kConsentThread,         kEngineConfigThread,
                                                     kActorRegistryThread, kServiceAccountsThread, kAdaptersThread};
  return kAll;
}

bool is_reserved(std::string_view thread) {
  return std::ranges::find(reserved_threads(), thread) != reserved_threads().end();
}

std::uint8_t fold_flags(const Record& record) {
  switch (record.act) {
    case Act::kIntend:
      return kOpens;
    case Act::kCall:
      return kWorks;
    case Act::kDo: {
      const bool cancels = mentions(record.body(), "\"cancels\":") && !body_ids(record.body(), "cancels").empty();
      return static_cast<std::uint8_t>(kWorks | (cancels ? kCancels : 0));
    }
    case Act::kKnow: {
      const std::string_view body = record.body();
      const bool rejects = mentions(body, "\"verdict\":") && body_string(body, "verdict") == "reject";
      const bool fulfills = mentions(body, "\"fulfills\":") && !body_ids(body, "fulfills").empty();
      return static_cast<std::uint8_t>((rejects ? kRejects : 0) | (fulfills ? kFulfills : 0));
    }
    default:
      return 0;
  }
}

std::string_view thread_state_name(ThreadState state) {
  return codec::enum_name(state);
}

// What is looked at several times: in memory where it is not much, else from the walk each time.
struct ThreadFold::Passes {
  explicit Passes(const FoldWalk& w) : walk(w) {}

  Result<void> first(ThreadFold& fold) {
    std::size_t bytes = 0;
    return walk(kOpens | kEnds, [&](const Record& record) -> Result<void> {
      fold.collect(record);
      bytes += record.canonical.size() + sizeof(Record);
      if (bytes <= kHeldBytesMax) {
        held.push_back(record);
      } else if (is_held) {
        is_held = false;
        held = {};
      }
      return {};
    });
  }
  Result<void> again(std::uint8_t flags, ThreadFold& fold, void (ThreadFold::*look)(const Record&)) {
    const auto visit = [&](const Record& record) -> Result<void> {
      (fold.*look)(record);
      return {};
    };
    if (!is_held) return walk(flags, visit);
    for (const Record& record : held) TRY(visit(record));
    return {};
  }

  static constexpr std::size_t kHeldBytesMax = 1u << 20;
  const FoldWalk& walk;
  std::vector<Record> held;
  bool is_held = true;
};

Result<ThreadFold> ThreadFold::of(const FoldWalk& walk) {
  ThreadFold fold;
  Passes passes(walk);
  TRY(passes.first(fold));
  fold.sort();
  if (!fold.endings_.empty()) {
    TRY(passes.again(kOpens, fold, &ThreadFold::name_endings));
    TRY(passes.again(kEnds, fold, &ThreadFold::weigh));
    fold.answer();
    if (std::ranges::any_of(fold.endings_, &Ending::is_answered)) {
      TRY(passes.again(kEnds, fold, &ThreadFold::find_done));
      TRY(passes.again(kOpens, fold, &ThreadFold::find_reopening));
      std::sort(fold.reopenings_.begin(), fold.reopenings_.end());
    }
  }
  fold.state_ = fold.worst();
  if (fold.state_ < ThreadState::kActive) return fold;
  fold.state_ = TRY(fold.is_active(walk)) ? ThreadState::kActive
                : fold.openings_.empty()  ? ThreadState::kLoose
                                          : ThreadState::kOpen;
  return fold;
}

ThreadFold ThreadFold::of(const std::vector<const Record*>& records) {
  auto folded = of([&records](std::uint8_t flags, const auto& visit) -> Result<void> {
    for (const Record* record : records) {
      if ((fold_flags(*record) & flags) != 0) TRY(visit(*record));
    }
    return {};
  });
  return std::move(*folded);
}

ThreadFold::Opening* ThreadFold::opening(const RecordId& id) {
  const auto found = std::ranges::lower_bound(openings_, id, {}, [](const Opening& o) { return o.moment.id; });
  return found != openings_.end() && found->moment.id == id ? &*found : nullptr;
}

ThreadFold::Ending* ThreadFold::ending(const RecordId& id) {
  const auto found = std::ranges::lower_bound(endings_, id, {}, [](const Ending& e) { return e.moment.id; });
  return found != endings_.end() && found->moment.id == id ? &*found : nullptr;
}

void ThreadFold::collect(const Record& record) {
  const Moment moment{record.clock, record.id};
  const std::uint8_t flags = fold_flags(record);
  if ((flags & kOpens) != 0) {
    const bool earlier =
        mentions(record.body(), "\"answers\":") && body_string(record.body(), "answers") == kAnswersEarlier;
    openings_.push_back({moment, earlier});
  }
  if ((flags & kEnds) != 0)
    endings_.push_back({.moment = moment, .flags = static_cast<std::uint8_t>(flags & kRejects)});
}

void ThreadFold::sort() {
  const auto by_id = [](auto& all) {
    const auto id_of = [](const auto& one) { return one.moment.id; };
    std::ranges::sort(all, {}, id_of);
    const auto repeats = std::ranges::unique(all, {}, id_of);
    all.erase(repeats.begin(), repeats.end());
  };
  by_id(openings_);
  by_id(endings_);
}

void ThreadFold::name_endings(const Record& intend) {
  const Opening* own = opening(intend.id);
  if (own == nullptr) return;
  for (const RecordId& parent : parent_ids(intend)) {
    Ending* named = ending(parent);
    if (named == nullptr) continue;
    named->is_named = true;
    named->stands_for_earlier = named->stands_for_earlier || own->answers_earlier;
  }
}

// Whether it ends anything, and whose it is.
void ThreadFold::weigh(const Record& ending) {
  Ending* own = this->ending(ending.id);
  if (own == nullptr) return;
  const std::uint8_t flags = fold_flags(ending);
  for (const auto& [flag, member] : {std::pair(kCancels, "cancels"), std::pair(kFulfills, "fulfills")}) {
    if ((flags & flag) == 0) continue;
    const auto names_intend = [this](const RecordId& id) { return opening(id) != nullptr; };
    if (std::ranges::any_of(body_ids(ending.body(), member), names_intend)) own->flags |= flag;
  }
  const auto number = static_cast<std::uint32_t>(actors_.size());
  own->actor = actors_.try_emplace(crypto::sha256(ending.actor), number).first->second;
}

void ThreadFold::answer() {
  std::vector<std::optional<Moment>> answered_to(actors_.size());
  for (Ending& ending : endings_) {
    if (ending.flags == 0 || !ending.is_named) continue;
    ending.is_answered = true;
    // A clock so high may be anybody's claim (D-08): it says nothing of the actor's others.
    if (!ending.stands_for_earlier || ending.moment.clock >= kClaimedClockMin) continue;
    auto& last = answered_to[ending.actor];
    last = std::max(last, std::optional(ending.moment));
  }
  for (Ending& ending : endings_) {
    if (ending.flags != 0 && answered_to[ending.actor] >= std::optional(ending.moment)) ending.is_answered = true;
    if (ending.is_answered && (ending.flags & kRejects) != 0)
      last_reject_ = std::max(last_reject_, std::optional(ending.moment));
  }
}

void ThreadFold::find_done(const Record& ending) {
  const Ending* own = this->ending(ending.id);
  if (own == nullptr || !own->is_answered) return;
  for (const auto& [flag, member] : {std::pair(kCancels, "cancels"), std::pair(kFulfills, "fulfills")}) {
    if ((own->flags & flag) == 0) continue;
    for (const RecordId& id : body_ids(ending.body(), member)) {
      if (Opening* named = opening(id)) named->is_done = true;
    }
  }
}

void ThreadFold::find_reopening(const Record& intend) {
  const Opening* own = opening(intend.id);
  if (own == nullptr) return;
  bool reopens = false;
  for (const RecordId& parent : parent_ids(intend)) {
    const Ending* named = ending(parent);
    if (named == nullptr || !named->is_answered) continue;
    reopens = true;
    reopened_at_ = std::max({reopened_at_, std::optional(own->moment), std::optional(named->moment)});
  }
  const bool lasts = !own->is_done && (!last_reject_ || own->moment > *last_reject_);
  if (reopens && lasts) reopenings_.push_back(intend.id);
}

ThreadState ThreadFold::worst() const {
  auto state = ThreadState::kLoose;
  for (const Ending& ending : endings_) {
    if (ending.flags == 0 || ending.is_answered) continue;
    const auto own = (ending.flags & kCancels) != 0   ? ThreadState::kCancelled
                     : (ending.flags & kRejects) != 0 ? ThreadState::kRejected
                                                      : ThreadState::kClosed;
    state = std::min(state, own);
  }
  return state;
}

// Whether there is work that counts.
Result<bool> ThreadFold::is_active(const FoldWalk& walk) const {
  bool found = false;
  const auto walked = walk(kWorks, [&](const Record& record) -> Result<void> {
    found = !reopened_at_ || Moment{record.clock, record.id} > *reopened_at_;
    if (!found && !reopenings_.empty()) {
      found = std::ranges::any_of(parent_ids(record), [this](const RecordId& id) {
        return std::binary_search(reopenings_.begin(), reopenings_.end(), id);
      });
    }
    return found ? Result<void>(fail("that is enough")) : Result<void>();
  });
  if (!found) TRY(walked);
  return found;
}

std::vector<RecordId> ThreadFold::endings() const {
  std::vector<RecordId> ids;
  for (const Ending& ending : endings_) {
    if (ending.flags != 0 && !ending.is_answered) ids.push_back(ending.moment.id);
  }
  return ids;
}

std::vector<RecordId> ThreadFold::last_endings() const {
  std::vector<std::optional<Moment>> last(actors_.size());
  std::vector<RecordId> ids;
  for (const Ending& ending : endings_) {
    if (ending.flags == 0 || ending.is_answered) continue;
    if (ending.moment.clock >= kClaimedClockMin) {
      ids.push_back(ending.moment.id);
    } else {
      last[ending.actor] = std::max(last[ending.actor], std::optional(ending.moment));
    }
  }
  for (const auto& moment : last) {
    if (moment) ids.push_back(moment->id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace spl::record
