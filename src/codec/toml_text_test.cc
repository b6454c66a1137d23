#include "codec/toml_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace spl::codec {
namespace {

TEST(TomlText, IsATableWhoseNodesKnowTheirLines) {
  const auto table = parse_toml("# first\na = [1, 2]\n[b]\nc.d = \"x\"\n");
  ASSERT_TRUE(table) << table.error().why;
  EXPECT_EQ(table->get("a")->as_array()->size(), 2u);
  EXPECT_EQ(table->at_path("b.c.d").value<std::string>(), "x");
  EXPECT_EQ(table->at_path("b.c.d").node()->source().begin.line, 4u);
}

TEST(TomlText, ThatIsBrokenIsAnErrorOfItsLine) {
  const std::vector<std::pair<std::string, std::uint64_t>> broken = {{"[", 1},
                                                                     {"[[", 1},
                                                                     {"[.a]", 1},
                                                                     {"[a.", 1},
                                                                     {"a", 1},
                                                                     {"\n\n[", 3},
                                                                     {"a = 1\n[", 2},
                                                                     {"[[a]\n", 1},
                                                                     {"a = [1,", 1},
                                                                     {"a = {", 1},
                                                                     {"a = \"", 1},
                                                                     {"a = 1\na = 2\n", 2},
                                                                     {"a = '''\n", 1},
                                                                     {"= 1", 1},
                                                                     {"a = 1979-99-99", 1},
                                                                     {"\xff", 1},
                                                                     {"a = .5", 1},
                                                                     {"\na.b.\n", 2},
                                                                     {"a = 1\n[.a]\nb = 1\n\n\nc = 2", 2}};
  for (const auto& [text, line] : broken) {
    const auto table = parse_toml(text);
    ASSERT_FALSE(table) << text;
    EXPECT_FALSE(table.error().why.empty()) << text;
    EXPECT_GE(table.error().line, line) << text << table.error().why;
    EXPECT_LE(table.error().line, line + 1) << text << table.error().why;
  }
}

TEST(TomlText, HasLettersThatAreNotAsciiInStringsAndCommentsOnly) {
  const auto table = parse_toml("# \u00e9\na = \"\"\"\\\n  \u00e9\u019e\\\n\n \u00e9\"\"\"\n'\u00e9' = 1\n");
  ASSERT_TRUE(table) << table.error().why;
  EXPECT_EQ(table->get("a")->value<std::string>(), "\u00e9\u019e\u00e9");
  for (const char* letter : {"\u00a1", "\u00e9", "\u019e", "\u0499", "\u20ac", "\U0001F600"}) {
    for (const std::string& text :
         {std::string(letter), std::string("a = 1 ") + letter, std::string("a") + letter + " = 1",
          std::string("a = ") + letter, std::string("[") + letter + "]"})
      EXPECT_FALSE(parse_toml(text)) << text;
  }
}

TEST(TomlText, DoesNotNestWithoutEnd) {
  const auto repeated = [](const std::string& piece, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += piece;
    return text;
  };
  constexpr std::size_t kMany = 100'000;
  EXPECT_TRUE(parse_toml(repeated("a.", kTomlKeyPartsMax - 1) + "a = 'with.many.dots." + repeated(".", kMany) + "'"));
  for (const std::string& text :
       {repeated("a.", kMany) + "a = 1", "[" + repeated("a.", kMany) + "a]", "[[" + repeated("'a' . ", kMany) + "a]]",
        "x = {" + repeated("\"a\".", kMany) + "a = 1}", "x = " + repeated("[", kMany),
        "x = " + repeated("{a=", kMany)}) {
    const auto table = parse_toml("\n" + text);
    ASSERT_FALSE(table);
    EXPECT_EQ(table.error().line, 2u) << table.error().why;
  }
}

}  // namespace
}  // namespace spl::codec
