#include "codec/json_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace spl::codec {
namespace {

std::string canonical(std::string_view number) {
  bool is_integer = false;
  EXPECT_EQ(scan_json_number(number, is_integer), number.size()) << number;
  std::string out;
  return append_canonical_number(out, number, is_integer) ? out : "refused";
}

std::string ecmascript(double value) {
  std::string out;
  append_ecmascript_double(out, value);
  return out;
}

TEST(JsonNumber, IsWrittenAsRfc8785Has) {
  // RFC 8785, appendix B, but for those that are no JSON.
  EXPECT_EQ(ecmascript(0.0), "0");
  EXPECT_EQ(ecmascript(-0.0), "0");
  EXPECT_EQ(ecmascript(5e-324), "5e-324");
  EXPECT_EQ(ecmascript(-5e-324), "-5e-324");
  EXPECT_EQ(ecmascript(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(ecmascript(-1.7976931348623157e308), "-1.7976931348623157e+308");
  EXPECT_EQ(ecmascript(9007199254740992), "9007199254740992");
  EXPECT_EQ(ecmascript(-9007199254740992), "-9007199254740992");
  EXPECT_EQ(ecmascript(295147905179352830000.0), "295147905179352830000");
  EXPECT_EQ(ecmascript(9.999999999999997e22), "9.999999999999997e+22");
  EXPECT_EQ(ecmascript(1e23), "1e+23");
  EXPECT_EQ(ecmascript(1.0000000000000001e23), "1.0000000000000001e+23");
  EXPECT_EQ(ecmascript(999999999999999700000.0), "999999999999999700000");
  EXPECT_EQ(ecmascript(999999999999999900000.0), "999999999999999900000");
  EXPECT_EQ(ecmascript(1e21), "1e+21");
  EXPECT_EQ(ecmascript(9.999999999999997e-7), "9.999999999999997e-7");
  EXPECT_EQ(ecmascript(0.000001), "0.000001");
  EXPECT_EQ(ecmascript(333333333.3333332), "333333333.3333332");
  EXPECT_EQ(ecmascript(333333333.33333325), "333333333.33333325");
  EXPECT_EQ(ecmascript(333333333.3333333), "333333333.3333333");
  EXPECT_EQ(ecmascript(333333333.3333334), "333333333.3333334");
  EXPECT_EQ(ecmascript(333333333.33333343), "333333333.33333343");
  EXPECT_EQ(ecmascript(-0.0000033333333333333333), "-0.0000033333333333333333");
  EXPECT_EQ(ecmascript(1424953923781206.2), "1424953923781206.2");
}

// testdata/es_numbers.txt was made by make_es_numbers.js beside it, with Node.js 20.
TEST(JsonNumber, IsWrittenAsNodeWritesIt) {
  std::ifstream file(SPL_SOURCE_DIR "/src/codec/testdata/es_numbers.txt");
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    const std::size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos);
    EXPECT_EQ(canonical(std::string_view(line).substr(0, tab)), line.substr(tab + 1)) << line.substr(0, tab);
    ++lines;
  }
  EXPECT_GT(lines, 2000);
}

TEST(JsonNumber, OfAnyDoubleReadsBackAsTheSameDoubleAndIsStable) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = ecmascript(value);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    ASSERT_EQ(canonical(text), text);
  }
}

TEST(JsonNumber, WithoutFractionAndExponentKeepsItsDigits) {
  for (const char* text : {"0", "1", "-1", "10", "9007199254740993", "18446744073709551616", "-9223372036854775809",
                           "100000000000000000000000000000000000000000000000000000000000000000000001"})
    EXPECT_EQ(canonical(text), text);
  const std::string long_one = "7" + std::string(5000, '0') + "3";
  EXPECT_EQ(canonical(long_one), long_one);
}

TEST(JsonNumber, MinusZeroIsZeroHoweverItIsWritten) {
  for (const char* text : {"-0", "-0.0", "-0e0", "-0.000e5", "-0E-7", "0.0", "0e9999999999999999999999", "-1e-400"})
    EXPECT_EQ(canonical(text), "0") << text;
}

TEST(JsonNumber, ThatOverflowsADoubleIsRefused) {
  for (const char* text :
       {"1e400", "-1e400", "1e309", "1.7976931348623159e308", "1e99999999999999999999999999", "1E+999",
        "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977"
        "587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845"
        "817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559"
        "699508093042880177904174497792.0"})
    EXPECT_EQ(canonical(text), "refused") << text;
  EXPECT_EQ(canonical("1" + std::string(400, '0') + ".5"), "refused");
}

TEST(JsonNumber, JustBelowTheOverflowIsTheLargestDouble) {
  EXPECT_EQ(canonical("1.7976931348623158e308"), "1.7976931348623157e+308");
  EXPECT_EQ(canonical("1.79769313486231580793e308"), "1.7976931348623157e+308");
}

TEST(JsonNumber, ThatUnderflowsIsZeroOrTheSmallestDouble) {
  EXPECT_EQ(canonical("1e-400"), "0");
  EXPECT_EQ(canonical("2.4703282292062327e-324"), "0");
  EXPECT_EQ(canonical("2.4703282292062328e-324"), "5e-324");
  EXPECT_EQ(canonical("1e-99999999999999999999999"), "0");
  EXPECT_EQ(canonical("0." + std::string(5000, '0') + "1"), "0");
  EXPECT_EQ(canonical("0." + std::string(5000, '0') + "1e5001"), "1");
}

TEST(JsonNumber, DigitsFarBehindDecideAHalfWayCase) {
  EXPECT_EQ(canonical("9007199254740993.0"), "9007199254740992");
  EXPECT_EQ(canonical("9007199254740993." + std::string(3000, '0')), "9007199254740992");
  EXPECT_EQ(canonical("9007199254740993." + std::string(3000, '0') + "1"), "9007199254740994");
}

TEST(JsonNumber, ScannerTakesTheLongestNumberAndNothingElse) {
  const auto scan = [](std::string_view text) {
    bool is_integer = false;
    return scan_json_number(text, is_integer);
  };
  for (const char* text : {"", "-", "+1", ".5", "-.5", "00", "01", "-01", "1.", "1.e5", "1e", "1e+", "1E-", "NaN",
                           "Infinity", "-Infinity", "e5", " 1", "--1"})
    EXPECT_EQ(scan(text), 0u) << text;
  EXPECT_EQ(scan("0x10"), 1u);
  EXPECT_EQ(scan("12,"), 2u);
  EXPECT_EQ(scan("-0]"), 2u);
  EXPECT_EQ(scan("1.5.5"), 3u);
  EXPECT_EQ(scan("1e5e5"), 3u);
  EXPECT_EQ(scan("1_000"), 1u);
}

TEST(JsonNumber, ScannerTellsIntegersFromOthers) {
  for (const auto& [text, expected] : {std::pair("5", true), std::pair("-0", true), std::pair("5.0", false),
                                       std::pair("5e0", false), std::pair("5E0", false)}) {
    bool is_integer = !expected;
    (void)scan_json_number(text, is_integer);
    EXPECT_EQ(is_integer, expected) << text;
  }
}

}  // namespace
}  // namespace spl::codec
