// What stands against a restore is found before the first write, all of it in one report that says what to do; and
// nothing has changed then. Through the program, with a real engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>

#include "crypto/ed25519.h"
#include "services_kit.h"
#include "testing/bundle_forge.h"

namespace spl::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kBlock = 512;

class PreflightServices : public ServicesKit {
 protected:
  PreflightServices() { environment_["SPL_SECRET_KEY_FILE"] = path("secret key"); }

  // A cache, and a service with one context in files, SQLite and the cache, and a secret.
  void make(const std::string& home, const std::string& schema = "3") {
    init(home);
    declare_cache(home);
    declare_notes(home, schema);
    ASSERT_EQ(on(home, {"secret", "set", "notes/key"}, {.text = "sesame", .environment = environment_}).code, 0);
  }
  void declare_notes(const std::string& home, const std::string& schema, const std::string& url = {}) {
    declare(home, "notes",
            "version = \"1.4\"\nschema = " + schema +
                "\n[[surface]]\nname = \"files\"\nkind = \"files\"\npath = \"{data}/{context}/files\"\n"
                "[[surface]]\nname = \"main\"\nkind = \"sqlite\"\npath = \"{data}/{context}/main.db\"\n"
                "[[surface]]\nname = \"memory\"\nkind = \"redis\"\nsplit = { prefix = \"{context}:\" }\nurl = \"" +
                (url.empty() ? cache_url(home) : url) + "\"\n" +
                "[[secret]]\nhandle = \"notes/key\"\nrequired = true\nclass = \"portable\"\n");
  }
  void fill(const std::string& home) {
    add_contexts(home, {"geo"});
    start(home);
    const std::string data = path(home) + "/data/notes/geo";
    EXPECT_EQ(
        shell("mkdir -p " + data + "/files && echo of-geo >" + data + "/files/page && head -c 3000000 /dev/urandom >" +
              data + "/files/big && sqlite3 " + data + "/main.db 'CREATE TABLE t(a)'"),
        0);
    EXPECT_EQ(redis(home, "SET geo:word hello"), "OK");
  }
  // The bundle of a home that has all of it.
  void take() {
    make("a");
    fill("a");
    const Ran ran = backup("a", "a.spl", {"--without", "cache"});
    ASSERT_EQ(ran.code, 0) << ran.err;
  }

  // A copy whose manifest says something else, signed by the same instance.
  void edit(const std::string& file, const std::string& from, const std::string& to) {
    ASSERT_EQ(shell("zstd -dcqf " + path("a.spl") + " >" + path("tar")), 0);
    std::string tar = read_file(path("tar"));
    const std::size_t size = std::stoul(tar.substr(124, 11), nullptr, 8);
    const auto blocks = [](std::size_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; };
    std::string manifest = tar.substr(kBlock, size);
    const std::size_t at = manifest.find(from);
    ASSERT_NE(at, std::string::npos) << from << " is not in\n" << manifest;
    manifest.replace(at, from.size(), to);
    std::string header = tar.substr(0, kBlock);
    char octal[12];
    std::snprintf(octal, sizeof octal, "%011zo", manifest.size());
    header.replace(124, 11, octal);
    testing::fix_checksum(header, 0);
    const auto key = crypto::SigningKey::from_seed(read_file(path("a") + "/identity/private_key.bin"));
    ASSERT_TRUE(key);
    const std::string signature(key->sign(manifest).view());
    std::string rest = tar.substr(kBlock + blocks(size));
    rest.replace(kBlock, signature.size(), signature);
    manifest.resize(blocks(manifest.size()));
    write_file(path("tar"), header + manifest + rest);
    ASSERT_EQ(shell("zstd -q -f -o " + path(file) + " " + path("tar")), 0);
  }

  // All of a home but what a restore may look at and a log may say, and what is in its cache.
  std::string everything(const std::string& home) {
    return output_of("cd " + path(home) +
                     " && find . -mindepth 1 \\( -path ./run -o -path ./logs -o -path ./data/cache -o -name 'hub.db*' "
                     "-o -name "
                     "cache.log \\) -prune -o -printf '%p %y %m %U %s %T@\\n' | LC_ALL=C sort; cat contexts.toml") +
           redis(home, "KEYS '*'") + ask(home, {"status", "-o", "json"}).out;
  }
  struct Expected {
    std::string check;    // of the finding
    std::string message;  // in it
    std::string advice;   // in it
    int code = 5;
  };
  void expect_stop(const std::string& home, const std::string& file, const Expected& expected, const Words& more = {}) {
    const std::string before = everything(home);
    Words words{"service", "all", "restore", "--from", path(file)};
    words.insert(words.end(), more.begin(), more.end());
    for (const bool dry : {true, false}) {
      if (dry) words.emplace_back("--dry-run");
      const Ran ran = on(home, words, {.environment = environment_});
      EXPECT_EQ(ran.code, expected.code) << expected.check << (dry ? ", dry run" : "") << "\n" << ran.out << ran.err;
      EXPECT_THAT(ran.out, AllOf(HasSubstr("stop  " + expected.check + ": "), HasSubstr(expected.message),
                                 HasSubstr(expected.advice)));
      EXPECT_THAT(ran.err, HasSubstr(expected.code == 3 ? "restore refused" : "pre-flight")) << expected.check;
      if (dry) words.pop_back();
    }
    EXPECT_EQ(everything(home), before) << expected.check;
    EXPECT_EQ(left(home), "") << expected.check;
  }
};

TEST_F(PreflightServices, AllThatStandsAgainstItIsFoundBeforeTheFirstWrite) {
  take();
  edit("newer-schema.spl", "\"schema\": 3", "\"schema\": 4");
  edit("newer-engine.spl", " rdb 10", " rdb 99");

  // Of a home that could take it otherwise.
  make("b");
  start("b");
  expect_stop("b", "newer-schema.spl", {"service", "its data has schema 4, the service here has 3", "newer version"});
  expect_stop("b", "newer-engine.spl", {"engine", "rdb 99", "Redis"});

  ASSERT_EQ(on("b", {"secret", "delete", "notes/key"}, {.environment = environment_}).code, 0);
  expect_stop("b", "a.spl", {"secret", "notes/key", "spl secret set notes/key"});
  ASSERT_EQ(on("b", {"secret", "set", "notes/key"}, {.text = "sesame", .environment = environment_}).code, 0);

  declare_notes("b", "5");
  expect_stop("b", "a.spl", {"service", "its data has schema 3, the service here has 5", "--without notes"});
  declare_notes("b", "3", "unix:" + path("nobody.sock"));
  expect_stop("b", "a.spl", {"engine", "nobody.sock", ""});
  declare_notes("b", "3");

  // A name that is taken, with data and without.
  fill("b");
  expect_stop("b", "a.spl", {"context", "there is a context of this name already", "--as NAME"});
  expect_stop("b", "a.spl", {"data", "keys are in the way", "--replace"});
  expect_stop("b", "a.spl", {"data", "/data/notes/geo/files", "--replace"});
  expect_stop("b", "a.spl", {"data", "/data/notes/geo/main.db", "--replace"});

  // All at once, in one report.
  declare_notes("b", "5");
  ASSERT_EQ(on("b", {"secret", "delete", "notes/key"}, {.environment = environment_}).code, 0);
  const Ran all = restore("b", "newer-engine.spl");
  EXPECT_EQ(all.code, 5);
  for (const char* check : {"service", "engine", "context", "secret", "data"})
    EXPECT_THAT(all.out, HasSubstr(std::string("stop  ") + check + ": "));

  // A stranger to a home with records; with an id that is taken.
  make("c");
  add_contexts("c", {"other"});
  start("c");
  expect_stop("c", "a.spl", {"context", "its id 1 is that of other", "--as NAME"},
              {"--expect-did", text_of(json_on("a", {"identity", "show"}), "did")});
  ASSERT_EQ(on("c", {"intend", "something"}).code, 0);
  expect_stop("c", "a.spl", {"signer", "", "--expect-did", 3}, {"--as", "earth"});
  EXPECT_EQ(restore("c", "a.spl", {"--as", "earth", "--expect-did", "did:key:zSomebodyElse"}).code, 3);
}

TEST_F(PreflightServices, TooLittleDiskIsFoundBeforeTheFirstWrite) {
  take();
  ASSERT_EQ(::mkdir(path("b").c_str(), 0755), 0);
  if (::mount("tmpfs", path("b").c_str(), "tmpfs", 0, "size=2560k") != 0)
    GTEST_SKIP() << "left out: this process may not mount a file system";
  make("b");
  start("b");
  expect_stop("b", "a.spl", {"space", "", "free"});
  EXPECT_EQ(ask("b", {"service", "all", "stop"}).code, 0);
  EXPECT_EQ(::umount2(path("b").c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace spl::cli_test
