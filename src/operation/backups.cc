#include "operation/backups.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/encoding.h"
#include "base/words.h"
#include "bundle/layout.h"
#include "bundle/manifest.h"
#include "codec/enum_names.h"
#include "crypto/sha256.h"
#include "env/output_file.h"
#include "env/streams.h"
#include "operation/own_files.h"
#include "operation/recipients.h"
#include "schedule/schedule_store.h"

namespace spl::operation {
namespace {

constexpr std::string_view kSuffix = ".spl";
constexpr std::string_view kNoteSuffix = ".spl.json";
constexpr std::size_t kNoteBytesMax = 4u << 20;
constexpr std::size_t kDidDigits = 8;
constexpr std::size_t kPieceBytes = 1u << 20;

// What goes to the file, counted and hashed.
class HashedFile final : public Destination, public Sink {
 public:
  explicit HashedFile(std::unique_ptr<env::OutputFile> file) : file_(std::move(file)) {}
  Sink& sink() override { return *this; }
  Result<void> write(std::string_view octets) override {
    hash_.update(octets);
    return file_->write(octets);
  }
  Result<void> commit() override { return file_->commit(); }
  [[nodiscard]] std::uint64_t bytes() const { return file_->bytes_written(); }
  Digest digest() { return hash_.finish(); }

 private:
  std::unique_ptr<env::OutputFile> file_;
  crypto::Sha256 hash_;
};

Result<Digest> digest_of_file(const std::string& path, std::uint64_t bytes, base::Progress& progress) {
  const auto file = TRY(env::InputFile::open(path, nullptr));
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  crypto::Sha256 hash;
  for (std::uint64_t done = 0;;) {
    const std::size_t n = TRY(file->read({piece.get(), kPieceBytes}));
    if (n == 0) return hash.finish();
    hash.update({piece.get(), n});
    progress.update("reading the backup again", done += n, bytes, "bytes");
    if (progress.cancelled()) return base::fail_cancelled("the backup is not kept");
  }
}

// "k8PzQ2vL-20300101T120000Z": no other has it.
Result<std::string> new_id(env::Env env, const std::vector<std::string>& directories, const std::string& did) {
  for (;;) {
    std::string time = env::rfc3339(env.clock.now());
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    std::string id = did.substr(did.size() - std::min(did.size(), kDidDigits)) + "-" + time;
    bool is_taken = false;
    for (const std::string& directory : directories)
      is_taken = is_taken || TRY(env.fs.info(env::join(directory, id + std::string(kSuffix)))).has_value();
    if (!is_taken) return id;
    env.clock.sleep_for(std::chrono::seconds(1));
  }
}

std::unexpected<Error> no_backup(const std::string& id) {
  return fail(Cause::kNotFound, "there is no backup " + base::escaped(id, 80), "spl backup list shows them");
}

Result<BackupSummary> read_backup(env::Env env, const std::string& directory, const std::string& id) {
  const std::string path = env::join(directory, id + std::string(kSuffix));
  const auto info = TRY(env.fs.info(path));
  if (!info || info->type != env::FileType::kFile) return no_backup(id);
  BackupSummary summary;
  const std::string note = env::join(directory, id + std::string(kNoteSuffix));
  if (TRY(env.fs.info(note))) {
    const std::string text = TRY(env::read_file(env.fs, note, kNoteBytesMax));
    // A note that is none tells nothing; the bundle is there all the same.
    if (auto noted = codec::parse_shape_text<BackupSummary>(text, codec::Unknown::kIgnored))
      summary = std::move(*noted);
  }
  summary.id = id;
  summary.path = path;
  summary.bytes = info->size_bytes;
  if (summary.created_at.empty())
    summary.created_at =
        env::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(info->modified.seconds)));
  return summary;
}

Result<void> write_note(env::Env env, const std::string& directory, const BackupSummary& summary) {
  return env::write_file_atomically(env.fs, env::join(directory, summary.id + std::string(kNoteSuffix)),
                                    codec::shape_text(summary) + "\n");
}

// Those of one directory, which need not be there. A file that others show already is passed over.
Result<void> add_backups(env::Env env, const std::string& directory, std::vector<BackupSummary>& all) {
  const auto info = TRY(env.fs.info(TRY(env::follow_links(env.fs, directory))));
  if (!info || info->type != env::FileType::kDirectory) return {};
  const std::vector<std::string> names = TRY(env.fs.list(directory));
  for (const std::string& name : names) {
    if (!name.ends_with(kSuffix) || name.front() == '.') continue;
    const std::string id = name.substr(0, name.size() - kSuffix.size());
    if (std::ranges::find(all, id, &BackupSummary::id) != all.end()) continue;
    auto one = read_backup(env, directory, id);
    if (one)
      all.push_back(std::move(*one));
    else if (one.error().cause != Cause::kNotFound)
      return std::unexpected(one.error());
  }
  return {};
}

// Where one is to be made.
Result<std::string> directory_for(instance::Instance& instance, const std::string& to) {
  env::Env env = instance.env();
  if (to.empty()) {
    std::string directory = TRY(backup_directory(instance));
    TRY(env::make_directories(env.fs, directory));
    return directory;
  }
  const auto info = TRY(env.fs.info(TRY(env::follow_links(env.fs, to))));
  if (!info || info->type != env::FileType::kDirectory)
    return fail(ErrorCode::kUnavailable, Cause::kNoSuchFile,
                base::escaped(to, 512) + " is not there: no backup is made",
                "mount what is to be there, or make the directory");
  TRY(check_not_own(env, instance.paths(), env::join(to, "backup"), "backup"));
  return to;
}

// A name that leads nowhere else.
Result<void> check_id(const std::string& id) {
  if (!id.empty() && id.size() <= 200 && id.front() != '.' && id.find('/') == std::string::npos &&
      id.find('\0') == std::string::npos)
    return {};
  return no_backup(id);
}

}  // namespace

Result<std::string> backup_directory(instance::Instance& instance) {
  const std::string configured = TRY(instance.config()).backup_dir;
  return configured.empty() ? env::join(instance.paths().root, "backups") : configured;
}

Result<std::vector<std::string>> backup_directories(instance::Instance& instance) {
  std::vector<std::string> all{TRY(backup_directory(instance))};
  const auto store = TRY(schedule::ScheduleStore::open_if_there(instance.env(), instance.paths()));
  if (!store) return all;
  const std::vector<schedule::StoredSchedule> schedules = TRY(store->all());
  for (const schedule::StoredSchedule& one : schedules) {
    const std::string& to = one.settings.to;
    if (!to.empty() && std::ranges::find(all, to) == all.end()) all.push_back(to);
  }
  return all;
}

Result<std::vector<BackupSummary>> list_backups(instance::Instance& instance) {
  std::vector<BackupSummary> all;
  const std::vector<std::string> directories = TRY(backup_directories(instance));
  for (const std::string& directory : directories) TRY(add_backups(instance.env(), directory, all));
  for (BackupSummary& one : all) one.contents.reset();
  // Of the same second by name: the order is always the same.
  std::ranges::sort(all, [](const BackupSummary& one, const BackupSummary& other) {
    return std::tie(other.created_at, one.id) < std::tie(one.created_at, other.id);
  });
  return all;
}

Result<BackupSummary> find_backup(instance::Instance& instance, const BackupName& backup) {
  TRY(check_id(backup.id));
  const std::vector<std::string> directories = TRY(backup_directories(instance));
  for (const std::string& directory : directories) {
    auto found = read_backup(instance.env(), directory, backup.id);
    if (found || found.error().cause != Cause::kNotFound) return found;
  }
  return no_backup(backup.id);
}

namespace {

// As the bundle itself says, with what the pause went to.
Result<BackupContents> contents_of(const PreparedExport& prepared) {
  const bundle::Manifest manifest = TRY(bundle::parse_manifest(prepared.manifest_text()));
  BackupContents contents;
  std::map<std::pair<std::string_view, std::string_view>, std::string> kinds;
  for (const bundle::Service& service : manifest.services) {
    contents.services.push_back({service.name, service.version, service.schema});
    for (const bundle::Surface& surface : service.surfaces)
      kinds[{service.name, surface.name}] = codec::enum_name(surface.kind);
  }
  for (const bundle::Context& context : manifest.contexts) contents.contexts.push_back({context.name, context.id});
  for (const bundle::Section& section : manifest.sections) {
    const std::vector<std::string> parts = base::split(section.prefix, '/');
    if (parts.size() < 4 || !section.prefix.starts_with(bundle::kServicesPrefix)) continue;
    contents.surfaces.push_back({parts[1], parts[2], parts[3] == bundle::kWholeInstance ? "" : parts[3],
                                 kinds[{parts[1], parts[2]}], section.files, section.bytes, 0});
  }
  for (const PauseStepReport& step : prepared.report().pause_steps)
    contents.surfaces.push_back({"", step.step, "", "", 0, 0, static_cast<std::uint64_t>(std::lround(step.ms))});
  return contents;
}

}  // namespace

Result<BackupSummary> make_backup(instance::Instance& instance, ExportOptions options, const std::string& schedule,
                                  base::Progress& progress, const std::string& to) {
  env::Env env = instance.env();
  const auto did = instance.did();
  if (!did) return std::unexpected(instance.no_identity());
  if (!options.plaintext && options.recipients.empty() && !options.passphrase) {
    for (const Recipient& recipient : TRY(list_recipients(instance))) {
      if (recipient.confirmed_at) options.recipients.push_back(TRY(crypto::Recipient::parse(recipient.recipient)));
    }
    if (options.recipients.empty())
      return fail(ErrorCode::kRefused, "a backup is encrypted, and nobody is named who could open it",
                  "give a recipient, or say that it is to be plain");
  }
  const std::string directory = TRY(directory_for(instance, to));
  std::vector<std::string> directories = TRY(backup_directories(instance));
  directories.push_back(directory);
  BackupSummary summary;
  summary.id = TRY(new_id(env, directories, *did));
  summary.path = env::join(directory, summary.id + std::string(kSuffix));
  summary.created_at = env::rfc3339(env.clock.now());
  summary.context = options.context.value_or("");
  summary.schedule = schedule;
  const auto prepared = TRY(prepare_export(instance, std::move(options), progress));
  HashedFile file(TRY(env::OutputFile::create(env, summary.path, progress, env::Existing::kKept)));
  TRY(prepared->write(file.sink()));
  TRY(file.commit());
  const Digest written = file.digest();
  const auto read = digest_of_file(summary.path, file.bytes(), progress);
  if (!read || *read != written) {
    TRY(env.fs.remove(summary.path));
    if (!read) return std::unexpected(read.error());
    return fail(ErrorCode::kVerification, "the backup cannot be read as it was written",
                "look at the disk of " + directory);
  }
  const ExportReport& report = prepared->report();
  summary.bytes = file.bytes();
  summary.sha256 = base::to_hex(written.view());
  summary.encryption = report.encrypted ? "recipients" : "none";
  summary.identity = codec::enum_name(report.identity);
  summary.consistency = report.consistency;
  summary.pause_ms = report.pause_ms;
  summary.record_count = report.record_count;
  summary.thread_count = report.thread_count;
  summary.source_did = report.source_did;
  summary.bundle_sha256 = base::to_hex(report.bundle_sha256.view());
  summary.services = report.services;
  summary.contents = TRY(contents_of(*prepared));
  summary.verified_at = env::rfc3339(env.clock.now());
  TRY(write_note(env, directory, summary));
  TRY(prepared->note_durable());
  return summary;
}

Result<BackupSummary> delete_backup(instance::Instance& instance, const BackupName& backup) {
  BackupSummary summary = TRY(find_backup(instance, backup));
  TRY(instance.env().fs.remove(summary.path));
  TRY(instance.env().fs.remove(summary.path + ".json"));
  TRY(instance.env().fs.sync_directory(env::parent_of(summary.path)));
  return summary;
}

}  // namespace spl::operation
