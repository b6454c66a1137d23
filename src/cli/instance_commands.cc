// init, status, version, doctor.
#include "base/encoding.h"
#include "base/version.h"
#include "bundle/manifest.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using codec::Json;

// Nothing where there is none, or no home to have one. What is wrong with it is found under the lock.
std::optional<instance::IdentitySummary> identity_if_any(Result<std::unique_ptr<operation::Operations>> operations) {
  auto identity = operations ? (*operations)->identity() : std::unexpected(operations.error());
  return identity ? std::optional(std::move(*identity)) : std::nullopt;
}

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
  if (!out.text()) {
    TRY(out.document(
        Json::Object{{"home", base::path_text(session.paths().root)}, {"did", identity->did}, {"created", created}}));
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
  return 0;
}

Result<int> run_version(Session& session, const Arguments&) {
  Output& out = session.out();
  if (out.text()) {
    TRY(out.line(std::string("spl ") + base::kVersion));
  } else {
    TRY(out.document(Json::Object{{"version", base::kVersion}, {"bundle_version", bundle::kBundleVersion}}));
  }
  return 0;
}

Result<int> run_doctor(Session& session, const Arguments&) {
  const auto home = TRY(session.looking());
  ShownProgress progress(session);
  const std::vector<operation::Finding> findings = TRY(home->examine(progress));
  progress.finish();
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
                      .run = run_init});
  commands.push_back({.name = "status",
                      .summary = "Say what the instance is and holds, and whether a daemon runs",
                      .examples = {"spl status", "spl status -o json | jq .record_count"},
                      .run = run_status});
  commands.push_back({.name = "version",
                      .summary = "Say the version of this program",
                      .examples = {"spl version"},
                      .run = run_version,
                      .needs_home = false});
  commands.push_back({.name = "doctor",
                      .summary = "Check store, records, identity and authority",
                      .details = "Every record is checked against its id. Nothing is changed. The exit code is 1 where "
                                 "something is broken.",
                      .examples = {"spl doctor", "spl doctor -o json"},
                      .run = run_doctor});
  return commands;
}

}  // namespace spl::cli
