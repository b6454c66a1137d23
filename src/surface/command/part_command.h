// One command of a command surface, run to its end: as the service's user, with what it says in the service's log, and
// limits on everything. Internal to the driver of commands. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "env/file_system.h"
#include "surface/part.h"

namespace spl::surface {

inline constexpr std::chrono::minutes kCommandTimeMax{10};
inline constexpr std::uint64_t kDumpBytesMax = std::uint64_t{1} << 40;

struct CommandWaits {
  std::chrono::milliseconds at_most = kCommandTimeMax;
  base::Progress* progress = nullptr;  // may be null
};

// An error where it does not end with 0: cause kTimeout where it was ended because of `waits`, else what it said. An
// error of `output` ends it and is the error. All of `input` is given, unless it ends without reading it.
Result<void> run_part_command(const Surroundings& surroundings, const Place& place,
                              const std::vector<std::string>& command, Source& input, Sink& output,
                              const CommandWaits& waits);

// Takes so much and no more: cause kTooLarge.
class LimitedSink final : public Sink {
 public:
  LimitedSink(Sink& sink, std::string whose, std::uint64_t bytes_max)
      : sink_(sink), whose_(std::move(whose)), bytes_max_(bytes_max) {}
  Result<void> write(std::string_view octets) override;
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  Sink& sink_;
  const std::string whose_;
  const std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
};

// Counts, and keeps nothing.
class CountingSink final : public Sink {
 public:
  Result<void> write(std::string_view octets) override {
    bytes_ += octets.size();
    return {};
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
};

// A file, from its beginning on.
class FileSink final : public Sink {
 public:
  explicit FileSink(env::File& file) : file_(file) {}
  Result<void> write(std::string_view octets) override {
    TRY(file_.write_at(at_, octets));
    at_ += octets.size();
    return {};
  }

 private:
  env::File& file_;
  std::uint64_t at_ = 0;
};
class FileSource final : public Source {
 public:
  explicit FileSource(env::File& file) : file_(file) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = TRY(file_.read_at(at_, out));
    at_ += n;
    return n;
  }

 private:
  env::File& file_;
  std::uint64_t at_ = 0;
};

// How much a dump may write into `directory`: half of what is free there, for its bundle is made there, too.
Result<std::uint64_t> dump_bytes_max(const Surroundings& surroundings, const std::string& directory);

// What a check command says of a dump.
struct CommandContent {
  std::string text;           // two dumps with the same text are the same
  std::vector<Count> counts;  // the lines of it that are a number and a name
};
// Without a check command what counts is whether the dump has anything in it.
Result<CommandContent> content_of_dump(const Surroundings& surroundings, const Place& place, Source& dump,
                                       std::uint64_t bytes, const CommandWaits& waits);

}  // namespace spl::surface
