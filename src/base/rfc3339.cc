#include "base/rfc3339.h"

#include <cstddef>
#include <cstdint>

namespace spl::base {
namespace {

using std::chrono::system_clock;

// Digits from the front of a text.
class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}
  // Nothing where there are fewer.
  std::optional<int> number(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = 10 * value + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_any(char one, char other) { return take(one) || take(other); }
  // Of a fraction, to nanoseconds; nothing where there is no digit.
  std::optional<std::int64_t> take_nanoseconds() {
    std::int64_t value = 0;
    std::int64_t unit = 1'000'000'000;
    bool has_digit = false;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
      has_digit = true;
      unit /= 10;
      value += unit * (rest_.front() - '0');
    }
    return has_digit ? std::optional(value) : std::nullopt;
  }
  [[nodiscard]] bool is_empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// Minutes east of UTC.
std::optional<int> take_offset(Digits& digits) {
  if (digits.take_any('Z', 'z')) return 0;
  const bool is_east = digits.take('+');
  if (!is_east && !digits.take('-')) return std::nullopt;
  const auto hours = digits.number(2);
  if (!hours || *hours > 23 || !digits.take(':')) return std::nullopt;
  const auto minutes = digits.number(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return (is_east ? 1 : -1) * (60 * *hours + *minutes);
}

}  // namespace

std::optional<system_clock::time_point> parse_rfc3339(std::string_view text) {
  Digits digits(text);
  const auto year = digits.number(4);
  if (!year || !digits.take('-')) return std::nullopt;
  const auto month = digits.number(2);
  if (!month || !digits.take('-')) return std::nullopt;
  const auto day = digits.number(2);
  if (!day || !digits.take_any('T', 't')) return std::nullopt;
  const auto hour = digits.number(2);
  if (!hour || *hour > 23 || !digits.take(':')) return std::nullopt;
  const auto minute = digits.number(2);
  if (!minute || *minute > 59 || !digits.take(':')) return std::nullopt;
  const auto second = digits.number(2);
  if (!second || *second > 60) return std::nullopt;
  const auto nanoseconds = digits.take('.') ? digits.take_nanoseconds() : std::optional<std::int64_t>(0);
  const auto offset = nanoseconds ? take_offset(digits) : std::nullopt;
  if (!offset || !digits.is_empty()) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  // What a clock of nanoseconds can hold.
  if (!date.ok() || *year < 1700 || *year > 2200) return std::nullopt;
  return system_clock::time_point(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute - *offset) + std::chrono::seconds(*second) +
         std::chrono::duration_cast<system_clock::duration>(std::chrono::nanoseconds(*nanoseconds));
}

}  // namespace spl::base
