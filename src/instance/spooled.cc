#include "instance/spooled.h"

#include <memory>

namespace spl::instance {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;

}  // namespace

Result<Spooled> Spooled::receive(env::Env env, const std::string& directory, Source& in, Progress& progress) {
  auto spool = TRY_IN("spool", bundle::Spool::make(env, directory, bundle::SpoolKind::kEncrypted));
  const auto block = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  for (;;) {
    const std::size_t n = TRY(base::read_full(in, {block.get(), kBlockBytes}));
    if (n == 0) return Spooled(std::move(spool));
    TRY_IN("spool", spool.append({block.get(), n}));
    progress.update("receiving the bundle", spool.size_bytes(), 0, "bytes");
    if (progress.cancelled()) return fail("cancelled: nothing was imported");
  }
}

Result<std::size_t> Spooled::read(std::span<char> out) {
  const std::size_t n = TRY(spool_.read_at(read_bytes_, out));
  read_bytes_ += n;
  return n;
}

}  // namespace spl::instance
