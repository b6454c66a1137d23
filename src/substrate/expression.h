// The expressions of rules (docs/formats/engine-config.md): a small part of CEL, without loops, without calls that
// could take long, and without anything to assign. An expression is hostile text: its length and depth are bounded, and
// so is what it can cost. Parsed once, evaluated by any thread. Source of the meaning: the Common Expression Language's
// definition (operators, member access, errors that && and || take in).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace spl::substrate {

inline constexpr std::size_t kExpressionBytesMax = 4096;
inline constexpr std::size_t kExpressionDepthMax = 64;

class Expression {
 public:
  struct Node;

  // Code kUsage: what is wrong, and at which character.
  static Result<Expression> parse(std::string_view text);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  // True or false. An error (code kUsage) where a member is missing, or a value is of another type than the operator
  // wants: whoever asks takes that for "does not fit". `variables` is an object: its members are the names.
  [[nodiscard]] Result<bool> holds(const codec::Json& variables) const;

 private:
  explicit Expression(std::unique_ptr<Node> root);
  std::unique_ptr<Node> root_;
};

}  // namespace spl::substrate
