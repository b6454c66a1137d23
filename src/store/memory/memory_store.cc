#include "store/memory/memory_store.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <ranges>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "store/signed_clock.h"

namespace spl::store {
namespace {

using EntryPtr = std::shared_ptr<const Record>;

struct ThreadEntries {
  std::string thread;
  std::vector<std::uint64_t> sequences;  // ascending
};

// Copies are cheap enough for tests: records are shared between them.
struct State {
  std::vector<EntryPtr> log;  // the record of sequence n is log[n - 1]
  std::map<RecordId, std::uint64_t> sequences;
  std::map<std::string, std::shared_ptr<ThreadEntries>>
      threads;  // by directory; shared, and so only changed by who made them
  std::map<std::pair<std::string, std::string>, std::uint64_t> clocks;  // the largest of (thread, actor)
  std::map<std::string, std::string, std::less<>> settings;
  std::map<Digest, Token> tokens;
  std::map<std::uint64_t, std::int64_t> arrivals;  // by their first sequence
  std::map<Digest, KeptAnswer> answers;
  std::map<RecordId, RedactedRecord> redacted;  // none of a record in the log

  [[nodiscard]] const EntryPtr& at(std::uint64_t sequence) const { return log[sequence - 1]; }
  [[nodiscard]] const ThreadEntries* find_thread(std::string_view thread) const {
    const auto found = threads.find(record::thread_directory(thread));
    return found == threads.end() ? nullptr : found->second.get();
  }
};

struct Numbered {
  std::uint64_t sequence;
  EntryPtr record;
};

StoredRecord stored(const Numbered& entry) {
  const Record& record = *entry.record;
  StoredRecord row{record.id, entry.sequence, record.canonical, {}, {}, is_signed(record)};
  if (record.judged_by) row.judged_by = *record.judged_by;
  if (record.sig) row.sig = record.sig->view();
  return row;
}

std::vector<Numbered> entries_of(const State& state, const ThreadEntries& thread) {
  std::vector<Numbered> entries;
  entries.reserve(thread.sequences.size());
  for (const std::uint64_t sequence : thread.sequences) entries.push_back({sequence, state.at(sequence)});
  return entries;
}

ThreadSummary summary(const State& state, const ThreadEntries& thread) {
  std::vector<const Record*> records;
  for (const std::uint64_t sequence : thread.sequences) records.push_back(&*state.at(sequence));
  return {thread.thread, record::ThreadFold::of(records).state(), thread.sequences.size(), thread.sequences.back()};
}

// Base is StoreReader or StoreWriter. What is visited is taken out of the state first, so that a visitor may write.
template <class Base>
class Reading : public Base {
 public:
  Result<StoreCounts> counts() override { return StoreCounts{state().log.size(), state().threads.size()}; }

  Result<std::uint64_t> log_size() override { return state().log.size(); }

  Result<std::string> incarnation() override { return state().settings.find("incarnation")->second; }

  Result<bool> look(const RecordId& id, const RecordVisitor& visit) override {
    const auto found = state().sequences.find(id);
    if (found == state().sequences.end()) return false;
    const Numbered entry{found->second, state().at(found->second)};
    TRY(visit(stored(entry)));
    return true;
  }

  Result<std::vector<RecordId>> ids_beginning(std::string_view digits, std::size_t limit) override {
    const auto [first, last] = ids_between(digits);
    std::vector<RecordId> ids;
    for (auto at = state().sequences.lower_bound(first); at != state().sequences.end() && at->first <= last; ++at) {
      if (ids.size() == limit) break;
      ids.push_back(at->first);
    }
    return ids;
  }

  Result<void> thread_records(std::string_view thread, RecordOrder order, const RecordVisitor& visit) override {
    const ThreadEntries* found = state().find_thread(thread);
    if (found == nullptr) return {};
    std::vector<Numbered> entries = entries_of(state(), *found);
    if (order == RecordOrder::kClock)
      std::ranges::sort(entries, {}, [](const Numbered& e) { return std::tie(e.record->clock, e.record->id); });
    for (const Numbered& entry : entries) TRY(visit(stored(entry)));
    return {};
  }

  Result<void> changes(std::uint64_t since, std::uint64_t limit, std::optional<std::string_view> thread,
                       const RecordVisitor& visit) override {
    std::vector<Numbered> entries;
    const auto take = [&](std::uint64_t sequence) {
      if (entries.size() < limit) entries.push_back({sequence, state().at(sequence)});
    };
    if (!thread) {
      for (std::uint64_t n = since; n < state().log.size() && entries.size() < limit; ++n) take(n + 1);
    } else if (const ThreadEntries* found = state().find_thread(*thread)) {
      for (auto at = std::ranges::upper_bound(found->sequences, since); at != found->sequences.end(); ++at) take(*at);
    }
    for (const Numbered& entry : entries) TRY(visit(stored(entry)));
    return {};
  }

  Result<void> newest_first(std::uint64_t since, std::optional<std::string_view> thread,
                            const RecordVisitor& visit) override {
    std::vector<Numbered> entries;
    TRY(changes(since, ~std::uint64_t{0}, thread, [&](const StoredRecord& row) -> Result<void> {
      entries.push_back({row.sequence, state().at(row.sequence)});
      return {};
    }));
    for (const Numbered& entry : std::views::reverse(entries)) TRY(visit(stored(entry)));
    return {};
  }

  Result<std::optional<Arrival>> arrival(std::uint64_t sequence) override {
    const auto after = state().arrivals.upper_bound(sequence);
    if (after == state().arrivals.begin()) return std::nullopt;
    const auto& [first, at] = *std::prev(after);
    return std::optional(Arrival{first, at});
  }

  Result<std::optional<std::uint64_t>> first_arrived_since(std::int64_t seconds) override {
    for (const auto& [first, at] : state().arrivals) {
      if (at >= seconds) return std::optional(first);
    }
    return std::nullopt;
  }

  Result<std::optional<KeptAnswer>> kept_answer(const Digest& key) override {
    const auto found = state().answers.find(key);
    if (found == state().answers.end()) return std::nullopt;
    return std::optional(found->second);
  }

  Result<void> bundle_order(const std::function<Result<void>(std::string_view, const StoredRecord&)>& visit) override {
    // By path, in which a slash follows the directory.
    std::map<std::string, decltype(state().threads.begin()->second)> threads;
    for (const auto& [directory, thread] : state().threads) threads.emplace(directory + "/", thread);
    for (const auto& [path, thread] : threads) {
      const std::string_view directory = std::string_view(path).substr(0, path.size() - 1);
      std::vector<Numbered> entries = entries_of(state(), *thread);
      std::ranges::sort(entries, {}, [](const Numbered& e) { return e.record->id; });
      for (const Numbered& entry : entries) TRY(visit(directory, stored(entry)));
    }
    return {};
  }

  Result<void> threads(const ThreadVisitor& visit) override {
    const auto all = state().threads;
    for (const auto& [directory, thread] : all) TRY(visit(summary(state(), *thread)));
    return {};
  }

  Result<std::optional<ThreadSummary>> thread(std::string_view thread) override {
    const ThreadEntries* found = state().find_thread(thread);
    if (found == nullptr) return std::nullopt;
    return std::optional(summary(state(), *found));
  }

  Result<std::uint64_t> next_clock(std::string_view actor, std::string_view thread) override {
    const auto last = state().clocks.find({std::string(thread), std::string(actor)});
    if (last == state().clocks.end()) return 0;
    if (is_only_a_claim(actor, last->second)) return next_signed_clock(*this, actor, thread);
    if (last->second == static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return clock_at_end(actor, thread);
    return last->second + 1;
  }

  Result<std::optional<std::string>> setting(std::string_view name) override {
    const auto found = state().settings.find(name);
    if (found == state().settings.end()) return std::nullopt;
    return std::optional(found->second);
  }

  Result<std::map<std::string, std::string>> settings_beginning(std::string_view prefix) override {
    std::map<std::string, std::string> found;
    const auto& settings = state().settings;
    for (auto at = settings.lower_bound(prefix); at != settings.end() && at->first.starts_with(prefix); ++at)
      found.insert(*at);
    return found;
  }

  Result<std::vector<Token>> tokens() override {
    std::vector<Token> all;
    for (const auto& [sha256, token] : state().tokens) all.push_back(token);
    return all;
  }

  Result<std::uint64_t> redacted_count() override { return state().redacted.size(); }

  Result<void> redacted(const RedactedVisitor& visit) override {
    const auto all = state().redacted;
    for (const auto& [id, redacted] : all) TRY(visit(redacted));
    return {};
  }

 protected:
  [[nodiscard]] virtual const State& state() const = 0;
};

class MemoryReader final : public Reading<StoreReader> {
 public:
  explicit MemoryReader(std::shared_ptr<const State> state) : state_(std::move(state)) {}

 private:
  [[nodiscard]] const State& state() const override { return *state_; }
  const std::shared_ptr<const State> state_;
};

class MemoryStore final : public RecordStore {
 public:
  MemoryStore(std::string incarnation, env::Clock* clock) : clock_(clock) {
    auto state = std::make_shared<State>();
    state->settings.emplace("incarnation", std::move(incarnation));
    state_ = std::move(state);
  }

  Result<std::unique_ptr<StoreReader>> reader() override { return std::make_unique<MemoryReader>(current()); }
  Result<std::unique_ptr<StoreWriter>> writer() override;
  [[nodiscard]] std::string name() const override { return "memory"; }
  [[nodiscard]] std::string directory() const override { return {}; }
  [[nodiscard]] std::vector<std::string> files() const override { return {}; }
  Result<void> check() override;

  [[nodiscard]] std::uint64_t authority_generation() const override { return authority_generation_; }

  [[nodiscard]] env::Clock* clock() const { return clock_; }
  [[nodiscard]] std::shared_ptr<const State> current() const {
    const std::scoped_lock lock(state_mutex_);
    return state_;
  }
  void publish(std::shared_ptr<const State> state, bool changes_authority) {
    const std::scoped_lock lock(state_mutex_);
    state_ = std::move(state);
    if (changes_authority) ++authority_generation_;
  }

 private:
  env::Clock* const clock_;         // may be null
  std::mutex writer_mutex_;         // held by the writer that lives
  mutable std::mutex state_mutex_;  // guards state_
  std::shared_ptr<const State> state_;
  std::atomic<std::uint64_t> authority_generation_ = 0;
};

class MemoryWriter final : public Reading<StoreWriter> {
 public:
  MemoryWriter(MemoryStore& store, std::unique_lock<std::mutex> lock)
      : store_(store), lock_(std::move(lock)), state_(*store.current()), first_new_(state_.log.size() + 1) {}

  Result<PutOutcome> put(const Record& record) override;
  Result<bool> put_redacted(const RedactedRecord& redacted) override {
    TRY(check_redacted(redacted));
    return !state_.sequences.contains(redacted.id) && state_.redacted.emplace(redacted.id, redacted).second;
  }

  Result<void> mark() override {
    SPL_CHECK(!distinct_);
    marked_ = std::make_unique<State>(state_);
    own_threads_.clear();
    return {};
  }
  Result<void> rollback_to_mark() override {
    SPL_CHECK(marked_ != nullptr);
    state_ = *marked_;
    own_threads_.clear();
    return {};
  }
  Result<void> set_setting(std::string_view name, std::string_view value) override {
    state_.settings.insert_or_assign(std::string(name), std::string(value));
    return {};
  }
  Result<void> remove_setting(std::string_view name) override {
    if (const auto there = state_.settings.find(name); there != state_.settings.end()) state_.settings.erase(there);
    return {};
  }
  Result<void> new_incarnation(std::string_view hex) override { return set_setting("incarnation", hex); }
  Result<void> put_token(const Token& token) override {
    state_.tokens.insert_or_assign(token.sha256, token);
    return {};
  }
  Result<void> keep_answer(const Digest& key, const KeptAnswer& answer, std::int64_t since) override {
    std::erase_if(state_.answers, [&](const auto& kept) { return kept.second.made_at < since; });
    state_.answers.insert_or_assign(key, answer);
    return {};
  }
  Result<void> fence() override { return {}; }
  Result<bool> remove_token(const Digest& sha256) override { return state_.tokens.erase(sha256) > 0; }
  Result<void> expect_many_distinct() override {
    SPL_CHECK(marked_ == nullptr);
    distinct_ = state_.log.empty();
    return {};
  }
  Result<void> clear_records() override {
    SPL_CHECK(marked_ == nullptr);
    state_.log.clear();
    state_.sequences.clear();
    state_.threads.clear();
    state_.clocks.clear();
    state_.redacted.clear();
    state_.arrivals.clear();
    state_.answers.clear();
    first_new_ = 1;
    own_threads_.clear();
    changes_authority_ = true;
    return {};
  }
  Result<void> commit() override {
    SPL_CHECK(!done_);
    done_ = true;
    if (state_.log.size() >= first_new_ && store_.clock() != nullptr)
      state_.arrivals[first_new_] =
          std::chrono::floor<std::chrono::seconds>(store_.clock()->now().time_since_epoch()).count();
    store_.publish(std::make_shared<const State>(state_), changes_authority_);
    return {};
  }

 private:
  [[nodiscard]] const State& state() const override { return state_; }
  PutOutcome meet_duplicate(EntryPtr& there, const Record& record);

  MemoryStore& store_;
  const std::unique_lock<std::mutex> lock_;
  State state_;
  std::uint64_t first_new_;  // the sequence that the first record of this transaction has
  std::unique_ptr<const State> marked_;
  std::set<std::string> own_threads_;  // directories whose entries no other state shares
  bool distinct_ = false;
  bool changes_authority_ = false;
  bool done_ = false;
};

Result<PutOutcome> MemoryWriter::put(const Record& record) {
  const std::uint64_t sequence = state_.log.size() + 1;
  const auto [at, fresh] = state_.sequences.try_emplace(record.id, sequence);
  if (!fresh && distinct_) return fail("record " + record.id.hex() + " came twice");
  if (!fresh) return meet_duplicate(state_.log[at->second - 1], record);
  changes_authority_ = changes_authority_ || record::is_reserved(record.thread);
  state_.redacted.erase(record.id);
  state_.log.push_back(std::make_shared<const Record>(record));
  const std::string directory = record::thread_directory(record.thread);
  std::shared_ptr<ThreadEntries>& slot = state_.threads[directory];
  if (own_threads_.insert(directory).second)
    slot = std::make_shared<ThreadEntries>(slot == nullptr ? ThreadEntries{record.thread, {}} : *slot);
  slot->sequences.push_back(sequence);
  std::uint64_t& clock = state_.clocks[{record.thread, record.actor}];
  clock = std::max(clock, record.clock);
  return PutOutcome::kInserted;
}

PutOutcome MemoryWriter::meet_duplicate(EntryPtr& there, const Record& record) {
  const bool differs = there->judged_by != record.judged_by;
  const bool lacks = !there->sig || (record::is_reserved(there->thread) && !is_signed(*there));
  if (lacks && record::fits_with_sig(there->canonical, there->judged_by) && record::signature_is_valid(record)) {
    auto filled = std::make_shared<Record>(*there);
    filled->sig = record.sig;
    there = std::move(filled);
    changes_authority_ = changes_authority_ || record::is_reserved(record.thread);
    if (!differs) return PutOutcome::kSigFilled;
  }
  return differs ? PutOutcome::kDiffers : PutOutcome::kDuplicate;
}

Result<std::unique_ptr<StoreWriter>> MemoryStore::writer() {
  std::unique_lock lock(writer_mutex_);
  return std::make_unique<MemoryWriter>(*this, std::move(lock));
}

Result<void> MemoryStore::check() {
  const auto state = current();
  std::size_t records = 0;
  for (const auto& [directory, thread] : state->threads) records += thread->sequences.size();
  if (records != state->log.size() || records != state->sequences.size())
    return fail("the store is damaged: its counts do not agree");
  if (std::ranges::any_of(state->redacted, [&](const auto& known) { return state->sequences.contains(known.first); }))
    return fail("the store is damaged: a record is there and redacted as well");
  return {};
}

}  // namespace

std::unique_ptr<RecordStore> make_memory_store(std::string incarnation, env::Clock* clock) {
  return std::make_unique<MemoryStore>(std::move(incarnation), clock);
}

}  // namespace spl::store
