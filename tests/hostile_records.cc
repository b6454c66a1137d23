#include "hostile_cases.h"
#include "hostile_kit.h"

namespace spl::testing {
namespace {

constexpr char kNotCanonical[] = "not in canonical form";

Forging body(std::string value, Named named = Named::kByOctets) {
  return record("\"body\":{}", "\"body\":" + value, named);
}

Forging parents(std::string value) {
  return record("\"parents\":[]", "\"parents\":" + value);
}

std::string id(char digit) {
  return "\"" + std::string(64, digit) + "\"";
}

Forging sig(std::string value) {
  return record(",\"thread\"", ",\"sig\":" + value + ",\"thread\"");
}

Forging judged_by(std::string value, Named named = Named::kByOctets) {
  return record(",\"parents\"", ",\"judged_by\":" + value + ",\"parents\"", named);
}

const Hostile kRecords[] = {
    // Its name, its place, its form.
    {"RecordThatDoesNotHashToItsName", record("\"clock\":", "\"clock\":1", Named::kAsItWas),
     "its content hashes to f369d684d1db0fa2eb81628cfb82b0211d17f178d3904b994a0727fc76377323"},
    {"RecordUnderAnotherThread", record("th_alpha", "th_gamma"), "lies under another thread than its own"},
    {"RecordWithWhiteSpace", record("\"body\":{}", "\"body\": {}", Named::kById), kNotCanonical},
    {"RecordWithALineFeedAtItsEnd", record([](std::string& c) { c += "\n"; }, Named::kById), kNotCanonical},
    {"RecordWithMembersInAnotherOrder",
     record("{\"act\":\"DO\",\"actor\":\"did:example:forge\"", "{\"actor\":\"did:example:forge\",\"act\":\"DO\"",
            Named::kById),
     kNotCanonical},
    {"RecordWithABodyInAnotherOrder", body("{\"b\":1,\"a\":2}", Named::kById), kNotCanonical},
    {"RecordWithAnEscapeThatNeedsNone", body("{\"\\u0061\":1}", Named::kById), kNotCanonical},
    {"RecordWithAnEscapedSlash", body("{\"a\":\"\\/\"}", Named::kById), kNotCanonical},
    {"RecordWithANumberWrittenOtherwise", body("{\"a\":1.0}", Named::kById), kNotCanonical},
    {"RecordWithANumberMinusZero", body("{\"a\":-0}", Named::kById), kNotCanonical},
    {"RecordWithNullJudgedBy", judged_by("null", Named::kById), kNotCanonical},
    {"RecordWithJudgedByInAnotherPlace", record("{\"act\"", "{\"judged_by\":\"x\",\"act\"", Named::kById),
     kNotCanonical},
    // The same under the SHA-256 of their octets.
    {"RecordWithWhiteSpaceUnderItsOctets", record("\"body\":{}", "\"body\": {}"),
     "its content hashes to 8e190b5b3b6f0ad61804a420a66327a60bf76ebb4b66501aac18097dcacce6f7"},
    {"RecordWithNullJudgedByUnderItsOctets", judged_by("null"),
     "its content hashes to 8e190b5b3b6f0ad61804a420a66327a60bf76ebb4b66501aac18097dcacce6f7"},
    {"RecordThatIsEmpty", record([](std::string& c) { c.clear(); }), "JSON: an object is wanted at byte 0"},
    {"RecordThatIsAnArray", record([](std::string& c) { c = "[]"; }), "JSON: an object is wanted at byte 0"},
    {"RecordCutShort", record([](std::string& c) { c.pop_back(); }),
     "JSON: a comma or the end of the object is wanted at byte 113"},
    {"RecordWithAnotherAfterIt", record([](std::string& c) { c += c; }), "JSON: something after the value at byte 114"},
    // Members.
    {"RecordWithAnUnknownMember", record("\"act\"", "\"aaa\":1,\"act\""), "\"aaa\" is no member of a record"},
    {"RecordWithARepeatedMember", record("\"clock\":", "\"clock\":0,\"clock\":"), "clock stands twice"},
    {"RecordWithJudgedByTwice", judged_by("\"x\",\"judged_by\":\"x\""), "judged_by stands twice"},
    {"RecordWithSigTwice", sig("\"" + std::string(86, 'A') + "==\",\"sig\":\"" + std::string(86, 'A') + "==\""),
     "sig stands twice"},
    {"RecordWithARepeatedBodyName", body("{\"a\":1,\"a\":2}"), "JSON: a name stands twice at byte 60"},
    {"RecordWithoutAnAct", record("\"act\":\"DO\",", ""), "act is missing"},
    {"RecordWithoutAnActor", record("\"actor\":\"did:example:forge\",", ""), "actor is missing"},
    {"RecordWithoutABody", record("\"body\":{},", ""), "body is missing"},
    {"RecordWithoutADataType", record("\"data_type\":\"SCALAR\",", ""), "data_type is missing"},
    {"RecordWithoutParents", record("\"parents\":[],", ""), "parents is missing"},
    {"RecordWithoutAThread", record(",\"thread\":\"th_alpha\"", ""), "thread is missing"},
    {"RecordWithoutAClock",
     record([](std::string& c) { c.erase(c.find("\"clock\":"), c.find("\"data_type\"") - c.find("\"clock\":")); }),
     "clock is missing"},
    // Types.
    {"RecordWithAnActThatIsANumber", record("\"DO\"", "1"), "act is not a string"},
    {"RecordWithAnActorThatIsNull", record("\"did:example:forge\"", "null"), "actor is not a string"},
    {"RecordWithAnArrayBody", body("[]"), "body is not an object"},
    {"RecordWithANullBody", body("null"), "body is not an object"},
    {"RecordWithAClockAsText", record("\"clock\":", "\"clock\":\"1\",\"c\":"),
     "clock: JSON: a number is wanted at byte 58"},
    {"RecordWithADataTypeThatIsAnArray", record("\"SCALAR\"", "[\"SCALAR\"]"), "data_type is not a string"},
    {"RecordWithParentsThatAreAnObject", parents("{}"), "parents is not an array"},
    {"RecordWithAThreadThatIsANumber", record("\"th_alpha\"", "1"), "thread is not a string"},
    {"RecordWithJudgedByThatIsANumber", judged_by("1"), "judged_by: JSON: a string is wanted at byte 93"},
    {"RecordWithASigThatIsNull", sig("null"), "sig: JSON: a string is wanted at byte 100"},
    // Values.
    {"RecordWithAnUnknownAct", record("\"DO\"", "\"DONE\""), "act is none of INTEND DO KNOW LEARN GET PUT CALL MAP"},
    {"RecordWithAnActInLowercase", record("\"DO\"", "\"do\""), "act is none of INTEND DO KNOW LEARN GET PUT CALL MAP"},
    {"RecordWithAnUnknownDataType", record("\"SCALAR\"", "\"TENSOR\""),
     "data_type is none of SCALAR FORMULA DISTRIBUTION REFERENCE MORPHISM VOID"},
    {"RecordWithAnActorThatIsNoDid", record("did:example:forge", "alice"), "actor is not a DID"},
    {"RecordWithAnEmptyActor", record("did:example:forge", ""), "actor is not a DID"},
    {"RecordWithANegativeClock", record("\"clock\":", "\"clock\":-1"), "clock is not a whole number from 0 to 2^63-1"},
    {"RecordWithAHugeClock", record("\"clock\":", "\"clock\":99999999999999999999"),
     "clock is not a whole number from 0 to 2^63-1"},
    {"RecordWithAClockOfTwoToThe63", record([](std::string& c) {
       const std::size_t begin = c.find("\"clock\":") + 8;
       c.replace(begin, c.find(',', begin) - begin, "9223372036854775808");
     }),
     "clock is not a whole number from 0 to 2^63-1"},
    {"RecordWithAFractionalClock", record("\"clock\":", "\"clock\":0.5e1"),
     "clock is written with a fraction or an exponent"},
    {"RecordWithParentsOutOfOrder", parents("[" + id('b') + "," + id('a') + "]"), "parents are not ascending"},
    {"RecordWithAParentTwice", parents("[" + id('a') + "," + id('a') + "]"), "parents are not ascending"},
    {"RecordWithAParentThatIsNoId", parents("[\"x\"]"), "parents holds something that is no record id"},
    {"RecordWithAParentInUppercase", parents("[" + id('A') + "]"), "parents holds something that is no record id"},
    {"RecordWithAThreadOf257Bytes", record("th_alpha", std::string(257, 't')), "thread is longer than 256 bytes"},
    {"RecordWithAControlCharacterInItsThread", record("th_alpha", "th_\\u0007"), "thread has a control character"},
    {"RecordWithAC1ControlInItsThread", record("th_alpha", "th_\xc2\x85"), "thread has a control character"},
    {"RecordWithAShortSig", sig("\"AAAA\""), "sig is not the base64 of 64 bytes"},
    {"RecordWithASigWithoutPadding", sig("\"" + std::string(86, 'A') + "\""), "sig is not the base64 of 64 bytes"},
    {"RecordWithASigWithBitsLeftOver", sig("\"" + std::string(85, 'A') + "B==\""), "sig is not the base64 of 64 bytes"},
    // JSON.
    {"RecordWithInvalidUtf8", body("{\"a\":\"\xff\"}"), "JSON: invalid UTF-8 at byte 53"},
    {"RecordWithALoneSurrogate", body("{\"a\":\"\\ud800\"}"), "JSON: an unpaired surrogate at byte 59"},
    {"RecordWithAnOverflowingNumber", body("{\"a\":1e400}"), "JSON: a number too large for a double at byte 52"},
    {"RecordWithARawControlCharacter", body("{\"a\":\"\1\"}"), "JSON: a control character in a string at byte 53"},
    {"RecordDeeperThanAllowed", body("{\"a\":" + std::string(127, '[') + std::string(127, ']') + "}"),
     "JSON: nested deeper than 128 levels at byte 179"},
};

}  // namespace

std::span<const Hostile> hostile_records() {
  return kRecords;
}

}  // namespace spl::testing
