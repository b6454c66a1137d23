// The memory that commands take is bounded whatever is in the records: long ones, long names, many values, many ids.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "cli_harness.h"
#include "crypto/did_key.h"
#include "record/record.h"
#include "testing/bundle_forge.h"

namespace spl::cli_test {
namespace {

constexpr long kPeakKibMax = 300L << 10;
constexpr std::size_t kLong = (16u << 20) - 1024;  // a record of nearly the largest size

class MemoryTest : public CliTest {
 protected:
  MemoryTest() { EXPECT_EQ(on("home", {"init"}).code, 0); }

  // Runs a command, which must end with 0, and says how much memory it had at most.
  long peak_kib(Words words, const std::string& home = "home", const std::string& input = "/dev/null") {
    words.insert(words.begin(), {spl_program(), "--home", path(home)});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::dup2(::open(input.c_str(), O_RDONLY), STDIN_FILENO);
      ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    EXPECT_EQ(::wait4(pid, &status, 0, &usage), pid);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << words[3] << " " << status;
    return usage.ru_maxrss;
  }
  // `count` records, a line each, through `spl record put`.
  long put(int count, const std::function<std::string(int)>& line) {
    std::ofstream lines(path("lines"), std::ios::trunc);
    for (int i = 0; i < count; ++i) lines << line(i) << "\n";
    lines.close();
    return peak_kib({"record", "put", "--ndjson"}, "home", path("lines"));
  }
};

std::string line_of(int clock, const std::string& actor, const std::string& act, const std::string& body) {
  return R"({"act":")" + act + R"(","actor":")" + actor + R"(","body":)" + body + R"(,"clock":)" +
         std::to_string(clock) + R"(,"data_type":"SCALAR","parents":[],"thread":"th_long"})";
}

TEST_F(MemoryTest, LongRecordsOfOneThread) {
  EXPECT_LT(put(16,
                [](int i) {
                  return line_of(i, "did:x:a", "LEARN",
                                 "{\"text\":\"" + std::string(kLong, static_cast<char>('a' + i % 26)) + "\"}");
                }),
            kPeakKibMax);
  EXPECT_LT(peak_kib({"export", "--out", path("out.spl"), "--plaintext"}), kPeakKibMax);
  EXPECT_LT(peak_kib({"thread", "records", "th_long", "-o", "json"}), kPeakKibMax);
  EXPECT_LT(peak_kib({"bundle", "verify", path("out.spl")}), kPeakKibMax);
  EXPECT_LT(peak_kib({"import", path("out.spl")}, "other"), kPeakKibMax);
}

TEST_F(MemoryTest, LongNamesOfActors) {
  EXPECT_LT(
      put(10, [](int i) { return line_of(i, "did:x:" + std::to_string(i) + std::string(kLong, 'a'), "DO", "{}"); }),
      kPeakKibMax);
  EXPECT_LT(peak_kib({"thread", "show", "th_long"}), kPeakKibMax);
}

TEST_F(MemoryTest, EndingsThatNameVeryMany) {
  const auto names = [](int i) {
    std::string text;
    for (int k = 0; k < 240'000; ++k) {
      RecordId id;
      id.digest.octets[0] = static_cast<std::uint8_t>(i);
      id.digest.octets[1] = static_cast<std::uint8_t>(k >> 16);
      id.digest.octets[2] = static_cast<std::uint8_t>(k >> 8);
      id.digest.octets[3] = static_cast<std::uint8_t>(k);
      text.append(text.empty() ? "\"" : ",\"").append(id.hex()).append("\"");
    }
    return "{\"fulfills\":[" + text + "]}";
  };
  EXPECT_LT(put(12, [&](int i) { return line_of(i, "did:x:a", "KNOW", names(i)); }), kPeakKibMax);
  EXPECT_LT(peak_kib({"thread", "list"}), kPeakKibMax);
}

TEST_F(MemoryTest, ManyShortMembersAndValues) {
  EXPECT_LT(
      put(3,
          [](int i) {
            std::string body = "{";
            for (std::uint64_t k = 0; body.size() < kLong - 1024; ++k)
              body.append(body.size() == 1 ? "\"" : ",\"").append(std::to_string(k * 7919 % 1'999'993)).append("\":0");
            return line_of(i, "did:x:a", "LEARN", body + "}");
          }),
      kPeakKibMax);
}

// What takes effect is read by every command that counts it.
TEST_F(MemoryTest, ABodyOfVeryManyValuesThatTakesEffect) {
  testing::BundleForge forge;
  const std::string did = crypto::did_of(forge.key().public_key());
  std::string values = "0";
  while (values.size() < kLong - 1024) values += ",0";
  Record record =
      record::parse_record(R"({"act":"LEARN","actor":")" + did + R"(","body":{"kind":"core.consent.v1","values":[)" +
                           values + R"(]},"clock":1,"data_type":"SCALAR","parents":[],"thread":"th_consent"})")
          .value();
  record.sig = forge.key().sign(record.canonical);
  forge.add_record(record);
  write_file(path("small.spl"), forge.tar_zst());
  EXPECT_EQ(on("other", {"import", path("small.spl")}).code, 0);
  EXPECT_LT(peak_kib({"status"}, "other"), 200L << 10);
  const auto status = on("other", {"status", "-o", "json"});
  EXPECT_EQ(number_of(json_of(status.out), "consent_grants"), 1u) << "its short members mean what they say";
}

}  // namespace
}  // namespace spl::cli_test
