#include "federation/page.h"

#include <gtest/gtest.h>

#include "record/record.h"
#include "substrate/identity.h"
#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"

namespace spl::federation {
namespace {

constexpr std::string_view kPeer = "did:key:peer";

Record record_of(const std::string& actor, const std::string& thread = "th_x", const std::string& body = "{}") {
  return record::parse_record(R"({"act":"DO","actor":")" + actor + R"(","body":)" + body +
                              R"(,"clock":3,"data_type":"SCALAR","parents":[],"thread":")" + thread + "\"}")
      .value();
}

std::string element_of(const Record& record) {
  std::string text;
  std::optional<std::string_view> sig;
  if (record.sig) sig = record.sig->view();
  record::append_element(text, record.id, record.canonical, record.judged_by, sig);
  return text;
}

std::string page_of(const std::string& elements, const std::string& rest = R"(,"next_cursor":"c","has_more":false)") {
  return "{\"records\":[" + elements + "]" + rest + "}";
}

Element checked(const std::string& text) {
  return check_element(text, std::string(kPeer));
}

class PageTest : public ::testing::Test {
 protected:
  testing::SimFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_{1};
  testing::MemoryLog log_;
  substrate::Identity identity_ = substrate::generate_identity({fs_, clock_, random_, log_}).value();
};

TEST_F(PageTest, APageHasItsElements) {
  const std::string one = element_of(record_of("did:web:a"));
  const std::string two =
      "{ \"record\" : " + record_of("did:web:b").canonical + ", \"id\" : \"" + record_of("did:web:b").id.hex() + "\" }";
  const std::string text = page_of(one + " , " + two + "," + one);
  const auto page = parse_page(text, 3);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->elements.size(), 3U);
  EXPECT_EQ(page->next_cursor, "c");
  EXPECT_FALSE(page->has_more);
  EXPECT_EQ(checked(std::string(page->elements[0])).record->actor, "did:web:a");
  EXPECT_EQ(checked(std::string(page->elements[1])).record->actor, "did:web:b");
  EXPECT_FALSE(parse_page(text, 2)) << "more than were asked for";
}

// Short enough to stand within a std::string itself, which moves with it.
TEST_F(PageTest, AShortElementThatIsNotInCanonicalFormStaysWhereItIs) {
  const auto page = parse_page(page_of("[ ]"), 1);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_EQ(page->elements.size(), 1U);
  EXPECT_EQ(page->elements[0], "[]");
  EXPECT_EQ(page->elements[0].data(), page->remade->data());
  EXPECT_FALSE(checked(std::string(page->elements[0])).record);
}

TEST_F(PageTest, WhatIsNoPageIsRefused) {
  ASSERT_TRUE(parse_page(page_of(""), 1));
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), page_of("", ""), page_of("", R"(,"has_more":false)"),
        page_of("", R"(,"next_cursor":"","has_more":false)"), page_of("", R"(,"next_cursor":3)"),
        page_of("", R"(,"next_cursor":"c","has_more":"no")"), page_of("", R"(,"next_cursor":"c","more":true)"),
        page_of("", R"(,"next_cursor":"c","next_cursor":"d")"), page_of("", R"(,"next_cursor":"c","records":[])"),
        page_of("{", R"(,"next_cursor":"c")"), page_of("") + "x",
        page_of("", ",\"next_cursor\":\"" + std::string(300, 'c') + "\"")}) {
    const auto page = parse_page(text, 10);
    ASSERT_FALSE(page) << text;
    EXPECT_EQ(page.error().cause, Cause::kPeerMisbehaves) << text;
  }
}

TEST_F(PageTest, ARecordIsTakenWithItsRightIdAndSignatureAlone) {
  Record record = record_of(identity_.did);
  EXPECT_TRUE(checked(element_of(record)).record) << "unsigned ones are";
  record.sig = identity_.key.sign(record.canonical);
  EXPECT_TRUE(checked(element_of(record)).record);
  record.sig->octets[0] ^= 1;
  EXPECT_EQ(checked(element_of(record)).refusal, "a wrong signature");
  std::string other = element_of(record_of("did:web:a"));
  other.replace(other.find("\"clock\":3"), 9, "\"clock\":4");
  EXPECT_FALSE(checked(other).record);
  EXPECT_FALSE(checked(other).refusal.empty());
  EXPECT_FALSE(checked(record_of("did:web:a").canonical).record) << "without its id";
  for (const char* text : {"", "1", "{}", "[]", "{\"id\":\"x\",\"record\":{}}", "null"})
    EXPECT_FALSE(checked(text).refusal.empty()) << text;
}

TEST_F(PageTest, ReservedThreadsAreRefused) {
  for (const char* thread : {"th_consent", "th_federation_pairs", "th_service_accounts"})
    EXPECT_EQ(checked(element_of(record_of("did:web:a", thread))).refusal, "a record of a reserved thread") << thread;
}

TEST_F(PageTest, ARedactedRecordIsKnownAndIsNone) {
  const Record whole = record_of("did:web:a", "th_x", R"({"text":"secret"})");
  const Record rest = record_of("did:web:a", "th_x", R"({"redacted":true})");
  const auto element = [&](const std::string& more = "") {
    return "{\"id\":\"" + whole.id.hex() + "\",\"record\":" + rest.canonical + more + "}";
  };
  const Element redacted = checked(element());
  ASSERT_TRUE(redacted.redacted);
  EXPECT_FALSE(redacted.record);
  EXPECT_EQ(redacted.redacted->id, whole.id);
  EXPECT_EQ(redacted.redacted->thread, "th_x");
  EXPECT_EQ(redacted.redacted->clock, 3U);
  EXPECT_EQ(redacted.redacted->peer, kPeer);
  EXPECT_FALSE(checked(element(",\"sig\":\"AAAA\"")).refusal.empty());
  EXPECT_TRUE(checked(element_of(rest)).record) << "one whose body really is so is a record";
  const Record reserved = record_of("did:web:a", "th_consent", R"({"redacted":true})");
  EXPECT_FALSE(checked("{\"id\":\"" + whole.id.hex() + "\",\"record\":" + reserved.canonical + "}").redacted);
}

}  // namespace
}  // namespace spl::federation
