#include "federation/documents.h"

#include <gtest/gtest.h>

#include "testing/fake_clock.h"
#include "testing/sim_file_system.h"

namespace spl::federation {
namespace {

class DocumentsTest : public ::testing::Test {
 protected:
  env::Env env() { return {fs_, clock_, random_, log_}; }
  Manifest manifest() {
    Manifest made;
    made.did = identity_.did;
    made.base_url = "https://a.example.org";
    made.pair_endpoint = "https://a.example.org/v1/federation/pair";
    made.sync_change_endpoint = "https://a.example.org/v1/sync/changes";
    made.issued_at = env::rfc3339(clock_.now());
    made.expires_at = env::rfc3339(clock_.now() + kManifestLifetime);
    return made;
  }
  Announcement announcement() {
    Announcement made;
    made.did = identity_.did;
    made.base_url = "https://a.example.org";
    made.sequence = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(clock_.now().time_since_epoch()).count());
    made.incarnation = std::string(32, 'a');
    made.issued_at = env::rfc3339(clock_.now());
    return made;
  }
  template <class T>
  std::string signed_text(const T& document) {
    return sign_document(codec::shape_json(document), identity_);
  }

  testing::SimFileSystem fs_;
  testing::FakeClock clock_;
  testing::SeededRandom random_{1};
  testing::MemoryLog log_;
  substrate::Identity identity_ = substrate::generate_identity(env()).value();
};

TEST_F(DocumentsTest, AManifestIsBelievedForSevenDays) {
  const std::string text = signed_text(manifest());
  const auto read = verified_manifest(text, clock_.now());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->did, identity_.did);
  EXPECT_TRUE(verified_manifest(text, clock_.now() + kManifestLifetime));
  EXPECT_FALSE(verified_manifest(text, clock_.now() + kManifestLifetime + std::chrono::hours(1)));
  EXPECT_FALSE(verified_manifest(text, clock_.now() - std::chrono::hours(1)));
}

TEST_F(DocumentsTest, AManifestThatIsNotToBeBelievedIsRefused) {
  const auto good = [this](const auto& change) {
    Manifest made = manifest();
    change(made);
    return verified_manifest(signed_text(made), clock_.now()).has_value();
  };
  EXPECT_TRUE(good([](Manifest&) {}));
  EXPECT_TRUE(good([](Manifest& m) { m.base_url = "http://127.0.0.1:9100"; }));
  EXPECT_FALSE(good([](Manifest& m) { m.base_url = "http://a.example.org"; }));
  EXPECT_FALSE(good([](Manifest& m) { m.base_url = "https://a.example.org/path"; }));
  EXPECT_FALSE(good([](Manifest& m) { m.kind = "syncropel.announcement.v1"; }));
  EXPECT_FALSE(good([](Manifest& m) { m.did = "did:web:a.example.org"; }));
  EXPECT_FALSE(good([](Manifest& m) { m.expires_at = "2099-01-01T00:00:00Z"; }));
  EXPECT_FALSE(good([](Manifest& m) { m.issued_at = "yesterday"; }));
}

TEST_F(DocumentsTest, EachChangedCharacterIsNoticed) {
  const std::string text = signed_text(announcement());
  ASSERT_TRUE(verified_announcement(text, clock_.now()));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(verified_announcement(changed, clock_.now())) << changed;
  }
  EXPECT_FALSE(verified_announcement("", clock_.now()));
  EXPECT_FALSE(verified_announcement("[]", clock_.now()));
  EXPECT_FALSE(verified_announcement(std::string(kDocumentBytesMax + 1, ' '), clock_.now()));
}

TEST_F(DocumentsTest, MembersThatAreNotKnownAreSignedToo) {
  codec::Json document = codec::shape_json(announcement());
  document.add("more", codec::Json::Object{{"b", 1}, {"a", "x"}});
  const std::string text = sign_document(document, identity_);
  ASSERT_TRUE(verified_announcement(text, clock_.now()));
  std::string changed = text;
  changed.replace(changed.find("\"b\":1"), 5, "\"b\":2");
  EXPECT_FALSE(verified_announcement(changed, clock_.now()));
}

TEST_F(DocumentsTest, ASequenceMoreThanADayAheadIsRefused) {
  Announcement made = announcement();
  made.sequence += static_cast<std::uint64_t>(std::chrono::milliseconds(kSequenceAheadMax).count());
  EXPECT_TRUE(verified_announcement(signed_text(made), clock_.now()));
  ++made.sequence;
  EXPECT_FALSE(verified_announcement(signed_text(made), clock_.now()));
  made = announcement();
  made.incarnation = "A" + std::string(31, 'a');
  EXPECT_FALSE(verified_announcement(signed_text(made), clock_.now()));
}

}  // namespace
}  // namespace spl::federation
