#include "surface/part_stream.h"

#include <vector>

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;

}  // namespace

Result<void> PartSink::add(std::string path, std::string_view content) {
  codec::TarEntry entry;
  entry.path = std::move(path);
  entry.size_bytes = content.size();
  TRY(begin(entry));
  return write(content);
}

Result<void> PartSink::add(const codec::TarEntry& entry, base::Source& content) {
  TRY(begin(entry));
  std::vector<char> piece(kPieceBytes);
  std::uint64_t left = entry.size_bytes;
  for (;;) {
    const std::size_t n = TRY(content.read(piece));
    if (n == 0) break;
    if (n > left) return fail(entry.path + ": it is longer than it was");
    TRY(write({piece.data(), n}));
    left -= n;
  }
  if (left > 0) return fail(entry.path + ": it is shorter than it was");
  return {};
}

}  // namespace spl::surface
