#include "codec/json_number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace spl::codec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

}  // namespace

std::size_t scan_json_number(std::string_view text, bool& is_integer) {
  std::size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  if (at == whole || (text[whole] == '0' && at > whole + 1)) return 0;
  is_integer = true;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = at + 1;
    at = skip_digits(text, fraction);
    if (at == fraction) return 0;
    is_integer = false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t exponent = at + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    at = skip_digits(text, exponent);
    if (at == exponent) return 0;
    is_integer = false;
  }
  return at;
}

bool append_canonical_number(std::string& out, std::string_view number, bool is_integer) {
  if (is_integer) {
    out += number == "-0" ? "0" : number;
    return true;
  }
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) {
    // from_chars does not say which way it was out of range.
    value = std::strtod(std::string(number).c_str(), nullptr);
    if (std::isinf(value)) return false;
  }
  append_ecmascript_double(out, value);
  return true;
}

void append_ecmascript_double(std::string& out, double value) {
  if (value == 0) {
    out.push_back('0');
    return;
  }
  if (value < 0) out.push_back('-');
  // The shortest digits that read back, as d[.ddd]e[+-]xx.
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific);
  const std::string_view shown(text, static_cast<std::size_t>(end.ptr - text));
  const std::size_t e = shown.find('e');
  std::string digits(1, shown[0]);
  if (e > 2) digits += shown.substr(2, e - 2);
  int exponent = 0;
  const std::size_t exponent_at = e + (shown[e + 1] == '+' ? 2 : 1);
  std::from_chars(shown.data() + exponent_at, shown.data() + shown.size(), exponent);
  // ECMA-262's names: k digits, and the value is 0.digits times ten to the n.
  const int k = static_cast<int>(digits.size());
  const int n = exponent + 1;
  if (k <= n && n <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(n - k), '0');
  } else if (0 < n && n <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(n)).push_back('.');
    out.append(digits, static_cast<std::size_t>(n));
  } else if (-6 < n && n <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-n), '0').append(digits);
  } else {
    out.push_back(digits[0]);
    if (k > 1) out.append(".").append(digits, 1);
    out.append(n > 0 ? "e+" : "e-").append(std::to_string(std::abs(n - 1)));
  }
}

}  // namespace spl::codec
