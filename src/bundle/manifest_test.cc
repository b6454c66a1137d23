#include "bundle/manifest.h"

#include <gtest/gtest.h>

#include "base/names.h"
#include "codec/json.h"
#include "crypto/did_key.h"
#include "testing/bundle_forge.h"

namespace spl::bundle {
namespace {

// With something in every member.
Manifest full() {
  Manifest manifest = testing::BundleForge().manifest();
  manifest.created_at = "2026-01-31T12:00:00.25Z";
  manifest.encryption = {Encryption::Kind::kRecipients, {"age1aaa", "age1bbb"}};
  manifest.export_sequence = kExportSequenceMax;
  manifest.previous = manifest.bundle_sha256;
  manifest.contexts = {{"acme", 1}, {"other", 2}};
  manifest.services = {{"notes",
                        "1.2",
                        3,
                        "name = \"notes\"\n",
                        {{"db", SurfaceKind::kSqlite, SurfaceClass::kSource, true, true, "sqlite 3.40"},
                         {"cache", SurfaceKind::kRedis, SurfaceClass::kDerived, false, false, ""}}}};
  manifest.secrets = {{"notes/token", SecretClass::kPortable, true}};
  manifest.snapshot = {"2026-01-31T12:00:00Z", 12, "crash"};
  manifest.sections.push_back({"services/notes/db/acme/", 1, 10, {}, 4096});
  return manifest;
}

std::string why(const Manifest& manifest) {
  const auto parsed = parse_manifest(manifest_text(manifest));
  return parsed ? "accepted" : parsed.error().message;
}

TEST(Manifest, IsReadAsItWasWritten) {
  for (const Manifest& manifest : {full(), testing::BundleForge().manifest()}) {
    const std::string text = manifest_text(manifest);
    const auto parsed = parse_manifest(text);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(manifest_text(*parsed), text);
    EXPECT_TRUE(text.starts_with("{\n  \"bundle_version\": 1,\n")) << text;
    EXPECT_TRUE(text.ends_with("}\n"));
    EXPECT_EQ(peek_source_did(text).value(), manifest.source_did);
  }
  const auto parsed = parse_manifest(manifest_text(full()));
  EXPECT_EQ(parsed->services[0].surfaces[0].engine, "sqlite 3.40");
  EXPECT_EQ(parsed->encryption, full().encryption);
  EXPECT_EQ(parsed->contexts[1].id, 2u);
  EXPECT_EQ(parsed->sections.back().offset, 4096u);
}

TEST(Manifest, HasItsMembersInOneOrder) {
  const auto json = codec::Json::parse(manifest_text(full()));
  ASSERT_TRUE(json);
  std::string names;
  for (const auto& [name, value] : *json->object()) names += name + " ";
  EXPECT_EQ(names,
            "bundle_version bundle_sha256 created_at created_by source_did scope encryption export_sequence previous "
            "record_count thread_count identity tokens contexts services secrets snapshot sections ");
}

// Each member at its place is the only one that is taken there.
TEST(Manifest, WithTwoMembersChangedOverIsRefused) {
  const auto json = codec::Json::parse(manifest_text(full()));
  ASSERT_TRUE(json);
  const codec::Json::Object& members = *json->object();
  for (std::size_t i = 1; i + 1 < members.size(); ++i) {
    codec::Json::Object swapped = members;
    std::swap(swapped[i], swapped[i + 1]);
    const auto parsed = parse_manifest(codec::Json(swapped).pretty() + "\n");
    ASSERT_FALSE(parsed) << members[i].first;
    EXPECT_EQ(parsed.error().message,
              "manifest: member \"" + members[i + 1].first + "\" stands where \"" + members[i].first + "\" must");
    codec::Json::Object without = members;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(parse_manifest(codec::Json(without).pretty() + "\n")) << members[i].first;
  }
}

TEST(Manifest, IsAcceptedWhereItsPartsAgree) {
  Manifest manifest = testing::BundleForge().manifest();
  EXPECT_EQ(why(manifest), "accepted");
  // Nothing is written of a surface that was left out, nor must be of repositories and databases.
  manifest.services = {{"a",
                        "1",
                        1,
                        "",
                        {{"left", SurfaceKind::kPostgres, SurfaceClass::kDerived, false, false, ""},
                         {"repos", SurfaceKind::kGit, SurfaceClass::kSource, false, true, "git"},
                         {"dbs", SurfaceKind::kSqlite, SurfaceClass::kSource, false, true, "sqlite"},
                         {"each", SurfaceKind::kRedis, SurfaceClass::kSource, true, true, "redis"}}}};
  EXPECT_EQ(why(manifest), "accepted") << "a surface per context may have no part, where there is no context";
  manifest.services[0].surfaces[0].included = true;
  EXPECT_EQ(why(manifest), "sections: services/a/left/@instance/ is missing, its surface is included");
  manifest.services[0].surfaces.resize(0);
  manifest.sections.erase(manifest.sections.begin());
  manifest.identity_included = false;
  manifest.scope.service = "a";
  EXPECT_EQ(why(manifest), "accepted");
  manifest.scope.service.reset();
  manifest.scope.context = "acme";
  EXPECT_EQ(why(manifest), "accepted");
  manifest.contexts = {{"acme", 7}};
  EXPECT_EQ(why(manifest), "accepted");
}

TEST(Manifest, CountsValuesButNotWhatStandsInText) {
  Manifest manifest = testing::BundleForge().manifest();
  manifest.services = {{"a", "1", 1, std::string(1'100'000, ',') + "\"[{\\", {}}};
  const std::string text = manifest_text(manifest);
  EXPECT_EQ(peek_source_did(text).value(), manifest.source_did);
  EXPECT_TRUE(parse_manifest(text));
  std::string many = text;
  many.insert(many.find("\"secrets\": [") + 12, "0" + std::string(1'000'000, ','));
  EXPECT_EQ(peek_source_did(many).error().message, "has more than a million values");
}

TEST(Manifest, OfANewerVersionIsToldByItsNumber) {
  const auto version = check_version("{\n  \"bundle_version\": 7,\n  \"anything\": else");
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().message, "bundle_version 7 is newer than this program's: it reads up to version 1");
  EXPECT_EQ(version.error().hint, "use a newer spl");
  EXPECT_EQ(check_version("{\n  \"bundle_version\": 1,\n").value(), 1u);
}

TEST(Manifest, NamesAreShortAndPlain) {
  for (const std::string& name : {std::string("a"), std::string("0"), std::string("a-b_c9"), std::string(63, 'a')})
    EXPECT_TRUE(base::is_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("-a"), std::string("_a"), std::string("A"), std::string("a.b"), std::string("a/b"),
        std::string("\xc3\xbc"), std::string(64, 'a')})
    EXPECT_FALSE(base::is_name(name)) << name;
}

}  // namespace
}  // namespace spl::bundle
