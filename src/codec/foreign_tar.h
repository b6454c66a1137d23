// A tar that another program has made, of the dialects in use: POSIX ustar and pax, GNU's, and the oldest one. For
// archives of software; a bundle is read by tar.h, which lets one form through. Owners, times and what else no
// installation wants is passed over; what can harm whoever unpacks is refused:
// - a path that is absolute, or has "..", an empty component, a NUL, or too many bytes;
// - anything but files, directories, symbolic and hard links: devices, pipes, sparse files, parts of volumes;
// - setuid or setgid on a file.
// Where links lead is for who unpacks to look at. Sizes in bytes. One thread.
// Sources: IEEE Std 1003.1-2017, pax; tar(5) of FreeBSD; GNU tar's manual, "Basic Tar Format".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/peek_buffer.h"
#include "base/result.h"
#include "base/stream.h"
#include "codec/tar.h"

namespace spl::codec {

enum class ForeignType : std::uint8_t { kFile, kDirectory, kSymlink, kHardLink };

struct ForeignEntry {
  std::string path;  // without "./" before and "/" behind it; "" of the tar's own directory
  ForeignType type = ForeignType::kFile;
  std::uint64_t size_bytes = 0;  // of a file
  bool is_executable = false;    // by its owner
  std::string link;              // as it stands there; of a hard link a path like the others
};

class ForeignTarReader {
 public:
  // `in` outlives it.
  explicit ForeignTarReader(Source& in) : buffer_(in, kBufferBytes) {}

  // The next entry; nothing at the end, when all of the source was read. Errors but the source's own have the code
  // kVerification and name the entry.
  Result<std::optional<ForeignEntry>> next();
  // Some content of the file that next() gave; 0 when there is no more.
  Result<std::size_t> read(std::span<char> out);

 private:
  static constexpr std::size_t kBufferBytes = 256u << 10;

  // What headers before an entry say of it.
  struct Said {
    std::optional<std::string> path;
    std::optional<std::string> link;
    std::optional<std::uint64_t> size;
  };
  Result<void> read_extension(char flag, std::uint64_t bytes, Said& said);
  static Result<ForeignEntry> make_entry(const char* block, std::uint64_t size, const Said& said);
  Result<const char*> take_block();
  Result<std::string> take_text(std::uint64_t bytes);
  Result<void> skip_content();
  Result<void> drain();

  base::PeekBuffer buffer_;
  std::uint64_t remaining_ = 0;  // of the entry's content
  std::uint64_t padding_ = 0;    // after it
  bool ended_ = false;
};

}  // namespace spl::codec
