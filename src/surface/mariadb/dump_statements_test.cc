#include "surface/mariadb/dump_statements.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace spl::surface {
namespace {

// Gives a few octets at a time, so that every boundary is met.
class SlowSource final : public Source {
 public:
  SlowSource(std::string_view text, std::size_t piece) : rest_(text), piece_(piece) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = std::min({piece_, out.size(), rest_.size()});
    rest_.copy(out.data(), n);
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
  std::size_t piece_;
};

std::vector<std::string> cut(std::string_view dump, bool has_plain_backslashes = false, std::size_t piece = 1u << 20) {
  SlowSource source(dump, piece);
  DumpStatements statements(source);
  std::vector<std::string> found;
  std::string statement;
  for (;;) {
    const auto more = statements.next(statement, has_plain_backslashes);
    if (!more) {
      EXPECT_EQ(more.error().code, ErrorCode::kVerification);
      found.push_back("error: " + more.error().message);
      return found;
    }
    if (!*more) return found;
    found.push_back(statement);
  }
}

using Texts = std::vector<std::string>;

TEST(DumpStatements, AreCutWhereTheyEnd) {
  EXPECT_EQ(cut("SELECT 1;\n SELECT 'a;b', \"c;d\", `e;f`;SELECT '\\';', ''';' ;"),
            (Texts{"SELECT 1", "SELECT 'a;b', \"c;d\", `e;f`", "SELECT '\\';', ''';' "}));
  EXPECT_EQ(cut("SELECT `a\\`;SELECT 1;"), (Texts{"SELECT `a\\`", "SELECT 1"}));
  EXPECT_EQ(cut("SELECT 'a\\';SELECT 1;", true), (Texts{"SELECT 'a\\'", "SELECT 1"}));
  EXPECT_EQ(cut(";;\n;"), Texts{});
}

TEST(DumpStatements, CommentsEndNone) {
  EXPECT_EQ(cut("-- a; b\n# c;\nSELECT 1 -- ; it's\n, 2 /* ; ' */ # ;\n;--\nSELECT 3--1;"),
            (Texts{"SELECT 1 -- ; it's\n, 2 /* ; ' */ # ;\n", "SELECT 3--1"}));
  EXPECT_EQ(cut("/* only; */\n-- end"), Texts{});
  EXPECT_EQ(cut("/*!40101 SET @a = ';' */;\n/*M!999999\\- enable the sandbox mode */ \nSELECT 2;"),
            (Texts{"/*!40101 SET @a = ';' */", "/*M!999999\\- enable the sandbox mode */ \nSELECT 2"}));
}

TEST(DumpStatements, DelimiterIsTheOnlyCommand) {
  EXPECT_EQ(cut("DELIMITER ;;\nBEGIN; SELECT ';;'; END ;;\n/* c */ delimiter ;\nSELECT 1;DELIMITER $$\nA;B$$\n"),
            (Texts{"BEGIN; SELECT ';;'; END ", "SELECT 1", "A;B"}));
  EXPECT_EQ(cut("\\! sh\n;\nsystem id;\nsource /etc/passwd;"), (Texts{"\\! sh\n", "system id", "source /etc/passwd"}));
  EXPECT_EQ(cut("SELECT\nDELIMITER;"), Texts{"SELECT\nDELIMITER"});
}

TEST(DumpStatements, ADumpThatEndsTooEarlyIsNone) {
  EXPECT_EQ(cut("SELECT 1;\n\nSELECT 'a"), (Texts{"SELECT 1", "error: the dump ends within the statement of line 3"}));
  EXPECT_EQ(cut("SELECT 1"), Texts{"error: the dump ends within the statement of line 1"});
}

TEST(DumpStatements, AreTheSameWhateverComesAtATime) {
  const std::string dump =
      "/*M!999999\\- enable the sandbox mode */ \n-- x\nSELECT 'a\\'b\\\\', \"\\\"\", `x``y`;\nDELIMITER ;;\nCREATE "
      "PROCEDURE p() BEGIN /* ;; */ SELECT 1; -- ;;\nEND ;;\nDELIMITER ;\nINSERT INTO t VALUES ('";
  const std::string whole = dump + std::string(1000, 'x') + "');\n";
  const Texts expected = cut(whole);
  EXPECT_EQ(expected.size(), 3U);
  for (std::size_t piece = 1; piece < 40; ++piece) EXPECT_EQ(cut(whole, false, piece), expected) << piece;
}

TEST(DumpStatements, ACharacterOfTwoOctetsIsOne) {
  const std::string dump = "SELECT '\x95\x5c', `\x83\x60`, \x83\x60 ; SELECT '\xb1';";
  for (std::size_t piece = 1; piece < 30; ++piece) {
    SlowSource source(dump, piece);
    DumpStatements statements(source);
    std::string statement;
    EXPECT_TRUE(*statements.next(statement, false, "sjis"));
    EXPECT_EQ(statement, "SELECT '\x95\x5c', `\x83\x60`, \x83\x60 ") << piece;
    EXPECT_TRUE(*statements.next(statement, false, "sjis"));
    EXPECT_EQ(statement, "SELECT '\xb1'");
    EXPECT_FALSE(*statements.next(statement, false, "sjis"));
  }
}

}  // namespace
}  // namespace spl::surface
