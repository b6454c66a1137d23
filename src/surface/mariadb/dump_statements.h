// The statements of a dump, one after the other, as the program mariadb would cut them: quotes, comments, DELIMITER. It
// knows no command of that program beside DELIMITER, so that nothing in a dump runs a shell or opens a file. Where it
// cuts otherwise than the server reads, the server takes each piece as one statement or refuses it. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"

namespace spl::surface {

class DumpStatements {
 public:
  explicit DumpStatements(Source& dump) : dump_(dump) {}
  // False at the end. `statement` is without its delimiter. `has_plain_backslashes`: of a text in it, as the session
  // that has had the statements before says. Code kVerification of a dump that ends within a statement, or has one that
  // no server takes for its length.
  Result<bool> next(std::string& statement, bool has_plain_backslashes);
  // Of the first line of the last statement, from 1.
  [[nodiscard]] std::uint64_t line() const { return first_line_; }

 private:
  enum class Within : std::uint8_t { kCode, kQuotes, kComment, kLineComment };
  Result<bool> fill();
  [[nodiscard]] char at(std::size_t i) const { return begin_ + i < buffer_.size() ? buffer_[begin_ + i] : '\0'; }
  void take(std::string& statement, std::size_t n);
  bool take_code(std::string& statement);
  void take_quoted(std::string& statement, bool has_plain_backslashes);
  bool take_delimiter_command(const std::string& statement);
  [[nodiscard]] bool begins_with(std::string_view text) const;

  Source& dump_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool is_ended_ = false;
  std::string delimiter_ = ";";
  Within within_ = Within::kCode;
  char quote_ = 0;
  bool has_code_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t first_line_ = 1;
};

// The statement as it may be run in another database by another user: without the DEFINER of what it creates, which is
// whoever runs it then, and without the name of a database in ALTER DATABASE, which is the current one then. Anything
// else is left as it is.
std::string without_owner(std::string statement);

// The word that a statement begins with, where mariadb-dump writes none that begins so; "" of one that it may have
// written. A transaction of XA that a dump has prepared would outlive its session and hold its locks, and what is
// executed out of a text is not seen. Where it depends on the server's version what is read, each reading counts.
std::string word_of_no_dump(std::string_view statement);

// "DEFINER=`a`@`b`" within the head of a CREATE statement: where it begins, and how long it is; 0 where there is none.
struct DefinerClause {
  std::size_t at = 0;
  std::size_t size = 0;
};
DefinerClause find_definer(std::string_view statement);

}  // namespace spl::surface
