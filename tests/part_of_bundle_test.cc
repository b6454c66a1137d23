// One context out of a large bundle: nothing else of the file is read, in each of the forms that a file has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <span>
#include <utility>

#include "base/seekable.h"
#include "bundle/reader.h"
#include "cli_harness.h"

namespace spl::cli_test {
namespace {

using PartOfBundleTest = CliTest;

// A file of which it is told how much of it was read.
class CountedFile final : public base::SeekableSource {
 public:
  explicit CountedFile(std::string octets) : octets_(std::move(octets)) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = octets_.copy(out.data(), out.size(), at_);
    at_ += n;
    read_ += n;
    return n;
  }
  [[nodiscard]] std::optional<std::uint64_t> seekable_bytes() const override { return octets_.size(); }
  Result<void> seek(std::uint64_t offset) override {
    at_ = static_cast<std::size_t>(offset);
    return {};
  }
  [[nodiscard]] std::size_t bytes_read() const { return read_; }

 private:
  const std::string octets_;
  std::size_t at_ = 0;
  std::size_t read_ = 0;
};

// Of what the reader gives until it says that there is nothing more.
std::string paths_to_the_end(bundle::BundleReader& bundle) {
  std::string seen;
  for (;;) {
    const auto entry = bundle.next();
    EXPECT_TRUE(entry) << entry.error().message;
    if (!entry || !*entry) return seen;
    seen += std::string((*entry)->path) + "\n";
  }
}

TEST_F(PartOfBundleTest, OneContextIsReadWithoutTheRest) {
  constexpr std::size_t kLarge = 48u << 20;
  for (const char* home : {"a", "b"}) {
    ASSERT_EQ(on(home, {"init"}).code, 0);
    write_file(path(home) + "/services/wiki.toml",
               "name = \"wiki\"\n[[surface]]\nname = \"pages\"\nkind = \"files\"\npath = \"{data}/{context}\"\n");
  }
  for (const char* name : {"acme", "geo", "zeta"}) {
    ASSERT_EQ(on("a", {"context", "add", name}).code, 0);
    ASSERT_EQ(shell("mkdir -p " + path("a") + "/data/wiki/" + name + " && head -c " +
                    std::to_string(std::string(name) == "geo" ? 100000 : kLarge / 2) + " /dev/urandom > " + path("a") +
                    "/data/wiki/" + name + "/page"),
              0);
  }
  const std::vector<std::pair<std::string, Words>> forms{{"packed", {"--plaintext"}},
                                                         {"plain", {"--plaintext", "--uncompressed"}},
                                                         {"closed", {"--passphrase-file", path("word")}}};
  write_file(path("word"), "a passphrase that is long enough\n");
  const SecretBytes passphrase("a passphrase that is long enough");
  for (const auto& [form, words] : forms) {
    SCOPED_TRACE(form);
    const std::string file = path(form + ".spl");
    Words command{"export", "--out", file};
    command.insert(command.end(), words.begin(), words.end());
    const Ran made = on("a", command);
    ASSERT_EQ(made.code, 0) << made.err;
    CountedFile counted(read_file(file));
    const auto bundle = bundle::BundleReader::open(counted, {.identities = {}, .passphrase = &passphrase});
    ASSERT_TRUE(bundle) << bundle.error().message;
    const auto is_of_geo = [](std::string_view prefix) { return prefix == "services/wiki/pages/geo/"; };
    ASSERT_TRUE((*bundle)->limit_to(is_of_geo));
    const std::string of_geo = "services/wiki/pages/geo/tree.mtree\nservices/wiki/pages/geo/tree/page\n";
    EXPECT_EQ(paths_to_the_end(**bundle), of_geo);
    EXPECT_LT(counted.bytes_read(), kLarge / 4);
    // Once more, and then another part, with which the bundle ends.
    ASSERT_TRUE((*bundle)->again(is_of_geo));
    EXPECT_EQ(paths_to_the_end(**bundle), of_geo);
    ASSERT_TRUE((*bundle)->again([](std::string_view prefix) { return prefix == "services/wiki/pages/zeta/"; }));
    EXPECT_EQ(paths_to_the_end(**bundle), "services/wiki/pages/zeta/tree.mtree\nservices/wiki/pages/zeta/tree/page\n");
    // What is not of the context may even be damaged; the whole bundle is refused then.
    ASSERT_EQ(shell("printf XXXX | dd of=" + file + " bs=1 conv=notrunc status=none seek=" +
                    std::to_string(std::filesystem::file_size(file) - (8u << 20))),
              0);
    Words restore{"service",
                  "all",
                  "restore",
                  "--from",
                  file,
                  "--context",
                  "geo",
                  "--as",
                  form,
                  "--expect-did",
                  text_of(json_on("a", {"identity", "show"}), "did")};
    if (form == "closed") restore.insert(restore.end(), {"--passphrase-file", path("word")});
    const Ran ran = on("b", restore);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(shell("cmp " + path("a") + "/data/wiki/geo/page " + path("b") + "/data/wiki/" + form + "/page"), 0);
    restore[6] = "zeta";
    restore[8] = "other";
    EXPECT_EQ(on("b", restore).code, 4);
  }
}

}  // namespace
}  // namespace spl::cli_test
