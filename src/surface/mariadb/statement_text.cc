#include "surface/mariadb/statement_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace spl::surface {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_letter(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

// Of a name that stands without quotes.
bool is_of_name(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '$' || static_cast<unsigned char>(c) >= 0x80;
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
  // "`a`", "'a'", "\"a\"", or a bare one; without its quotes in `read`, where that is given.
  bool name(std::string* read = nullptr) {
    skip();
    if (at_ >= text_.size()) return false;
    const char quote = text_[at_];
    if (quote != '`' && quote != '\'' && quote != '"') {
      const std::size_t before = at_;
      while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
      if (read != nullptr) *read = text_.substr(before, at_ - before);
      return at_ > before;
    }
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != quote) return true;
      }
      if (read != nullptr) *read += text_[at_];
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

enum class PieceKind : std::uint8_t { kEnd, kWord, kName, kText, kSign };
struct Piece {
  PieceKind kind = PieceKind::kEnd;
  std::size_t at = 0;
  std::size_t size = 0;
  std::string text;  // without quotes; of a word: in small letters
};

// What stands in a statement, one after the other, passing over space and comments; what a comment has executed is a
// part of it.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  Piece next() {
    skip();
    Piece piece;
    piece.at = at_;
    if (at_ >= text_.size()) return piece;
    const char c = text_[at_];
    if (c == '`' || c == '"' || c == '\'') {
      piece.kind = c == '\'' ? PieceKind::kText : PieceKind::kName;
      take_quoted(c, piece.text);
    } else if (is_of_name(c)) {
      piece.kind = PieceKind::kWord;
      while (at_ < text_.size() && is_of_name(text_[at_])) piece.text += lower(text_[at_++]);
    } else {
      piece.kind = PieceKind::kSign;
      piece.text = c;
      ++at_;
    }
    piece.size = at_ - piece.at;
    return piece;
  }

 private:
  void take_quoted(char quote, std::string& text) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && quote != '`' && at_ + 1 < text_.size()) {
        ++at_;
      } else if (text_[at_] == quote) {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != quote) return;
      }
      text += text_[at_];
    }
  }
  void skip() {
    while (at_ < text_.size()) {
      const std::string_view rest = text_.substr(at_);
      if (is_space(rest.front())) {
        ++at_;
      } else if (rest.starts_with("*/")) {
        at_ += 2;
      } else if (rest.starts_with("/*!") || rest.starts_with("/*M!")) {
        at_ = text_.find('!', at_) + 1;
        while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      } else if (rest.starts_with("/*")) {
        skip_to("*/");
      } else if (rest.front() == '#' || (rest.starts_with("--") && (rest.size() == 2 || is_space(rest[2])))) {
        skip_to("\n");
      } else {
        return;
      }
    }
  }
  void skip_to(std::string_view end) {
    const std::size_t found = text_.find(end, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_sign(const Piece& piece, char c) {
  return piece.kind == PieceKind::kSign && piece.text.front() == c;
}

// "DEFINER = `a`@`b`", "CURRENT_USER()", a role: what follows the word.
bool pass_definer(Words& words) {
  if (!words.sign('=') || !words.name()) return false;
  if (words.sign('(')) return words.sign(')');
  return !words.sign('@') || words.name();
}

// After CREATE: what may stand before the kind of what is created, and that.
StatementKind kind_of_created(Words& words) {
  for (;;) {
    const std::string word = words.word();
    if (word == "or" || word == "replace" || word == "temporary") continue;
    if (word == "definer" && pass_definer(words)) continue;
    if (word == "table") return StatementKind::kCreateTable;
    if (word == "event") return StatementKind::kCreateEvent;
    return word == "trigger" ? StatementKind::kCreateTrigger : StatementKind::kOther;
  }
}

void pass_if_not_exists(Words& words) {
  Words ahead = words;
  if (ahead.word() == "if" && ahead.word() == "not" && ahead.word() == "exists") words = ahead;
}

struct Clause {
  std::size_t at = 0;
  std::size_t size = 0;
};

// A name, and of "`database`.`name`" what is before it.
std::optional<Clause> find_qualifier(Words& words) {
  words.skip();
  const std::size_t begin = words.at();
  if (!words.name()) return std::nullopt;
  if (!words.sign('.')) return Clause{begin, 0};
  words.skip();
  const Clause qualifier{begin, words.at() - begin};
  if (!words.name()) return std::nullopt;
  return qualifier;
}

// A server repeats the head of a trigger as it was written, with the database in it.
std::string with_bare_trigger(std::string statement) {
  Words words(statement);
  words.word();
  (void)kind_of_created(words);
  pass_if_not_exists(words);
  const auto of_trigger = find_qualifier(words);
  // "BEFORE INSERT ON"
  if (!of_trigger || words.word().empty() || words.word().empty() || words.word() != "on") return statement;
  const auto of_table = find_qualifier(words);
  if (!of_table) return statement;
  statement.erase(of_table->at, of_table->size);
  statement.erase(of_trigger->at, of_trigger->size);
  return statement;
}

}  // namespace

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
    return kind_of(statement) == StatementKind::kCreateTrigger ? with_bare_trigger(std::move(statement)) : statement;
  }
  if (kind_of(statement) == StatementKind::kCreateTrigger) return with_bare_trigger(std::move(statement));
  Words words(statement);
  if (words.word() != "alter" || words.word() != "database") return statement;
  words.skip();
  const std::size_t at = words.at();
  // Without a name this is the next word.
  if (at >= statement.size() || statement[at] != '`' || !words.name()) return statement;
  statement.erase(at, words.at() - at);
  return statement;
}

StatementKind kind_of(std::string_view statement) {
  Words words(statement);
  const std::string first = words.word();
  if (first == "create") return kind_of_created(words);
  if (first == "begin" && words.word() == "not") return StatementKind::kCompound;
  if (first != "alter") return StatementKind::kOther;
  for (;;) {
    const std::string word = words.word();
    if (word == "online" || word == "ignore" || (word == "definer" && pass_definer(words))) continue;
    if (word == "table") return StatementKind::kAlterTable;
    return word == "event" ? StatementKind::kAlterEvent : StatementKind::kOther;
  }
}

std::string with_own_sequences(std::string statement) {
  std::vector<Clause> found;
  Pieces pieces(statement);
  std::array<Piece, 5> last;  // "nextval(`database`.`sequence`"
  for (;;) {
    std::ranges::rotate(last, last.begin() + 1);
    last.back() = pieces.next();
    if (last.back().kind == PieceKind::kEnd) break;
    const std::string& word = last[0].text;
    if (last[0].kind == PieceKind::kWord && (word == "nextval" || word == "lastval" || word == "setval") &&
        is_sign(last[1], '(') && last[2].kind == PieceKind::kName && is_sign(last[3], '.') &&
        last[4].kind == PieceKind::kName)
      found.push_back({last[2].at, last[4].at - last[2].at});
  }
  std::ranges::reverse(found);
  for (const Clause& clause : found) statement.erase(clause.at, clause.size);
  return statement;
}

std::string with_database(std::string_view text, std::string_view from, std::string_view to) {
  std::string made;
  Pieces pieces(text);
  std::size_t done = 0;
  Piece before;
  for (;;) {
    Piece piece = pieces.next();
    if (piece.kind == PieceKind::kEnd) break;
    if (is_sign(piece, '.') && before.kind == PieceKind::kName && before.text == from) {
      made.append(text.substr(done, before.at - done)).append(to);
      done = before.at + before.size;
    }
    before = std::move(piece);
  }
  return made.append(text.substr(done));
}

std::vector<std::string> named_databases(std::string_view text) {
  std::vector<std::string> names;
  Pieces pieces(text);
  Piece before;
  for (;;) {
    Piece piece = pieces.next();
    if (piece.kind == PieceKind::kEnd) break;
    if (is_sign(piece, '.') && (before.kind == PieceKind::kWord || before.kind == PieceKind::kName))
      names.push_back(before.kind == PieceKind::kName ? before.text : std::string(text.substr(before.at, before.size)));
    before = std::move(piece);
  }
  return names;
}

bool names_directory(std::string_view text) {
  Pieces pieces(text);
  for (;;) {
    const Piece piece = pieces.next();
    if (piece.kind == PieceKind::kEnd) return false;
    if (piece.kind == PieceKind::kWord && piece.text == "directory") return true;
  }
}

std::optional<EventStatement> EventStatement::read(std::string_view statement) {
  Words words(statement);
  if (words.word() != "create" || kind_of_created(words) != StatementKind::kCreateEvent) return std::nullopt;
  pass_if_not_exists(words);
  EventStatement event;
  bool has_name = words.name(&event.name);
  if (has_name && words.sign('.')) {
    event.name.clear();
    has_name = words.name(&event.name);
  }
  // Up to DO no name of anything can follow: so these words are what they say.
  Pieces pieces(statement.substr(words.at()));
  std::size_t depth = 0;
  bool has_place = false;
  while (has_name) {
    const Piece piece = pieces.next();
    if (piece.kind == PieceKind::kEnd) break;
    if (is_sign(piece, '(')) ++depth;
    if (is_sign(piece, ')') && depth > 0) --depth;
    if (depth > 0 || piece.kind != PieceKind::kWord) continue;
    const bool is_state = piece.text == "enable" || piece.text == "disable";
    if (!has_place && (is_state || piece.text == "comment" || piece.text == "do")) {
      has_place = true;
      event.is_enabled = piece.text != "disable";
      event.at_ = words.at() + piece.at;
      event.size_ = is_state ? piece.size : 0;
    }
    if (piece.text == "do") return event;
  }
  return std::nullopt;
}

std::string EventStatement::with(std::string_view statement, std::string_view state) const {
  std::string made(statement.substr(0, at_));
  return made.append(state).append(size_ > 0 ? "" : " ").append(statement.substr(at_ + size_));
}

}  // namespace spl::surface
