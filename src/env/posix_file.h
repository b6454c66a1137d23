// An open file of the real file system, and what its makers share: posix_file_system.cc opens by paths,
// posix_directory.cc by names in an open directory.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/descriptor.h"
#include "env/file_system.h"

namespace spl::env {

// Calls until it was not interrupted by a signal.
template <class Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

// "cannot <doing> <path>: <the system's text for errno_value>"
std::unexpected<Error> failed(std::string_view doing, const std::string& path, int errno_value);
// Whether it says that nothing is at a path.
inline bool is_absent(int errno_value) {
  return errno_value == ENOENT || errno_value == ENOTDIR;
}

// Where the kernel shows an open file of this process, for linkat(2) and what has no other way.
std::string proc_path(int descriptor);

FileInfo info_of(const struct stat& status);

// Of an open directory, ascending, without "." and ".."; from its beginning, but by one thread at a time. `shown` is
// what errors call it.
Result<std::vector<std::string>> names_in(const Descriptor& directory, const std::string& shown);
// Of an open file or a path, as FileSystem::attributes(). `shown` is what errors call it.
Result<std::vector<ExtendedAttribute>> attributes_at(const std::string& path, const std::string& shown);

class PosixFile final : public UnnamedFile {
 public:
  enum class Nameable : bool { kNo, kYes };
  PosixFile(Descriptor descriptor, std::string path, Nameable nameable = Nameable::kNo)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), nameable_(nameable) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override;
  Result<void> write_at(std::uint64_t offset, std::string_view octets) override;
  Result<void> truncate(std::uint64_t size_bytes) override;
  Result<std::uint64_t> size() override;
  void begin_writing_out() override;
  Result<void> sync() override;
  Result<void> give_name(const std::string& path) override;
  [[nodiscard]] std::optional<int> descriptor() const override { return descriptor_.number(); }

 private:
  const Descriptor descriptor_;
  const std::string path_;
  Nameable nameable_;
  int sync_errno_ = 0;
};

}  // namespace spl::env
