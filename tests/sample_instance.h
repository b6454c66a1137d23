// An instance with one of everything that a bundle can carry, for tests that take it somewhere else and look whether it
// is the same there. What is made is the same each time where the Env's random numbers are. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifest.h"
#include "env/env.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "instance/instance.h"
#include "operation/export.h"
#include "operation/import.h"
#include "testing/fake_clock.h"
#include "testing/temp_directory.h"

namespace spl::testing {

// Homes on the real disk, with a clock that stands and random numbers that are the same each time.
class Machine {
 public:
  explicit Machine(std::uint64_t seed = 1) : random_(seed) {}
  env::Env env() { return {fs_, clock_, random_, log_}; }
  FakeClock& clock() { return clock_; }
  [[nodiscard]] std::string path(std::string_view name) const { return env::join(directory_.path(), name); }
  // Fails the test and gives null where it cannot be opened.
  std::unique_ptr<instance::Instance> open(std::string_view home, instance::OpenFor how = instance::OpenFor::kCreating);
  // A new home with an identity.
  std::unique_ptr<instance::Instance> make(std::string_view home);

 private:
  env::PosixFileSystem fs_;
  FakeClock clock_;
  SeededRandom random_;
  env::NullLog log_;
  TempDirectory directory_;
};

// A record in the making; `body` and `parents` are JSON, the rest is text.
struct Draft {
  std::string act = "DO";
  std::string actor = "did:example:sample";
  std::string body = "{}";
  std::uint64_t clock = 0;
  std::string thread = "th_sample";
  std::vector<RecordId> parents = {};
  std::optional<std::string> judged_by = {};
  std::string data_type = "SCALAR";
};
enum class Sign : std::uint8_t { kNot, kRight, kWrong };
// A programmer's mistake where the draft is no record.
Record make_record(const Draft& draft, const crypto::SigningKey* key = nullptr, Sign sign = Sign::kRight);

// Records of every kind, on ordinary and on reserved threads; `own` is the instance's key. Small without the record of
// 1 MiB.
enum class SampleSize : bool { kSmall, kWhole };
std::vector<Record> sample_records(const crypto::SigningKey& own, SampleSize size = SampleSize::kWhole);
// Puts them there, and two service accounts with tokens. A failure fails the test.
void fill_sample(instance::Instance& instance, SampleSize size = SampleSize::kWhole);
// `count` records of one actor on one thread.
std::vector<Record> many_records(const std::string& thread, std::uint64_t count,
                                 const std::string& actor = "did:example:many");

// All that an instance holds and a bundle carries. Equal where two instances are the same.
struct Contents {
  std::map<std::string, std::string> records;  // by id: its file in a bundle
  std::map<std::string, std::string> threads;  // "state, N records"
  std::string tokens;
  std::uint64_t pairs = 0, grants = 0, accounts = 0;
  std::string did, export_sequence, previous_export;
  bool operator==(const Contents&) const = default;
};
Result<Contents> contents_of(instance::Instance& instance);
Result<std::string> setting_of(instance::Instance& instance, std::string_view name);  // "" where there is none

// The whole file, with note_durable() after it.
Result<std::string> export_text(instance::Instance& instance, operation::ExportOptions options = {});
Result<operation::ImportReport> import_text(instance::Instance& instance, std::string_view bundle,
                                            const operation::ImportOptions& options = {},
                                            std::vector<operation::Finding>* findings = nullptr);
// The manifest of a bundle that verifies to its last byte.
struct Verified {
  bundle::Manifest manifest;
  std::string text;
  std::map<std::string, std::string> files;  // by path
};
Result<Verified> verify_bundle(std::string_view bundle, const bundle::ReaderOptions& options = {});

}  // namespace spl::testing
