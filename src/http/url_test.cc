#include "http/url.h"

#include <gtest/gtest.h>

namespace spl::http {
namespace {

TEST(UrlTest, HasOneForm) {
  const auto text = [](std::string_view url) { return Url::parse(url).value().text(); };
  EXPECT_EQ(text("https://Peer.Example.ORG"), "https://peer.example.org");
  EXPECT_EQ(text("HTTPS://peer.example.org:443/"), "https://peer.example.org");
  EXPECT_EQ(text("https://peer.example.org:9100/"), "https://peer.example.org:9100");
  EXPECT_EQ(text("http://127.0.0.1:9100"), "http://127.0.0.1:9100");
  EXPECT_EQ(text("http://[::1]:80"), "http://[::1]");
  EXPECT_EQ(Url::parse("https://[2001:DB8::1]:9100").value().authority(), "[2001:db8::1]:9100");
  EXPECT_EQ(Url::parse("https://h").value().authority(), "h:443");
}

TEST(UrlTest, KnowsLoopback) {
  for (const char* url : {"http://localhost", "http://127.0.0.1:1", "http://127.8.9.1", "http://[::1]:2"})
    EXPECT_TRUE(Url::parse(url).value().is_loopback()) << url;
  for (const char* url : {"http://10.0.0.1", "http://127.example.org", "http://[::2]", "http://localhost.example"})
    EXPECT_FALSE(Url::parse(url).value().is_loopback()) << url;
}

TEST(UrlTest, WhatIsNoAddressIsRefused) {
  for (const char* url : {"",
                          "peer",
                          "ftp://peer",
                          "https://",
                          "https:///",
                          "https://a b",
                          "https://a/b",
                          "https://a?b",
                          "https://a#b",
                          "https://u@a",
                          "https://a:",
                          "https://a:0",
                          "https://a:65536",
                          "https://a:9x",
                          "https://a:-1",
                          "https://[::1",
                          "https://[a]",
                          "https://[127.0.0.1]",
                          "https://a//",
                          "https://\xc3\xa9",
                          "https://a\r\nb"}) {
    const auto parsed = Url::parse(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
  }
  EXPECT_FALSE(Url::parse("https://" + std::string(600, 'a')));
}

}  // namespace
}  // namespace spl::http
