// Records as the routes take and give them: lines of NDJSON, and JSON objects. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "record/record.h"

namespace spl::api {

inline constexpr std::size_t kParallelParseBytesMin = 128u << 10;  // a batch below is parsed by the caller alone
inline constexpr std::size_t kParseHelpersMax = 3;
inline constexpr std::size_t kParsedBytesMax = 24u << 20;    // of all connections at a time
inline constexpr std::size_t kParsedFreeBytes = 256u << 10;  // what waits for no turn

// Parses batches of lines with the help of threads of its own. Any thread may call, many at once; whoever calls works
// too, so that a busy machine never makes a batch wait for a helper to begin.
class LineParser {
 public:
  explicit LineParser(std::size_t helpers);
  LineParser(const LineParser&) = delete;
  LineParser& operator=(const LineParser&) = delete;
  ~LineParser();

  // Whole lines, one record each; empty ones are passed over. Errors name the line and have code kUsage.
  Result<std::vector<Record>> parse(std::string_view lines);

 private:
  struct Part;
  struct Batch;
  static std::vector<Part> cut(std::string_view lines, std::size_t count);
  static void work_on(Batch& batch);
  void help();

  std::mutex mutex_;  // guards all below
  std::condition_variable work_ready_;
  std::deque<std::shared_ptr<Batch>> batches_;  // that may have parts nobody has begun
  bool closing_ = false;
  std::vector<std::thread> helpers_;
};

// Whose turn it is to parse: what is parsed takes many times its own length, and is let go when it was put. Any thread.
class ParseTurns {
 public:
  // `bytes_max`: of all texts that are parsed at a time, where they are more than one.
  explicit ParseTurns(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  class Turn {
   public:
    Turn(ParseTurns& turns, std::size_t bytes) : turns_(turns), bytes_(bytes) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { turns_.end(bytes_); }

   private:
    ParseTurns& turns_;
    const std::size_t bytes_;
  };
  // Waits, in the order in which they came; who has little does not.
  [[nodiscard]] Turn take(std::size_t bytes);

 private:
  void end(std::size_t bytes);

  const std::size_t bytes_max_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::size_t taken_ = 0;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t next_ = 1;  // of the tickets
};

// {"object":"record","id":.., what comes before the members in a record's file_text().
std::string record_object_beginning(const RecordId& id);
}  // namespace spl::api
