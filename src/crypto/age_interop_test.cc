// With the real `age` and `age-keygen`, both ways. They must be installed: without them these tests fail.
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/age.h"
#include "crypto/age_test_util.h"

namespace spl::crypto {
namespace {

constexpr std::string_view kGoldenText = "Sealed by age 1.1.1.\n";
constexpr std::string_view kGoldenPassphrase = "correct horse battery staple";

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void spit(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string golden(const char* name) {
  return slurp(std::filesystem::path(SPL_SOURCE_DIR "/src/crypto/testdata") / name);
}

class AgeInterop : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "spl-age-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    ASSERT_EQ(std::system("age --version >/dev/null 2>&1 && command -v age-keygen >/dev/null"), 0)
        << "the programs age and age-keygen are needed: apt-get install age";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::filesystem::path file(const char* name) const { return directory_ / name; }

  // In the test's directory; the exit status.
  [[nodiscard]] int run(const std::string& command) const {
    const int status = std::system(("cd '" + directory_.string() + "' && " + command + " 2>>errors").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // Runs age with a terminal, types the passphrase whenever it is asked for; the exit status.
  [[nodiscard]] int run_age_on_terminal(std::vector<std::string> arguments, std::string_view passphrase) const {
    arguments.insert(arguments.begin(), "age");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) {
      if (chdir(directory_.c_str()) != 0) _exit(126);
      execvp(argv[0], argv.data());
      _exit(127);
    }
    EXPECT_GT(child, 0);
    const bool ended = answer_prompts(terminal, std::string(passphrase) + "\n");
    EXPECT_TRUE(ended) << "age waits for something else than a passphrase";
    if (!ended) kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    close(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  // To the end of what the other side writes; false where it is silent for a minute.
  static bool answer_prompts(int terminal, const std::string& answer) {
    constexpr int kSilenceMsMax = 60000;
    constexpr std::string_view kPrompt = "assphrase";
    std::string seen;
    for (;;) {
      pollfd waiting{terminal, POLLIN, 0};
      if (poll(&waiting, 1, kSilenceMsMax) <= 0) return false;
      char buffer[256];
      const ssize_t n = read(terminal, buffer, sizeof buffer);
      if (n <= 0) return true;
      seen.append(buffer, static_cast<std::size_t>(n));
      for (std::size_t at = seen.find(kPrompt); at != std::string::npos; at = seen.find(kPrompt)) {
        seen.erase(0, at + kPrompt.size());
        EXPECT_EQ(write(terminal, answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
      }
    }
  }

  std::filesystem::path directory_;
};

TEST_F(AgeInterop, AgeOpensWhatWasSealedForAKeyOfAgeKeygen) {
  ASSERT_EQ(run("age-keygen -o key.txt"), 0);
  const auto identities = parse_identity_file(slurp(file("key.txt")));
  ASSERT_TRUE(identities) << identities.error().message;
  ASSERT_EQ(run("age-keygen -y key.txt > recipient.txt"), 0);
  EXPECT_EQ(slurp(file("recipient.txt")), identities->front().recipient().text() + "\n");
  for (const std::size_t size : {0, 1, 65535, 65536, 65537, 131072, 1000000}) {
    const std::string text = test_text(size);
    spit(file("sealed.age"), age_encrypt(text, {test_recipients().front(), identities->front().recipient()}));
    ASSERT_EQ(run("age -d -i key.txt sealed.age > opened"), 0) << slurp(file("errors"));
    EXPECT_TRUE(slurp(file("opened")) == text) << size;
  }
}

TEST_F(AgeInterop, OpensWhatAgeSealedForSeveralRecipients) {
  ASSERT_EQ(run("age-keygen -o key.txt"), 0);
  const auto identities = parse_identity_file(slurp(file("key.txt"))).value();
  for (const std::size_t size : {0, 1, 65535, 65536, 65537, 131072, 1000000}) {
    const std::string text = test_text(size);
    spit(file("plain"), text);
    ASSERT_EQ(run("age -r " + std::string(kTestRecipient) + " -i key.txt -e -o sealed.age plain"), 0)
        << slurp(file("errors"));
    const std::string sealed = slurp(file("sealed.age"));
    base::StringSource in(sealed);
    const auto source = AgeDecryptSource::open(in, identities, nullptr);
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ((*source)->x25519_stanzas(), 2u);
    EXPECT_TRUE(base::read_all(**source, 1u << 20).value() == text) << size;
    EXPECT_TRUE(age_decrypt(sealed, test_identities()).value() == text) << size;
  }
}

TEST_F(AgeInterop, AgeRefusesWhatWasNotFinished) {
  base::StringSink out;
  const auto sink = AgeEncryptSink::make(out, test_recipients(), test_random()).value();
  ASSERT_TRUE(sink->write(test_text(200000)));
  spit(file("sealed.age"), out.text);
  spit(file("key.txt"), kTestIdentity);
  EXPECT_NE(run("age -d -i key.txt -o opened sealed.age"), 0);
}

TEST_F(AgeInterop, RefusesTheArmorOfAge) {
  spit(file("plain"), "text");
  ASSERT_EQ(run("age -a -r " + std::string(kTestRecipient) + " -o sealed.age plain"), 0);
  const std::string sealed = slurp(file("sealed.age"));
  EXPECT_TRUE(looks_like_armored_age(sealed));
  const auto text = age_decrypt(sealed, test_identities());
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("armored"), std::string::npos);
}

TEST_F(AgeInterop, AgeOpensWhatWasSealedUnderAPassphrase) {
  spit(file("sealed.age"), age_encrypt_with_passphrase("text", "a passphrase", 10));
  ASSERT_EQ(run_age_on_terminal({"-d", "-o", "opened", "sealed.age"}, "a passphrase"), 0);
  EXPECT_EQ(slurp(file("opened")), "text");
  EXPECT_NE(run_age_on_terminal({"-d", "-o", "opened2", "sealed.age"}, "another one"), 0);
}

TEST_F(AgeInterop, OpensWhatAgeSealedUnderAPassphrase) {
  spit(file("plain"), "text");
  ASSERT_EQ(run_age_on_terminal({"-p", "-o", "sealed.age", "plain"}, "a passphrase"), 0);
  const SecretBytes passphrase("a passphrase");
  const std::string sealed = slurp(file("sealed.age"));
  EXPECT_EQ(age_decrypt(sealed, {}, &passphrase).value(), "text");
  EXPECT_EQ(parse_age_header(sealed)->stanzas[0].arguments[2], std::to_string(kAgeLogNDefault))
      << "the work factor is what age takes";
}

TEST(AgeGolden, OpensTheFilesThatAgeWrote) {
  const auto identities = parse_identity_file(golden("identity.txt"));
  ASSERT_TRUE(identities);
  EXPECT_EQ(age_decrypt(golden("x25519.age"), *identities).value(), kGoldenText);
  const SecretBytes passphrase(kGoldenPassphrase);
  EXPECT_EQ(age_decrypt(golden("passphrase.age"), {}, &passphrase).value(), kGoldenText);
}

}  // namespace
}  // namespace spl::crypto
