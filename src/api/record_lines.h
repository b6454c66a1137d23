// Records as the routes take and give them: lines of NDJSON, and JSON objects. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
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

// {"object":"record","id":..,members...} of a record's file_text().
void append_record_object(std::string& out, const RecordId& id, std::string_view file_text);
}  // namespace spl::api
