#include "record/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "codec/json_cursor.h"
#include "crypto/did_key.h"
#include "crypto/sha256.h"

namespace spl::record {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

Members plain() {
  return {{"act", "\"DO\""},     {"actor", "\"did:sync:user:a\""}, {"body", "{}"},
          {"clock", "0"},        {"data_type", "\"SCALAR\""},      {"parents", "[]"},
          {"thread", "\"th_x\""}};
}

std::string object(const Members& members) {
  std::string text = "{";
  for (const auto& [name, value] : members) text += (text.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  return text + "}";
}

Members with(Members members, const std::string& name, const std::string& value) {
  const auto at = std::ranges::find(members, name, &std::pair<std::string, std::string>::first);
  if (at == members.end()) {
    members.emplace_back(name, value);
  } else {
    at->second = value;
  }
  return members;
}

Members without(Members members, const std::string& name) {
  std::erase_if(members, [&name](const auto& member) { return member.first == name; });
  return members;
}

Members backwards(Members members) {
  std::ranges::reverse(members);
  return members;
}

bool accepted(const std::string& name, const std::string& value) {
  const auto record = parse_record(object(with(plain(), name, value)));
  EXPECT_TRUE(record || record.error().code == ErrorCode::kUsage);
  return record.has_value();
}

std::string hex_id(char digit) {
  return std::string(64, digit);
}
std::string in_quotes(const std::string& text) {
  return "\"" + text + "\"";
}
std::string body_of_depth(int depth) {
  return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string base64_of_64(char octet) {
  return base::to_base64(std::string(64, octet));
}

TEST(Record, IsCanonicalAndItsIdIsTheHashOfThat) {
  const Record record =
      parse_record(R"( { "thread":"th_\u0078","clock":7 , "parents": [ ], "judged_by":"j","data_type":"VOID",
                       "body":{"b":1.0,"a":-0},"actor":"did:x:y","act":"INTEND" } )")
          .value();
  EXPECT_EQ(
      record.canonical,
      R"({"act":"INTEND","actor":"did:x:y","body":{"a":0,"b":1},"clock":7,"data_type":"VOID","parents":[],"thread":"th_x"})");
  // echo -n ... | sha256sum
  EXPECT_EQ(record.id.digest, crypto::sha256(record.canonical));
  EXPECT_EQ(record.act, Act::kIntend);
  EXPECT_EQ(record.actor, "did:x:y");
  EXPECT_EQ(record.clock, 7u);
  EXPECT_EQ(record.thread, "th_x");
  EXPECT_EQ(record.judged_by, "j");
  EXPECT_EQ(record.body(), R"({"a":0,"b":1})");
  EXPECT_EQ(record.parents(), "[]");
  EXPECT_FALSE(record.sig);
}

// testdata/records.ndjson was made by make_records.py beside it, with CPython's json and hashlib.
TEST(Record, HasTheIdThatCPythonFinds) {
  std::ifstream file(SPL_SOURCE_DIR "/src/record/testdata/records.ndjson");
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) {
    const auto record = parse_record_line(line);
    ASSERT_TRUE(record) << record.error().message << "\n" << line;
    EXPECT_EQ(record->id.hex(), line.substr(7, 64));
    const auto again = parse_record(record->canonical);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->canonical, record->canonical);
    EXPECT_EQ(again->id, record->id);
    const auto file_record = parse_record_file(file_text(*record), record->id);
    ASSERT_TRUE(file_record) << file_record.error().message;
    EXPECT_EQ(file_record->judged_by, record->judged_by);
    ++lines;
  }
  EXPECT_EQ(lines, 100);
}

TEST(Record, MembersMayComeInAnyOrder) {
  Members members = with(with(plain(), "body", R"({"z":[{}],"a":"é"})"), "judged_by", "\"x\"");
  const Record first = parse_record(object(members)).value();
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {
    std::shuffle(members.begin(), members.end(), random);
    const Record record = parse_record(object(members)).value();
    ASSERT_EQ(record.canonical, first.canonical);
    ASSERT_EQ(record.body(), first.body());
    ASSERT_EQ(record.parents(), first.parents());
    ASSERT_EQ(record.judged_by, "x");
  }
}

TEST(Record, WantsAllSevenHashedMembers) {
  for (const auto& [name, value] : plain()) {
    const auto record = parse_record(object(without(plain(), name)));
    ASSERT_FALSE(record) << name;
    EXPECT_NE(record.error().message.find(name + " is missing"), std::string::npos) << record.error().message;
  }
  EXPECT_FALSE(parse_record("{}"));
  EXPECT_FALSE(parse_record(""));
  EXPECT_FALSE(parse_record("[]"));
  EXPECT_FALSE(parse_record("null"));
}

TEST(Record, RefusesAnyOtherMember) {
  for (const char* name : {"id", "record", "kind", "Act", "sequence", "", "act ", "judged_By", "\\u0000"})
    EXPECT_FALSE(accepted(name, "1")) << name;
}

TEST(Record, RefusesARepeatedMember) {
  for (const auto& [name, value] : plain()) {
    Members members = plain();
    members.emplace_back(name, value);
    EXPECT_FALSE(parse_record(object(members))) << name;
    members.back().first = "\\u00" + base::to_hex(name.substr(0, 1)) + name.substr(1);
    EXPECT_FALSE(parse_record(object(members))) << members.back().first;
  }
  for (const char* value : {"null", "\"a\""}) {
    Members members = with(plain(), "judged_by", value);
    members.emplace_back("judged_by", "null");
    EXPECT_FALSE(parse_record(object(members)));
  }
  Members members = with(plain(), "sig", in_quotes(base64_of_64('a')));
  members.emplace_back("sig", in_quotes(base64_of_64('a')));
  EXPECT_FALSE(parse_record(object(members)));
  EXPECT_FALSE(accepted("body", R"({"a":{"x":1,"\u0078":2}})"));
}

TEST(Record, NamesMayBeEscaped) {
  const std::string text = object(plain());
  std::string escaped = text;
  escaped.replace(escaped.find("\"clock\""), 7, "\"\\u0063lock\"");
  EXPECT_EQ(parse_record(escaped).value().canonical, parse_record(text).value().canonical);
}

TEST(Record, ActIsOneOfEight) {
  for (const char* act : {"INTEND", "DO", "KNOW", "LEARN", "GET", "PUT", "CALL", "MAP"}) {
    const auto record = parse_record(object(with(plain(), "act", in_quotes(act))));
    ASSERT_TRUE(record);
    EXPECT_EQ(act_name(record->act), act);
  }
  EXPECT_TRUE(accepted("act", "\"\\u0044O\""));
  for (const char* act : {"\"do\"", "\"\"", "\"DO \"", "\"INTENDS\"", "null", "1", "[\"DO\"]", "true"})
    EXPECT_FALSE(accepted("act", act)) << act;
}

TEST(Record, ActorIsADid) {
  for (const char* actor :
       {"did:sync:user:a", "did:key:z6Mk", "did:web:example.com%3A3000:user:alice", "did:a:b", "did:x:é"})
    EXPECT_TRUE(accepted("actor", in_quotes(actor))) << actor;
  for (const char* actor :
       {"", "a", "did", "did:", "did::", "did:a", "did:a:", "did::a", "DID:a:b", "did:A:b", " did:a:b"})
    EXPECT_FALSE(accepted("actor", in_quotes(actor))) << actor;
  for (const char* actor : {"null", "1", "{}", "[\"did:a:b\"]"}) EXPECT_FALSE(accepted("actor", actor)) << actor;
}

TEST(Record, BodyIsAnyObject) {
  for (const char* body : {"{}", R"({"":{"":[]}})", R"({"act":1,"thread":"\",\"thread\":\""})"})
    EXPECT_TRUE(accepted("body", body)) << body;
  for (const char* body : {"[]", "null", "\"{}\"", "1", "true"}) EXPECT_FALSE(accepted("body", body)) << body;
}

TEST(Record, ClockIsAWholeNumberBelow2To63) {
  for (const char* clock : {"0", "1", "9007199254740993", "9223372036854775807"}) {
    const auto record = parse_record(object(with(plain(), "clock", clock)));
    ASSERT_TRUE(record) << clock;
    EXPECT_EQ(std::to_string(record->clock), clock);
  }
  EXPECT_EQ(parse_record(object(with(plain(), "clock", "-0"))).value().canonical,
            parse_record(object(plain())).value().canonical);
  for (const char* clock : {"-1", "9223372036854775808", "18446744073709551616", "99999999999999999999999", "1.0",
                            "1e0", "0e0", "0.0", "-0.0", "1E2", "\"1\"", "null", "[1]", "01", "", "true"})
    EXPECT_FALSE(accepted("clock", clock)) << clock;
}

TEST(Record, DataTypeIsOneOfSix) {
  for (const char* type : {"SCALAR", "FORMULA", "DISTRIBUTION", "REFERENCE", "MORPHISM", "VOID"})
    EXPECT_TRUE(accepted("data_type", in_quotes(type)));
  for (const char* type : {"\"scalar\"", "\"\"", "null", "0"}) EXPECT_FALSE(accepted("data_type", type));
}

TEST(Record, ParentsAreIdsAscendingWithoutRepeats) {
  const std::string a = in_quotes(hex_id('1'));
  const std::string b = in_quotes(hex_id('2'));
  const std::string c = in_quotes(hex_id('a'));
  EXPECT_TRUE(accepted("parents", "[]"));
  EXPECT_TRUE(accepted("parents", "[" + a + "]"));
  EXPECT_TRUE(accepted("parents", " [ " + a + " , " + b + " , " + c + " ] "));
  EXPECT_TRUE(accepted("parents", "[\"\\u0031" + hex_id('1').substr(1) + "\"]"));
  for (const std::string& parents :
       {"[" + b + "," + a + "]", "[" + a + "," + a + "]", "[" + a + "," + c + "," + b + "]", in_quotes(hex_id('A')), a,
        "[" + in_quotes(hex_id('A')) + "]", "[" + in_quotes(hex_id('1').substr(1)) + "]",
        "[" + in_quotes(hex_id('1') + "1") + "]", "[" + in_quotes(hex_id('g')) + "]", std::string("[null]"),
        "[" + a + ",null]", "[" + a + ",\"\"]", "[[" + a + "]]", std::string("[1,2]"), std::string("null"),
        std::string("{}"), "{" + a + ":1}", "[" + a + "," + in_quotes(hex_id('2').substr(1)) + "]",
        "[" + a + "," + in_quotes(hex_id('2') + "2") + "]",
        // 64 octets between what look like quotes.
        "[\"" + std::string(31, '1') + "\",\"" + std::string(30, '1') + "\"]"})
    EXPECT_FALSE(accepted("parents", parents)) << parents;
}

TEST(Record, ThreadIsUtf8WithoutControlsUpTo256Bytes) {
  for (const std::string& thread :
       {std::string(), std::string(256, 'a'), std::string("é/..\\\\ %\\\"\xF0\x9F\x98\x80"), std::string("."),
        std::string("\xC2\xA0"), std::string("\\u00a0"), std::string("\xE2\x80\xAE")})
    EXPECT_TRUE(accepted("thread", in_quotes(thread))) << thread;
  std::string wide;
  for (int i = 0; i < 128; ++i) wide += "\xC3\xA9";
  EXPECT_TRUE(accepted("thread", in_quotes(wide)));
  EXPECT_FALSE(accepted("thread", in_quotes(wide + "a")));
  EXPECT_FALSE(accepted("thread", in_quotes(std::string(257, 'a'))));
  for (const char* thread :
       {"\\u0000", "\\n", "\\t", "\\u001f", "\\u007f", "\x7F", "\\u0080", "\xC2\x9F", "a\\u0085b", "\xFF"})
    EXPECT_FALSE(accepted("thread", in_quotes(thread))) << thread;
  EXPECT_FALSE(accepted("thread", "null"));
}

TEST(Record, JudgedByIsNotHashedAndNullIsAbsent) {
  const Record absent = parse_record(object(plain())).value();
  const Record null = parse_record(object(with(plain(), "judged_by", "null"))).value();
  const Record empty = parse_record(object(with(plain(), "judged_by", "\"\""))).value();
  const Record text = parse_record(object(with(plain(), "judged_by", "\"a\\u0000\\ud83d\\ude00\""))).value();
  EXPECT_EQ(null.id, absent.id);
  EXPECT_EQ(empty.id, absent.id);
  EXPECT_EQ(text.id, absent.id);
  EXPECT_FALSE(null.judged_by);
  EXPECT_EQ(empty.judged_by, "");
  EXPECT_EQ(text.judged_by, std::string("a\0\xF0\x9F\x98\x80", 6));
  for (const char* value : {"1", "[]", "{}", "true", "nul"}) EXPECT_FALSE(accepted("judged_by", value)) << value;
}

TEST(Record, SigIsTheBase64Of64BytesAndIsNotHashed) {
  const Record record = parse_record(object(with(plain(), "sig", in_quotes(base64_of_64('s'))))).value();
  EXPECT_EQ(record.id, parse_record(object(plain())).value().id);
  ASSERT_TRUE(record.sig);
  EXPECT_EQ(record.sig->view(), std::string(64, 's'));
  const std::string good = base64_of_64('s');
  std::string loose_bits = good;
  loose_bits[loose_bits.size() - 3] = static_cast<char>(loose_bits[loose_bits.size() - 3] + 1);
  for (const std::string& sig :
       {std::string(), base::to_base64(std::string(63, 's')), base::to_base64(std::string(65, 's')),
        good.substr(0, good.size() - 2), good + "=", " " + good, base::to_hex(std::string(64, 's')), loose_bits})
    EXPECT_FALSE(accepted("sig", in_quotes(sig))) << sig;
  EXPECT_FALSE(accepted("sig", "1"));
}

TEST(Record, NestsTo128LevelsWithItsOwnObjectAsTheFirst) {
  EXPECT_TRUE(accepted("body", body_of_depth(127)));
  EXPECT_FALSE(accepted("body", body_of_depth(128)));
  const auto line = [](int depth) {
    return "{\"id\":null,\"record\":" + object(with(plain(), "body", body_of_depth(depth))) + "}";
  };
  const auto wrapped = [&line](int depth) {
    std::string text = line(depth);
    text.erase(1, 10);
    return parse_record_line(text).has_value();
  };
  EXPECT_TRUE(wrapped(127));
  EXPECT_FALSE(wrapped(128));
  EXPECT_TRUE(parse_record_line(object(with(plain(), "body", body_of_depth(127)))));
  EXPECT_FALSE(parse_record_line(object(with(plain(), "body", body_of_depth(128)))));
}

TEST(Record, OfExactly16MiBIsTakenAndOneMoreByteIsNot) {
  const std::size_t rest = object(with(plain(), "body", "{\"a\":\"\"}")).size();
  const auto of_size = [rest](std::size_t size) {
    return object(with(plain(), "body", "{\"a\":\"" + std::string(size - rest, 'x') + "\"}"));
  };
  const std::string largest = of_size(base::kRecordBytesMax);
  ASSERT_EQ(largest.size(), base::kRecordBytesMax);
  const auto record = parse_record(largest);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_TRUE(parse_record_file(largest, record->id));
  EXPECT_FALSE(parse_record(of_size(base::kRecordBytesMax + 1)));
  EXPECT_TRUE(parse_record_line(largest));
  // What can be stored can also be sent in a line.
  const auto line = parse_record_line("{\"id\":\"" + record->id.hex() + "\",\"record\":" + largest + ",\"sig\":null}");
  EXPECT_TRUE(line) << line.error().message;
  EXPECT_FALSE(parse_record_line("{\"record\":" + of_size(base::kRecordBytesMax + 1) + "}"));
}

TEST(Record, OfWhichTheFileWouldBeOver16MiBIsRefused) {
  // Numbers and escapes that are longer in the canonical form than as they are given.
  std::string numbers = "[0";
  for (int i = 0; i < 700'000; ++i) numbers += ",1e20";
  Members members = with(plain(), "body", "{\"a\":" + numbers + "]}");
  ASSERT_TRUE(parse_record(object(members)));
  std::string nulls;
  for (int i = 0; i < 400'000; ++i) nulls += "\\u0000";
  members = with(members, "judged_by", in_quotes(nulls));
  ASSERT_LT(object(members).size(), base::kRecordBytesMax);
  EXPECT_FALSE(parse_record(object(members)));
  const Record smaller = parse_record(object(with(plain(), "judged_by", in_quotes(nulls)))).value();
  EXPECT_TRUE(parse_record_file(file_text(smaller), smaller.id));
}

TEST(Record, AMissingClockTakesTheOneThatIsGiven) {
  for (Members members : {without(plain(), "clock"), backwards(plain())}) {
    members = without(members, "clock");
    EXPECT_FALSE(parse_record(object(members)));
    EXPECT_EQ(parse_record(object(members), 5).value().canonical,
              parse_record(object(with(plain(), "clock", "5"))).value().canonical);
  }
  EXPECT_EQ(parse_record(object(with(plain(), "clock", "3")), 5).value().clock, 3u);
  EXPECT_FALSE(parse_record(object(without(plain(), "clock")), UINT64_MAX));
  for (const auto& [name, value] : without(plain(), "clock"))
    EXPECT_FALSE(parse_record(object(without(without(plain(), "clock"), name)), 5)) << name;
}

TEST(Record, EveryTruncationIsRefused) {
  const std::string text = object(
      with(with(plain(), "body", R"({"a":[1,2.5,"\u00e9"],"b":{"c":null}})"), "sig", in_quotes(base64_of_64('s'))));
  const std::string line = "{\"id\":\"" + parse_record(text).value().id.hex() + "\",\"record\":" + text + "}";
  ASSERT_TRUE(parse_record_line(line)) << line;
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(parse_record(text.substr(0, n))) << n;
  for (std::size_t n = 0; n < line.size(); ++n) EXPECT_FALSE(parse_record_line(line.substr(0, n))) << n;
  EXPECT_FALSE(parse_record(text + "x"));
  EXPECT_FALSE(parse_record(text + "{}"));
  EXPECT_FALSE(parse_record_line(line + "}"));
  EXPECT_TRUE(parse_record_line(line + "\r\n"));
}

TEST(RecordLine, IsARecordOrARecordWithItsId) {
  const Record record = parse_record(object(plain())).value();
  const std::string& text = record.canonical;
  const std::string id = in_quotes(record.id.hex());
  const std::string sig = in_quotes(base64_of_64('s'));
  const auto takes = [](const std::string& line) { return parse_record_line(line).has_value(); };
  EXPECT_TRUE(takes(text));
  EXPECT_TRUE(takes("{\"record\":" + text + "}"));
  EXPECT_TRUE(takes("{\"id\":" + id + ",\"record\":" + text + "}"));
  EXPECT_TRUE(takes("{\"sig\":null,\"record\":" + text + ",\"id\":" + id + "}"));
  EXPECT_TRUE(takes(" { \"record\" : " + text + " , \"sig\" : " + sig + " } "));
  EXPECT_EQ(parse_record_line("{\"sig\":" + sig + ",\"id\":" + id + ",\"record\":" + text + "}").value().sig->view(),
            std::string(64, 's'));
  EXPECT_EQ(parse_record_line("{\"record\":" + object(with(plain(), "sig", sig)) + "}").value().sig->view(),
            std::string(64, 's'));
  EXPECT_TRUE(takes(object(with(plain(), "sig", sig))));
  Members sig_first = with(plain(), "sig", sig);
  std::rotate(sig_first.begin(), sig_first.end() - 1, sig_first.end());
  EXPECT_TRUE(takes(object(sig_first)));

  EXPECT_FALSE(takes("{\"id\":" + in_quotes(hex_id('0')) + ",\"record\":" + text + "}"));
  EXPECT_FALSE(takes("{\"id\":null,\"record\":" + text + "}"));
  EXPECT_FALSE(takes("{\"id\":" + id + "}"));
  EXPECT_FALSE(takes("{\"id\":" + id + ",\"id\":" + id + ",\"record\":" + text + "}"));
  EXPECT_FALSE(takes("{\"record\":" + text + ",\"record\":" + text + "}"));
  EXPECT_FALSE(takes("{\"record\":" + text + ",\"judged_by\":\"x\"}"));
  EXPECT_FALSE(takes("{\"record\":" + text + ",\"x\":1}"));
  EXPECT_FALSE(takes("{\"record\":" + object(with(plain(), "sig", sig)) + ",\"sig\":" + sig + "}"));
  EXPECT_FALSE(takes("{\"record\":" + text + ",\"sig\":" + sig + ",\"sig\":" + sig + "}"));
  EXPECT_FALSE(takes("{\"record\":" + in_quotes("x") + "}"));
  EXPECT_FALSE(takes("{\"sig\":" + sig + "}"));
  EXPECT_FALSE(takes("{\"id\":" + in_quotes("A" + hex_id('a').substr(1)) + ",\"record\":" + text + "}"));
}

TEST(RecordLine, WithAWrongIdNamesBoth) {
  const auto record = parse_record_line("{\"id\":" + in_quotes(hex_id('0')) + ",\"record\":" + object(plain()) + "}");
  ASSERT_FALSE(record);
  EXPECT_NE(record.error().message.find(hex_id('0')), std::string::npos);
  EXPECT_NE(record.error().message.find(parse_record(object(plain())).value().id.hex()), std::string::npos);
}

TEST(RecordFile, HasItsMembersSorted) {
  Record record =
      parse_record(object(with(with(plain(), "judged_by", "\"j\\n\""), "sig", in_quotes(base64_of_64('s'))))).value();
  EXPECT_EQ(
      file_text(record),
      R"({"act":"DO","actor":"did:sync:user:a","body":{},"clock":0,"data_type":"SCALAR","judged_by":"j\n","parents":[],"sig":")" +
          base64_of_64('s') + R"(","thread":"th_x"})");
  // What file_text writes is canonical JSON as a whole.
  std::string canonical;
  ASSERT_TRUE(codec::canonicalize_json(file_text(record), canonical));
  EXPECT_EQ(canonical, file_text(record));
  record.sig.reset();
  EXPECT_TRUE(parse_record_file(file_text(record), record.id));
  record.judged_by.reset();
  EXPECT_EQ(file_text(record), record.canonical);
}

TEST(RecordFile, OfATrickyRecordPutsTheMembersInTheirPlace) {
  const Members tricky =
      with(with(with(plain(), "thread", R"(",\"thread\":\"x,\"parents\":[")"), "body",
                R"({"x":",\"parents\":[","thread":"","parents":[],"z":{"parents":[1],"thread":"q"}})"),
           "parents", "[" + in_quotes(hex_id('1')) + "," + in_quotes(hex_id('2')) + "]");
  const Record record =
      parse_record(object(with(with(tricky, "judged_by", R"("\",\"sig\":\"")"), "sig", in_quotes(base64_of_64('s')))))
          .value();
  const auto again = parse_record_file(file_text(record), record.id);
  ASSERT_TRUE(again) << again.error().message << file_text(record);
  EXPECT_EQ(again->canonical, record.canonical);
  EXPECT_EQ(again->judged_by, record.judged_by);
  EXPECT_EQ(again->sig, record.sig);
  std::string canonical;
  ASSERT_TRUE(codec::canonicalize_json(file_text(record), canonical));
  EXPECT_EQ(canonical, file_text(record));
}

TEST(RecordFile, InAnyOtherFormIsRefused) {
  const Record record = parse_record(object(plain())).value();
  EXPECT_TRUE(parse_record_file(record.canonical, record.id));
  for (const std::string& text :
       {record.canonical + "\n", " " + record.canonical, object(backwards(plain())),
        object(with(plain(), "judged_by", "null")), object(with(plain(), "judged_by", "\"x\"")),
        object(with(plain(), "sig", in_quotes(base64_of_64('s')))), "{\"record\":" + record.canonical + "}"})
    EXPECT_FALSE(parse_record_file(text, record.id)) << text;
  RecordId other = record.id;
  other.digest.octets[31] ^= 1;
  EXPECT_FALSE(parse_record_file(record.canonical, other));
}

TEST(StoredRecord, WhatIsNoRecordStaysAsItIs) {
  for (const char* text : {"", "{}", R"({"x":1})", R"(,"parents":[)", R"(,"thread":",)"})
    EXPECT_EQ(file_text(text, "judge", std::string(64, 's')), text);
}

TEST(StoredRecord, IsReadBack) {
  const Record record = parse_record(object(plain())).value();
  const Record again = parse_stored(record.canonical, "j", std::string(64, 's')).value();
  EXPECT_EQ(again.id, record.id);
  EXPECT_EQ(again.judged_by, "j");
  EXPECT_EQ(again.sig->view(), std::string(64, 's'));
  EXPECT_FALSE(parse_stored(record.canonical + " ", {}, {}));
  EXPECT_FALSE(parse_stored(record.canonical, {}, "short"));
  EXPECT_FALSE(parse_stored("{}", {}, {}));
}

TEST(Signature, IsValidOnlyByTheActorsKeyOverTheHashedBytes) {
  const auto key = crypto::SigningKey::from_seed(std::string(32, 'k')).value();
  const auto other = crypto::SigningKey::from_seed(std::string(32, 'o')).value();
  Record record = parse_record(object(with(plain(), "actor", in_quotes(crypto::did_of(key.public_key()))))).value();
  EXPECT_FALSE(signature_is_valid(record));
  record.sig = key.sign(record.canonical);
  EXPECT_TRUE(signature_is_valid(record));
  record.judged_by = "anyone";
  EXPECT_TRUE(signature_is_valid(record));
  record.sig = key.sign(file_text(record));
  EXPECT_FALSE(signature_is_valid(record));
  record.sig = other.sign(record.canonical);
  EXPECT_FALSE(signature_is_valid(record));
  Record foreign = parse_record(object(plain())).value();
  foreign.sig = key.sign(foreign.canonical);
  EXPECT_FALSE(signature_is_valid(foreign));
}

TEST(RecordId, IsLowercaseHex) {
  EXPECT_EQ(RecordId::parse(hex_id('a')).value().hex(), hex_id('a'));
  for (const std::string& text :
       {std::string(), hex_id('A'), hex_id('a') + "a", hex_id('a').substr(1), hex_id('g'), hex_id(' ')})
    EXPECT_FALSE(RecordId::parse(text)) << text;
}

TEST(BodyString, FindsTopLevelStringsOnly) {
  EXPECT_EQ(body_string(R"({"a":{"k":"no"},"k":"yes\n"})", "k"), "yes\n");
  EXPECT_EQ(body_string(R"({"\n":"x"})", "\n"), "x");
  EXPECT_EQ(body_string(R"({"k":1})", "k"), std::nullopt);
  EXPECT_EQ(body_string(R"({"k":["x"]})", "k"), std::nullopt);
  EXPECT_EQ(body_string(R"({"a":"k"})", "k"), std::nullopt);
  EXPECT_EQ(body_string("{}", ""), std::nullopt);
}

}  // namespace
}  // namespace spl::record
