#include "surface/mariadb/dump_statements.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

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

// The words of a statement's head, passing over what makes a comment one that is run.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  // A word, in small letters; empty where something else comes.
  std::string word() {
    skip();
    std::string made;
    while (at_ < text_.size() && is_letter(text_[at_])) made += lower(text_[at_++]);
    return made;
  }
  bool sign(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // "`a`", "'a'", "\"a\"", or a bare one.
  bool name() {
    skip();
    if (at_ >= text_.size()) return false;
    const char quote = text_[at_];
    if (quote != '`' && quote != '\'' && quote != '"') {
      const std::size_t before = at_;
      while (at_ < text_.size() && (is_letter(text_[at_]) || (text_[at_] >= '0' && text_[at_] <= '9'))) ++at_;
      return at_ > before;
    }
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != quote) continue;
      ++at_;
      if (at_ >= text_.size() || text_[at_] != quote) return true;
    }
    return false;
  }
  void skip() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        ++at_;
      } else if (text_.substr(at_).starts_with("*/")) {
        at_ += 2;
      } else if (text_.substr(at_).starts_with("/*!") || text_.substr(at_).starts_with("/*M!")) {
        at_ = text_.find('!', at_) + 1;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      } else {
        return;
      }
    }
  }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

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

void DumpStatements::take_quoted(std::string& statement, bool has_plain_backslashes) {
  const bool escapes = quote_ != '`' && !has_plain_backslashes;
  const std::array<char, 2> wanted{quote_, '\\'};
  const std::size_t end = buffer_.find_first_of(wanted.data(), begin_, escapes ? 2 : 1);
  if (end == std::string::npos) {
    take(statement, buffer_.size() - begin_);
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

Result<bool> DumpStatements::next(std::string& statement, bool has_plain_backslashes) {
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

DefinerClause find_definer(std::string_view statement) {
  Words words(statement);
  if (words.word() != "create") return {};
  for (;;) {
    words.skip();
    const std::size_t at = words.at();
    const std::string word = words.word();
    if (word == "or" || word == "replace") continue;
    if (word == "algorithm") {
      if (!words.sign('=') || words.word().empty()) return {};
      continue;
    }
    if (word != "definer" || !words.sign('=') || !words.name()) return {};
    std::size_t end = words.at();
    // "current_user()", "`user`@`host`", or a role.
    if (words.sign('(') && words.sign(')')) {
      end = words.at();
    } else if (words.sign('@')) {
      if (!words.name()) return {};
      end = words.at();
    }
    return {at, end - at};
  }
}

std::string word_of_no_dump(std::string_view statement) {
  constexpr std::array<std::string_view, 18> kWords{"CREATE", "DROP",   "ALTER",    "INSERT", "REPLACE", "SET",
                                                    "DO",     "SELECT", "LOCK",     "UNLOCK", "START",   "BEGIN",
                                                    "COMMIT", "USE",    "TRUNCATE", "UPDATE", "DELETE",  "SHOW"};
  constexpr std::uint32_t kReadByAll = 50699;     // the highest version in a comment that every MariaDB executes
  constexpr std::uint32_t kReadByNone = 500'000;  // no such server is near
  const auto passed = [&statement](std::string_view text) {
    if (!statement.starts_with(text)) return false;
    statement.remove_prefix(text.size());
    return true;
  };
  const auto pass_to = [&statement](std::string_view end) {
    const std::size_t at = statement.find(end);
    statement.remove_prefix(at == std::string_view::npos ? statement.size() : at + end.size());
  };
  bool may_be_passed_over = false;  // what we are in
  while (!statement.empty()) {
    if (is_space(statement.front())) {
      statement.remove_prefix(1);
    } else if (passed("/*!") || passed("/*M!")) {
      std::uint32_t version = 0;
      const auto [end, error] = std::from_chars(statement.data(), statement.data() + statement.size(), version);
      statement.remove_prefix(static_cast<std::size_t>(end - statement.data()));
      const bool is_read_by_none = error == std::errc::result_out_of_range || version >= kReadByNone;
      if (is_read_by_none) pass_to("*/");
      may_be_passed_over = !is_read_by_none && version > kReadByAll;
    } else if (passed("/*")) {
      pass_to("*/");
    } else if (passed("*/")) {
      may_be_passed_over = false;
    } else if (passed("-- ") || passed("--\n") || passed("#")) {
      pass_to("\n");
    } else {
      std::string word;
      for (const char c : statement) {
        if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_') break;
        word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      }
      if (std::ranges::find(kWords, word) == kWords.end())
        return word.empty() ? std::string(1, statement.front()) : word;
      if (!may_be_passed_over) return "";
      pass_to("*/");
      may_be_passed_over = false;
    }
  }
  return "";
}

std::string without_owner(std::string statement) {
  if (const DefinerClause clause = find_definer(statement); clause.size > 0) {
    statement.erase(clause.at, clause.size);
    return statement;
  }
  Words words(statement);
  if (words.word() != "alter" || words.word() != "database") return statement;
  words.skip();
  const std::size_t at = words.at();
  // Without a name this is the next word.
  if (at >= statement.size() || statement[at] != '`' || !words.name()) return statement;
  statement.erase(at, words.at() - at);
  return statement;
}

}  // namespace spl::surface
