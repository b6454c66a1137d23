#include "service/declaration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spl::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kFile[] = "/h/services/notes.toml";

std::string error_of(const std::string& text) {
  const auto parsed = parse_declaration(kFile, text);
  if (parsed) return "no error";
  EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
  return parsed.error().message;
}

TEST(Declaration, EverythingThatTheFormatHasIsRead) {
  const auto parsed = parse_declaration(kFile, R"(
name    = "notes"
version = "1.4.0"
schema  = 3
summary = "Shared notes"
after   = ["db"]
[install]
source = "apt:redis-server"
[run]
command = ["/usr/bin/notes-server", "--socket", "{run}/notes.sock"]
user    = "notes"
workdir = "{data}"
env     = { NOTES_SMTP = "{secret:notes/smtp_password}" }
init    = ["/usr/bin/notes-server", "--init", "{data}"]
stop_signal = "INT"
stop_timeout_ms  = 1000
start_timeout_ms = 2000
health  = "unix:{run}/notes.sock:/health"
listen  = ["unix:{run}/notes.sock", "tcp:127.0.0.1:8080"]
route   = "notes"
[quiesce]
method     = "hook"
before     = ["/bin/a"]
after      = ["/bin/b"]
timeout_ms = 300
[[surface]]
name  = "files"
kind  = "files"
path  = "{data}/{context}/files"
exclude = ["cache/**"]
[[surface]]
name = "crm"
kind = "postgres"
url  = "postgresql:///crm?host={run}"
admin_url = "postgresql:///postgres?host={run}&user=postgres"
split = { schema = "ctx_{context}" }
[[surface]]
name = "memory"
kind = "redis"
url  = "unix:{run}/redis.sock"
split = { database = "{context_id}" }
[[surface]]
name    = "index"
kind    = "files"
class   = "derived"
path    = "{data}/index"
rebuild = ["/usr/bin/notes-index", "--rebuild", "{data}"]
[[secret]]
handle   = "notes/{context}/key"
class    = "regenerate"
required = true
[restore]
staged = ["/opt/notes/fix", "{staging}"]
after  = ["/opt/notes/reindex"]
[[migration]]
from = 2
to   = 3
command = ["/opt/notes/migrate", "{staging}"]
)");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->name, "notes");
  EXPECT_EQ(parsed->schema, 3u);
  EXPECT_THAT(parsed->after, ElementsAre("db"));
  ASSERT_TRUE(parsed->run);
  EXPECT_EQ(parsed->run->stop_signal, "INT");
  EXPECT_EQ(parsed->run->start_timeout.count(), 2000);
  EXPECT_FALSE(parsed->run->health_is_command);
  EXPECT_EQ(parsed->quiesce.method, Quiesce::kHook);
  ASSERT_EQ(parsed->surfaces.size(), 4u);
  EXPECT_TRUE(parsed->surfaces[0].is_split());
  EXPECT_EQ(parsed->surfaces[1].split_text(), "schema ctx_{context}");
  EXPECT_EQ(parsed->surfaces[3].surface_class, SurfaceClass::kDerived);
  EXPECT_FALSE(parsed->surfaces[3].is_split());
  ASSERT_EQ(parsed->secrets.size(), 1u);
  EXPECT_EQ(parsed->secrets[0].secret_class, SecretClass::kRegenerate);
  ASSERT_EQ(parsed->migrations.size(), 1u);
}

TEST(Declaration, ErrorsNameFileLineAndKey) {
  EXPECT_EQ(error_of("name = \"notes\"\n\nversoin = \"1\"\n"), "/h/services/notes.toml:3: unknown key \"versoin\"");
  EXPECT_EQ(error_of("name = \"notes\"\n[run]\ncommand = [\"/x\"]\nusr = \"a\"\n"),
            "/h/services/notes.toml:4: unknown key \"run.usr\"");
  EXPECT_EQ(error_of("name = \"notes\"\n[[surface]]\nname = \"a\"\nkind = \"files\"\npath = \"/d\"\ncolour = 1\n"),
            "/h/services/notes.toml:6: unknown key \"surface.colour\"");
  EXPECT_THAT(error_of("name = \"notes\"\nschema = \"3\"\n"), HasSubstr("notes.toml:2: schema is not a whole number"));
  EXPECT_THAT(error_of("name = \"notes\"\n[run]\ncommand = \"/x\"\n"), HasSubstr(":3: run.command is not an array"));
  EXPECT_THAT(error_of("version = \"1\"\n"), HasSubstr("name is missing"));
  EXPECT_THAT(error_of("name = \"notes\"\nname = \"b\"\n"), HasSubstr("notes.toml:2: "));
}

TEST(Declaration, TwoSurfacesWithOneVariableForStagedAreAnError) {
  const std::string surfaces =
      "name = \"notes\"\n[[surface]]\nname = \"a-b\"\nkind = \"files\"\npath = \"/d\"\n"
      "[[surface]]\nname = \"a_b\"\nkind = \"files\"\npath = \"/e\"\n";
  EXPECT_EQ(error_of(surfaces), "no error");
  EXPECT_THAT(error_of(surfaces + "[restore]\nstaged = [\"/x\", \"{staging}\"]\n"),
              HasSubstr("notes.toml:6: surface.name: a_b and another surface would both be SPL_STAGED_A_B"));
}

TEST(Declaration, NamesThatCannotBe) {
  for (const char* name : {"all", "backup", "catalog", "Notes", "-a", "a b", ""})
    EXPECT_THAT(error_of("name = \"" + std::string(name) + "\"\n"), HasSubstr("notes.toml:1: name")) << name;
  EXPECT_EQ(error_of("name = \"notes\"\n"), "no error");
}

TEST(Declaration, WhatRunsItIsOneOfThreeAndNamedPlainly) {
  const auto unit = parse_declaration(kFile, "name = \"notes\"\n[run]\nunit = \"notes@one.service\"\n");
  ASSERT_TRUE(unit) << unit.error().message;
  EXPECT_EQ(unit->run->way(), RunWay::kUnit);
  const auto container = parse_declaration(kFile, "name = \"notes\"\n[run]\ncontainer = \"notes.1\"\n");
  ASSERT_TRUE(container) << container.error().message;
  EXPECT_EQ(container->run->way(), RunWay::kContainer);
  for (const char* name :
       {"-notes.service", "--user.service", "a/b.service", "notes.socket", "notes", "n*.service", "a b.service"})
    EXPECT_THAT(error_of(std::string("name = \"notes\"\n[run]\nunit = \"") + name + "\"\n"),
                HasSubstr("notes.toml:3: run.unit is no service unit"))
        << name;
  for (const char* name : {"-a", "--all", "a/b", "a b", "a*", ".a"})
    EXPECT_THAT(error_of(std::string("name = \"notes\"\n[run]\ncontainer = \"") + name + "\"\n"),
                HasSubstr("notes.toml:3: run.container is no name of a container"))
        << name;
  EXPECT_THAT(error_of("name = \"notes\"\n[run]\nunit = \"a.service\"\ncontainer = \"a\"\n"),
              HasSubstr("run wants one of command, unit and container"));
}

TEST(Declaration, PlaceholdersStandOnlyWhereTheyHaveAValue) {
  const std::string head = "name = \"notes\"\n[run]\n";
  EXPECT_THAT(error_of(head + "command = [\"/x\", \"{dta}\"]\n"), HasSubstr("unknown placeholder {dta}"));
  EXPECT_THAT(error_of(head + "command = [\"/x\", \"{secret:notes/a}\"]\n"), HasSubstr("URLs and in env alone"));
  EXPECT_THAT(error_of(head + "command = [\"/x\", \"{context}\"]\n"), HasSubstr("{context}, which has no value here"));
  EXPECT_THAT(error_of(head + "command = [\"/x\", \"{staging}\"]\n"), HasSubstr("has no value here"));
  EXPECT_EQ(error_of(head + "command = [\"/x\", \"{\\\"a\\\": {}}\", \"${HOME}\"]\n"), "no error") << "only braces";
}

TEST(Declaration, ASurfaceHasWhatItsKindWants) {
  const std::string head = "name = \"notes\"\n[[surface]]\nname = \"a\"\n";
  EXPECT_THAT(error_of(head + "kind = \"files\"\n"), HasSubstr("surface.path is missing"));
  EXPECT_THAT(error_of(head + "kind = \"redis\"\npath = \"/a\"\nurl = \"unix:/r\"\n"),
              HasSubstr("surface.path is no key"));
  EXPECT_THAT(error_of(head + "kind = \"redis\"\nurl = \"http://a\"\n"), HasSubstr("neither unix: nor redis://"));
  EXPECT_THAT(error_of(head + "kind = \"files\"\npath = \"data\"\n"), HasSubstr("surface.path is not absolute"));
  EXPECT_THAT(error_of(head + "kind = \"tape\"\npath = \"/a\"\n"), HasSubstr("surface.kind is none of"));
  EXPECT_THAT(error_of(head + "kind = \"files\"\npath = \"/a\"\nsplit = { schema = \"{context}\" }\n"),
              HasSubstr("cannot be a split of the kind files"));
  EXPECT_THAT(error_of(head + "kind = \"files\"\npath = \"/a/*\"\n"), HasSubstr("only a sqlite surface"));
}

TEST(Declaration, SplitsThatMixContextsAreRefused) {
  const auto redis = [](const std::string& split) {
    return error_of("name = \"notes\"\n[[surface]]\nname = \"a\"\nkind = \"redis\"\nurl = \"unix:/r\"\nsplit = { " +
                    split + " }\n");
  };
  const std::string mixed = "belong to another";
  EXPECT_THAT(redis("prefix = \"{context}\""), HasSubstr(mixed)) << "geo and geomind";
  EXPECT_THAT(redis("prefix = \"{context}_\""), HasSubstr(mixed)) << "a_ and a_b_";
  EXPECT_EQ(redis("prefix = \"{context}:\""), "no error");
  EXPECT_THAT(redis("prefix = \"all:\""), HasSubstr("neither {context} nor {context_id}"));
  EXPECT_THAT(redis("database = \"{context}\""), HasSubstr("is no number"));
  const auto sqlite = [](const std::string& path) {
    return error_of("name = \"notes\"\n[[surface]]\nname = \"a\"\nkind = \"sqlite\"\npath = \"{data}/" + path + "\"\n");
  };
  EXPECT_THAT(sqlite("{context}_*.db"), HasSubstr(mixed)) << "a and a_b";
  EXPECT_THAT(sqlite("*{context}.db"), HasSubstr(mixed));
  EXPECT_EQ(sqlite("{context}.*.db"), "no error");
  EXPECT_EQ(sqlite("{context}/*.db"), "no error");
  EXPECT_EQ(sqlite("*.db"), "no error");
}

TEST(Declaration, AFreezeNeedsProcessesAndNoSurfaceThatAsksThem) {
  EXPECT_THAT(error_of("name = \"notes\"\n[quiesce]\nmethod = \"freeze\"\n"), HasSubstr("nothing to freeze"));
  EXPECT_THAT(
      error_of(
          "name = \"notes\"\n[run]\ncommand = [\"/x\"]\n[quiesce]\nmethod = \"freeze\"\n[[surface]]\nname = \"a\"\n"
          "kind = \"command\"\ndump = [\"/d\"]\nrestore = [\"/r\"]\n"),
      HasSubstr("frozen process"));
  const std::string surface = "[[surface]]\nname = \"a\"\nkind = \"command\"\ndump = [\"/d\"]\nrestore = [\"/r\"]\n";
  EXPECT_THAT(error_of("name = \"notes\"\n[run]\ncommand = [\"/x\"]\n" + surface), HasSubstr("missing, and so freeze"));
  EXPECT_EQ(error_of("name = \"notes\"\n[run]\ncommand = [\"/x\"]\n[quiesce]\nmethod = \"none\"\n" + surface),
            "no error");
  EXPECT_EQ(error_of("name = \"notes\"\n" + surface), "no error") << "nothing of it is frozen";
  EXPECT_THAT(error_of("name = \"notes\"\n[quiesce]\nmethod = \"hook\"\n"), HasSubstr("wants before and after"));
}

TEST(Declaration, WhatIsDumpedForEachContextIsLoadedForEach) {
  const auto command = [](const std::string& dump, const std::string& restore, const std::string& check) {
    return error_of("name = \"notes\"\n[[surface]]\nname = \"a\"\nkind = \"command\"\ndump = [\"/d\", \"" + dump +
                    "\"]\nrestore = [\"/r\", \"" + restore + "\"]\ncheck = [\"/c\", \"" + check + "\"]\n");
  };
  EXPECT_EQ(command("{context}", "{context_id}", ""), "no error");
  EXPECT_EQ(command("", "", ""), "no error");
  EXPECT_THAT(command("{context}", "all", ""), HasSubstr("must both name {context}, or neither"));
  EXPECT_THAT(command("", "{context}", ""), HasSubstr("must both name {context}, or neither"));
  EXPECT_THAT(command("", "", "{context}"), HasSubstr("surface.check names {context}"));
}

TEST(Declaration, FromEachSchemaOneWayOfMigrationsLeadsToItsOwn) {
  const auto service = [](const std::vector<std::pair<int, int>>& steps) {
    std::string text = "name = \"notes\"\nschema = 4\n";
    for (const auto& [from, to] : steps)
      text +=
          "[[migration]]\nfrom = " + std::to_string(from) + "\nto = " + std::to_string(to) + "\ncommand = [\"/m\"]\n";
    return text;
  };
  EXPECT_THAT(error_of(service({{1, 2}, {1, 4}, {2, 4}})), HasSubstr("migration.from is 1 twice"));
  EXPECT_THAT(error_of(service({{3, 5}})), HasSubstr("beyond the service's schema 4"));
  EXPECT_THAT(error_of(service({{1, 2}, {3, 4}})), HasSubstr("no migration leads to the service's schema 4"));
  const auto parsed = parse_declaration("notes.toml", service({{3, 4}, {1, 3}, {2, 4}}));
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto way = [&](std::uint64_t schema) {
    std::string text;
    for (const MigrationDeclaration* step : parsed->migrations_from(schema)) text += std::to_string(step->to) + " ";
    return text;
  };
  EXPECT_EQ(way(1), "3 4 ");
  EXPECT_EQ(way(2), "4 ");
  EXPECT_EQ(way(4), "") << "there is nothing to do";
  EXPECT_EQ(way(0), "") << "there is no way";
}

TEST(Declaration, AHandleBelongsToItsService) {
  const auto secret = [](const std::string& handle) {
    return error_of("name = \"notes\"\n[[secret]]\nhandle = \"" + handle + "\"\n");
  };
  EXPECT_EQ(secret("notes/key"), "no error");
  EXPECT_EQ(secret("notes/{context}/key"), "no error");
  EXPECT_THAT(secret("other/key"), HasSubstr("secret.handle is neither"));
  EXPECT_THAT(secret("notes/../key"), HasSubstr("no name"));
  EXPECT_THAT(secret("notes/{context}"), HasSubstr("no name"));
}

TEST(Declaration, WhereAProgramComesFromIsAPackageOrAnArchiveWithItsDigest) {
  const std::string digest = "sha256 = \"" + std::string(64, 'a') + "\"\n";
  const auto with = [](const std::string& source, const std::string& more, const std::string& version = "1.4.0") {
    return "name = \"notes\"\nversion = \"" + version + "\"\n[install]\nsource = \"" + source + "\"\n" + more;
  };
  const auto apt = parse_declaration(kFile, with("apt:libstdc++6", ""));
  ASSERT_TRUE(apt) << apt.error().message;
  EXPECT_EQ(apt->install->package, "libstdc++6");
  const auto both = parse_declaration(kFile, with("apt:mediawiki php-sqlite3", ""));
  ASSERT_TRUE(both) << both.error().message;
  EXPECT_EQ(both->install->package, "mediawiki php-sqlite3");
  EXPECT_FALSE(apt->install->is_archive());
  const auto archive = parse_declaration(kFile, with("https://example.com/notes.tar.zst", digest));
  ASSERT_TRUE(archive) << archive.error().message;
  EXPECT_TRUE(archive->install->is_archive());

  for (const std::string package : {"", "a", "redis-", "-o", "redis -o", "redis  git", "redis ", "Redis", "redis=1",
                                    "redis/bookworm", "../x", "redis*", "redis:amd64"})
    EXPECT_THAT(error_of(with("apt:" + package, "")), HasSubstr("names no package of Debian")) << package;
  EXPECT_THAT(error_of(with("apt:redis", digest)), HasSubstr("is for an archive alone"));
  EXPECT_THAT(error_of(with("http://example.com/a", digest)), HasSubstr("begins with neither apt: nor https://"));
  EXPECT_THAT(error_of(with("https://example.com/a", "")), HasSubstr("install.sha256 is not 64"));
  EXPECT_THAT(error_of(with("https://example.com/a", "sha256 = \"" + std::string(64, 'A') + "\"\n")),
              HasSubstr("install.sha256 is not 64"));
  for (const std::string url : {"https://", "https:///a", "https://example.com/a b"})
    EXPECT_THAT(error_of(with(url, digest)), HasSubstr("is no URL")) << url;
  EXPECT_THAT(error_of(with("https://me:word@example.com/a", digest)), HasSubstr("which everybody could see"));
  for (const std::string version : {"", "..", ".new-1", "1/2", "-1"})
    EXPECT_THAT(error_of(with("https://example.com/a", digest, version)), HasSubstr("wants a version")) << version;
}

}  // namespace
}  // namespace spl::service
