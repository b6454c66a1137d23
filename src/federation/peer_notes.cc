#include "federation/peer_notes.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "substrate/pairs.h"

namespace spl::federation {
namespace {

constexpr std::string_view kNotesPrefix = "peer.";
constexpr std::string_view kAnnouncementPrefix = "announcement.";
constexpr std::string_view kListedSetting = "announcements_listed";  // how many there are

std::string named(std::string_view prefix, std::string_view did) {
  return std::string(prefix) + std::string(did);
}

// Its own text was verified when it was kept.
std::uint64_t sequence_of(const std::string& text) {
  const auto json = codec::Json::parse(text);
  const auto kept = json ? codec::parse_shape<Announcement>(*json, codec::Unknown::kIgnored)
                         : Result<Announcement>(std::unexpected(json.error()));
  return kept ? kept->sequence : 0;
}

// A store that begins anew is another life; one that is heard of again after that lives beside it. True where that is
// news.
bool note_incarnation(PeerNotes& notes, const std::string& incarnation) {
  if (!notes.incarnations.empty() && incarnation == notes.incarnations.back()) return false;
  if (std::ranges::find(notes.incarnations, incarnation) != notes.incarnations.end())
    return std::exchange(notes.other_copy, incarnation) != incarnation;
  notes.incarnations.push_back(incarnation);
  if (notes.incarnations.size() > kIncarnationsMax) notes.incarnations.erase(notes.incarnations.begin());
  return true;
}

// One more instance is listed: counted, so that strangers do not have the whole list read for each. Those that have a
// pair are always taken.
Result<void> take_room(store::StoreWriter& writer, const std::string& did, const std::optional<std::string>& own_did) {
  const auto text = TRY(writer.setting(kListedSetting));
  const std::uint64_t listed = text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
  if (listed >= kAnnouncementsMax && did != own_did) {
    const auto pairs = TRY(substrate::federation_pairs(writer, own_did));
    const auto at = std::ranges::find(pairs, did, &substrate::Pair::peer_did);
    if (at == pairs.end() || at->state == substrate::PairState::kRevoked)
      return fail(ErrorCode::kUnavailable, "no more instances are listed here", "ask another instance to list it");
  }
  return writer.set_setting(kListedSetting, std::to_string(listed + 1));
}

}  // namespace

Result<PeerNotes> peer_notes(store::StoreReader& reader, std::string_view did) {
  const auto text = TRY(reader.setting(named(kNotesPrefix, did)));
  if (!text) return PeerNotes{};
  return TRY_IN("notes of a peer", codec::parse_shape_text<PeerNotes>(*text, codec::Unknown::kIgnored));
}

Result<void> put_peer_notes(store::StoreWriter& writer, std::string_view did, const PeerNotes& notes) {
  return writer.set_setting(named(kNotesPrefix, did), codec::shape_text(notes));
}

Result<std::optional<std::string>> announcement_of(store::StoreReader& reader, std::string_view did) {
  return reader.setting(named(kAnnouncementPrefix, did));
}

Result<bool> take_announcement(store::StoreWriter& writer, const Announcement& announcement, std::string_view text,
                               const AnnouncementWay& way) {
  const auto known = TRY(announcement_of(writer, announcement.did));
  const bool is_news = !known || sequence_of(*known) < announcement.sequence;
  // A copy whose clock is behind says nothing newer, and is alive all the same.
  if (!is_news && !way.from_itself) return false;
  if (!known) TRY(take_room(writer, announcement.did, way.own_did));
  if (is_news) TRY(writer.set_setting(named(kAnnouncementPrefix, announcement.did), text));
  PeerNotes notes = TRY(peer_notes(writer, announcement.did));
  if (note_incarnation(notes, announcement.incarnation)) TRY(put_peer_notes(writer, announcement.did, notes));
  return is_news;
}

}  // namespace spl::federation
