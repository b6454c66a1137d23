// What is known of a peer beside the pair's records: how far its log was read, when it was last there, where it says
// that it is. Kept in the store's settings, so that it changes in one transaction with the records that came, and no
// bundle carries it. Follows a StoreReader's rules for threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "federation/documents.h"
#include "store/record_store.h"

namespace spl::federation {

inline constexpr std::size_t kIncarnationsMax = 64;       // of a peer that are remembered: the latest
inline constexpr std::size_t kAnnouncementsMax = 10'000;  // of all instances that are kept

struct PeerNotes {
  std::string cursor;           // of its log: what comes next; empty: the beginning
  std::string cursor_of;        // the incarnation of the store here that has what came before the cursor
  std::string last_contact_at;  // it answered with its key
  std::string last_success_at;  // there was no more to fetch
  std::string last_error;       // since then
  std::string last_error_at;
  std::uint64_t received = 0;  // new records
  std::uint64_t refused = 0;
  std::string last_refusal;
  std::vector<std::string> incarnations;  // of its store, the newest last
  std::string other_copy;                 // the incarnation that came again after a newer one; empty: none did

  static constexpr auto shape() {
    using N = PeerNotes;
    using enum codec::Presence;
    return codec::shape(codec::member("cursor", &N::cursor, "of its log", kOmitted),
                        codec::member("cursor_of", &N::cursor_of, "the incarnation of the store here", kOmitted),
                        codec::member("last_contact_at", &N::last_contact_at, "it answered", kOmitted),
                        codec::member("last_success_at", &N::last_success_at, "there was no more", kOmitted),
                        codec::member("last_error", &N::last_error, "since then", kOmitted),
                        codec::member("last_error_at", &N::last_error_at, "when", kOmitted),
                        codec::member("received", &N::received, "new records"),
                        codec::member("refused", &N::refused, "bad ones"),
                        codec::member("last_refusal", &N::last_refusal, "why", kOmitted),
                        codec::member("incarnations", &N::incarnations, "of its store"),
                        codec::member("other_copy", &N::other_copy, "an older one that came again", kOmitted));
  }
};

// Empty ones where nothing is known.
Result<PeerNotes> peer_notes(store::StoreReader& reader, std::string_view did);
Result<void> put_peer_notes(store::StoreWriter& writer, std::string_view did, const PeerNotes& notes);

// The text of the newest announcement of an instance that is known here.
Result<std::optional<std::string>> announcement_of(store::StoreReader& reader, std::string_view did);
// How an announcement has come.
struct AnnouncementWay {
  bool from_itself = false;            // the instance has just asked or answered with it: it is alive
  std::optional<std::string> own_did;  // whose pairs have room always
};
// Keeps a verified announcement where it is newer than what is known, and remembers the incarnation where it is newer
// or has come from the instance itself; one that came before a newer one becomes PeerNotes::other_copy. An instance
// without a pair that was not heard of before is an error of code kUnavailable where there is no room for more. True
// where it was news.
Result<bool> take_announcement(store::StoreWriter& writer, const Announcement& announcement, std::string_view text,
                               const AnnouncementWay& way);

}  // namespace spl::federation
