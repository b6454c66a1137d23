#include "record/record.h"

#include <algorithm>
#include <charconv>

#include "base/limits.h"
#include "base/utf8.h"
#include "codec/enum_names.h"
#include "codec/json_cursor.h"
#include "crypto/did_key.h"
#include "crypto/sha256.h"

namespace spl::record {
namespace {

using codec::JsonCursor;

constexpr std::array<std::string_view, 6> kDataTypes = {"SCALAR",    "FORMULA",  "DISTRIBUTION",
                                                        "REFERENCE", "MORPHISM", "VOID"};

// The hashed members in the order of the canonical form.
enum Member : std::size_t { kAct, kActor, kBody, kClock, kDataType, kParents, kThread, kHashedCount };
constexpr std::array<std::string_view, kHashedCount> kNames = {"act",       "actor",   "body",  "clock",
                                                               "data_type", "parents", "thread"};
constexpr unsigned kAllSeen = (1u << kHashedCount) - 1;

std::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kUsage, std::move(message));
}

std::unexpected<Error> wrong_thread(std::string_view why) {
  return fail(ErrorCode::kUsage, "thread " + std::string(why),
              "a thread's id is UTF-8 of at most 256 bytes without control characters");
}

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The members as they were met: canonical values one after another in `text`, each as
// ,"name":value.
struct Members {
  std::string text = "{";
  std::array<Span, kHashedCount> values{};
  unsigned seen = 0;
  bool in_order = true;
  std::optional<std::string> judged_by;
  std::optional<crypto::Signature> sig;
};

Result<crypto::Signature> parse_signature(std::string_view text) {
  const auto octets = base::from_base64(text);
  if (!octets || octets->size() != 64) return wrong("sig is not the base64 of 64 bytes");
  return crypto::Signature::from(*octets);
}

Result<void> take_hashed(JsonCursor& cursor, std::size_t member, Members& out) {
  if ((out.seen & (1u << member)) != 0) return wrong(std::string(kNames[member]) + " stands twice");
  if (out.seen >> member != 0) out.in_order = false;
  out.seen |= 1u << member;
  if (out.text.size() > 1) out.text.push_back(',');
  out.text.append("\"").append(kNames[member]).append("\":");
  out.values[member].begin = out.text.size();
  if (member == kClock) {
    const std::string_view written = TRY_IN("clock", cursor.number());
    if (written.find_first_of(".eE") != std::string_view::npos)
      return wrong("clock is written with a fraction or an exponent");
    out.text += written == "-0" ? "0" : written;
  } else {
    TRY(cursor.canonical(out.text));
  }
  out.values[member].end = out.text.size();
  return {};
}

Result<void> take_members(JsonCursor& cursor, Members& out) {
  TRY(cursor.begin_object());
  std::string name;
  bool judged_by_seen = false;
  while (TRY(cursor.next_member(name))) {
    const auto at = std::find(kNames.begin(), kNames.end(), name);
    if (at != kNames.end()) {
      TRY(take_hashed(cursor, static_cast<std::size_t>(at - kNames.begin()), out));
    } else if (name == "judged_by") {
      if (std::exchange(judged_by_seen, true)) return wrong("judged_by stands twice");
      if (TRY(cursor.peek()) == codec::JsonType::kNull) {
        TRY(cursor.null());
      } else {
        out.judged_by = TRY_IN("judged_by", cursor.string());
      }
    } else if (name == "sig") {
      if (out.sig) return wrong("sig stands twice");
      out.sig = TRY(parse_signature(TRY_IN("sig", cursor.string())));
    } else {
      return wrong("\"" + base::escaped(name) + "\" is no member of a record");
    }
  }
  return {};
}

// The short way, of most records: the object has the seven hashed members alone and is in canonical form, so that its
// text is the record's. Any other it refuses, and nothing has happened.
bool take_canonical(JsonCursor& cursor, Members& out) {
  constexpr std::array<std::string_view, kHashedCount> kBefore = {R"("act":)",    R"(,"actor":)",     R"(,"body":)",
                                                                  R"(,"clock":)", R"(,"data_type":)", R"(,"parents":)",
                                                                  R"(,"thread":)"};
  JsonCursor ahead = cursor;
  if (!ahead.begin_object()) return false;
  std::array<std::string_view, kHashedCount> values;
  for (std::size_t member = 0; member < kHashedCount; ++member) {
    if (!ahead.skip_text(kBefore[member]) || !ahead.skip_canonical(values[member])) return false;
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(values[kClock], is_digit)) return false;
  std::string after;
  const auto more = ahead.next_member(after);
  if (!more || *more) return false;

  const char* const begin = values[kAct].data() - std::string_view(R"({"act":)").size();
  out.text.assign(begin, values[kThread].data() + values[kThread].size());
  for (std::size_t member = 0; member < kHashedCount; ++member) {
    out.values[member].begin = static_cast<std::size_t>(values[member].data() - begin);
    out.values[member].end = out.values[member].begin + values[member].size();
  }
  out.seen = kAllSeen;
  cursor = std::move(ahead);
  return true;
}

// Puts the members into canonical order where they came in another.
void reorder(Members& members) {
  std::string sorted = "{";
  for (std::size_t m = 0; m < kHashedCount; ++m) {
    const Span old = members.values[m];
    if (m > 0) sorted.push_back(',');
    sorted.append("\"").append(kNames[m]).append("\":");
    members.values[m].begin = sorted.size();
    sorted.append(members.text, old.begin, old.end - old.begin);
    members.values[m].end = sorted.size();
  }
  members.text = std::move(sorted);
}

Result<std::string> string_value(std::string_view value, std::string_view name) {
  if (value.front() != '"') return wrong(std::string(name) + " is not a string");
  if (value.find('\\') == std::string_view::npos) return std::string(value.substr(1, value.size() - 2));
  return codec::decode_json_string(value);
}

Result<std::uint64_t> clock_value(std::string_view value) {
  std::uint64_t clock = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), clock);
  if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size() || clock > INT64_MAX)
    return wrong("clock is not a whole number from 0 to 2^63-1");
  return clock;
}

Result<void> check_parents(std::string_view value) {
  if (value.front() != '[') return wrong("parents is not an array");
  constexpr std::size_t kElement = 66;  // a quoted id
  std::string_view rest = value.substr(1, value.size() - 2);
  std::string_view previous;
  while (!rest.empty()) {
    Digest id;
    if (rest.size() < kElement || rest.front() != '"' || rest[kElement - 1] != '"' ||
        !base::parse_hex_digest(rest.substr(1, kElement - 2), id) || (rest.size() > kElement && rest[kElement] != ','))
      return wrong("parents holds something that is no record id");
    const std::string_view shown = rest.substr(1, kElement - 2);
    if (!previous.empty() && previous >= shown) return wrong("parents are not ascending");
    previous = shown;
    rest.remove_prefix(std::min(rest.size(), kElement + 1));
  }
  return {};
}

// did:method:id, as far as W3C DID Core section 3.1 fixes it, but for the characters of the id: any are taken.
bool is_did(std::string_view actor) {
  if (!actor.starts_with("did:")) return false;
  const std::size_t method_end = actor.find(':', 4);
  if (method_end == std::string_view::npos || method_end == 4 || method_end + 1 == actor.size()) return false;
  const std::string_view method = actor.substr(4, method_end - 4);
  return std::ranges::all_of(method, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

Result<Record> build(Members&& members) {
  if (members.seen != kAllSeen) {
    for (std::size_t m = 0; m < kHashedCount; ++m) {
      if ((members.seen & (1u << m)) == 0) return wrong(std::string(kNames[m]) + " is missing");
    }
  }
  if (!members.in_order) reorder(members);
  members.text.push_back('}');
  const auto value = [&members](Member m) {
    return std::string_view(members.text)
        .substr(members.values[m].begin, members.values[m].end - members.values[m].begin);
  };
  Record record;
  const std::string act = TRY(string_value(value(kAct), "act"));
  const auto known = codec::parse_enum<Act>(act);
  if (!known) return wrong("act is none of INTEND DO KNOW LEARN GET PUT CALL MAP");
  record.act = *known;
  record.actor = TRY(string_value(value(kActor), "actor"));
  TRY(check_actor(record.actor));
  if (value(kBody).front() != '{') return wrong("body is not an object");
  record.clock = TRY(clock_value(value(kClock)));
  const std::string data_type = TRY(string_value(value(kDataType), "data_type"));
  if (std::find(kDataTypes.begin(), kDataTypes.end(), data_type) == kDataTypes.end())
    return wrong("data_type is none of SCALAR FORMULA DISTRIBUTION REFERENCE MORPHISM VOID");
  TRY(check_parents(value(kParents)));
  record.thread = TRY(string_value(value(kThread), "thread"));
  TRY(check_thread(record.thread));
  record.body_begin = members.values[kBody].begin;
  record.body_end = members.values[kBody].end;
  record.parents_begin = members.values[kParents].begin;
  record.parents_end = members.values[kParents].end;
  record.judged_by = std::move(members.judged_by);
  record.sig = members.sig;
  record.canonical = std::move(members.text);
  record.id.digest = crypto::sha256(record.canonical);
  return record;
}

// The record object that the cursor stands before.
// `bytes_expected` is about how long its canonical form will be.
Result<Record> parse_at(JsonCursor& cursor, std::optional<std::uint64_t> clock_if_absent, std::size_t bytes_expected) {
  Members members;
  members.text.reserve(bytes_expected);
  if (!take_canonical(cursor, members)) TRY(take_members(cursor, members));
  if ((members.seen & (1u << kClock)) == 0 && clock_if_absent) {
    members.in_order = members.in_order && members.seen >> kClock == 0;
    members.seen |= 1u << kClock;
    if (members.text.size() > 1) members.text.push_back(',');
    members.text += "\"clock\":";
    members.values[kClock].begin = members.text.size();
    members.text += std::to_string(*clock_if_absent);
    members.values[kClock].end = members.text.size();
  }
  return build(std::move(members));
}

// Beside a record: what {"id":..,"record":..,"sig":..} adds.
Result<Record> parse_wrapped(std::string_view json) {
  JsonCursor cursor(json, -1);  // the record's own object is level 1
  TRY(cursor.begin_object());
  std::optional<RecordId> id;
  std::optional<Record> record;
  std::optional<crypto::Signature> sig;
  std::string name;
  while (TRY(cursor.next_member(name))) {
    if (name == "id" && !id) {
      id = TRY(RecordId::parse(TRY(cursor.string())));
    } else if (name == "record" && !record) {
      record = TRY(parse_at(cursor, {}, json.size()));
    } else if (name == "sig" && !sig) {
      if (TRY(cursor.peek()) == codec::JsonType::kNull) {
        TRY(cursor.null());
      } else {
        sig = TRY(parse_signature(TRY(cursor.string())));
      }
    } else {
      return wrong("\"" + base::escaped(name) + "\" has no place beside a record");
    }
  }
  TRY(cursor.end());
  if (!record) return wrong("record is missing");
  if (id && *id != record->id)
    return fail(ErrorCode::kVerification,
                "record: its content hashes to " + record->id.hex() + ", not to its id " + id->hex(),
                "one of the two was changed: take the record from its source again");
  if (sig) {
    if (record->sig) return wrong("sig stands twice");
    record->sig = sig;
  }
  return std::move(*record);
}

// The size of a record's file: the two members that are not hashed may be longer there than they were given.
std::size_t file_bytes(std::string_view canonical, std::optional<std::string_view> judged_by, bool has_sig) {
  std::size_t bytes = canonical.size() + (has_sig ? 97 : 0);
  if (judged_by) {
    std::string quoted;
    base::append_json_string(quoted, *judged_by);
    bytes += quoted.size() + 13;
  }
  return bytes;
}

Result<void> check_size(const Record& record, std::size_t given_bytes, std::size_t given_bytes_max) {
  if (given_bytes > given_bytes_max ||
      file_bytes(record.canonical, record.judged_by, record.sig.has_value()) > base::kRecordBytesMax)
    return wrong("a record is longer than 16 MiB");
  return {};
}

}  // namespace

Result<void> check_actor(std::string_view actor) {
  if (is_did(actor)) return {};
  return fail(ErrorCode::kUsage, "actor is not a DID", "a DID is did:METHOD:ID, such as did:web:example.org");
}

Result<void> check_thread(std::string_view thread) {
  if (thread.size() > base::kThreadBytesMax) return wrong_thread("is longer than 256 bytes");
  const auto is_graphic = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (std::ranges::all_of(thread, is_graphic)) return {};
  while (!thread.empty()) {
    std::uint32_t c = 0;
    const std::size_t length = base::decode_utf8(thread, c);
    if (length == 0) return wrong_thread("is not UTF-8");
    if (c < 0x20 || (c >= 0x7F && c < 0xA0)) return wrong_thread("has a control character");
    thread.remove_prefix(length);
  }
  return {};
}

Result<RecordId> RecordId::parse(std::string_view hex) {
  RecordId id;
  if (!base::parse_hex_digest(hex, id.digest))
    return wrong("\"" + base::escaped(hex, 80) + "\" is no record id: 64 lowercase hexadecimal digits are wanted");
  return id;
}

std::string_view act_name(Act act) {
  return codec::enum_name(act);
}

Result<Record> parse_record(std::string_view json, std::optional<std::uint64_t> clock_if_absent) {
  JsonCursor cursor(json);
  Record record = TRY(parse_at(cursor, clock_if_absent, json.size()));
  TRY(cursor.end());
  TRY(check_size(record, json.size(), base::kRecordBytesMax));
  return record;
}

Result<Record> with_clock(const Record& record, std::uint64_t clock) {
  // "clock" follows the body and stands before "data_type".
  const std::string_view canonical = record.canonical;
  std::string json(canonical.substr(0, record.body_end));
  json += ",\"clock\":" + std::to_string(clock);
  json += canonical.substr(canonical.find(",\"data_type\":", record.body_end));
  Record made = TRY(parse_record(json));
  made.judged_by = record.judged_by;
  return made;
}

bool is_wrapped_record(std::string_view json) {
  JsonCursor cursor(json, -1);
  if (!cursor.begin_object()) return false;
  std::string name;
  std::string skipped;
  for (;;) {
    const auto more = cursor.next_member(name);
    if (!more || !*more) return false;
    if (name == "id" || name == "record") return true;
    if (name != "sig" || !cursor.canonical(skipped)) return false;
  }
}

Result<Record> parse_record_line(std::string_view json) {
  if (!is_wrapped_record(json)) return parse_record(json);
  Record record = TRY(parse_wrapped(json));
  TRY(check_size(record, json.size(), kRecordLineBytesMax));
  return record;
}

Result<Record> parse_record_file(std::string_view content, const RecordId& id) {
  Record record = TRY(parse_record(content));
  if (record.id != id) return wrong("its content hashes to " + record.id.hex());
  const bool plain = !record.judged_by && !record.sig;
  if (content != (plain ? record.canonical : file_text(record))) return wrong("not in canonical form");
  return record;
}

Result<Record> parse_stored(std::string_view canonical, std::optional<std::string_view> judged_by,
                            std::optional<std::string_view> sig) {
  Record record = TRY(parse_record(canonical));
  if (record.canonical != canonical) return fail("a stored record is not in canonical form");
  if (judged_by) {
    if (!base::is_utf8(*judged_by)) return fail("a stored judged_by is not UTF-8");
    record.judged_by = std::string(*judged_by);
  }
  if (sig) {
    if (sig->size() != 64) return fail("a stored signature is not 64 bytes");
    record.sig = crypto::Signature::from(*sig);
  }
  return record;
}

Result<void> check_content(const RecordId& id, std::string_view canonical) {
  if (crypto::sha256(canonical) == id.digest) return {};
  return fail("record " + id.hex() + ": the store holds other content under this id", "run spl doctor");
}

std::string file_text(std::string_view canonical, std::optional<std::string_view> judged_by,
                      std::optional<std::string_view> sig) {
  if (!judged_by && !sig) return std::string(canonical);
  // Inside a string every quote has a backslash before it, so these texts can only be the last two
  // members' names.
  const std::size_t thread_at = canonical.rfind(",\"thread\":\"");
  const std::size_t parents_at = canonical.rfind(",\"parents\":[", thread_at);
  // Of a damaged store: what is no record stays as it is.
  if (thread_at == std::string_view::npos || parents_at == std::string_view::npos) return std::string(canonical);
  std::string text(canonical.substr(0, parents_at));
  if (judged_by) {
    text += ",\"judged_by\":";
    base::append_json_string(text, *judged_by);
  }
  text += canonical.substr(parents_at, thread_at - parents_at);
  if (sig) text.append(",\"sig\":\"").append(base::to_base64(*sig)).append("\"");
  text += canonical.substr(thread_at);
  return text;
}

std::string file_text(const Record& record) {
  return file_text(record.canonical, record.judged_by, record.sig ? std::optional(record.sig->view()) : std::nullopt);
}

bool fits_with_sig(std::string_view canonical, std::optional<std::string_view> judged_by) {
  return file_bytes(canonical, judged_by, true) <= base::kRecordBytesMax;
}

bool signature_is_valid(const Record& record) {
  if (!record.sig) return false;
  const auto key = crypto::parse_did_key(record.actor);
  return key && crypto::verify(*key, record.canonical, *record.sig);
}

std::optional<std::string> body_string(std::string_view body, std::string_view name) {
  JsonCursor cursor(body);
  std::string member;
  std::string skipped;
  if (!cursor.begin_object()) return {};
  for (;;) {
    const auto more = cursor.next_member(member);
    if (!more || !*more) return {};
    const auto type = cursor.peek();
    if (!type) return {};
    if (member == name) {
      if (*type != codec::JsonType::kString) return {};
      auto value = cursor.string();
      if (!value) return {};
      return std::move(*value);
    }
    skipped.clear();
    if (!cursor.canonical(skipped)) return {};
  }
}

void append_element(std::string& out, const RecordId& id, std::string_view canonical,
                    std::optional<std::string_view> judged_by, std::optional<std::string_view> sig) {
  out.append("{\"id\":\"").append(id.hex()).append("\",\"record\":");
  if (judged_by) {
    out += file_text(canonical, judged_by, std::nullopt);
  } else {
    out += canonical;
  }
  if (sig) out.append(",\"sig\":\"").append(base::to_base64(*sig)).append("\"");
  out.push_back('}');
}

}  // namespace spl::record
