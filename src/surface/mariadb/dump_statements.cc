#include "surface/mariadb/dump_statements.h"

#include <algorithm>
#include <array>

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kStatementBytesMax = 1u << 30;  // max_allowed_packet can be no more
constexpr std::size_t kAheadBytes = 128;              // more than any delimiter or beginning of a comment
constexpr std::size_t kDelimiterBytesMax = 16;

std::unexpected<Error> no_dump(std::string why) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, std::move(why));
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_letter(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

}  // namespace

Result<bool> DumpStatements::fill() {
  while (!is_ended_ && buffer_.size() - begin_ < kAheadBytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kPieceBytes);
    const std::size_t n = TRY(dump_.read(std::span(buffer_).subspan(before)));
    buffer_.resize(before + n);
    is_ended_ = n == 0;
  }
  return begin_ < buffer_.size();
}

bool DumpStatements::begins_with(std::string_view text) const {
  return std::string_view(buffer_).substr(begin_).starts_with(text);
}

void DumpStatements::take(std::string& statement, std::size_t n) {
  n = std::min(n, buffer_.size() - begin_);
  const std::string_view piece = std::string_view(buffer_).substr(begin_, n);
  line_ += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
  // Nothing is lost with what stands before a statement.
  if (has_code_ || within_ != Within::kCode || !is_space(piece.front())) statement += piece;
  begin_ += n;
}

// No other encoding that a server reads statements in has such pairs.
void DumpStatements::read_in(std::string_view charset) {
  has_kana_ = charset == "sjis" || charset == "cp932";
  has_pairs_ = has_kana_ || charset == "gbk" || charset == "big5";
}

bool DumpStatements::is_first_of_two(std::size_t at) const {
  const auto octet = static_cast<unsigned char>(buffer_[at]);
  return has_pairs_ && octet > 0x80 && (!has_kana_ || octet < 0xa0 || octet > 0xdf);
}

// The quote's end or a backslash.
DumpStatements::Found DumpStatements::find_in_quotes(bool escapes) const {
  constexpr unsigned char kLeastSecond = 0x40;
  const std::array<char, 2> wanted{quote_, '\\'};
  if (!has_pairs_) {
    const std::size_t at = buffer_.find_first_of(wanted.data(), begin_, escapes ? 2 : 1);
    return {std::min(at, buffer_.size()), at != std::string::npos};
  }
  for (std::size_t i = begin_; i < buffer_.size(); ++i) {
    if (is_first_of_two(i)) {
      if (i + 1 == buffer_.size() && !is_ended_) return {i, false};
      if (i + 1 < buffer_.size() && static_cast<unsigned char>(buffer_[i + 1]) >= kLeastSecond) ++i;
    } else if (buffer_[i] == quote_ || (escapes && buffer_[i] == '\\')) {
      return {i, true};
    }
  }
  return {buffer_.size(), false};
}

void DumpStatements::take_quoted(std::string& statement, bool has_plain_backslashes) {
  const bool escapes = quote_ != '`' && !has_plain_backslashes;
  const auto [end, is_there] = find_in_quotes(escapes);
  if (!is_there) {
    take(statement, end - begin_);
    return;
  }
  if (buffer_[end] == '\\') {
    // Its second half may still have to come.
    const std::size_t whole = std::min(end + 2, buffer_.size()) - begin_;
    if (end + 1 == buffer_.size() && !is_ended_) {
      if (end > begin_) take(statement, end - begin_);
      return;
    }
    take(statement, whole);
    return;
  }
  take(statement, end + 1 - begin_);
  within_ = Within::kCode;
}

// "DELIMITER ;;", a line of its own.
bool DumpStatements::take_delimiter_command(const std::string& statement) {
  constexpr std::string_view kCommand = "delimiter";
  if (has_code_ || !statement.empty() || buffer_.size() - begin_ <= kCommand.size()) return false;
  for (std::size_t i = 0; i < kCommand.size(); ++i) {
    if (lower(at(i)) != kCommand[i]) return false;
  }
  if (at(kCommand.size()) != ' ' && at(kCommand.size()) != '\t') return false;
  std::size_t from = kCommand.size();
  while (at(from) == ' ' || at(from) == '\t') ++from;
  std::size_t to = from;
  while (begin_ + to < buffer_.size() && !is_space(at(to)) && to - from <= kDelimiterBytesMax) ++to;
  if (to == from || to - from > kDelimiterBytesMax) return false;
  delimiter_ = buffer_.substr(begin_ + from, to - from);
  begin_ += to;
  return true;
}

// True at the end of the statement.
bool DumpStatements::take_code(std::string& statement) {
  if (take_delimiter_command(statement)) return false;
  if (begins_with(delimiter_)) {
    begin_ += delimiter_.size();
    return true;
  }
  const char c = at(0);
  if (is_first_of_two(begin_)) {
    if (!has_code_) first_line_ = line_;
    has_code_ = true;
    take(statement, 2);
    return false;
  }
  const bool is_run = begins_with("/*!") || begins_with("/*M!");
  if (c == '#' || (begins_with("--") && (is_space(at(2)) || at(2) == '\0'))) {
    within_ = Within::kLineComment;
    return false;
  }
  if (begins_with("/*") && !is_run) {
    within_ = Within::kComment;
    take(statement, 2);
    return false;
  }
  if (!is_space(c) && !has_code_) {
    has_code_ = true;
    first_line_ = line_;
  }
  if (c == '\'' || c == '"' || c == '`') {
    quote_ = c;
    within_ = Within::kQuotes;
    take(statement, 1);
    return false;
  }
  // As many as mean nothing.
  std::size_t n = 1;
  while (begin_ + n < buffer_.size() && (is_letter(at(n)) || (at(n) >= '0' && at(n) <= '9') || at(n) == ',' ||
                                         at(n) == '(' || at(n) == ')' || at(n) == '.')) {
    if (at(n) == delimiter_.front()) break;
    ++n;
  }
  take(statement, is_run || is_space(c) ? 1 : n);
  return false;
}

Result<bool> DumpStatements::next(std::string& statement, bool has_plain_backslashes, std::string_view charset) {
  read_in(charset);
  statement.clear();
  has_code_ = false;
  within_ = Within::kCode;
  while (TRY(fill())) {
    if (statement.size() > kStatementBytesMax) return no_dump("a statement is longer than any server takes");
    switch (within_) {
      case Within::kQuotes:
        take_quoted(statement, has_plain_backslashes);
        break;
      case Within::kComment:
      case Within::kLineComment: {
        const std::string_view end = within_ == Within::kComment ? "*/" : "\n";
        const std::size_t found = buffer_.find(end, begin_);
        // The first half of the end may be the last octet.
        std::size_t n = buffer_.size() - begin_;
        if (found != std::string::npos) {
          n = found + end.size() - begin_;
        } else if (!is_ended_) {
          n -= 1;
        }
        take(statement, n);
        if (found == std::string::npos) break;
        within_ = Within::kCode;
        if (!has_code_) statement.clear();
        break;
      }
      case Within::kCode:
        if (!take_code(statement)) break;
        if (has_code_) return true;
        statement.clear();
        break;
    }
  }
  if (has_code_) return no_dump("the dump ends within the statement of line " + std::to_string(first_line_));
  return false;
}

}  // namespace spl::surface
