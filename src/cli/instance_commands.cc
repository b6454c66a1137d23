// init, status, version, doctor.
#include "base/encoding.h"
#include "base/version.h"
#include "bundle/manifest.h"
#include "cli/command.h"
#include "cli/daemon_info.h"
#include "cli/findings.h"
#include "cli/gateway.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "instance/doctor.h"

namespace spl::cli {
namespace {

using codec::Json;

// The identity of a home that may not be there yet.
Result<std::optional<instance::IdentitySummary>> identity_if_any(Session& session) {
  if (!session.require_instance()) return std::nullopt;
  // Another process may be making it: what is wrong with it is found under the lock.
  const auto opened = session.open_for_reading();
  return opened ? (*opened)->identity_summary() : std::optional<instance::IdentitySummary>();
}

Result<int> run_init(Session& session, const Arguments&) {
  auto identity = TRY(identity_if_any(session));
  bool created = false;
  if (!identity) {
    Gateway gateway = TRY(open_gateway(session, instance::OpenFor::kCreating));
    if (gateway.instance) identity = TRY(gateway.instance->identity_summary());
    if (!identity) {
      identity = TRY(generate_identity(gateway));
      created = true;
    }
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

std::string without_identity(instance::Instance& instance) {
  const Error error = instance.no_identity();
  // That there is none was said; the rest is news.
  return instance.check_files_are_known() ? error.hint : one_line(error.message) + " — " + one_line(error.hint);
}

Result<int> run_status(Session& session, const Arguments&) {
  const auto daemon = TRY(running_daemon(session.env(), session.paths()));
  const auto opened = TRY(session.open_for_reading());
  const instance::Status status = TRY(opened->status());
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(Json::Object{{"running", daemon.has_value()},
                                  {"port", daemon && daemon->port != 0 ? Json(daemon->port) : Json()},
                                  {"did", status.did ? Json(*status.did) : Json()},
                                  {"version", base::kVersion},
                                  {"record_count", status.counts.records},
                                  {"thread_count", status.counts.threads},
                                  {"federation_pairs", status.authority.federation_pairs},
                                  {"consent_grants", status.authority.consent_grants},
                                  {"store", base::path_text(status.store)},
                                  {"home", base::path_text(status.home)}}));
    return 0;
  }
  TRY(out.line("home:    " + shown(status.home)));
  TRY(out.line("store:   " + shown(status.store)));
  TRY(out.line("did:     " + (status.did ? *status.did : "none; " + without_identity(*opened))));
  TRY(out.line("daemon:  " + (daemon ? "running, pid " + std::to_string(daemon->pid) + ", " + shown(daemon->address)
                                     : std::string("not running"))));
  if (status.moved_at) TRY(out.line("moved:   since " + *status.moved_at + "; spl move cancel takes it back"));
  TRY(out.line("records: " + std::to_string(status.counts.records) + " in " +
               counted(status.counts.threads, "thread")));
  TRY(out.line("pairs:   " + std::to_string(status.authority.federation_pairs)));
  TRY(out.line("grants:  " + std::to_string(status.authority.consent_grants)));
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
  const auto opened = TRY(session.open_for_reading());
  ShownProgress progress(session);
  const std::vector<instance::Finding> findings = TRY(instance::examine(*opened, progress));
  progress.finish();
  TRY(print_findings(session.out(), findings));
  return any_stop(findings) ? static_cast<int>(ErrorCode::kFailed) : 0;
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
