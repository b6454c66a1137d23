#include "spool/sorted_runs.h"

#include <algorithm>
#include <cstring>

namespace spl::spool {
namespace {

constexpr std::size_t kReadAheadBytes = 64u << 10;  // of each run
constexpr std::size_t kHeadBytes = 8;               // two lengths

void append_length(std::string& out, std::uint32_t length) {
  std::array<char, 4> octets{};
  std::memcpy(octets.data(), &length, octets.size());
  out.append(octets.data(), octets.size());
}

std::uint32_t length_at(std::string_view octets, std::size_t at) {
  std::uint32_t length = 0;
  std::memcpy(&length, octets.substr(at).data(), sizeof length);
  return length;
}

}  // namespace

// One run, entry after entry.
class SortedRuns::RunReader {
 public:
  RunReader(Spool& spool, Run run) : spool_(spool), at_(run.begin), end_(run.end) {}

  Result<bool> advance() {
    begin_ += used_;
    used_ = 0;
    if (begin_ == buffer_.size() && at_ == end_) return false;
    TRY(fill(kHeadBytes));
    key_bytes_ = length_at(buffer_, begin_);
    content_bytes_ = length_at(buffer_, begin_ + 4);
    used_ = kHeadBytes + key_bytes_ + content_bytes_;
    TRY(fill(used_));
    return true;
  }
  [[nodiscard]] std::string_view key() const {
    return std::string_view(buffer_).substr(begin_ + kHeadBytes, key_bytes_);
  }
  [[nodiscard]] std::string_view content() const {
    return std::string_view(buffer_).substr(begin_ + kHeadBytes + key_bytes_, content_bytes_);
  }

 private:
  // At least `bytes` of the run are in the buffer from begin_ on.
  Result<void> fill(std::size_t bytes) {
    if (buffer_.size() - begin_ >= bytes) return {};
    buffer_.erase(0, begin_);
    begin_ = 0;
    const std::size_t had = buffer_.size();
    const std::uint64_t wanted = std::max<std::uint64_t>(bytes - had, kReadAheadBytes);
    buffer_.resize(had + static_cast<std::size_t>(std::min(wanted, end_ - at_)));
    const std::size_t n = TRY(spool_.read_at(at_, std::span(buffer_).subspan(had)));
    if (had + n < bytes) return fail(Cause::kSpool, "the spool ends within a sorted run");
    buffer_.resize(had + n);
    at_ += n;
    return {};
  }

  Spool& spool_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the current entry
  std::size_t used_ = 0;   // its length
  std::uint32_t key_bytes_ = 0;
  std::uint32_t content_bytes_ = 0;
};

SortedRuns::SortedRuns(Spool spool, std::size_t held_bytes_max)
    : spool_(std::move(spool)), held_bytes_max_(held_bytes_max) {}
SortedRuns::SortedRuns(SortedRuns&&) noexcept = default;
SortedRuns& SortedRuns::operator=(SortedRuns&&) noexcept = default;
SortedRuns::~SortedRuns() = default;

Result<SortedRuns> SortedRuns::make(env::Env env, const SpoolOptions& options, std::size_t held_bytes_max) {
  return SortedRuns(TRY(Spool::make(env, options)), held_bytes_max);
}

Result<void> SortedRuns::add(std::string_view key, std::string_view content) {
  if (!index_.empty() && held_.size() + key.size() + content.size() + (index_.size() * sizeof(Entry)) > held_bytes_max_)
    TRY(spill());
  index_.push_back({held_.size(), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(content.size())});
  held_ += key;
  held_ += content;
  ++entries_;
  return {};
}

void SortedRuns::sort_held() {
  const std::string_view held = held_;
  std::ranges::sort(index_, {}, [held](const Entry& entry) { return held.substr(entry.at, entry.key_bytes); });
}

Result<void> SortedRuns::spill() {
  sort_held();
  Run run{spool_.size_bytes(), 0};
  std::string out;
  for (const Entry& entry : index_) {
    append_length(out, entry.key_bytes);
    append_length(out, entry.content_bytes);
    out.append(held_, entry.at, std::size_t{entry.key_bytes} + entry.content_bytes);
    if (out.size() < kReadAheadBytes) continue;
    TRY(spool_.append(out));
    out.clear();
  }
  TRY(spool_.append(out));
  run.end = spool_.size_bytes();
  runs_.push_back(run);
  held_.clear();
  index_.clear();
  return {};
}

// What is least of its children takes the place of an entry that is greater.
void SortedRuns::sift_down(std::size_t at) {
  for (;;) {
    std::size_t least = at;
    for (const std::size_t child : {(2 * at) + 1, (2 * at) + 2}) {
      if (child < readers_.size() && readers_[child]->key() < readers_[least]->key()) least = child;
    }
    if (least == at) return;
    std::swap(readers_[at], readers_[least]);
    at = least;
  }
}

Result<void> SortedRuns::rewind() {
  readers_.clear();
  next_held_ = 0;
  advance_first_ = false;
  if (runs_.empty()) {
    sort_held();
    return {};
  }
  if (!index_.empty()) TRY(spill());
  held_.shrink_to_fit();
  index_.shrink_to_fit();
  for (const Run& run : runs_) {
    auto reader = std::make_unique<RunReader>(spool_, run);
    if (TRY(reader->advance())) readers_.push_back(std::move(reader));
  }
  for (std::size_t at = readers_.size() / 2; at > 0; --at) sift_down(at - 1);
  return {};
}

Result<bool> SortedRuns::next(std::string_view& key, std::string_view& content) {
  if (runs_.empty()) {
    if (next_held_ == index_.size()) return false;
    const Entry& entry = index_[next_held_++];
    key = std::string_view(held_).substr(entry.at, entry.key_bytes);
    content = std::string_view(held_).substr(entry.at + entry.key_bytes, entry.content_bytes);
    return true;
  }
  if (advance_first_) {
    if (!TRY(readers_.front()->advance())) {
      std::swap(readers_.front(), readers_.back());
      readers_.pop_back();
    }
    sift_down(0);
  }
  advance_first_ = !readers_.empty();
  if (readers_.empty()) return false;
  key = readers_.front()->key();
  content = readers_.front()->content();
  return true;
}

}  // namespace spl::spool
