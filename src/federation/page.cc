#include "federation/page.h"

#include "base/encoding.h"
#include "codec/json_cursor.h"
#include "crypto/did_key.h"
#include "record/thread.h"

namespace spl::federation {
namespace {

constexpr std::size_t kRedactedActorBytesMax = 1024;
constexpr std::string_view kRedactedMember = "\"body\":{\"redacted\":true}";

std::unexpected<Error> no_page(std::string_view why) {
  return fail(ErrorCode::kVerification, Cause::kPeerMisbehaves, "the peer's answer is no page: " + std::string(why));
}

Element refused(std::string why) {
  Element element;
  element.refusal = std::move(why);
  return element;
}

// Where an element is: in the text itself, or at an offset of what was made of it.
struct Place {
  std::string_view in_text;
  std::size_t begin = 0, end = 0;
};

Result<void> take_records(codec::JsonCursor& cursor, std::size_t records_max, Page& page, std::vector<Place>& places) {
  TRY(cursor.begin_array());
  while (TRY(cursor.next_element())) {
    if (places.size() == records_max) return no_page("it has more records than were asked for");
    Place place;
    if (!cursor.skip_canonical(place.in_text)) {
      place.begin = page.remade->size();
      TRY(cursor.canonical(*page.remade));
      place.end = page.remade->size();
    }
    places.push_back(place);
  }
  return {};
}

Result<Page> parsed(std::string_view text, std::size_t records_max) {
  Page page;
  page.remade = std::make_unique<std::string>();
  std::vector<Place> places;
  bool has_records = false;
  bool has_cursor = false;
  codec::JsonCursor cursor(text);
  TRY(cursor.begin_object());
  std::string name;
  while (TRY(cursor.next_member(name))) {
    if (name == "records" && !has_records) {
      has_records = true;
      TRY(take_records(cursor, records_max, page, places));
    } else if (name == "next_cursor" && !has_cursor) {
      has_cursor = true;
      page.next_cursor = TRY(cursor.string());
    } else if (name == "has_more") {
      page.has_more = TRY(cursor.boolean());
    } else {
      return no_page("it has a member that is not known, or one twice");
    }
  }
  TRY(cursor.end());
  if (!has_records || !has_cursor) return no_page("its records or its cursor are missing");
  if (page.next_cursor.empty() || page.next_cursor.size() > kCursorBytesMax) return no_page("its cursor is none");
  page.elements.reserve(places.size());
  for (const Place& place : places)
    page.elements.push_back(place.end > 0 ? std::string_view(*page.remade).substr(place.begin, place.end - place.begin)
                                          : place.in_text);
  return page;
}

struct RedactedParts {
  std::optional<RecordId> id;
  std::string_view record;
  bool is_signed = false;
};

// Where they stand in the text: what a record holds is not taken apart for it.
RedactedParts redacted_parts(std::string_view text) {
  RedactedParts parts;
  const auto walked = [&]() -> Result<void> {
    codec::JsonCursor cursor(text);
    TRY(cursor.begin_object());
    std::string name;
    while (TRY(cursor.next_member(name))) {
      std::string_view value;
      if (name == "id" && !parts.id) {
        parts.id = TRY(RecordId::parse(TRY(cursor.string())));
      } else if (!cursor.skip_canonical(value)) {
        return fail("not in canonical form");
      } else if (name == "record" && parts.record.empty()) {
        parts.record = value;
      } else if (name == "sig") {
        parts.is_signed = true;
      } else {
        return fail("a member that is not known, or one twice");
      }
    }
    return cursor.end();
  }();
  return walked ? parts : RedactedParts();
}

// {"id","record"} of which the record has no body any more: then its id is not the hash of what is left.
std::optional<Element> redacted_element(std::string_view text, const std::string& peer) {
  if (text.find(kRedactedMember) == std::string_view::npos) return std::nullopt;
  const auto [id, rest, is_signed] = redacted_parts(text);
  if (!id || rest.empty()) return std::nullopt;
  const auto record = record::parse_record(rest);
  if (!record || record->body() != R"({"redacted":true})" || record->id == *id) return std::nullopt;
  if (is_signed) return refused("a redacted record with a signature");
  if (record::is_reserved(record->thread)) return refused("a record of a reserved thread");
  // What cannot be checked is kept as long as it is small.
  if (record->actor.size() > kRedactedActorBytesMax) return refused("a redacted record with an actor that is too long");
  Element element;
  element.redacted = store::RedactedRecord{.id = *id,
                                           .thread = record->thread,
                                           .actor = record->actor,
                                           .act = record->act,
                                           .clock = record->clock,
                                           .peer = peer};
  return element;
}

}  // namespace

Result<Page> parse_page(std::string_view text, std::size_t records_max) {
  auto page = parsed(text, records_max);
  if (page || page.error().cause == Cause::kPeerMisbehaves) return page;
  return no_page(page.error().message);
}

Element check_element(std::string_view text, const std::string& peer) {
  if (auto redacted = redacted_element(text, peer)) return std::move(*redacted);
  // A bare record could say that it has any id.
  if (!record::is_wrapped_record(text)) return refused("a record without its id");
  auto record = record::parse_record_line(text);
  if (!record) return refused(record.error().message);
  if (record::is_reserved(record->thread)) return refused("a record of a reserved thread");
  // Who is no key has no signature that could be checked.
  if (record->sig && crypto::parse_did_key(record->actor) && !record::signature_is_valid(*record))
    return refused("a wrong signature");
  Element element;
  element.record = std::move(*record);
  return element;
}

}  // namespace spl::federation
