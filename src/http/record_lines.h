// Records as the routes take and give them: lines of NDJSON, and JSON objects. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "record/record.h"

namespace spl::http {

// From this size on a batch is parsed on more than one thread.
inline constexpr std::size_t kParallelParseBytesMin = 128u << 10;

// Whole lines, one record each; empty ones are passed over. Errors name the line and have code kUsage.
Result<std::vector<Record>> parse_record_lines(std::string_view lines, std::size_t workers);

// {"object":"record","id":..,members...} of a record's file_text().
void append_record_object(std::string& out, const RecordId& id, std::string_view file_text);
// {"id":..,"record":{...},"sig":..?}, as it is taken in.
void append_record_element(std::string& out, const RecordId& id, std::string_view canonical,
                           std::optional<std::string_view> judged_by, std::optional<std::string_view> sig);

// What a token is told that writes as somebody else.
Error foreign_actor(std::string_view actor);

// Passes NDJSON on, and fails with foreign_actor() before a line whose record is of an actor that is not allowed. Lines
// that are no records are passed on: who puts them in refuses them. One thread; `in` outlives it.
class ActorGuard final : public Source {
 public:
  ActorGuard(Source& in, std::function<bool(std::string_view)> allowed) : in_(in), allowed_(std::move(allowed)) {}
  Result<std::size_t> read(std::span<char> out) override;
  [[nodiscard]] bool refused() const { return refused_; }

 private:
  Result<void> read_more();

  Source& in_;
  std::function<bool(std::string_view)> allowed_;
  std::string held_;  // [passed_, checked_) may go out; what follows is no whole line yet
  std::size_t passed_ = 0;
  std::size_t checked_ = 0;
  bool ended_ = false;
  bool refused_ = false;
};

}  // namespace spl::http
