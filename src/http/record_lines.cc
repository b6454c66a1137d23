#include "http/record_lines.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <thread>

#include "base/encoding.h"
#include "base/limits.h"

namespace spl::http {
namespace {

constexpr std::size_t kParseThreadsMax = 4;
constexpr std::size_t kGuardBlockBytes = 1u << 20;
// A record with its wrapper, before it is parsed.
constexpr std::size_t kLineBytesMax = 2 * base::kRecordBytesMax;
constexpr std::size_t kRecordBytesTypical = 512;

struct Part {
  std::string_view lines;
  std::vector<Record> records;
  std::uint64_t lines_read = 0;
  std::optional<Error> error;  // of line number lines_read
};

std::string_view take_line(std::string_view& rest) {
  const void* at = std::memchr(rest.data(), '\n', rest.size());
  const std::size_t end =
      at == nullptr ? rest.size() : static_cast<std::size_t>(static_cast<const char*>(at) - rest.data());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void parse(Part& part) {
  std::string_view rest = part.lines;
  part.records.reserve(rest.size() / kRecordBytesTypical + 1);
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    ++part.lines_read;
    if (line.empty()) continue;
    auto record = record::parse_record_line(line);
    if (!record) {
      part.error = std::move(record).error();
      return;
    }
    part.records.push_back(std::move(*record));
  }
}

// Cuts at ends of lines, into parts of about the same length.
std::vector<Part> cut(std::string_view lines, std::size_t count) {
  std::vector<Part> parts;
  while (count > 1 && !lines.empty()) {
    const std::size_t end = lines.find('\n', lines.size() / count--);
    if (end == std::string_view::npos) break;
    parts.push_back({lines.substr(0, end + 1), {}, 0, {}});
    lines.remove_prefix(end + 1);
  }
  parts.push_back({lines, {}, 0, {}});
  return parts;
}

}  // namespace

Result<std::vector<Record>> parse_record_lines(std::string_view lines, std::size_t workers) {
  const bool parallel = lines.size() >= kParallelParseBytesMin;
  std::vector<Part> parts = cut(lines, parallel ? std::min(workers, kParseThreadsMax) : 1);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < parts.size(); ++i) threads.emplace_back([&part = parts[i]] { parse(part); });
    parse(parts[0]);
  }
  std::vector<Record> records = std::move(parts[0].records);
  std::uint64_t lines_before = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Part& part = parts[i];
    if (part.error)
      return std::unexpected(std::move(*part.error).in("line " + std::to_string(lines_before + part.lines_read)));
    lines_before += part.lines_read;
    if (i > 0) std::ranges::move(part.records, std::back_inserter(records));
  }
  return records;
}

void append_record_object(std::string& out, const RecordId& id, std::string_view file_text) {
  out.append("{\"object\":\"record\",\"id\":\"").append(id.hex()).append("\",").append(file_text.substr(1));
}

void append_record_element(std::string& out, const RecordId& id, std::string_view canonical,
                           std::optional<std::string_view> judged_by, std::optional<std::string_view> sig) {
  out.append("{\"id\":\"").append(id.hex()).append("\",\"record\":");
  if (judged_by) {
    out += record::file_text(canonical, judged_by, std::nullopt);
  } else {
    out += canonical;
  }
  if (sig) out.append(",\"sig\":\"").append(base::to_base64(*sig)).append("\"");
  out.push_back('}');
}

Error foreign_actor(std::string_view actor) {
  return {ErrorCode::kRefused, "the token may not write as " + base::escaped(actor),
          "an account names its actors when it is created"};
}

Result<void> ActorGuard::read_more() {
  held_.erase(0, passed_);
  checked_ -= passed_;
  passed_ = 0;
  const std::size_t before = held_.size();
  held_.resize(before + kGuardBlockBytes);
  const std::size_t n = TRY(base::read_full(in_, std::span(held_).subspan(before)));
  held_.resize(before + n);
  ended_ = n < kGuardBlockBytes;
  const std::size_t last = held_.rfind('\n');
  const std::size_t whole = ended_ ? held_.size() : last == std::string::npos ? 0 : last + 1;
  std::string_view rest = std::string_view(held_).substr(0, std::max(whole, checked_)).substr(checked_);
  if (whole == 0 && held_.size() > kLineBytesMax)
    return fail(ErrorCode::kUsage, "a line is longer than a record may be");
  while (!rest.empty()) {
    const auto record = record::parse_record_line(take_line(rest));
    if (record && !allowed_(record->actor)) {
      refused_ = true;
      return std::unexpected(foreign_actor(record->actor));
    }
  }
  checked_ = std::max(whole, checked_);
  return {};
}

Result<std::size_t> ActorGuard::read(std::span<char> out) {
  while (passed_ == checked_) {
    if (ended_) return 0;
    TRY(read_more());
  }
  const std::size_t n = std::string_view(held_).substr(passed_, checked_ - passed_).copy(out.data(), out.size());
  passed_ += n;
  return n;
}

}  // namespace spl::http
