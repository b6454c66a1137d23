#include "bundle/layout.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "bundle/part_files.h"

namespace spl::bundle {
namespace {

codec::TarEntry file(std::string path, std::uint64_t size_bytes = 1) {
  codec::TarEntry entry;
  entry.path = std::move(path);
  entry.size_bytes = size_bytes;
  return entry;
}

std::string why(const codec::TarEntry& entry) {
  const auto kind = place_of(entry);
  return kind ? "accepted" : kind.error().message;
}

const std::string kId(64, 'a');
constexpr char kNoPlace[] = "nothing of this name has a place in a bundle";

TEST(Layout, KnowsWhatStandsWhere) {
  EXPECT_EQ(place_of(file("credentials/tokens.json")).value(), EntryKind::kTokens);
  EXPECT_EQ(place_of(file("identity/did_document.json")).value(), EntryKind::kDidDocument);
  EXPECT_EQ(place_of(file("identity/private_key.bin", 32)).value(), EntryKind::kPrivateKey);
  EXPECT_EQ(place_of(file("records/t/" + kId + ".json")).value(), EntryKind::kRecord);
  EXPECT_EQ(place_of(file("services/a/b/@instance/dump.bin")).value(), EntryKind::kServiceFile);
  for (const std::string& path :
       {std::string("manifest.json"), std::string("manifest.sig"), std::string("records"), "records/" + kId + ".json",
        "records//" + kId + ".json", "records/t/" + kId, "records/t/u/" + kId + ".json", "Records/t/" + kId + ".json",
        std::string("services"), std::string("identity/private_key.bin/x"), std::string("x")})
    EXPECT_EQ(why(file(path)), kNoPlace) << path;
}

TEST(Layout, HasLimits) {
  EXPECT_EQ(why(file("records/t/" + kId + ".json", base::kRecordBytesMax)), "accepted");
  EXPECT_EQ(why(file("records/t/" + kId + ".json", base::kRecordBytesMax + 1)), "longer than a record may be: 16 MiB");
  EXPECT_EQ(why(file("credentials/tokens.json", kTokensBytesMax + 1)), "longer than 16 MiB");
  EXPECT_EQ(why(file("identity/private_key.bin", 33)), "not 32 bytes");
}

TEST(Layout, TellsTheTwoPartsOfARecordsPath) {
  const std::string path = "records/%2Ehidden/" + kId + ".json";
  const RecordPath parts = parts_of_record_path(path);
  EXPECT_EQ(parts.directory, "%2Ehidden");
  EXPECT_EQ(parts.id, kId);
}

TEST(EncodedName, IsOneThatTheEncodingMakes) {
  for (const std::string& name : {std::string("%"), std::string("a"), std::string("A.b_c-9"), std::string("a..b"),
                                  std::string("%2Ehidden"), std::string("a%2Fb"), std::string("%C3%BC"),
                                  std::string("%25"), std::string("%00"), std::string(200, 'a'), "%%" + kId})
    EXPECT_TRUE(is_encoded_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string(".hidden"), std::string("a%2Eb"), std::string("%41"), std::string("%2"),
        std::string("a%"), std::string("%c3%bc"), std::string("a b"), std::string("a/b"), std::string("\xc3\xbc"),
        std::string("%2G"), std::string(201, 'a'), std::string("%%"), "%%" + kId + "a", "%%" + std::string(64, 'A')})
    EXPECT_FALSE(is_encoded_name(name)) << name;
}

// Each path of a part of this kind, in order.
std::string why(SurfaceKind kind, std::initializer_list<std::string_view> paths, std::string_view of = "@instance") {
  PartFiles part;
  const std::string prefix = "services/a/b/" + std::string(of) + "/";
  part.begin(prefix, kind);
  const std::size_t before = std::string_view("bundle malformed: ").size() + prefix.size();
  for (const std::string_view path : paths) {
    if (const auto added = part.add(path); !added) return added.error().message.substr(before);
  }
  const auto ended = part.end();
  return ended ? "accepted" : ended.error().message.substr(before);
}

TEST(PartFiles, OfEachKindHaveTheirNames) {
  EXPECT_EQ(why(SurfaceKind::kPostgres, {"dump.pgc"}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kMariadb, {"dump.sql"}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kCommand, {"dump.bin"}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kSqlite, {"%.sqlite", "a.sqlite", "a.sqlite.sqlite"}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kCommand, {"dump.pgc"}), "dump.pgc: a surface of the kind command has no such file");
  EXPECT_EQ(why(SurfaceKind::kSqlite, {"a.sqlite-wal"}), "a.sqlite-wal: a surface of the kind sqlite has no such file");
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.git"}), "a.git: a surface of the kind git has no such file");
  EXPECT_EQ(why(SurfaceKind::kFiles, {"tree.attrs.ndjson", "tree.mtree", "tree/a", "tree/b/c"}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kFiles, {"tree.tar"}), "tree.tar: a surface of the kind files has no such file");
}

TEST(PartFiles, OfRedisAreDatabasesByNumberAndLargeValues) {
  const std::string large = "large/" + std::string(64, 'a');
  EXPECT_EQ(why(SurfaceKind::kRedis, {}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kRedis, {"db-0.ndjson", "db-1.ndjson", "db-15.ndjson", large}), "accepted");
  for (const std::string& name : {std::string("keys.ndjson"), std::string("db-.ndjson"), std::string("db-01.ndjson"),
                                  std::string("db-+1.ndjson"), std::string("db-1"), std::string("db-1000000000.ndjson"),
                                  std::string("large/a"), std::string("large/") + std::string(64, 'A'), large + "/a"}) {
    EXPECT_EQ(why(SurfaceKind::kRedis, {name}), name + ": a surface of the kind redis has no such file");
  }
  // What is split by database or by prefix has one database in each of its parts.
  EXPECT_EQ(why(SurfaceKind::kRedis, {"db-0.ndjson", large}, "acme"), "accepted");
  EXPECT_EQ(why(SurfaceKind::kRedis, {"db-1.ndjson"}, "acme"),
            "db-1.ndjson: a surface of the kind redis has no such file");
}

TEST(PartFiles, OfARepositoryComeTogether) {
  EXPECT_EQ(why(SurfaceKind::kGit, {}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kGit, {"empty.json"}), "accepted");
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.bundle", "a.json", "b.bundle", "b.json"}), "accepted");
  // Others whose names begin with the same stand between the two.
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.bundle", "a.bundle.bundle", "a.bundle.json", "a.c.bundle", "a.c.d.bundle",
                                    "a.c.d.json", "a.c.json", "a.e.json", "a.json", "a.json.json"}),
            "accepted");
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.bundle"}), "a.bundle: stands without its a.json");
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.bundle", "b.json"}), "a.bundle: stands without its a.json");
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.bundle", "a.c.bundle", "a.json"}), "a.c.bundle: stands without its a.c.json");
  EXPECT_EQ(why(SurfaceKind::kGit, {"a.bundle", "a.c.bundle", "a.c.json", "a.json.bundle"}),
            "a.bundle: stands without its a.json");
}

}  // namespace
}  // namespace spl::bundle
