#include "instance/spooled.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace spl::instance {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;
constexpr std::size_t kHeldBytesMax = 4u << 20;

}  // namespace

Result<void> Spooled::append(env::Env env, const std::string& directory, std::string_view octets) {
  if (!spool_ && held_.size() + octets.size() <= kHeldBytesMax) {
    held_ += octets;
    return {};
  }
  if (!spool_) {
    spool_ = TRY(bundle::Spool::make(env, directory, bundle::SpoolKind::kEncrypted));
    TRY(spool_->append(held_));
    held_ = std::string();
  }
  return spool_->append(octets);
}

Result<Spooled> Spooled::receive(env::Env env, const std::string& directory, Source& in, Progress& progress,
                                 std::string_view phase, std::string_view beginning) {
  Spooled spooled;
  TRY_IN("spool", spooled.append(env, directory, beginning));
  std::uint64_t bytes = beginning.size();
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  for (;;) {
    const std::size_t n = TRY(base::read_full(in, {block.get(), kBlockBytes}));
    if (n == 0) return spooled;
    bytes += n;
    if (bytes > kSpooledBytesMax) return fail(ErrorCode::kUsage, "what is sent is longer than 1 TiB");
    TRY_IN("spool", spooled.append(env, directory, {block.get(), n}));
    progress.update(phase, bytes, 0, "bytes");
    if (progress.cancelled()) return fail("cancelled: nothing was changed");
  }
}

Result<std::size_t> Spooled::read(std::span<char> out) {
  std::size_t n = 0;
  if (spool_) {
    n = TRY(spool_->read_at(read_bytes_, out));
  } else {
    n = std::min<std::size_t>(out.size(), held_.size() - read_bytes_);
    if (n > 0) std::memcpy(out.data(), held_.data() + read_bytes_, n);
  }
  read_bytes_ += n;
  return n;
}

}  // namespace spl::instance
