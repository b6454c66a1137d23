#include "crash_operations.h"

#include <gtest/gtest.h>

#include "crypto/did_key.h"
#include "env/output_file.h"
#include "instance/access.h"
#include "instance/ingest.h"
#include "operation/import.h"
#include "portability_fixture.h"
#include "spool/receive.h"

namespace spl::testing {
namespace {

using instance::Instance;
using instance::OpenFor;
using operation::ImportOptions;

constexpr std::uint64_t kManyRecords = 250;
constexpr std::uint64_t kRecordsToSortOnDisk = 2600;  // 56 octets each, of 250 pages
constexpr std::size_t kSmallBatchBytes = 16u << 10;
constexpr std::string_view kSignersSeed = "signer signer signer signer si32";

std::string message_of(const auto& result) {
  return result ? "" : result.error().message;
}

CrashOptions small_options() {
  return {.sizes = small_sizes()};
}
CrashOptions elsewhere() {
  return {.store_url = "sqlite:/out/hub.db"};
}
CrashOptions large_pages() {
  return {.sizes = {.page_bytes = 64 << 10}};
}

// A disk after `make` worked on an instance in a home that was made for it.
Image disk_after(const CrashOptions& options, const std::function<void(CrashMachine&, Instance&)>& make) {
  CrashMachine machine({}, options);
  {
    const auto made = machine.open(OpenFor::kCreating);
    EXPECT_TRUE(made) << message_of(made);
    make(machine, **made);
  }
  return machine.fs.contents();
}

void export_to_file(CrashMachine& machine, Instance& instance) {
  base::NoProgress progress;
  const auto prepared = operation::prepare_export(instance, {}, progress);
  EXPECT_TRUE(prepared) << message_of(prepared);
  auto out = env::OutputFile::create(machine.env_of_files(), kCrashBundle, progress);
  EXPECT_TRUE(out && (*prepared)->write(**out) && (*out)->commit() && (*prepared)->note_durable());
}

void fill(CrashMachine& machine, Instance& instance, std::uint64_t records) {
  EXPECT_TRUE(instance.generate_identity());
  EXPECT_TRUE(instance::put_records(instance, many_records("th_own", records)));
  EXPECT_TRUE(instance::create_account(instance, {.name = "ci", .scopes = {"records:read"}, .actors = {}}));
  EXPECT_TRUE(instance::create_token(instance, {.account = "ci", .environment = "t", .scopes = {}, .expires_at = {}}));
  export_to_file(machine, instance);
}

Image home_with_many_records() {
  return disk_after(small_options(),
                    [](CrashMachine& machine, Instance& instance) { fill(machine, instance, kManyRecords); });
}

void carry_tokens(operation::ExportOptions& options) {
  options.carry_tokens = true;
}

// Of another instance.
using SetOptions = void (*)(operation::ExportOptions&);

std::string bundle_of(const std::vector<Record>& records, SetOptions set = [](operation::ExportOptions&) {}) {
  operation::ExportOptions options;
  set(options);
  Machine machine(5);
  const auto source = machine.make("source");
  EXPECT_TRUE(instance::put_records(*source, records));
  if (options.carry_tokens) {
    EXPECT_TRUE(instance::create_account(*source, {.name = "far", .scopes = {"records:read"}, .actors = {}}));
    EXPECT_TRUE(
        instance::create_token(*source, {.account = "far", .environment = "t", .scopes = {}, .expires_at = {}}));
  }
  return export_text(*source, std::move(options)).value_or("");
}

const std::string& bundle_of_many() {
  static const std::string kBundle = bundle_of(many_records("th_foreign", kManyRecords), carry_tokens);
  return kBundle;
}
const std::string& bundle_to_sort() {
  static const std::string kBundle = bundle_of(many_records("th_foreign", kRecordsToSortOnDisk));
  return kBundle;
}
// Longer than what is held in memory of a bundle that comes from somewhere else.
const std::string& bundle_to_spool() {
  static const std::string kBundle = [] {
    std::vector<Record> records;
    for (std::uint64_t clock = 0; clock < 5; ++clock)
      records.push_back(make_record({.body = "{\"large\":\"" + std::string(900u << 10, 'L') + "\"}", .clock = clock}));
    return bundle_of(records, [](operation::ExportOptions& options) { options.uncompressed = true; });
  }();
  return kBundle;
}

std::vector<Record> signed_records(Sign sign) {
  const auto key = crypto::SigningKey::from_seed(kSignersSeed);
  EXPECT_TRUE(key);
  std::vector<Record> records;
  for (std::uint64_t clock = 0; clock < 20; ++clock) {
    const Draft draft{.actor = crypto::did_of(key->public_key()), .clock = clock, .thread = "th_signed"};
    records.push_back(make_record(draft, &*key, sign));
  }
  return records;
}
const std::string& signed_bundle() {
  static const std::string kBundle = bundle_of(signed_records(Sign::kRight));
  return kBundle;
}

std::string ndjson(const std::vector<Record>& records) {
  std::string lines;
  for (const Record& record : records) lines += record.canonical + "\n";
  return lines;
}

using Step = std::function<Result<void>(CrashRun&)>;

Step import_step(const std::string& bundle, const ImportOptions& options = {}) {
  return [&bundle, options](CrashRun& run) -> Result<void> {
    TRY(import_text(*run.instance, bundle, options));
    return {};
  };
}

// For an import that must end with this code; any other end is given on as an error.
Step refused_import_step(std::string bundle, ErrorCode code, const ImportOptions& options = {}) {
  return [bundle = std::move(bundle), code, options](CrashRun& run) -> Result<void> {
    const auto report = import_text(*run.instance, bundle, options);
    if (report) return fail("an import that was to be refused went through");
    if (report.error().code != code) return std::unexpected(report.error());
    return {};
  };
}

Step put_lines_step(const std::vector<Record>& records) {
  return [lines = ndjson(records)](CrashRun& run) -> Result<void> {
    base::StringSource source(lines);
    base::NoProgress progress;
    TRY(instance::put_ndjson(*run.instance, source, progress));
    return {};
  };
}

Step put_records_step(const std::vector<Record>& records) {
  return [records](CrashRun& run) -> Result<void> {
    TRY(instance::put_records(*run.instance, records));
    return {};
  };
}

void forget_incarnation(CrashState& state) {
  state.incarnation.clear();
}

CrashOperation init_operation() {
  return {.name = "init",
          .image = {},
          .how = OpenFor::kCreating,
          .steps = {[](CrashRun& run) -> Result<void> {
            if (TRY(run.instance->identity_summary())) return {};
            TRY(run.instance->generate_identity());
            return {};
          }},
          .forget = forget_incarnation};
}

CrashOperation init_elsewhere_operation() {
  CrashOperation operation = init_operation();
  operation.name = "init with a store outside the home";
  operation.options = elsewhere();
  return operation;
}

CrashOperation identity_operation() {
  CrashOperation operation = init_operation();
  operation.name = "identity generate";
  operation.image = home_without_identity();
  operation.how = OpenFor::kWriting;
  operation.forget = [](CrashState&) {};
  return operation;
}

// Three that each are acknowledged for themselves.
CrashOperation put_operation() {
  return {.name = "record put",
          .image = home_in_use(),
          .steps = {put_lines_step(many_records("th_lines", 20)), put_records_step(many_records("th_group", 3)),
                    put_records_step(many_records("th_group", 5))}};
}

CrashOperation put_elsewhere_operation() {
  CrashOperation operation = put_operation();
  operation.name = "record put into a store outside the home";
  operation.options = elsewhere();
  operation.image = home_in_use(elsewhere());
  return operation;
}

// The lines are more than one batch; the log is checkpointed after each step, and cut back by the next.
CrashOperation put_many_operation() {
  std::vector<Record> records = many_records("th_lines", kManyRecords);
  for (std::uint64_t clock = 0; clock < 4; ++clock)
    records.push_back(make_record({.body = "{\"large\":\"" + std::string(300u << 10, 'L') + "\"}", .clock = clock}));
  CrashOptions options = small_options();
  options.sizes.page_bytes = 4096;
  return {.name = "record put of many",
          .image = home_in_use(options),
          .options = options,
          .steps = {put_lines_step(records), put_records_step(many_records("th_group", 3)),
                    put_records_step(many_records("th_group", 5))}};
}

CrashOperation emit_operation() {
  return {.name = "emit",
          .image = home_in_use(),
          .steps = {[](CrashRun& run) -> Result<void> {
            instance::Emission emission;
            emission.text = "do it";
            emission.thread = "th_own";
            TRY(instance::emit(*run.instance, emission));
            return {};
          }},
          .idempotent = false};
}

CrashOperation import_new_operation() {
  return {.name = "import into a new home",
          .image = {},
          .how = OpenFor::kCreating,
          .steps = {import_step(foreign_bundle())},
          .forget = forget_incarnation};
}

CrashOperation import_new_elsewhere_operation() {
  CrashOperation operation = import_new_operation();
  operation.name = "import into a new home with a store outside it";
  operation.options = elsewhere();
  return operation;
}

CrashOperation import_sorted_operation() {
  CrashOperation operation = import_new_operation();
  operation.name = "import of more than is sorted in memory";
  operation.options = small_options();
  operation.steps = {import_step(bundle_to_sort())};
  return operation;
}

CrashOperation import_empty_operation() {
  return {.name = "import into an empty home with an identity",
          .image = home_with_identity(),
          .steps = {import_step(foreign_bundle())},
          .replaces_identity = true};
}

// As from the network: taken whole into the home first. The spool is read by a thread of its own, so that the calls are
// not in the same order each time.
CrashOperation import_spooled_operation() {
  return {.name = "import through a spool",
          .image = home_with_identity(large_pages()),
          .options = large_pages(),
          .steps = {[](CrashRun& run) -> Result<void> {
            base::NoProgress progress;
            base::StringSource source(bundle_to_spool());
            auto spooled = TRY(spool::Received::all_of(run.instance->env(), run.instance->paths().run(), source,
                                                       progress, "receiving"));
            TRY(operation::import_bundle(*run.instance, spooled, {}, progress, nullptr));
            return {};
          }},
          .replaces_identity = true};
}

ImportOptions adopting() {
  ImportOptions options;
  options.force_overwrite = options.adopt_identity = true;
  options.expect_did = verify_bundle(foreign_bundle())->manifest.source_did;
  return options;
}

CrashOperation import_adopt_operation() {
  return {.name = "import --force-overwrite --adopt-identity",
          .image = home_in_use(),
          .steps = {import_step(foreign_bundle(), adopting())},
          .replaces_identity = true};
}

CrashOperation import_adopt_many_operation() {
  return {.name = "import --force-overwrite --adopt-identity of many",
          .image = home_with_many_records(),
          .options = small_options(),
          .steps = {import_step(bundle_of_many(), adopting())},
          .replaces_identity = true};
}

CrashOperation import_merge_operation() {
  ImportOptions options;
  options.force_overwrite = true;
  return {
      .name = "import --force-overwrite", .image = home_in_use(), .steps = {import_step(foreign_bundle(), options)}};
}

CrashOperation import_refused_operation() {
  return {.name = "import refused",
          .image = home_in_use(),
          .steps = {refused_import_step(foreign_bundle(), ErrorCode::kRefused)}};
}

CrashOperation import_broken_operation() {
  return {.name = "import of a bundle that breaks off",
          .image = home_with_identity(),
          .steps = {refused_import_step(foreign_bundle().substr(0, foreign_bundle().size() * 3 / 4),
                                        ErrorCode::kVerification)}};
}

// What has spilled into the log is taken back.
CrashOperation import_broken_many_operation() {
  return {.name = "import of many that breaks off",
          .image = home_with_many_records(),
          .options = small_options(),
          .steps = {refused_import_step(bundle_of_many().substr(0, bundle_of_many().size() - 20),
                                        ErrorCode::kVerification, adopting()),
                    put_records_step(many_records("th_after", 3))}};
}

// A bundle of the home's own, newer than what it knows of: an export was made of a copy.
CrashOperation import_newer_operation() {
  static const std::string kBundle = [] {
    CrashMachine copy(home_in_use());
    const auto opened = copy.open(OpenFor::kWriting);
    EXPECT_TRUE(opened) << message_of(opened);
    return export_text(**opened).value_or("");
  }();
  return {.name = "import that notes a newer export", .image = home_in_use(), .steps = {import_step(kBundle)}};
}

CrashOperation import_signatures_operation() {
  return {.name = "import that fills signatures",
          .image = disk_after({},
                              [](CrashMachine&, Instance& instance) {
                                EXPECT_TRUE(instance.generate_identity());
                                EXPECT_TRUE(instance::put_records(instance, signed_records(Sign::kNot)));
                              }),
          .steps = {import_step(signed_bundle())}};
}

base::NoProgress& no_progress() {
  static base::NoProgress progress;
  return progress;
}

CrashOperation export_with(std::string name, Image image, const std::function<operation::ExportOptions()>& options) {
  return {.name = std::move(name),
          .image = std::move(image),
          .steps = {[options](CrashRun& run) -> Result<void> {
                      run.prepared = TRY(operation::prepare_export(*run.instance, options(), no_progress()));
                      return {};
                    },
                    [](CrashRun& run) -> Result<void> {
                      const auto out =
                          TRY(env::OutputFile::create(run.machine.env_of_files(), kCrashBundle, no_progress()));
                      TRY(run.prepared->write(*out));
                      return out->commit();
                    },
                    [](CrashRun& run) { return run.prepared->note_durable(); }},
          // A number may be burned.
          .forget_when_run_again = [](CrashState& state) {
            state.contents.export_sequence.clear();
            state.bundle_number.clear();
          }};
}

CrashOperation export_operation() {
  return export_with("export", home_in_use(), [] { return operation::ExportOptions(); });
}

CrashOperation export_into_a_new_file_operation() {
  CrashOperation operation = export_operation();
  operation.name = "export into a new file";
  operation.image.erase(kCrashBundle);
  return operation;
}

CrashOperation export_by_a_temporary_name_operation() {
  CrashOperation operation = export_operation();
  operation.name = "export where no file is without a name";
  const auto prepare = operation.steps.front();
  operation.steps.front() = [prepare](CrashRun& run) {
    run.machine.fs.set_nameable(false);
    return prepare(run);
  };
  return operation;
}

CrashOperation export_plain_operation() {
  return export_with("export --uncompressed --carry-tokens", home_in_use(), [] {
    operation::ExportOptions options;
    options.uncompressed = options.carry_tokens = true;
    return options;
  });
}

std::span<const crypto::AgeIdentity> age_keys() {
  static const std::vector<crypto::AgeIdentity> kKeys = [] {
    std::vector<crypto::AgeIdentity> keys;
    auto key = crypto::AgeIdentity::parse(kAgeKey);
    EXPECT_TRUE(key) << message_of(key);
    keys.push_back(std::move(*key));
    return keys;
  }();
  return kKeys;
}

CrashOperation export_encrypted_operation() {
  CrashOperation operation = export_with("export --recipient", home_in_use(), [] {
    operation::ExportOptions options;
    options.recipients = {age_keys()[0].recipient()};
    return options;
  });
  operation.keys = age_keys();
  return operation;
}

// Several batches, each a frame.
CrashOperation export_many_operation() {
  CrashOperation operation = export_with("export --recipient --carry-tokens of many", home_with_many_records(), [] {
    operation::ExportOptions options;
    options.carry_tokens = true;
    options.batch_bytes = kSmallBatchBytes;
    options.recipients = {age_keys()[0].recipient()};
    return options;
  });
  operation.options = small_options();
  operation.keys = age_keys();
  return operation;
}

constexpr SweptOperation kOperations[] = {
    {"Init", init_operation},
    {"InitWithAStoreElsewhere", init_elsewhere_operation},
    {"IdentityGenerate", identity_operation},
    {"RecordPut", put_operation},
    {"RecordPutElsewhere", put_elsewhere_operation},
    {"RecordPutOfMany", put_many_operation, SweepSize::kLarge},
    {"Emit", emit_operation},
    {"ImportIntoANewHome", import_new_operation},
    {"ImportIntoANewHomeElsewhere", import_new_elsewhere_operation},
    {"ImportThatSortsOnDisk", import_sorted_operation, SweepSize::kLarge},
    {"ImportIntoAnEmptyHome", import_empty_operation},
    {"ImportThroughASpool", import_spooled_operation, SweepSize::kSlow},
    {"ImportThatAdopts", import_adopt_operation},
    {"ImportThatAdoptsMany", import_adopt_many_operation, SweepSize::kLarge},
    {"ImportThatMerges", import_merge_operation},
    {"ImportRefused", import_refused_operation},
    {"ImportBrokenOff", import_broken_operation},
    {"ImportOfManyBrokenOff", import_broken_many_operation, SweepSize::kLarge},
    {"ImportThatNotesANewerExport", import_newer_operation},
    {"ImportThatFillsSignatures", import_signatures_operation},
    {"Export", export_operation},
    {"ExportIntoANewFile", export_into_a_new_file_operation},
    {"ExportByATemporaryName", export_by_a_temporary_name_operation},
    {"ExportUncompressedWithTokens", export_plain_operation},
    {"ExportEncrypted", export_encrypted_operation},
    {"ExportOfMany", export_many_operation, SweepSize::kLarge},
};

}  // namespace

store::StoreSizes small_sizes() {
  return {.page_bytes = 512,
          .writer_cache_kib = 16,
          .reader_cache_kib = 16,
          .sorting_cache_kib = 16,
          .checkpoint_pages = 32,
          .log_kept_bytes = 16 << 10};
}

Image home_without_identity() {
  return disk_after({}, [](CrashMachine&, Instance&) {});
}
Image home_with_identity(const CrashOptions& options) {
  return disk_after(options, [](CrashMachine&, Instance& instance) { EXPECT_TRUE(instance.generate_identity()); });
}
Image home_in_use(const CrashOptions& options) {
  return disk_after(options, [](CrashMachine& machine, Instance& instance) { fill(machine, instance, 10); });
}

const std::string& foreign_bundle() {
  static const std::string kBundle = bundle_of(many_records("th_foreign", 20), carry_tokens);
  return kBundle;
}

std::span<const SweptOperation> swept_operations() {
  return kOperations;
}

}  // namespace spl::testing
