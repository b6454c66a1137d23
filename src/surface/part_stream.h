// The files of one part of a surface, one after the other, in ascending order of their paths: from a driver into a
// bundle, and from a bundle that has verified to a driver. Paths are counted from the part's own directory
// ("tree/a", "dump.pgc"). One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/tar.h"

namespace spl::surface {

class PartSink {
 public:
  virtual ~PartSink() = default;
  // The next entry; exactly entry.size_bytes of content follow by write(). Outside a tree/ an entry has mode 0600,
  // owner 0 and time 0.
  virtual Result<void> begin(const codec::TarEntry& entry) = 0;
  virtual Result<void> write(std::string_view octets) = 0;

  // A small file outside a tree.
  Result<void> add(std::string path, std::string_view content);
  // One of `size_bytes` from a source that must hold just as many.
  Result<void> add(const codec::TarEntry& entry, base::Source& content);
};

class PartSource {
 public:
  virtual ~PartSource() = default;
  // The next entry; nothing at the end. Content of the one before that was not read is passed over.
  virtual Result<std::optional<codec::TarEntry>> next() = 0;
  // Some content of the current entry into `out` (not empty); 0 where there is no more.
  virtual Result<std::size_t> read(std::span<char> out) = 0;
};

// The content of a source's current entry, as a stream.
class PartContent final : public base::Source {
 public:
  explicit PartContent(PartSource& part) : part_(part) {}
  Result<std::size_t> read(std::span<char> out) override { return part_.read(out); }

 private:
  PartSource& part_;
};

}  // namespace spl::surface
