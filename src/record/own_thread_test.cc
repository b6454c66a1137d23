#include "record/own_thread.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "record/record.h"
#include "record/thread.h"

namespace spl::record {
namespace {

Record on(std::string_view thread, std::string_view body = "{}") {
  std::string json = R"({"act":"DO","actor":"did:x:a","body":)" + std::string(body) +
                     R"(,"clock":1,"data_type":"VOID","parents":[],"thread":)";
  base::append_json_string(json, thread);
  return parse_record(json + "}").value();
}

TEST(OwnThread, IsThatOfTheRecordWhateverItsNameOrBody) {
  OwnThread own;
  for (const char* thread : {"", "t", "a/b", "\"", "\\", "é\xF0\x9F\x98\x80", ",\"thread\":\"t", "t\"}"}) {
    for (const char* body : {"{}", R"({"a":1,"thread":"other"})", R"({"a":",\"thread\":\"other\""})"}) {
      const Record record = on(thread, body);
      EXPECT_TRUE(own.lies_in(record.canonical, thread_directory(thread))) << record.canonical;
      EXPECT_FALSE(own.lies_in(record.canonical, "other")) << record.canonical;
    }
  }
}

TEST(OwnThread, WhatIsNoRecordLiesNowhere) {
  OwnThread own;
  for (const char* text : {"", "{}", "\"}", R"({"a":1,"thread":"t})", R"({"a":1,"thread":"t"} )", R"(,"thread":"}"})",
                           R"({"a":1,"thread":"\x"})"})
    EXPECT_FALSE(own.lies_in(text, "t")) << text;
}

}  // namespace
}  // namespace spl::record
