#include "surface/postgres/engine_text.h"

#include <gtest/gtest.h>

namespace spl::surface {
namespace {

EngineFacts sample() {
  return {.server = "15.18",
          .program = "15.18",
          .encoding = "UTF8",
          .locale = {.collation = "C.UTF-8", .character_type = "C.UTF-8"},
          .extensions = {{"citext", "1.6", "public"}, {"hstore", "1.8", "a, \"b\" ü"}}};
}

TEST(EngineText, SaysWhatADatabaseMustBeLike) {
  const EngineFacts facts = sample();
  EXPECT_EQ(engine_text(facts),
            "postgresql 15.18 program 15.18 encoding UTF8 collate C.UTF-8 ctype C.UTF-8 extensions citext 1.6 public, "
            "hstore 1.8 a%2C%20%22b%22%20%C3%BC");
  EXPECT_EQ(parse_engine_text(engine_text(facts)), facts);
  EngineFacts odd = facts;
  odd.locale.collation = "";
  odd.locale.character_type = "tr_TR.UTF-8; postgresql 99";
  odd.locale.provider = LocaleFacts::kIcu;
  odd.locale.name = "sv-SE-u-co-standard";
  odd.extensions.clear();
  EXPECT_EQ(parse_engine_text(engine_text(odd)), odd);
}

TEST(EngineText, OfSeveralPartsIsTheirUnion) {
  EngineFacts other = sample();
  other.server = "16.2";
  other.encoding = "LATIN1";
  other.extensions = {{"citext", "1.6", "public"}, {"ltree", "1.2", "public"}};
  const EngineFacts both = parse_engine_text(engine_text(sample()) + "; " + engine_text(other));
  EXPECT_EQ(both.server, "16.2");
  EXPECT_EQ(both.encoding + both.locale.collation, "");
  ASSERT_EQ(both.extensions.size(), 3U);
  EXPECT_EQ(both.extensions[2].name, "ltree");
}

TEST(EngineText, ThatIsHostileSaysNoMoreThanAVersion) {
  for (const char* text : {"postgresql 15.18 encoding",
                           "postgresql 15.18 encoding  UTF8",
                           "postgresql 15.18 encoding a'b",
                           "postgresql 15.18 encoding %4",
                           "postgresql 15.18 encoding %00",
                           "postgresql 15.18 encoding %4g",
                           "postgresql 15.18 encoding %C",
                           "postgresql 15.18 ENCODING UTF8",
                           "postgresql 15.18 ",
                           "postgresql 15.18 ctype C encoding UTF8",
                           "postgresql 15.18 extensions",
                           "postgresql 15.18 extensions a 1",
                           "postgresql 15.18 extensions a 1 b,",
                           "postgresql 15.18 extensions a 1 b, ",
                           "postgresql 15.18 extensions a 1 b,c 1 d",
                           "postgresql 15.18 extensions a 1 b c",
                           "postgresql 15.18 encoding UTF8 encoding UTF8",
                           "postgresql 15.18 encoding UTF8\n",
                           "postgresql 15.18 encoding UTF8;",
                           "PostgreSQL 15.18"}) {
    const EngineFacts facts = parse_engine_text(text);
    EXPECT_EQ(facts.server.substr(0, 2), "15") << text;
    EXPECT_EQ(facts, EngineFacts{.server = facts.server}) << text;
  }
  EXPECT_EQ(parse_engine_text("postgresql 15.18"), EngineFacts{.server = "15.18"});
  EXPECT_EQ(parse_engine_text(""), EngineFacts());
  EXPECT_EQ(parse_engine_text(std::string(1 << 20, 'x')).encoding, "");
  EXPECT_EQ(parse_engine_text("postgresql 15.18 encoding " + std::string(300, 'x')).encoding, "");
}

}  // namespace
}  // namespace spl::surface
