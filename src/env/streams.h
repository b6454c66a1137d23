// Files, pipes and terminals as streams. A wait for the other end of a pipe can be interrupted. One thread at a time,
// but for bytes_read().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/seekable.h"
#include "base/stream.h"
#include "env/interrupt.h"

namespace spl::env {

class InputFile final : public base::SeekableSource {
 public:
  // `path` "-" is standard input. A directory is refused. `interrupt` may be null, and outlives the file.
  static Result<std::unique_ptr<InputFile>> open(const std::string& path, const Interrupt* interrupt);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() override;

  Result<std::size_t> read(std::span<char> out) override;
  // Not of standard input: who started the program may have read some of it.
  [[nodiscard]] std::optional<std::uint64_t> seekable_bytes() const override;
  Result<void> seek(std::uint64_t offset) override;

  // For messages: the path, or "standard input".
  [[nodiscard]] const std::string& name() const { return name_; }
  // Nothing where it is no regular file.
  [[nodiscard]] std::optional<std::uint64_t> size_bytes() const { return size_bytes_; }
  // From its beginning to where the next read() begins.
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  InputFile(int descriptor, std::string name, const Interrupt* interrupt)
      : descriptor_(descriptor), name_(std::move(name)), interrupt_(interrupt) {}

  const int descriptor_;
  const std::string name_;
  const Interrupt* const interrupt_;
  std::optional<std::uint64_t> size_bytes_;
  std::atomic<std::uint64_t> bytes_read_{0};
};

// A descriptor that was there before: standard output and error. Not closed.
class DescriptorSink final : public Sink {
 public:
  DescriptorSink(int descriptor, std::string name, const Interrupt* interrupt)
      : descriptor_(descriptor), name_(std::move(name)), interrupt_(interrupt) {}
  Result<void> write(std::string_view octets) override;
  // The reader at the other end has gone.
  [[nodiscard]] bool broken_pipe() const { return broken_pipe_; }
  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  const int descriptor_;
  const std::string name_;
  const Interrupt* const interrupt_;
  std::uint64_t bytes_written_ = 0;
  bool broken_pipe_ = false;
};

// Writes what the other end takes in this time, for last words; false where that was not all.
bool write_within(int descriptor, std::string_view octets, std::chrono::milliseconds at_most);

// Standard input or a file of at most `max_bytes`; code kUsage where it is longer. `interrupt` may be null.
Result<std::string> read_input(const std::string& path, std::size_t max_bytes, const Interrupt* interrupt);

}  // namespace spl::env
