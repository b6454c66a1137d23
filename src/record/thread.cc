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

void ThreadFold::add(const Record& record, std::uint8_t flags) {
  const Moment moment{record.clock, record.id};
  if ((flags & kOpens) != 0) openings_.push_back({moment, parent_ids(record)});
  if ((flags & kWorks) != 0) {
    last_work_ = works_ ? std::max(last_work_, moment) : moment;
    works_ = true;
    const std::vector<RecordId> parents = parent_ids(record);
    worked_on_.insert(worked_on_.end(), parents.begin(), parents.end());
  }
  if ((flags & kCancels) != 0)
    endings_.push_back({moment, ThreadState::kCancelled, body_ids(record.body(), "cancels")});
  if ((flags & kRejects) != 0) endings_.push_back({moment, ThreadState::kRejected, {}});
  if ((flags & kFulfills) != 0) endings_.push_back({moment, ThreadState::kClosed, body_ids(record.body(), "fulfills")});
}

ThreadFold::Settled ThreadFold::settle() const {
  std::vector<RecordId> intends;
  std::vector<RecordId> answered;  // named as a parent by an INTEND
  for (const Opening& opening : openings_) {
    intends.push_back(opening.moment.id);
    answered.insert(answered.end(), opening.parents.begin(), opening.parents.end());
  }
  std::sort(intends.begin(), intends.end());
  std::sort(answered.begin(), answered.end());
  const auto has = [](const std::vector<RecordId>& sorted, const RecordId& id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
  };
  Settled settled;
  std::vector<Moment> overruled;
  std::vector<RecordId> done;  // named by an ending that was answered
  std::optional<Moment> last_reject;
  for (const Ending& ending : endings_) {
    const bool effective = ending.state == ThreadState::kRejected ||
                           std::ranges::any_of(ending.names, [&](const RecordId& id) { return has(intends, id); });
    if (!effective) continue;
    if (has(answered, ending.moment.id)) {
      overruled.push_back(ending.moment);
      done.insert(done.end(), ending.names.begin(), ending.names.end());
      if (ending.state == ThreadState::kRejected) last_reject = std::max(last_reject, std::optional(ending.moment));
    } else {
      settled.standing.push_back(&ending);
    }
  }
  std::ranges::sort(overruled, {}, &Moment::id);
  std::sort(done.begin(), done.end());
  for (const Opening& opening : openings_) {
    for (const RecordId& parent : opening.parents) {
      const auto ended = std::ranges::lower_bound(overruled, parent, {}, &Moment::id);
      if (ended == overruled.end() || ended->id != parent) continue;
      settled.reopened_at = std::max({settled.reopened_at, opening.moment, *ended});
      settled.reopened = true;
      const bool lasts = !has(done, opening.moment.id) && (!last_reject || opening.moment > *last_reject);
      if (lasts) settled.reopenings.push_back(opening.moment.id);
    }
  }
  std::sort(settled.reopenings.begin(), settled.reopenings.end());
  return settled;
}

ThreadState ThreadFold::state() const {
  const Settled settled = settle();
  if (!settled.standing.empty()) {
    return (*std::ranges::min_element(settled.standing, {}, [](const Ending* e) { return e->state; }))->state;
  }
  const auto names_reopening = [&settled](const RecordId& id) {
    return std::binary_search(settled.reopenings.begin(), settled.reopenings.end(), id);
  };
  const bool works = works_ && (!settled.reopened || last_work_ > settled.reopened_at ||
                                std::ranges::any_of(worked_on_, names_reopening));
  if (works) return ThreadState::kActive;
  return openings_.empty() ? ThreadState::kLoose : ThreadState::kOpen;
}

std::vector<RecordId> ThreadFold::reopenings() const {
  std::vector<RecordId> ids = settle().reopenings;
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::vector<RecordId> ThreadFold::endings() const {
  std::vector<RecordId> ids;
  for (const Ending* ending : settle().standing) ids.push_back(ending->moment.id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace spl::record
