// Seeded random JSON against a model of the canonical form, written in every way that JSON allows, and broken.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "base/utf8.h"
#include "codec/json_cursor.h"
#include "codec/json_test_util.h"

namespace spl::codec {
namespace {

struct Value {
  enum Kind { kWord, kNumber, kText, kArray, kObject } kind = kWord;
  std::string text;  // a word, a number's canonical form, or a decoded string
  std::vector<Value> elements;
  std::map<std::string, Value> members;  // std::string compares as memcmp does
};

class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  std::string text() {
    static constexpr std::uint32_t kPoints[] = {
        0,    1,    8,    9,     10,    0x1F,   0x20,   '"',    '\\',   '/',    'a',     'b',     'A',
        0x7F, 0x80, 0xE9, 0x7FF, 0x800, 0x2028, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF};
    std::string out;
    for (std::size_t n = below(below(4) == 0 ? 30 : 5); n > 0; --n)
      base::append_utf8(out, kPoints[below(std::size(kPoints))]);
    return out;
  }

  Value value(int depth) {
    Value v;
    switch (below(depth > 0 ? 7 : 4)) {
      case 0:
        v.text = std::vector<std::string>{"null", "true", "false"}[below(3)];
        break;
      case 1:
        v.kind = Value::kNumber;
        v.text = std::vector<std::string>{"0",
                                          "-1",
                                          "100",
                                          "1e+21",
                                          "1e-7",
                                          "5e-324",
                                          "9007199254740993",
                                          "0.000001",
                                          "1.5",
                                          "-1.7976931348623157e+308",
                                          "123456789012345678901234567890"}[below(11)];
        break;
      case 4:
        v.kind = Value::kArray;
        for (std::size_t n = below(5); n > 0; --n) v.elements.push_back(value(depth - 1));
        break;
      case 5:
      case 6:
        v.kind = Value::kObject;
        for (std::size_t n = below(7); n > 0; --n) v.members.emplace(text(), value(depth - 1));
        break;
      default:
        v.kind = Value::kText;
        v.text = text();
    }
    return v;
  }

  // Any of the ways in which JSON can say `v`.
  std::string messy(const Value& v) {
    std::string out = space();
    switch (v.kind) {
      case Value::kWord:
        out += v.text;
        break;
      case Value::kNumber:
        out += messy_number(v.text);
        break;
      case Value::kText:
        out += messy_string(v.text);
        break;
      case Value::kArray:
        out += "[";
        for (std::size_t i = 0; i < v.elements.size(); ++i) out += (i > 0 ? "," : "") + messy(v.elements[i]);
        out += space() + "]";
        break;
      case Value::kObject: {
        std::vector<const std::pair<const std::string, Value>*> members;
        for (const auto& member : v.members) members.push_back(&member);
        std::shuffle(members.begin(), members.end(), random_);
        out += "{";
        for (std::size_t i = 0; i < members.size(); ++i)
          out += (i > 0 ? "," : "") + space() + messy_string(members[i]->first) + space() + ":" +
                 messy(members[i]->second);
        out += space() + "}";
      }
    }
    return out + space();
  }

 private:
  std::string space() {
    std::string out;
    for (std::size_t n = below(3) == 0 ? below(4) : 0; n > 0; --n) out += " \t\r\n"[below(4)];
    return out;
  }
  std::string messy_number(const std::string& canonical_form) {
    if (canonical_form == "0") return std::vector<std::string>{"0", "-0", "0.0", "-0e5", "1e-400"}[below(5)];
    if (canonical_form == "100") return std::vector<std::string>{"100", "1e2", "100.0", "0.1E+3"}[below(4)];
    if (canonical_form == "1.5") return std::vector<std::string>{"1.5", "1.50", "15e-1"}[below(3)];
    return canonical_form;
  }
  std::string messy_string(std::string_view decoded) {
    std::string out = "\"";
    while (!decoded.empty()) {
      std::uint32_t c = 0;
      const std::size_t length = base::decode_utf8(decoded, c);
      const std::string_view octets = decoded.substr(0, length);
      decoded.remove_prefix(length);
      if (below(3) == 0) {
        if (c >= 0x10000) {
          unit(out, 0xD800 + ((c - 0x10000) >> 10));
          unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
        } else {
          unit(out, c);
        }
      } else if (c == '/' && below(2) == 0) {
        out += "\\/";
      } else {
        std::string quoted;
        base::append_json_string(quoted, octets);
        out.append(quoted, 1, quoted.size() - 2);
      }
    }
    return out + "\"";
  }
  void unit(std::string& out, std::uint32_t u) {
    char escape[8];
    std::snprintf(escape, sizeof escape, below(2) == 0 ? "\\u%04x" : "\\u%04X", u);
    out += escape;
  }

  std::mt19937_64 random_;
};

// The canonical form by the rules' own words, without the parser.
std::string model(const Value& v) {
  std::string out;
  switch (v.kind) {
    case Value::kWord:
    case Value::kNumber:
      return v.text;
    case Value::kText:
      base::append_json_string(out, v.text);
      return out;
    case Value::kArray:
      for (const Value& element : v.elements) out += (out.empty() ? "" : ",") + model(element);
      return "[" + out + "]";
    case Value::kObject:
      for (const auto& [name, value] : v.members) {
        if (!out.empty()) out += ",";
        base::append_json_string(out, name);
        out += ":" + model(value);
      }
  }
  return "{" + out + "}";
}

TEST(CanonicalJson, OfARandomValueDoesNotDependOnHowItIsWritten) {
  Maker maker(20261121);
  for (int i = 0; i < 3000; ++i) {
    const Value value = maker.value(5);
    const std::string expected = model(value);
    ASSERT_EQ(canonical(expected), expected);
    for (int k = 0; k < 3; ++k) {
      const std::string written = maker.messy(value);
      ASSERT_EQ(canonical(written), expected) << written;
    }
  }
}

// A text after a space is never skipped as it is: what comes of it is the long way's answer.
TEST(CanonicalJson, TheShortWayAndTheLongWayAgree) {
  Maker maker(11);
  int short_ways = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string text = model(maker.value(4));
    if (maker.below(3) != 0) {
      const std::size_t at = maker.below(text.size());
      if (maker.below(2) == 0) {
        text[at] = "{}[],:\"\\u0d8-.eE"[maker.below(16)];
      } else {
        text.erase(at, 1);
      }
    }
    const std::string long_way = canonical(" " + text);
    JsonCursor cursor(text);
    std::string_view value;
    const bool skipped = cursor.skip_canonical(value) && cursor.end().has_value();
    short_ways += skipped ? 1 : 0;
    ASSERT_EQ(canonical(text).starts_with("refused"), long_way.starts_with("refused")) << text;
    if (skipped) {
      ASSERT_EQ(value, long_way);
      ASSERT_EQ(value, text);
    }
  }
  EXPECT_GT(short_ways, 10'000);
}

TEST(CanonicalJson, EveryTruncationOfAnObjectIsRefused) {
  Maker maker(7);
  for (int i = 0; i < 150; ++i) {
    Value value;
    value.kind = Value::kObject;
    for (int k = 0; k < 4; ++k) value.members.emplace(maker.text(), maker.value(3));
    const std::string text = maker.messy(value);
    const std::size_t end = text.rfind('}');
    for (std::size_t n = 0; n <= end; ++n) ASSERT_TRUE(refused(text.substr(0, n))) << text.substr(0, n);
  }
}

TEST(CanonicalJson, ChangedTextsAreRefusedOrStable) {
  Maker maker(8);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = maker.messy(maker.value(3));
    for (std::size_t n = 1 + maker.below(3); n > 0; --n) {
      const std::size_t at = maker.below(text.size() + 1);
      switch (maker.below(3)) {
        case 0:
          text.insert(at, 1, static_cast<char>(maker.below(256)));
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          if (at < text.size()) text[at] = "{}[],:\"\\u0d8-.eE"[maker.below(16)];
      }
    }
    const std::string once = canonical(text);
    if (once.starts_with("refused")) continue;
    ASSERT_EQ(canonical(once), once) << text;
    ASSERT_TRUE(base::is_utf8(once));
  }
}

TEST(JsonCursor, WalkTakesAndRefusesTheSameTextsAsCanonical) {
  Maker maker(9);
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = maker.messy(maker.value(3));
    if (maker.below(2) == 0) {
      const std::size_t at = maker.below(text.size());
      if (maker.below(2) == 0) {
        text[at] = "{}[],:\"\\u0d8-.eE"[maker.below(16)];
      } else {
        text.erase(at, 1);
      }
    }
    const std::string said = canonical(text);
    // A number that is too large and a repeated name are canonical()'s own affair.
    if (said.find("stands twice") != std::string::npos || said.find("too large") != std::string::npos) continue;
    JsonCursor cursor(text);
    bool walked = walk(cursor).has_value();
    walked = walked && cursor.end().has_value();
    ASSERT_EQ(walked, !said.starts_with("refused")) << text;
    taken += walked ? 1 : 0;
  }
  EXPECT_GT(taken, 5000);
}

TEST(JsonCursor, DecodingUndoesQuoting) {
  Maker maker(10);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = maker.text();
    std::string quoted;
    base::append_json_string(quoted, text);
    ASSERT_EQ(decode_json_string(quoted).value(), text);
    ASSERT_EQ(JsonCursor(quoted).string().value(), text);
  }
}

}  // namespace
}  // namespace spl::codec
