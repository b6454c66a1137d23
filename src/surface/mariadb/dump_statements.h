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
  // that has had the statements before says; `charset`: what the dump is written in now, as it says, too. Code
  // kVerification of a dump that ends within a statement, or has one that no server takes for its length.
  Result<bool> next(std::string& statement, bool has_plain_backslashes, std::string_view charset = "utf8mb4");
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
  void read_in(std::string_view charset);
  [[nodiscard]] bool is_first_of_two(std::size_t at) const;
  struct Found {
    std::size_t at = 0;  // where the search ends
    bool is_there = false;
  };
  [[nodiscard]] Found find_in_quotes(bool escapes) const;

  Source& dump_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool is_ended_ = false;
  std::string delimiter_ = ";";
  Within within_ = Within::kCode;
  char quote_ = 0;
  // Characters may be of two octets, of which the second can be a '\\' or a '`'; and some of one stand where else only
  // first ones do.
  bool has_pairs_ = false;
  bool has_kana_ = false;
  bool has_code_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t first_line_ = 1;
};

}  // namespace spl::surface
