#include "spool/receive.h"

#include <algorithm>
#include <memory>

namespace spl::spool {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;
constexpr std::size_t kHeldBytesMax = 4u << 20;
constexpr std::uint64_t kRoomCheckedEach = 4u << 20;

}  // namespace

Result<BoundedLines> BoundedLines::after(std::string_view beginning, Source& rest, std::size_t line_bytes_max) {
  BoundedLines lines(rest, line_bytes_max);
  TRY(lines.follow(beginning));
  return lines;
}

Result<std::size_t> BoundedLines::read(std::span<char> out) {
  const std::size_t n = TRY(rest_->read(out));
  TRY(follow({out.data(), n}));
  return n;
}

Result<void> BoundedLines::follow(std::string_view octets) {
  for (;;) {
    const std::size_t end = octets.find('\n');
    line_bytes_ += std::min(end, octets.size());
    if (line_bytes_ > line_bytes_max_)
      return fail(ErrorCode::kUsage, "line " + std::to_string(line_) + ": longer than a record may be");
    if (end == std::string_view::npos) return {};
    octets.remove_prefix(end + 1);
    line_bytes_ = 0;
    ++line_;
  }
}

Result<Received> Received::all_of(env::Env env, const std::string& directory, Source& in, base::Progress& progress,
                                  std::string_view phase, std::string_view beginning) {
  Received received(TRY(Spool::make(env, {directory, Secrecy::kEncrypted, kHeldBytesMax})));
  TRY_IN("spool", received.spool_.append(beginning));
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  std::uint64_t checked = 0;
  for (;;) {
    const std::size_t n = TRY(base::read_full(in, {block.get(), kBlockBytes}));
    if (n == 0) return received;
    if (received.spool_.size_bytes() + n > kReceivedBytesMax)
      return fail(ErrorCode::kUsage, Cause::kTooLarge, "what is sent is longer than 1 TiB");
    if (received.spool_.size_bytes() - checked > kRoomCheckedEach) {
      checked = received.spool_.size_bytes();
      if (const auto free = env.fs.free_bytes(directory); free && *free < kRoomKeptBytes)
        return fail(Cause::kNoSpace, "spool: " + directory + " has no more room for what is sent",
                    "free some disk space, or send less at a time");
    }
    TRY_IN("spool", received.spool_.append({block.get(), n}));
    progress.update(phase, received.spool_.size_bytes(), 0, "bytes");
    if (progress.cancelled()) return base::fail_cancelled("nothing was changed");
  }
}

Result<std::size_t> Received::read(std::span<char> out) {
  const std::size_t n = TRY(spool_.read_at(at_, out));
  at_ += n;
  return n;
}

Result<void> Received::seek(std::uint64_t offset) {
  at_ = offset;
  return {};
}

}  // namespace spl::spool
