#include "api/record_lines.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <iterator>

#include "record/record_lines.h"

namespace spl::api {
namespace {

constexpr std::size_t kParts = 16;  // of a batch: small enough that nobody waits long for another's last one

}  // namespace

struct LineParser::Part {
  explicit Part(std::string_view text) : lines(text) {}
  std::string_view lines;
  record::ParsedLines parsed;
  std::exception_ptr thrown;  // for want of memory
};

struct LineParser::Batch {
  std::vector<Part> parts;
  std::atomic<std::size_t> begun = 0;
  std::mutex mutex;  // guards done
  std::condition_variable all_done;
  std::size_t done = 0;
};

LineParser::LineParser(std::size_t helpers) {
  helpers_.reserve(std::min(helpers, kParseHelpersMax));
  for (std::size_t i = 0; i < std::min(helpers, kParseHelpersMax); ++i) {
    try {
      helpers_.emplace_back([this] { help(); });
    } catch (const std::exception&) {
      break;  // who calls parse() works too
    }
  }
}

LineParser::~LineParser() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  work_ready_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

// At ends of lines, into parts of about the same length.
std::vector<LineParser::Part> LineParser::cut(std::string_view lines, std::size_t count) {
  std::vector<Part> parts;
  for (; count > 1 && !lines.empty(); --count) {
    const std::size_t end = lines.find('\n', lines.size() / count);
    if (end == std::string_view::npos) break;
    parts.emplace_back(lines.substr(0, end + 1));
    lines.remove_prefix(end + 1);
  }
  parts.emplace_back(lines);
  return parts;
}

void LineParser::work_on(Batch& batch) {
  std::size_t done = 0;
  for (std::size_t i = batch.begun++; i < batch.parts.size(); i = batch.begun++) {
    try {
      batch.parts[i].parsed = record::parse_record_lines(batch.parts[i].lines);
    } catch (...) {
      batch.parts[i].thrown = std::current_exception();
    }
    ++done;
  }
  const std::scoped_lock lock(batch.mutex);
  batch.done += done;
  if (batch.done == batch.parts.size()) batch.all_done.notify_all();
}

void LineParser::help() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_ready_.wait(lock, [this] { return closing_ || !batches_.empty(); });
    if (closing_) return;
    // Whoever takes a batch leaves none of its parts unbegun, but another helper may share it meanwhile.
    const std::shared_ptr<Batch> batch = batches_.front();
    if (batch->begun >= batch->parts.size()) {
      batches_.pop_front();
      continue;
    }
    lock.unlock();
    work_on(*batch);
    lock.lock();
  }
}

Result<std::vector<Record>> LineParser::parse(std::string_view lines) {
  const auto batch = std::make_shared<Batch>();
  const bool alone = helpers_.empty() || lines.size() < kParallelParseBytesMin;
  batch->parts = cut(lines, alone ? 1 : kParts);
  if (!alone) {
    {
      const std::scoped_lock lock(mutex_);
      batches_.push_back(batch);
    }
    work_ready_.notify_all();
  }
  work_on(*batch);
  if (!alone) {
    const std::scoped_lock lock(mutex_);
    std::erase(batches_, batch);
  }
  {
    std::unique_lock lock(batch->mutex);
    batch->all_done.wait(lock, [&batch] { return batch->done == batch->parts.size(); });
  }
  for (const Part& part : batch->parts) {
    if (part.thrown) std::rethrow_exception(part.thrown);
  }
  std::vector<Record> records = std::move(batch->parts[0].parsed.records);
  std::uint64_t lines_before = 0;
  for (std::size_t i = 0; i < batch->parts.size(); ++i) {
    record::ParsedLines& part = batch->parts[i].parsed;
    lines_before += part.lines_read;
    if (part.error) return std::unexpected(std::move(*part.error).in("line " + std::to_string(lines_before)));
    if (i > 0) std::ranges::move(part.records, std::back_inserter(records));
  }
  return records;
}

ParseTurns::Turn ParseTurns::take(std::size_t bytes) {
  if (bytes <= kParsedFreeBytes) return {*this, 0};
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = ++last_ticket_;
  changed_.wait(lock, [&] { return next_ == ticket && (taken_ == 0 || taken_ + bytes <= bytes_max_); });
  taken_ += bytes;
  ++next_;
  changed_.notify_all();
  return {*this, bytes};
}

void ParseTurns::end(std::size_t bytes) {
  if (bytes == 0) return;
  const std::scoped_lock lock(mutex_);
  taken_ -= bytes;
  changed_.notify_all();
}

std::string record_object_beginning(const RecordId& id) {
  return "{\"object\":\"record\",\"id\":\"" + id.hex() + "\",";
}

}  // namespace spl::api
