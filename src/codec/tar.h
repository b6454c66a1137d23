// The tar inside a bundle: POSIX ustar, written in one canonical form and read with nothing else let through.
//
// Of what POSIX leaves open, this is the one form (docs/formats/bundle.md, Container):
// - a directory's path ends in one slash on disk, as every tar program writes it, and has none in TarEntry; a directory
//   without the slash is refused, and so is anything else with one;
// - a path over 100 bytes is split at the first slash that leaves at most 100 bytes for the name (readers take any
//   split); only where no split fits, a pax header says it;
// - a pax header has mode 0600, owner 0, time 0, any name; its entry's name (or link name) field holds the beginning of
//   what the pax header says, the prefix field is empty, the size field 0 where the pax header has the size;
// - device fields are written as octal zeros.
//
// Sizes and offsets in bytes, times in seconds since 1970. append_* and tar_*: any thread. A TarReader: one thread.
// Source: IEEE Std 1003.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/peek_buffer.h"
#include "base/result.h"
#include "base/stream.h"

namespace spl::codec {

namespace ustar {
struct Pax;
}

enum class TarType : char { kFile = '0', kDirectory = '5', kSymlink = '2' };

struct TarEntry {
  std::string path;
  TarType type = TarType::kFile;
  std::uint64_t size_bytes = 0;  // 0 for directories and symlinks
  std::uint32_t mode = 0600;     // at most 07777
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime_s = 0;
  std::string link;                 // not empty for a symlink, empty for the others
  std::uint64_t header_offset = 0;  // of its first header block (the pax one if any) in the tar; set by the reader
};

inline constexpr std::size_t kTarBlock = 512;
inline constexpr std::size_t kTarRecord = 10240;
inline constexpr std::size_t kTarPaxBytesMax = 16u << 10;
inline constexpr std::size_t kTarPathShownBytesMax = 400;  // in a message, before "..."

// The rule of bundle.md that `path` (a directory's without the slash) breaks; empty where it breaks
// none.
std::string_view tar_path_fault(std::string_view path);
// The same of a symlink's target.
std::string_view tar_link_fault(std::string_view link);

// Appends the header blocks of an entry whose path and link have no fault. The caller appends
// size_bytes of content and tar_padding(size_bytes) zeros. A uid, gid or time that ustar cannot say
// becomes 0.
void append_tar_header(std::string& out, const TarEntry& entry);
// What append_tar_header appends: one block, or more with a pax header.
std::size_t tar_header_bytes(const TarEntry& entry);
// Zeros between the end of a content of `size_bytes` and the next block.
constexpr std::uint64_t tar_padding(std::uint64_t size_bytes) {
  return -size_bytes % kTarBlock;
}
// Two zero blocks, then zeros to a multiple of kTarRecord. `tar_bytes_so_far` must be whole blocks.
void append_tar_end(std::string& out, std::uint64_t tar_bytes_so_far);

// Reads a tar from a source that begins with its first byte and ends with its last. Every error but
// the source's own has the code kVerification and reads "<path, escaped>: <rule>", or "tar: <rule>"
// where there is no entry to name. An error is final: every later call answers with it again.
class TarReader {
 public:
  // `in` begins `offset` octets after the tar's own beginning, where an entry begins or the tar ends.
  explicit TarReader(Source& in, std::uint64_t offset = 0);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next entry; nothing when the tar has ended as it must and the source with it. Content of
  // the last entry that was not read is skipped; its padding is checked.
  Result<std::optional<TarEntry>> next();
  // Some content of the current entry into `out` (not empty); 0 when there is no more.
  Result<std::size_t> read(std::span<char> out);
  // Appends what is left of the current entry's content, however large: the caller has checked
  // size_bytes.
  Result<void> append_content(std::string& out);
  // Bytes of the tar taken so far: headers and content, not what is only buffered.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

 private:
  template <class T>
  Result<T> remember(Result<T> result);
  Result<std::optional<TarEntry>> next_entry();
  Result<void> read_pax(const char* block, ustar::Pax& pax);
  Result<const char*> take(std::size_t bytes);
  Result<std::string_view> take_content();
  Result<std::size_t> read_content(std::span<char> out);
  Result<void> check_padding(std::uint64_t size_bytes);
  Result<void> check_end();
  [[nodiscard]] std::unexpected<Error> truncated() const;

  Source& in_;
  base::PeekBuffer buffer_;
  std::uint64_t offset_;
  std::uint64_t remaining_ = 0;  // content of the current entry not taken
  std::uint64_t size_ = 0;       // of the current entry
  std::string path_;             // of the current entry, for messages
  std::string pax_text_;
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace spl::codec
