#include "substrate/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace spl::substrate {

using codec::Json;

namespace {

enum class Operation : std::uint8_t {
  kLiteral,
  kName,
  kMember,  // children: of what; text: the name
  kIndex,   // children: of what, at what
  kHas,     // children: a member; whether it is there
  kSize,
  kStartsWith,
  kEndsWith,
  kContains,
  kNot,
  kNegative,
  kAnd,
  kOr,
  kEqual,
  kUnequal,
  kLess,
  kLessOrEqual,
  kMore,
  kMoreOrEqual,
  kIn,
};

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kUsage, std::move(message));
}

}  // namespace

struct Expression::Node {
  Operation operation = Operation::kLiteral;
  Json value;
  std::string text;
  std::vector<Node> children;
};

namespace {

using Node = Expression::Node;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Node> parse() {
    Node node = TRY(alternatives());
    skip_space();
    if (at_ < text_.size()) return wrong_here("an operator or the end is wanted");
    return node;
  }

 private:
  // While it lives, one level deeper.
  struct Level {
    explicit Level(std::size_t& levels) : depth(levels) { ++depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --depth; }
    std::size_t& depth;
  };

  [[nodiscard]] std::unexpected<Error> wrong_here(const std::string& what) const {
    return wrong("the expression is wrong at character " + std::to_string(at_ + 1) + ": " + what);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool take_word(std::string_view word) {
    skip_space();
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with(word)) return false;
    if (rest.size() > word.size() && (is_letter(rest[word.size()]) || is_digit(rest[word.size()]))) return false;
    at_ += word.size();
    return true;
  }
  Result<void> want(std::string_view token) {
    if (take(token)) return {};
    return wrong_here("\"" + std::string(token) + "\" is wanted");
  }

  static Node of(Operation operation, Node first) {
    Node node{.operation = operation, .value = {}, .text = {}, .children = {}};
    node.children.push_back(std::move(first));
    return node;
  }
  static Node of(Operation operation, Node first, Node second) {
    Node node = of(operation, std::move(first));
    node.children.push_back(std::move(second));
    return node;
  }
  static Node literal(Json value) {
    return {.operation = Operation::kLiteral, .value = std::move(value), .text = {}, .children = {}};
  }

  Result<Node> alternatives() {
    const Level level(depth_);
    if (depth_ > kExpressionDepthMax) return wrong_here("it is nested too deeply");
    Node node = TRY(conjunction());
    while (take("||")) node = of(Operation::kOr, std::move(node), TRY(conjunction()));
    return node;
  }

  Result<Node> conjunction() {
    Node node = TRY(comparison());
    while (take("&&")) node = of(Operation::kAnd, std::move(node), TRY(comparison()));
    return node;
  }

  Result<Node> comparison() {
    using enum Operation;
    constexpr std::array<std::pair<std::string_view, Operation>, 6> kOperators{
        {{"==", kEqual}, {"!=", kUnequal}, {"<=", kLessOrEqual}, {">=", kMoreOrEqual}, {"<", kLess}, {">", kMore}}};
    Node node = TRY(unary());
    if (take_word("in")) return of(kIn, std::move(node), TRY(unary()));
    for (const auto& [token, operation] : kOperators) {
      if (take(token)) return of(operation, std::move(node), TRY(unary()));
    }
    return node;
  }

  Result<Node> unary() {
    const Level level(depth_);
    if (depth_ > kExpressionDepthMax) return wrong_here("it is nested too deeply");
    skip_space();
    // "!=" stands between two values and never here.
    if (take("!")) return of(Operation::kNot, TRY(unary()));
    if (take("-")) return of(Operation::kNegative, TRY(unary()));
    return postfix();
  }

  Result<Node> postfix() {
    Node node = TRY(primary());
    for (std::size_t members = 0;; ++members) {
      if (members > kExpressionDepthMax) return wrong_here("it has too many members in a row");
      if (take(".")) {
        std::string name = TRY(identifier());
        if (take("(")) {
          node = TRY(method(name, std::move(node)));
        } else {
          node = of(Operation::kMember, std::move(node));
          node.text = std::move(name);
        }
      } else if (take("[")) {
        node = of(Operation::kIndex, std::move(node), TRY(alternatives()));
        TRY(want("]"));
      } else {
        return node;
      }
    }
  }

  Result<Node> method(const std::string& name, Node of_what) {
    using enum Operation;
    constexpr std::array<std::pair<std::string_view, Operation>, 3> kMethods{
        {{"startsWith", kStartsWith}, {"endsWith", kEndsWith}, {"contains", kContains}}};
    if (name == "size") {
      TRY(want(")"));
      return of(kSize, std::move(of_what));
    }
    for (const auto& [known, operation] : kMethods) {
      if (known != name) continue;
      Node node = of(operation, std::move(of_what), TRY(alternatives()));
      TRY(want(")"));
      return node;
    }
    return wrong_here("there is no function \"" + base::escaped(name, 40) +
                      "\": there are startsWith, endsWith, contains, size and has");
  }

  Result<Node> primary() {
    skip_space();
    if (at_ == text_.size()) return wrong_here("a value is wanted");
    const char c = text_[at_];
    if (take("(")) {
      Node node = TRY(alternatives());
      TRY(want(")"));
      return node;
    }
    if (take("[")) return list();
    if (c == '"' || c == '\'') return literal(Json(TRY(quoted(c))));
    if (is_digit(c)) return number();
    if (!is_letter(c)) return wrong_here("a value is wanted");
    std::string name = TRY(identifier());
    if (name == "true" || name == "false") return literal(Json(name == "true"));
    if (name == "null") return literal(Json());
    if (name == "has" && take("(")) return has();
    if (name == "size" && take("(")) {
      Node node = of(Operation::kSize, TRY(alternatives()));
      TRY(want(")"));
      return node;
    }
    Node node;
    node.operation = Operation::kName;
    node.text = std::move(name);
    return node;
  }

  Result<Node> has() {
    Node member = TRY(alternatives());
    if (member.operation != Operation::kMember) return wrong_here("has() wants a member, such as has(record.body.to)");
    TRY(want(")"));
    return of(Operation::kHas, std::move(member));
  }

  // Of constants: what comes with a record may be large, and is not copied.
  Result<Node> list() {
    Json::Array items;
    if (take("]")) return literal(std::move(items));
    do {
      Node item = TRY(unary());
      const bool is_negative = item.operation == Operation::kNegative;
      const Node& constant = is_negative ? item.children[0] : item;
      if (constant.operation != Operation::kLiteral) return wrong_here("a list holds constants");
      if (is_negative && !constant.value.number()) return wrong_here("this is no number");
      items.push_back(is_negative ? Json(-*constant.value.number()) : constant.value);
    } while (take(","));
    TRY(want("]"));
    return literal(std::move(items));
  }

  Result<std::string> identifier() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || (at_ > begin && is_digit(text_[at_])))) ++at_;
    if (at_ == begin) return wrong_here("a name is wanted");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<Node> number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    auto json = Json::parse(text_.substr(begin, at_ - begin));
    if (!json || !json->number()) return wrong_here("this is no number");
    return literal(std::move(*json));
  }

  // \" \' \\ \n \t; the rest as it is.
  Result<std::string> quoted(char quote) {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\') {
        value += text_[at_];
        continue;
      }
      constexpr std::string_view kEscapes = "\"'\\nt";
      constexpr std::string_view kMeant = "\"'\\\n\t";
      const std::size_t which = ++at_ < text_.size() ? kEscapes.find(text_[at_]) : std::string_view::npos;
      if (which == std::string_view::npos) return wrong_here("there is no such escape");
      value += kMeant[which];
    }
    if (at_ == text_.size()) return wrong_here("a text has no end");
    ++at_;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

std::unexpected<Error> other_type(std::string_view wanted) {
  return wrong("a value of another type than " + std::string(wanted));
}

bool is_number(const Json& value) {
  return value.type() == codec::JsonType::kNumber;
}

// Whole numbers as such, so that large ones differ where they do.
std::optional<int> order_of_numbers(const Json& one, const Json& other) {
  const auto a = one.whole_number();
  const auto b = other.whole_number();
  if (a && b) return *a < *b ? -1 : (*a > *b ? 1 : 0);
  const auto x = one.number();
  const auto y = other.number();
  if (!x || !y) return std::nullopt;
  return *x < *y ? -1 : (*x > *y ? 1 : 0);
}

// Values of different types differ. An object is equal to nothing: what a stranger sends may have a million members.
bool are_equal(const Json& one, const Json& other) {
  if (one.type() != other.type()) return false;
  if (is_number(one)) return order_of_numbers(one, other) == 0;
  if (one.string() != nullptr) return *one.string() == *other.string();
  if (one.boolean() != nullptr) return *one.boolean() == *other.boolean();
  if (one.array() != nullptr) return std::ranges::equal(*one.array(), *other.array(), are_equal);
  return one.is_null();
}

class Evaluator {
 public:
  explicit Evaluator(const Json& variables) : variables_(variables) {}

  // What is given lives as long as the variables, the expression, or `made_`.
  Result<const Json*> value_of(const Node& node) {
    switch (node.operation) {
      case Operation::kLiteral:
        return &node.value;
      case Operation::kName:
        return member(variables_, node.text);
      case Operation::kMember:
        return member(*TRY(value_of(node.children[0])), node.text);
      case Operation::kIndex:
        return element(*TRY(value_of(node.children[0])), *TRY(value_of(node.children[1])));
      case Operation::kSize:
        return keep(Json(TRY(size(*TRY(value_of(node.children[0]))))));
      case Operation::kNegative: {
        const auto number = TRY(value_of(node.children[0]))->number();
        if (!number) return other_type("a number");
        return keep(Json(-*number));
      }
      default:
        return keep(Json(TRY(truth_of(node))));
    }
  }

  Result<bool> truth_of(const Node& node) {
    switch (node.operation) {
      case Operation::kAnd:
        return both(node, false);
      case Operation::kOr:
        return both(node, true);
      case Operation::kNot:
        return !TRY(truth_of(node.children[0]));
      case Operation::kHas: {
        const Node& asked = node.children[0];
        return TRY(value_of(asked.children[0]))->find(asked.text) != nullptr;
      }
      case Operation::kEqual:
      case Operation::kUnequal: {
        const bool equal = are_equal(*TRY(value_of(node.children[0])), *TRY(value_of(node.children[1])));
        return equal == (node.operation == Operation::kEqual);
      }
      case Operation::kLess:
      case Operation::kLessOrEqual:
      case Operation::kMore:
      case Operation::kMoreOrEqual:
        return compare(node);
      case Operation::kIn:
        return is_in(*TRY(value_of(node.children[0])), *TRY(value_of(node.children[1])));
      case Operation::kStartsWith:
      case Operation::kEndsWith:
      case Operation::kContains:
        return match(node);
      default: {
        const Json* value = TRY(value_of(node));
        if (value->boolean() == nullptr) return other_type("true or false");
        return *value->boolean();
      }
    }
  }

 private:
  const Json* keep(Json value) {
    made_.push_back(std::make_unique<Json>(std::move(value)));
    return made_.back().get();
  }

  static Result<const Json*> member(const Json& of, const std::string& name) {
    const Json* found = of.find(name);
    if (found == nullptr) return wrong("there is no member \"" + base::escaped(name, 40) + "\"");
    return found;
  }

  static Result<const Json*> element(const Json& of, const Json& at) {
    if (at.string() != nullptr) return member(of, *at.string());
    const auto index = at.whole_number();
    if (of.array() == nullptr || !index) return other_type("a list and a number");
    if (*index >= of.array()->size()) return wrong("the list is shorter");
    return &(*of.array())[*index];
  }

  static Result<std::uint64_t> size(const Json& of) {
    if (of.array() != nullptr) return of.array()->size();
    if (of.object() != nullptr) return of.object()->size();
    if (of.string() == nullptr) return other_type("a text or a list");
    // Characters, not octets.
    return static_cast<std::uint64_t>(
        std::ranges::count_if(*of.string(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  }

  // One side that decides is enough, also where the other one is an error.
  Result<bool> both(const Node& node, bool deciding) {
    auto first = truth_of(node.children[0]);
    if (first && *first == deciding) return deciding;
    auto second = truth_of(node.children[1]);
    if (second && *second == deciding) return deciding;
    if (!first) return first;
    if (!second) return second;
    return !deciding;
  }

  Result<bool> compare(const Node& node) {
    const Json& one = *TRY(value_of(node.children[0]));
    const Json& other = *TRY(value_of(node.children[1]));
    std::optional<int> order;
    if (is_number(one) && is_number(other)) order = order_of_numbers(one, other);
    if (one.string() != nullptr && other.string() != nullptr) order = one.string()->compare(*other.string());
    if (!order) return other_type("two numbers or two texts");
    if (node.operation == Operation::kLess) return *order < 0;
    if (node.operation == Operation::kLessOrEqual) return *order <= 0;
    return node.operation == Operation::kMore ? *order > 0 : *order >= 0;
  }

  static Result<bool> is_in(const Json& what, const Json& of) {
    if (of.array() != nullptr)
      return std::ranges::any_of(*of.array(), [&what](const Json& item) { return are_equal(item, what); });
    if (of.object() != nullptr && what.string() != nullptr) return of.find(*what.string()) != nullptr;
    return other_type("a list");
  }

  Result<bool> match(const Node& node) {
    const std::string* text = TRY(value_of(node.children[0]))->string();
    const std::string* part = TRY(value_of(node.children[1]))->string();
    if (text == nullptr || part == nullptr) return other_type("a text");
    if (node.operation == Operation::kStartsWith) return text->starts_with(*part);
    if (node.operation == Operation::kEndsWith) return text->ends_with(*part);
    return text->find(*part) != std::string::npos;
  }

  const Json& variables_;
  std::vector<std::unique_ptr<Json>> made_;
};

}  // namespace

Expression::Expression(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Result<Expression> Expression::parse(std::string_view text) {
  if (text.size() > kExpressionBytesMax)
    return wrong("the expression is longer than " + std::to_string(kExpressionBytesMax) + " characters");
  return Expression(std::make_unique<Node>(TRY(Parser(text).parse())));
}

Result<bool> Expression::holds(const Json& variables) const {
  return Evaluator(variables).truth_of(*root_);
}

}  // namespace spl::substrate
