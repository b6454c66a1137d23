#include "http/target.h"

#include <gtest/gtest.h>

namespace spl::http {
namespace {

using Segments = std::vector<std::string>;

Segments segments_of(std::string_view text) {
  const auto target = parse_target(text);
  EXPECT_TRUE(target) << text;
  return target ? target->segments : Segments{};
}

TEST(Target, SplitsBeforeItDecodes) {
  EXPECT_EQ(segments_of("/"), Segments({""}));
  EXPECT_EQ(segments_of("/health"), Segments({"health"}));
  EXPECT_EQ(segments_of("/v1/threads//state"), Segments({"v1", "threads", "", "state"}));
  EXPECT_EQ(segments_of("/v1/threads/a%2Fb%3f/state?x=1"), Segments({"v1", "threads", "a/b?", "state"}));
  EXPECT_EQ(segments_of("/%C3%A9+x"), Segments({"\xC3\xA9+x"}));
  EXPECT_EQ(segments_of("/\xC3\xA9"), Segments({"\xC3\xA9"}));
  EXPECT_EQ(segments_of("http://localhost:9100/health"), Segments({"health"}));
  EXPECT_EQ(segments_of("https://localhost"), Segments({""}));
}

TEST(Target, ReadsParameters) {
  const auto target = parse_target("/p?thread=a%20b+c&&since=&flag&did=did%3Akey%3Az&x=1%3D2=3");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/p");
  EXPECT_EQ(*target->parameter("thread"), "a b c");
  EXPECT_EQ(*target->parameter("since"), "");
  EXPECT_EQ(*target->parameter("flag"), "");
  EXPECT_EQ(*target->parameter("did"), "did:key:z");
  EXPECT_EQ(*target->parameter("x"), "1=2=3");
  EXPECT_EQ(target->parameter("y"), nullptr);
  EXPECT_EQ(target->query.size(), 5u);
}

TEST(Target, RefusesWhatIsNotStrict) {
  for (const char* text : {"", "health", "*", "/%", "/%4", "/%4g", "/a%", "/%ff", "/%C3", "/a#b", "/a b", "/a\tb",
                           "/a\x7f", "/p?a=1&a=2", "/p?a=%zz", "/p?%ff=1"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
}

TEST(Target, HasLimits) {
  EXPECT_TRUE(parse_target("/" + std::string(kTargetBytesMax - 1, 'a')));
  EXPECT_FALSE(parse_target("/" + std::string(kTargetBytesMax, 'a')));
  std::string path;
  for (std::size_t i = 0; i < kPathSegmentsMax; ++i) path += "/a";
  EXPECT_TRUE(parse_target(path));
  EXPECT_FALSE(parse_target(path + "/a"));
  std::string query = "/p?";
  for (std::size_t i = 0; i < kQueryParametersMax; ++i) query += "a" + std::to_string(i) + "=1&";
  EXPECT_TRUE(parse_target(query));
  EXPECT_FALSE(parse_target(query + "b=1"));
}

TEST(Target, EncodesSoThatItDecodesToTheSame) {
  std::string text;
  for (int c = 1; c < 128; ++c) text.push_back(static_cast<char>(c));
  text += "\xC3\xA9";
  const auto target = parse_target("/" + percent_encode(text) + "?q=" + percent_encode(text));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments[0], text);
  EXPECT_EQ(*target->parameter("q"), text);
}

}  // namespace
}  // namespace spl::http
