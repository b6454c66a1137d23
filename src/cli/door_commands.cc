// router, owner.
#include "cli/command.h"
#include "cli/door_link.h"
#include "cli/keys.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using codec::Json;
using operation::OwnerStatus;
using operation::RouterAction;
using operation::RouterStatus;

// "AB:CD:...", as browsers show it.
std::string fingerprint_text(const std::string& hex) {
  std::string text;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += hex[i] >= 'a' ? static_cast<char>(hex[i] - 'a' + 'A') : hex[i];
  }
  return text;
}

Result<void> show_router(Output& out, const RouterStatus& status) {
  if (!out.text()) return out.document(codec::shape_json(status));
  TRY(out.line(std::string("router:      ") + (status.running ? "running" : "stopped")));
  for (const std::string& address : status.addresses) TRY(out.line("panel:       " + shown(address) + "/"));
  if (status.certificate) {
    TRY(out.line("certificate: " + shown(status.certificate->kind) + ", until " +
                 shown(status.certificate->not_after)));
  } else {
    TRY(out.line("certificate: none yet"));
  }
  for (const operation::RouterRoute& route : status.routes)
    TRY(out.line(shown(route.service) + "  " + shown(route.address) + "  " + shown(route.access) +
                 (route.up ? "  up" : "  down")));
  return {};
}

Result<int> run_router(Session& session, RouterAction action) {
  const auto home = TRY(session.changing());
  const RouterStatus status = TRY(home->command_router({action}, session.progress()));
  TRY(show_router(session.out(), status));
  if (action == RouterAction::kStop) return 0;
  if (const auto trust = home->router_trust(); trust && session.out().text())
    TRY(session.out().line("authority:   SHA-256 " + fingerprint_text(trust->sha256)));
  if (!TRY(home->owner_status()).claimed)
    session.out().note("the door has no owner yet: spl owner link prints where to claim it");
  return 0;
}
Result<int> run_router_start(Session& session, const Arguments&) {
  return run_router(session, RouterAction::kStart);
}
Result<int> run_router_stop(Session& session, const Arguments&) {
  return run_router(session, RouterAction::kStop);
}
Result<int> run_router_reload(Session& session, const Arguments&) {
  return run_router(session, RouterAction::kReload);
}
Result<int> run_router_status(Session& session, const Arguments&) {
  TRY(show_router(session.out(), TRY(TRY(session.looking())->router_status())));
  return 0;
}
Result<int> run_router_trust(Session& session, const Arguments&) {
  const operation::RouterTrust trust = TRY(TRY(session.looking())->router_trust());
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(trust)));
    return 0;
  }
  TRY(out.content(trust.certificate));
  out.note("its SHA-256 is " + fingerprint_text(trust.sha256) + "; steps for each system are at " + shown(trust.page));
  return 0;
}

Result<int> run_link(Session& session, const Arguments&) {
  TRY(show_link(session.out(), TRY(TRY(session.changing())->make_owner_link())));
  return 0;
}

Result<void> show_owner(Output& out, const OwnerStatus& status) {
  if (!out.text()) return out.document(codec::shape_json(status));
  TRY(out.line(std::string("owner:    ") + (status.claimed ? "there is one" : "none yet: spl owner link")));
  TRY(out.line("sessions: " + std::to_string(status.sessions)));
  return out.line("panel:    " + shown(status.panel) + "/");
}
Result<int> run_owner_status(Session& session, const Arguments&) {
  TRY(show_owner(session.out(), TRY(TRY(session.looking())->owner_status())));
  return 0;
}
Result<int> run_password(Session& session, const Arguments&) {
  operation::NewPassword request{TRY(read_secret_value(session, "the new password"))};
  TRY(show_owner(session.out(), TRY(TRY(session.changing())->set_owner_password(request))));
  session.out().note("every session has ended: sign in with the new password");
  return 0;
}
Result<int> run_reset(Session& session, const Arguments&) {
  TRY(show_owner(session.out(), TRY(TRY(session.changing())->reset_owner())));
  return 0;
}
Result<int> run_sessions(Session& session, const Arguments&) {
  const auto sessions = TRY(TRY(session.looking())->owner_sessions());
  Output& out = session.out();
  ListOutput list(out);
  for (const operation::OwnerSession& one : sessions)
    TRY(list.item(out.text() ? shown(one.id) + "  " + shown(one.used_at) + "  from " + shown(one.address) + "  " +
                                   shown(one.agent)
                             : codec::shape_json(one).text()));
  TRY(list.end());
  return 0;
}
Result<int> run_sign_out(Session& session, const Arguments& arguments) {
  const auto id = arguments.value("ID");
  if (!id && !arguments.has("--all"))
    return fail(ErrorCode::kUsage, "sign-out: which session is missing",
                "spl owner sessions lists them; --all ends all");
  const auto ended = TRY(TRY(session.changing())->end_sessions({id.value_or("")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("ended " + counted(ended.ended, "session")) : out.document(codec::shape_json(ended)));
  return 0;
}

Command router_command() {
  Command router{.name = "router",
                 .summary = "The owner's address: the panel and the services' pages, by nginx",
                 .details = "[router] of config.toml says under which names and ports, and whose certificate.",
                 .examples = {"spl router start"}};
  router.commands = {
      {.name = "start",
       .summary = "Serve the panel and the services that have a route",
       .details = "Where it runs already it serves what is declared now. A daemon of the home starts it again.",
       .examples = {"spl router start"},
       .run = run_router_start,
       .schema = codec::schema_of<RouterStatus>},
      {.name = "stop",
       .summary = "Serve nothing any more",
       .examples = {"spl router stop"},
       .run = run_router_stop,
       .schema = codec::schema_of<RouterStatus>},
      {.name = "reload",
       .summary = "Serve what is declared and configured now",
       .details = "A configuration that nginx does not take is not loaded: what was served before still is.",
       .examples = {"spl router reload"},
       .run = run_router_reload,
       .schema = codec::schema_of<RouterStatus>},
      {.name = "trust",
       .summary = "Print the certificate of the machine's own authority, for browsers to trust",
       .examples = {"spl router trust > spl-authority.pem"},
       .run = run_router_trust,
       .schema = codec::schema_of<operation::RouterTrust>},
      {.name = "status",
       .summary = "Show addresses, certificate and routes",
       .examples = {"spl router status -o json"},
       .run = run_router_status,
       .schema = codec::schema_of<RouterStatus>},
  };
  return router;
}

Command owner_command() {
  Command owner{.name = "owner",
                .summary = "Who may come in by the browser",
                .details = "The console is the owner's, whatever the door says: its link always works.",
                .examples = {"spl owner link"}};
  owner.commands = {
      {.name = "link",
       .summary = "Print a link that claims the door, or signs in",
       .details = "Where there is no owner yet, who opens the link becomes the owner; it is good until then. Where "
                  "there is one it signs in, once, within 15 minutes.",
       .examples = {"spl owner link"},
       .run = run_link,
       .schema = link_schema},
      {.name = "status",
       .summary = "Show whether there is an owner, and the panel's address",
       .examples = {"spl owner status -o json"},
       .run = run_owner_status,
       .schema = codec::schema_of<OwnerStatus>},
      {.name = "password",
       .summary = "Give the owner another password; every session ends",
       .details = "It is asked for on the terminal, or read from standard input.",
       .examples = {"spl owner password"},
       .run = run_password,
       .schema = codec::schema_of<OwnerStatus>},
      {.name = "sessions",
       .summary = "List the browsers that are signed in",
       .examples = {"spl owner sessions"},
       .run = run_sessions,
       .schema = codec::list_schema_of<operation::OwnerSession>},
      {.name = "sign-out",
       .summary = "End a session, or all",
       .options = {{.name = "--all", .value = "", .help = "end all of them"}},
       .positionals = {{.name = "ID",
                        .help = "a session, or a beginning of its id",
                        .need = Positional::Need::kOptional}},
       .examples = {"spl owner sign-out --all", "spl owner sign-out 4f1c22ab"},
       .run = run_sign_out,
       .schema = codec::schema_of<operation::EndedSessions>},
      {.name = "reset",
       .summary = "Forget the owner: the door can be claimed anew",
       .examples = {"spl owner reset"},
       .run = run_reset,
       .schema = codec::schema_of<OwnerStatus>},
  };
  return owner;
}

}  // namespace

Result<void> show_link(Output& out, const operation::OwnerLink& link) {
  const std::string url(link.url.reveal());
  if (out.text()) {
    TRY(out.content(url + "\n"));
  } else {
    Json json = Json::Object{{"url", url}, {"claims", link.claims}};
    if (!link.expires_at.empty()) json.add("expires_at", link.expires_at);
    TRY(out.document(json));
  }
  TRY(out.show_result());
  out.note(link.claims ? "who opens it first becomes the owner: it is good until then, and once"
                       : "it signs in, once, within 15 minutes");
  return {};
}

Json link_schema() {
  return codec::with_member(codec::schema_of<operation::OwnerLink>(), "url",
                            Json::Object{{"type", "string"}, {"description", "to be opened in a browser, once"}});
}

std::vector<Command> door_commands() {
  return {router_command(), owner_command()};
}

}  // namespace spl::cli
