#include "spool/receive.h"

#include <memory>

namespace spl::spool {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;
constexpr std::size_t kHeldBytesMax = 4u << 20;

}  // namespace

Result<Received> Received::all_of(env::Env env, const std::string& directory, Source& in, base::Progress& progress,
                                  std::string_view phase, std::string_view beginning) {
  Received received(TRY(Spool::make(env, {directory, Secrecy::kEncrypted, kHeldBytesMax})));
  TRY_IN("spool", received.spool_.append(beginning));
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  for (;;) {
    const std::size_t n = TRY(base::read_full(in, {block.get(), kBlockBytes}));
    if (n == 0) return received;
    if (received.spool_.size_bytes() + n > kReceivedBytesMax)
      return fail(ErrorCode::kUsage, Cause::kTooLarge, "what is sent is longer than 1 TiB");
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
