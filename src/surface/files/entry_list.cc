#include "surface/files/entry_list.h"

#include <algorithm>

#include "base/check.h"

namespace spl::surface {
namespace {

constexpr std::size_t kBufferBytes = 256u << 10;

template <class Number>
void put_number(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, const std::string& text) {
  put_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

}  // namespace

Result<EntryList> EntryList::make(env::Env env, const spool::SpoolOptions& options) {
  return EntryList(TRY(spool::Spool::make(env, options)));
}

// It never leaves this process: the numbers stand as they are in memory.
Result<void> EntryList::append(const ListedEntry& entry) {
  put_text(buffer_, entry.path);
  put_text(buffer_, entry.target);
  put_number(buffer_, entry.info);
  put_number(buffer_, entry.content_at);
  put_number(buffer_, entry.content_bytes);
  put_number(buffer_, entry.is_cloned);
  put_number(buffer_, entry.is_settled);
  put_number(buffer_, static_cast<std::uint32_t>(entry.attributes.size()));
  for (const env::ExtendedAttribute& attribute : entry.attributes) {
    put_text(buffer_, attribute.name);
    put_text(buffer_, attribute.value);
  }
  ++entries_;
  return buffer_.size() >= kBufferBytes ? flush() : Result<void>();
}

Result<void> EntryList::flush() {
  TRY(spool_.append(buffer_));
  buffer_.clear();
  return {};
}

Result<void> EntryList::rewind() {
  if (spool_at_ == 0 && given_ == 0 && buffer_at_ == 0) TRY(flush());
  buffer_.clear();
  buffer_at_ = 0;
  spool_at_ = 0;
  given_ = 0;
  return {};
}

Result<std::string_view> EntryList::take(std::size_t bytes) {
  if (buffer_.size() - buffer_at_ < bytes) {
    buffer_.erase(0, buffer_at_);
    buffer_at_ = 0;
    const std::size_t held = buffer_.size();
    buffer_.resize(std::max(bytes, kBufferBytes));
    const std::size_t n = TRY(spool_.read_at(spool_at_, std::span(buffer_).subspan(held)));
    buffer_.resize(held + n);
    spool_at_ += n;
    SPL_CHECK(buffer_.size() >= bytes);
  }
  buffer_at_ += bytes;
  return std::string_view(buffer_).substr(buffer_at_ - bytes, bytes);
}

template <class Number>
Result<Number> EntryList::take_number() {
  Number number;
  TRY(take(sizeof number)).copy(reinterpret_cast<char*>(&number), sizeof number);
  return number;
}

Result<std::string> EntryList::take_text() {
  const auto size = TRY(take_number<std::uint32_t>());
  return std::string(TRY(take(size)));
}

Result<std::optional<ListedEntry>> EntryList::next() {
  if (given_ == entries_) return std::nullopt;
  ++given_;
  ListedEntry entry;
  entry.path = TRY(take_text());
  entry.target = TRY(take_text());
  entry.info = TRY(take_number<env::FileInfo>());
  entry.content_at = TRY(take_number<std::uint64_t>());
  entry.content_bytes = TRY(take_number<std::uint64_t>());
  entry.is_cloned = TRY(take_number<bool>());
  entry.is_settled = TRY(take_number<bool>());
  const auto attributes = TRY(take_number<std::uint32_t>());
  for (std::uint32_t i = 0; i < attributes; ++i) {
    std::string name = TRY(take_text());
    entry.attributes.push_back({std::move(name), TRY(take_text())});
  }
  return entry;
}

}  // namespace spl::surface
