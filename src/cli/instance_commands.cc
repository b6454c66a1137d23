// init, status, version, doctor.
#include "base/encoding.h"
#include "base/version.h"
#include "bundle/manifest.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "codec/zstd.h"
#include "crypto/sha256.h"
#include "db/sqlite.h"

namespace spl::cli {
namespace {

// Nothing where there is none, or no home to have one. What is wrong with it is found under the lock.
std::optional<instance::IdentitySummary> identity_if_any(Result<std::unique_ptr<operation::Operations>> operations) {
  auto identity = operations ? (*operations)->identity() : std::unexpected(operations.error());
  return identity ? std::optional(std::move(*identity)) : std::nullopt;
}

struct Initialised {
  std::string home;
  std::string did;
  bool created = false;

  static constexpr auto shape() {
    using I = Initialised;
    return codec::shape(codec::path_member("home", &I::home, "the home's directory"),
                        codec::member("did", &I::did, "the instance's name"),
                        codec::member("created", &I::created, "false: the identity was there already"));
  }
};

struct LibraryVersion {
  std::string name;
  std::string version;

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &LibraryVersion::name, "what the program is linked with"),
                        codec::member("version", &LibraryVersion::version, "as it says itself"));
  }
};
struct VersionReport {
  std::string version;
  std::string commit;
  std::uint64_t bundle_version = 0;
  std::vector<LibraryVersion> libraries;

  static constexpr auto shape() {
    using V = VersionReport;
    return codec::shape(codec::member("version", &V::version, "of this program"),
                        codec::member("commit", &V::commit, "that it was made of, or unknown"),
                        codec::member("bundle_version", &V::bundle_version, "of the bundles that it writes"),
                        codec::member("libraries", &V::libraries, "with --verbose", codec::Presence::kOmitted));
  }
};

// Of a home's mode.
constexpr std::uint32_t kOthersWrite = 0022;
constexpr std::uint32_t kSticky = 01000;

Result<int> run_init(Session& session, const Arguments&) {
  auto identity = identity_if_any(session.looking());
  bool created = false;
  if (!identity) {
    const auto home = TRY(session.creating());
    auto held = home->identity();
    if (!held && held.error().cause != Cause::kNoIdentity) return std::unexpected(std::move(held).error());
    created = !held;
    identity = TRY(created ? home->generate_identity() : std::move(held));
  }
  Output& out = session.out();
  const auto root = TRY(session.env().fs.info(session.paths().root));
  if (root && (root->mode & kOthersWrite) != 0 && (root->mode & kSticky) == 0)
    out.note(shown(session.paths().root) + " can be written by others: no daemon serves it (chmod 711 " +
             shown(session.paths().root) + ")");
  if (!out.text()) {
    TRY(out.document(codec::shape_json(Initialised{session.paths().root, identity->did, created})));
    return 0;
  }
  TRY(out.line((created ? "made " : "already there: ") + shown(session.paths().root)));
  TRY(out.line("did: " + identity->did));
  return 0;
}

Result<int> run_status(Session& session, const Arguments&) {
  const operation::Status status = TRY(TRY(session.looking())->status());
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(status)));
    return 0;
  }
  TRY(out.line("home:    " + shown(status.home)));
  TRY(out.line("store:   " + shown(status.store)));
  TRY(out.line("did:     " + (status.did ? *status.did : "none; " + one_line(status.no_identity))));
  TRY(out.line("daemon:  " + (status.running
                                  ? "running, pid " + std::to_string(status.pid) + ", " + shown(status.address)
                                  : std::string("not running"))));
  if (status.moved_at) TRY(out.line("moved:   since " + *status.moved_at + "; spl move cancel takes it back"));
  TRY(out.line("records: " + std::to_string(status.record_count) + " in " + counted(status.thread_count, "thread")));
  TRY(out.line("pairs:   " + std::to_string(status.federation_pairs)));
  TRY(out.line("grants:  " + std::to_string(status.consent_grants)));
  const auto more = [&out](std::string_view name, const std::optional<std::uint64_t>& count) -> Result<void> {
    return count ? out.line(std::string(name) + std::to_string(*count)) : Result<void>();
  };
  TRY(more("accounts: ", status.service_accounts));
  TRY(more("adapters: ", status.adapters));
  TRY(more("rules:   ", status.rules));
  if (status.pair_requests)
    TRY(out.line("waiting: " + counted(*status.pair_requests, "instance") + " for a pair; spl aitl list shows them"));
  if (status.redacted_records)
    TRY(out.line("redacted: " + counted(*status.redacted_records, "record") + " of which peers gave no body"));
  for (const operation::Rebuild& rebuild : status.rebuilds) TRY(out.line(rebuild_line(rebuild)));
  return 0;
}

Result<int> run_version(Session& session, const Arguments&) {
  Output& out = session.out();
  const std::vector<LibraryVersion> libraries{{"sqlite", db::library_version()},
                                              {"openssl", crypto::library_version()},
                                              {"zstd", codec::zstd_library_version()}};
  if (!out.text()) {
    VersionReport report{base::kVersion, std::string(session.commit()), bundle::kBundleVersion, {}};
    if (out.loudness() == Loudness::kVerbose) report.libraries = libraries;
    TRY(out.document(codec::shape_json(report)));
    return 0;
  }
  TRY(out.line(version_text(session.commit())));
  if (out.loudness() != Loudness::kVerbose) return 0;
  for (const LibraryVersion& library : libraries) TRY(out.line(library.name + " " + library.version));
  return 0;
}

Result<int> run_doctor(Session& session, const Arguments&) {
  const auto home = TRY(session.looking());
  const std::vector<operation::Finding> findings = TRY(home->examine(session.progress()));
  TRY(print_findings(session.out(), findings));
  return operation::first_stop(findings) != nullptr ? static_cast<int>(ErrorCode::kFailed) : 0;
}

}  // namespace

std::vector<Command> instance_commands() {
  std::vector<Command> commands;
  commands.push_back({.name = "init",
                      .summary = "Make the home, its store and an identity",
                      .details = "What is there already stays as it is: a home that has all three is not changed.",
                      .examples = {"spl init", "spl init --home /srv/spl"},
                      .run = run_init,
                      .schema = codec::schema_of<Initialised>});
  commands.push_back({.name = "status",
                      .summary = "Say what the instance is and holds, and whether a daemon runs",
                      .examples = {"spl status", "spl status -o json | jq .record_count"},
                      .run = run_status,
                      .schema = codec::schema_of<operation::Status>});
  commands.push_back({.name = "version",
                      .summary = "Say the version of this program, and the commit that it was made of",
                      .details = "With --verbose also the versions of the libraries.",
                      .examples = {"spl version", "spl version -v"},
                      .run = run_version,
                      .schema = codec::schema_of<VersionReport>,
                      .needs_home = false});
  commands.push_back({.name = "doctor",
                      .summary = "Check store, records, identity, authority, services and secrets",
                      .details = "Every record is checked against its id, every declaration is read, and so is every "
                                 "secret; what a crash has left is told. Nothing is changed. The exit code is 1 where "
                                 "something is broken.",
                      .examples = {"spl doctor", "spl doctor -o json"},
                      .run = run_doctor,
                      .schema = codec::list_schema_of<operation::Finding>});
  return commands;
}

}  // namespace spl::cli
