#include "surface/spooled_part.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"

namespace spl::surface {
namespace {

// What stands before an entry's path, link and content. It never leaves this process.
struct Head {
  std::uint64_t size_bytes = 0;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime_s = 0;
  std::uint32_t path_bytes = 0;
  std::uint32_t link_bytes = 0;
  std::uint32_t mode = 0;
  codec::TarType type = codec::TarType::kFile;
};

}  // namespace

Result<SpooledPart> SpooledPart::make(env::Env env, spool::SpoolOptions options) {
  return SpooledPart(TRY(spool::Spool::make(env, std::move(options))));
}

Result<void> SpooledPart::begin(const codec::TarEntry& entry) {
  Head head;
  head.size_bytes = entry.size_bytes;
  head.uid = entry.uid;
  head.gid = entry.gid;
  head.mtime_s = entry.mtime_s;
  head.path_bytes = static_cast<std::uint32_t>(entry.path.size());
  head.link_bytes = static_cast<std::uint32_t>(entry.link.size());
  head.mode = entry.mode;
  head.type = entry.type;
  std::array<char, sizeof(Head)> octets{};
  std::memcpy(octets.data(), &head, sizeof head);
  ++entries_;
  return spool_.append(std::string(octets.data(), octets.size()) + entry.path + entry.link);
}

Result<void> SpooledPart::write(std::string_view octets) {
  return spool_.append(octets);
}

void SpooledPart::rewind() {
  at_ = 0;
  given_ = 0;
  content_left_ = 0;
}

Result<void> SpooledPart::read_exactly(std::span<char> out) {
  while (!out.empty()) {
    const std::size_t n = TRY(spool_.read_at(at_, out));
    SPL_CHECK(n > 0);
    at_ += n;
    out = out.subspan(n);
  }
  return {};
}

Result<std::optional<codec::TarEntry>> SpooledPart::next() {
  at_ += content_left_;
  content_left_ = 0;
  if (given_ == entries_) return std::nullopt;
  ++given_;
  Head head;
  std::array<char, sizeof(Head)> octets{};
  TRY(read_exactly(octets));
  std::memcpy(&head, octets.data(), sizeof head);
  codec::TarEntry entry;
  entry.path.resize(head.path_bytes);
  TRY(read_exactly(entry.path));
  entry.link.resize(head.link_bytes);
  TRY(read_exactly(entry.link));
  entry.size_bytes = head.size_bytes;
  entry.uid = head.uid;
  entry.gid = head.gid;
  entry.mtime_s = head.mtime_s;
  entry.mode = head.mode;
  entry.type = head.type;
  content_left_ = head.size_bytes;
  return entry;
}

Result<std::size_t> SpooledPart::read(std::span<char> out) {
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), content_left_));
  if (most == 0) return 0;
  const std::size_t n = TRY(spool_.read_at(at_, out.first(most)));
  SPL_CHECK(n > 0);
  at_ += n;
  content_left_ -= n;
  return n;
}

}  // namespace spl::surface
