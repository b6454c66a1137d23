// What instances without a pair can do to one that serves: ask, and be refused; not fill its store, its lists, or the
// room of those that have a pair.
#include <gtest/gtest.h>

#include "api/routes.h"
#include "api/server_test_util.h"
#include "federation/contact.h"
#include "federation/documents.h"
#include "federation/pairing.h"
#include "federation/peer_notes.h"
#include "federation/retirement.h"
#include "federation/seal.h"
#include "federation/whereabouts.h"
#include "instance/move.h"
#include "substrate/identity.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::api {
namespace {

using codec::Json;
using federation::Announcement;
using federation::Request;
using substrate::Identity;

class StrangersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.instance().generate_identity());
    did_ = daemon_.instance().did().value();
  }

  Identity somebody() { return substrate::generate_identity(daemon_.env()).value(); }
  RawAnswer asked(const Request& request, const Identity& signer) {
    std::string fields;
    for (const auto& [name, value] : federation::seal_request(request, signer, did_, daemon_.env()).fields)
      fields.append(name).append(": ").append(value).append("\r\n");
    return daemon_.tcp().ask(request.method, request.target, request.content, fields).value_or(RawAnswer());
  }
  RawAnswer asks_for_pair(const Identity& signer) {
    return asked({"POST", std::string(federation::kPairPath), R"({"namespaces":["default"]})"}, signer);
  }
  void pair_with(const Identity& peer) {
    ASSERT_EQ(asks_for_pair(peer).status, 202);
    const auto waiting = federation::list_requests(daemon_.instance()).value();
    for (const auto& request : waiting) {
      if (request.peer_did != peer.did) continue;
      ASSERT_TRUE(federation::approve_request(daemon_.instance(), request.id));
    }
  }
  std::string announcement(const Identity& signer, std::uint64_t sequence, char incarnation = 'a') {
    Announcement said{.did = signer.did,
                      .base_url = "https://peer.example.org",
                      .sequence = sequence,
                      .incarnation = std::string(32, incarnation),
                      .issued_at = env::rfc3339(daemon_.env().clock.now())};
    return federation::sign_document(codec::shape_json(said), signer);
  }
  RawAnswer tells(const Identity& signer, std::string_view member, const std::string& text) {
    const Json body = Json::Object{{std::string(member), text}};
    return asked({"POST", std::string(federation::kAnnouncePath), body.text()}, signer);
  }
  std::string directory_entry(const std::string& did) {
    const auto answer = daemon_.tcp().ask("GET", "/v1/directory/" + did);
    return answer && answer->status == 200 ? answer->body : "";
  }
  void write(const std::function<void(store::StoreWriter&)>& change) {
    auto writer = daemon_.instance().store().writer().value();
    change(*writer);
    ASSERT_TRUE(writer->commit());
  }
  void fill_directory() {
    write([this](store::StoreWriter& writer) {
      for (std::size_t i = 0; i < federation::kAnnouncementsMax; ++i) {
        const Announcement said{.did = "did:key:z" + std::to_string(i),
                                .base_url = "https://peer.example.org",
                                .sequence = 1,
                                .incarnation = std::string(32, 'a'),
                                .issued_at = "2030-01-01T00:00:00Z"};
        ASSERT_TRUE(federation::take_announcement(writer, said, "{}", {.from_itself = true, .own_did = did_}));
      }
    });
  }

  testing::TempDirectory home_;
  testing::MemoryLog log_;
  TestDaemon daemon_{home_.path() + "/home", log_};
  std::string did_;
};

std::string retirement_of(const Identity& signer) {
  federation::Retirement said{.did = signer.did, .retired_at = "2030-01-01T00:00:00Z", .successor = std::nullopt};
  return federation::sign_document(codec::shape_json(said), signer);
}

TEST_F(StrangersTest, TheirEndIsNotKept) {
  const std::uint64_t before = daemon_.records();
  for (int i = 0; i < 3; ++i) {
    const Identity stranger = somebody();
    EXPECT_EQ(tells(stranger, "retirement", retirement_of(stranger)).status, 200);
  }
  EXPECT_EQ(daemon_.records(), before) << "they fill the log";
}

TEST_F(StrangersTest, APeersEndIsKeptAndRefusedFromThenOn) {
  const Identity peer = somebody();
  pair_with(peer);
  EXPECT_EQ(tells(peer, "retirement", retirement_of(peer)).status, 200);
  const auto answer = asks_for_pair(peer);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.text("code"), "IDENTITY_RETIRED");
}

TEST_F(StrangersTest, WhoWasRefusedKeepsNobodyOut) {
  for (std::size_t i = 0; i < federation::kPairRequestsMax; ++i) EXPECT_EQ(asks_for_pair(somebody()).status, 202);
  EXPECT_EQ(asks_for_pair(somebody()).status, 503);
  const auto waiting = federation::list_requests(daemon_.instance()).value();
  for (const auto& request : waiting) ASSERT_TRUE(federation::reject_request(daemon_.instance(), request.id));
  for (std::size_t i = 0; i < federation::kPairRequestsMax; ++i) ASSERT_EQ(asks_for_pair(somebody()).status, 202) << i;
  EXPECT_EQ(asks_for_pair(somebody()).status, 503);
}

TEST_F(StrangersTest, AFullDirectoryKeepsNoPeerOut) {
  const Identity peer = somebody();
  pair_with(peer);
  fill_directory();
  EXPECT_EQ(tells(somebody(), "announcement", announcement(somebody(), 5)).status, 400) << "somebody else's";
  const Identity stranger = somebody();
  EXPECT_EQ(tells(stranger, "announcement", announcement(stranger, 5)).status, 503);
  EXPECT_EQ(directory_entry(stranger.did), "");
  EXPECT_EQ(tells(peer, "announcement", announcement(peer, 5)).status, 200);
  EXPECT_NE(directory_entry(peer.did), "");
  const Identity asker = somebody();
  const Json wish = Json::Object{{"namespaces", Json::Array{"default"}}, {"announcement", announcement(asker, 5)}};
  EXPECT_EQ(asked({"POST", std::string(federation::kPairPath), wish.text()}, asker).status, 202);
}

// Everybody may ask for it, as often as they like.
TEST_F(StrangersTest, ALookInTheDirectoryWritesNothing) {
  ASSERT_TRUE(federation::note_base_url(daemon_.instance(), "http://127.0.0.1:9100"));
  const std::string first = directory_entry(did_);
  EXPECT_NE(first, "");
  EXPECT_EQ(directory_entry(did_), first);
}

TEST_F(StrangersTest, AnInstanceThatHasLeftDoesNotSayThatItIsHere) {
  ASSERT_TRUE(federation::note_base_url(daemon_.instance(), "http://127.0.0.1:9100"));
  write([](store::StoreWriter& writer) { ASSERT_TRUE(instance::note_move(writer, "2026-01-01T00:00:00Z", 1)); });
  EXPECT_EQ(directory_entry(did_), "");
  const auto self = daemon_.instance().identity();
  const std::string there = announcement(*self, 1'900'000'000'000 - 200'000'000'000);
  const auto answer = tells(*self, "announcement", there);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("announcement"), "") << "it says nothing newer than the one that goes on";
  EXPECT_EQ(directory_entry(did_), there);
}

// A copy whose clock is behind says nothing newer, and is alive all the same.
TEST_F(StrangersTest, AnOlderCopyIsFoundOutThoughItsClockIsBehind) {
  const Identity peer = somebody();
  pair_with(peer);
  EXPECT_EQ(tells(peer, "announcement", announcement(peer, 10, 'a')).status, 200);
  EXPECT_EQ(tells(peer, "announcement", announcement(peer, 20, 'b')).status, 200);
  const auto notes = [&] {
    return federation::peer_notes(*daemon_.instance().store().reader().value(), peer.did).value();
  };
  EXPECT_EQ(notes().other_copy, "");
  EXPECT_EQ(tells(peer, "announcement", announcement(peer, 15, 'a')).status, 200);
  EXPECT_EQ(notes().other_copy, std::string(32, 'a'));
}

}  // namespace
}  // namespace spl::api
