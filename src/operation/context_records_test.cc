#include "operation/context_records.h"

#include <gtest/gtest.h>

#include "record/thread.h"

namespace spl::operation {
namespace {

bool is_geominds(const std::string& body, const std::string& thread = "th_a") {
  const auto record =
      record::parse_record("{\"act\":\"KNOW\",\"actor\":\"did:example:a\",\"body\":" + body +
                           ",\"clock\":1,\"data_type\":\"VOID\",\"parents\":[],\"thread\":\"" + thread + "\"}");
  EXPECT_TRUE(record) << record.error().message;
  if (!record) return false;
  const auto belongs = is_of_context(*record, "geomind");
  EXPECT_TRUE(belongs);
  return belongs && *belongs;
}

TEST(ContextRecords, AreThoseOfItsNamespaceAndBelow) {
  EXPECT_TRUE(is_geominds("{\"namespace\":\"geomind\"}"));
  EXPECT_TRUE(is_geominds("{\"namespace\":\"geomind/invoices\",\"x\":1}"));
  for (const char* body :
       {"{\"namespace\":\"geo\"}", "{\"namespace\":\"geominds\"}", "{\"namespace\":\"a/geomind\"}",
        "{\"namespace\":\"\"}", "{\"namespace\":[\"geomind\"]}", "{\"x\":{\"namespace\":\"geomind\"}}", "{}"})
    EXPECT_FALSE(is_geominds(body)) << body;
}

TEST(ContextRecords, AReservedThreadIsNobodys) {
  for (const std::string_view thread : record::reserved_threads())
    EXPECT_FALSE(is_geominds("{\"namespace\":\"geomind\"}", std::string(thread))) << thread;
}

}  // namespace
}  // namespace spl::operation
