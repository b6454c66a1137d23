// The backups that an instance keeps: bundles in backup_dir and in the directories of its schedules, each with a note
// beside it of what it is, so that nobody needs a key to list them. Any thread; docs/formats/door.md, "Backups".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "operation/export.h"

namespace spl::operation {

struct BackupService {
  std::string name;
  std::string version;
  std::uint64_t schema = 0;

  static constexpr auto shape() {
    using S = BackupService;
    return codec::shape(codec::member("name", &S::name, "the service"),
                        codec::member("version", &S::version, "its own"),
                        codec::member("schema", &S::schema, "of its data"));
  }
};
struct BackupContext {
  std::string name;
  std::uint64_t id = 0;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &BackupContext::name, "the context"),
                        codec::member("id", &BackupContext::id, "its number"));
  }
};
// A part of a surface, or a step of the pause, which is of no service.
struct BackupSurface {
  std::string service;
  std::string surface;
  std::string context;  // "" where it is not split
  std::string kind;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pause_ms = 0;

  static constexpr auto shape() {
    using S = BackupSurface;
    return codec::shape(codec::member("service", &S::service, "whose it is; empty: a step of the pause"),
                        codec::member("surface", &S::surface, "its name, or the step"),
                        codec::member("context", &S::context, "whose part of it; empty: it is not split"),
                        codec::member("kind", &S::kind, "files, git, sqlite, ..."),
                        codec::member("files", &S::files, "of the bundle"),
                        codec::member("bytes", &S::bytes, "of the bundle, before it is compressed"),
                        codec::member("pause_ms", &S::pause_ms, "of a step: how long it took"));
  }
};
struct BackupContents {
  std::vector<BackupService> services;
  std::vector<BackupContext> contexts;
  std::vector<BackupSurface> surfaces;

  static constexpr auto shape() {
    using C = BackupContents;
    return codec::shape(codec::member("services", &C::services, "with their versions"),
                        codec::member("contexts", &C::contexts, "of the instance, or the one"),
                        codec::member("surfaces", &C::surfaces, "what is in it"));
  }
};

struct BackupSummary {
  std::string id;  // its file's name without ".spl"
  std::string path;
  std::string created_at;
  std::uint64_t bytes = 0;
  std::string sha256;  // of the file
  std::string context;
  std::string encryption;  // none, recipients
  std::string identity;    // included, omitted
  std::string consistency;
  std::uint64_t pause_ms = 0;
  std::uint64_t record_count = 0;
  std::uint64_t thread_count = 0;
  std::string source_did;
  std::string bundle_sha256;
  std::vector<std::string> services;
  std::string verified_at;                      // when the file was last found to be what was written
  std::string schedule;                         // that made it
  std::optional<BackupContents> contents = {};  // of one that is asked for alone

  static constexpr auto shape() {
    using B = BackupSummary;
    using enum codec::Presence;
    return codec::shape(
        codec::member("id", &B::id, "the backup"), codec::path_member("path", &B::path, "its file"),
        codec::member("created_at", &B::created_at, "when"), codec::member("bytes", &B::bytes, "its size"),
        codec::member("sha256", &B::sha256, "of its file; missing: it was put there by somebody else", kOmitted),
        codec::member("context", &B::context, "the one that it is of; missing: all", kOmitted),
        codec::member("encryption", &B::encryption, "none or recipients", kOmitted),
        codec::member("identity", &B::identity, "whether the private key is in it", kOmitted),
        codec::member("consistency", &B::consistency, "quiesced, filesystem or crash", kOmitted),
        codec::member("pause_ms", &B::pause_ms, "how long writers were paused"),
        codec::member("record_count", &B::record_count, "records in it"),
        codec::member("thread_count", &B::thread_count, "threads in it"),
        codec::member("source_did", &B::source_did, "who signed it", kOmitted),
        codec::member("bundle_sha256", &B::bundle_sha256, "the digest of all that is in it", kOmitted),
        codec::member("services", &B::services, "in it", kOmitted),
        codec::member("verified_at", &B::verified_at, "when its file was last read and found whole", kOmitted),
        codec::member("schedule", &B::schedule, "that made it", kOmitted),
        codec::member("contents", &B::contents, "what is in it, part by part", kOmitted));
  }
};
struct BackupName {
  std::string id;

  static constexpr auto shape() { return codec::shape(codec::member("id", &BackupName::id, "the backup")); }
};

// Where they are kept.
Result<std::string> backup_directory(instance::Instance& instance);
// That, and those that schedules name besides; each once.
Result<std::vector<std::string>> backup_directories(instance::Instance& instance);
// The newest first.
Result<std::vector<BackupSummary>> list_backups(instance::Instance& instance);
// Cause kNotFound.
Result<BackupSummary> find_backup(instance::Instance& instance, const BackupName& backup);
// The export of `options` as a new file there, read again once it is durable: what cannot be read as it was written is
// no backup. Code kRefused where it would not be encrypted, and `options.plaintext` does not say that it need not be.
// `to` is another directory than backup_dir: code kUnavailable where it is not there.
Result<BackupSummary> make_backup(instance::Instance& instance, ExportOptions options, const std::string& schedule,
                                  base::Progress& progress, const std::string& to = {});
Result<BackupSummary> delete_backup(instance::Instance& instance, const BackupName& backup);

}  // namespace spl::operation
