// service-account, token.
#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/encoding.h"
#include "cli/command.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using codec::Json;
using substrate::ServiceAccount;

constexpr std::size_t kIdDigitsShown = 16;

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + shown(item);
  return text.empty() ? "-" : text;
}

// Whom it may write as: nobody where none is named, but admin holds every right.
std::string actors_text(const ServiceAccount& account) {
  const bool admin = std::ranges::find(account.scopes, "admin") != account.scopes.end();
  if (admin) return "any";
  return account.actors.empty() ? "none" : joined(account.actors);
}

std::string account_line(const ServiceAccount& account) {
  return std::string(account.active ? "active   " : "revoked  ") + shown(account.name) + "  scopes " +
         joined(account.scopes) + "  actors " + actors_text(account);
}

Result<int> run_account_create(Session& session, const Arguments& arguments) {
  ServiceAccount account;
  account.name = arguments.at("NAME");
  account.scopes = arguments.all("--scope");
  account.actors = arguments.all("--actor");
  if (account.scopes.empty()) {
    std::string known;
    for (const std::string_view scope : substrate::known_scopes())
      known.append(known.empty() ? "" : ", ").append(scope);
    return fail(ErrorCode::kUsage, "service-account create: --scope is missing", "the scopes are " + known);
  }
  const ServiceAccount made = TRY(TRY(session.changing())->create_account(account));
  Output& out = session.out();
  TRY(out.text() ? out.line(account_line(made)) : out.document(codec::shape_json(made)));
  return 0;
}

Result<int> run_account_list(Session& session, const Arguments&) {
  const auto accounts = TRY(TRY(session.looking())->accounts());
  Output& out = session.out();
  ListOutput list(out);
  for (const ServiceAccount& account : accounts)
    TRY(list.item(out.text() ? account_line(account) : codec::shape_json(account).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_account_revoke(Session& session, const Arguments& arguments) {
  const auto revoked = TRY(TRY(session.changing())->revoke_account({arguments.at("NAME")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("revoked " + shown(revoked.name)) : out.document(codec::shape_json(revoked)));
  return 0;
}

// A time as it is, or a number of days or hours from now: "90d", "12h".
Result<std::string> expiry(env::Env env, const std::string& text) {
  constexpr int kCountMax = 100'000;
  const bool days = text.ends_with('d');
  if (!days && !text.ends_with('h')) return text;
  int count = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end || count <= 0 || count > kCountMax)
    return fail(ErrorCode::kUsage, "--expires " + shown(text) + ": not a time and not a number of days or hours",
                "such as 90d, 12h or 2030-01-31T12:00:00Z");
  return env::rfc3339(env.clock.now() + std::chrono::hours(days ? 24 * count : count));
}

Result<void> print_token(Output& out, const operation::MadeToken& made) {
  if (out.text()) {
    TRY(out.content(std::string(made.token.reveal()) + "\n"));
  } else {
    Json json = Json::Object{{"token", std::string(made.token.reveal())}};
    const Json members = codec::shape_json(made.summary);
    for (const auto& [name, value] : *members.object()) json.add(name, value);
    TRY(out.document(json));
  }
  return out.show_result();
}

// Nobody has seen it: it is no use to its owner, and may lie in a part of a file.
Error taken_back(operation::Operations& home, const operation::TokenSummary& token, Error error) {
  const std::string id = base::to_hex(token.id.view());
  const auto revoked = home.revoke_token({id});
  error.message += revoked ? "; the token was taken back" : "; the token is there, and nobody has seen it";
  if (!revoked) error.hint = "spl token revoke " + id.substr(0, kIdDigitsShown) + " ends it";
  return error;
}

Result<int> run_token_create(Session& session, const Arguments& arguments) {
  instance::TokenRequest request;
  request.account = arguments.at("ACCOUNT");
  request.scopes = arguments.all("--scope");
  if (const auto environment = arguments.value("--env")) request.environment = *environment;
  if (const auto end = arguments.value("--expires")) request.expires_at = TRY(expiry(session.env(), *end));
  const auto home = TRY(session.changing());
  const operation::MadeToken made = TRY(home->create_token(request));
  Output& out = session.out();
  if (auto printed = print_token(out, made); !printed) {
    Error error = taken_back(*home, made.summary, std::move(printed).error());
    // Of a reader that has gone nothing else is said.
    if (out.reader_gone()) out.note(error);
    return std::unexpected(std::move(error));
  }
  out.note("keep the token now: it is not shown again");
  return 0;
}

Result<int> run_token_list(Session& session, const Arguments&) {
  const auto tokens = TRY(TRY(session.looking())->tokens());
  Output& out = session.out();
  ListOutput list(out);
  for (const operation::TokenSummary& token : tokens) {
    const std::string id = base::to_hex(token.id.view());
    TRY(list.item(out.text() ? id.substr(0, kIdDigitsShown) + "  " + shown(token.account) + "  scopes " +
                                   joined(token.scopes) + "  " +
                                   (token.expires_at ? "until " + shown(*token.expires_at) : "without end")
                             : codec::shape_json(token).text()));
  }
  TRY(list.end());
  return 0;
}

Result<int> run_token_revoke(Session& session, const Arguments& arguments) {
  const auto revoked = TRY(TRY(session.changing())->revoke_token({arguments.at("ID")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("revoked " + base::to_hex(revoked.id.view()).substr(0, kIdDigitsShown))
                 : out.document(codec::shape_json(revoked)));
  return 0;
}

// That of the list, and the token itself.
Json made_token_schema() {
  return codec::with_member(codec::schema_of<operation::TokenSummary>(), "token",
                            Json::Object{{"type", "string"}, {"description", "the token itself"}});
}

Command account_command() {
  Command account{.name = "service-account",
                  .summary = "Who may come in over TCP, and for what",
                  .examples = {"spl service-account list"}};
  const Positional name{.name = "NAME", .help = "the account's name", .names = Names::kAccount};
  account.commands = {
      {.name = "create",
       .summary = "Make a service account",
       .options = {{.name = "--scope",
                    .value = "SCOPE",
                    .help = "what it may do: records:read, records:write, threads:write, federation:manage, "
                            "config:read, config:write, admin",
                    .times = Times::kAny,
                    .names = Names::kScope},
                   {.name = "--actor",
                    .value = "DID",
                    .help = "whom it may write as; without it, as nobody (with the scope admin, as anybody)",
                    .times = Times::kAny}},
       .positionals = {name},
       .examples = {"spl service-account create reader --scope records:read",
                    "spl service-account create ci --scope records:write --actor did:web:ci.example"},
       .run = run_account_create,
       .schema = codec::schema_of<ServiceAccount>},
      {.name = "list",
       .summary = "List the service accounts",
       .examples = {"spl service-account list -o json"},
       .run = run_account_list,
       .schema = codec::list_schema_of<ServiceAccount>},
      {.name = "revoke",
       .summary = "End a service account; its tokens are of no use from then on",
       .positionals = {name},
       .examples = {"spl service-account revoke ci"},
       .run = run_account_revoke,
       .schema = codec::schema_of<operation::RevokedAccount>},
  };
  return account;
}

Command token_command() {
  Command token{.name = "token", .summary = "Tokens of service accounts", .examples = {"spl token list"}};
  token.commands = {
      {.name = "create",
       .summary = "Make a token and print it, once",
       .details = "Only a hash of it is kept.",
       .options = {{.name = "--scope",
                    .value = "SCOPE",
                    .help = "one of the account's scopes; without it, all of them",
                    .times = Times::kAny,
                    .names = Names::kScope},
                   {.name = "--env", .value = "NAME", .help = "a tag in the token's text; prod where it is not given"},
                   {.name = "--expires", .value = "TIME", .help = "its end: 90d, 12h or 2030-01-31T12:00:00Z"}},
       .positionals = {{.name = "ACCOUNT", .help = "the account's name", .names = Names::kAccount}},
       .examples = {"spl token create ci --expires 90d"},
       .run = run_token_create,
       .schema = made_token_schema},
      {.name = "list",
       .summary = "List the tokens, without their secrets",
       .examples = {"spl token list -o json"},
       .run = run_token_list,
       .schema = codec::list_schema_of<operation::TokenSummary>},
      {.name = "revoke",
       .summary = "End a token",
       .positionals = {{.name = "ID",
                        .help = "its id as the list shows it, or the first 8 digits or more",
                        .names = Names::kToken}},
       .examples = {"spl token revoke 0f3a9c1b"},
       .run = run_token_revoke,
       .schema = codec::schema_of<operation::RevokedToken>},
  };
  return token;
}

}  // namespace

std::vector<Command> access_commands() {
  std::vector<Command> commands;
  commands.push_back(account_command());
  commands.push_back(token_command());
  return commands;
}

}  // namespace spl::cli
