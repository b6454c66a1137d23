// consent, adapter, config, trust.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "base/encoding.h"
#include "cli/command.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using substrate::Adapter;
using substrate::AdapterFamily;
using substrate::ConsentGrant;
using substrate::Rule;
using substrate::RuleKind;

constexpr std::size_t kIdDigitsShown = 16;

std::string joined(const std::vector<std::string>& items, std::string_view where_none) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + shown(item);
  return text.empty() ? std::string(where_none) : text;
}

Result<std::uint64_t> number_of(std::string_view option, const std::string& text) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size())
    return fail(ErrorCode::kUsage, std::string(option) + " " + shown(text) + ": a whole number is wanted");
  return number;
}

std::string consent_line(const ConsentGrant& grant) {
  return grant.id.hex().substr(0, kIdDigitsShown) + "  " + (grant.is_revoked ? "revoked  " : "granted  ") +
         shown(grant.source_namespace) + " to " + shown(grant.target_namespace) + "  levels " +
         joined(grant.hash_levels, "all") + "  threads " + joined(grant.threads, "all") +
         (grant.expires ? "  until " + shown(*grant.expires) : "") +
         (grant.purpose.empty() ? "" : "  " + shown(grant.purpose));
}

Result<int> run_consent_grant(Session& session, const Arguments& arguments) {
  substrate::ConsentRequest request;
  request.source_namespace = arguments.value("--source-namespace").value_or(std::string(substrate::kDefaultNamespace));
  const auto target = arguments.value("--target-namespace");
  if (!target)
    return fail(ErrorCode::kUsage, "consent grant: --target-namespace is missing",
                "it is the namespace of the peers that are to get the records");
  request.target_namespace = *target;
  request.hash_levels = arguments.all("--hash-level");
  request.threads = arguments.all("--thread");
  request.purpose = arguments.value("--purpose").value_or("");
  request.expires = arguments.value("--expires");
  const ConsentGrant grant = TRY(TRY(session.changing())->grant_consent(request));
  Output& out = session.out();
  TRY(out.text() ? out.line(consent_line(grant)) : out.document(codec::shape_json(grant)));
  return 0;
}

Result<int> run_consent_list(Session& session, const Arguments&) {
  const auto grants = TRY(TRY(session.looking())->consents());
  Output& out = session.out();
  ListOutput list(out);
  for (const ConsentGrant& grant : grants)
    TRY(list.item(out.text() ? consent_line(grant) : codec::shape_json(grant).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_consent_revoke(Session& session, const Arguments& arguments) {
  const auto revoked = TRY(TRY(session.changing())->revoke_consent({arguments.at("ID")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("revoked " + revoked.id.hex().substr(0, kIdDigitsShown))
                 : out.document(codec::shape_json(revoked)));
  return 0;
}

std::string adapter_line(const Adapter& adapter) {
  std::string what = shown(adapter.url);
  for (const std::string& word : adapter.command) what += (what.empty() ? "" : " ") + shown(word);
  return shown(adapter.did) + "  " + std::string(codec::enum_name(adapter.family)) + "  " + what +
         (adapter.timeout_s ? "  at most " + std::to_string(*adapter.timeout_s) + " s" : "") +
         (adapter.max_concurrent ? "  " + std::to_string(*adapter.max_concurrent) + " at once" : "");
}

Result<int> run_adapter_add(Session& session, const Arguments& arguments) {
  Adapter adapter;
  adapter.did = arguments.at("DID");
  adapter.family = codec::parse_enum<AdapterFamily>(arguments.value("--family").value_or("cli")).value();
  if (const auto binary = arguments.value("--binary")) adapter.command.push_back(*binary);
  for (const std::string& word : arguments.all("--argument")) adapter.command.push_back(word);
  adapter.url = arguments.value("--url").value_or("");
  if (const auto seconds = arguments.value("--timeout")) adapter.timeout_s = TRY(number_of("--timeout", *seconds));
  if (const auto count = arguments.value("--max-concurrent"))
    adapter.max_concurrent = TRY(number_of("--max-concurrent", *count));
  const Adapter added = TRY(TRY(session.changing())->add_adapter(adapter));
  Output& out = session.out();
  TRY(out.text() ? out.line(adapter_line(added)) : out.document(codec::shape_json(added)));
  return 0;
}

Result<int> run_adapter_list(Session& session, const Arguments&) {
  const auto adapters = TRY(TRY(session.looking())->adapters());
  Output& out = session.out();
  ListOutput list(out);
  for (const Adapter& adapter : adapters)
    TRY(list.item(out.text() ? adapter_line(adapter) : codec::shape_json(adapter).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_adapter_remove(Session& session, const Arguments& arguments) {
  const auto removed = TRY(TRY(session.changing())->remove_adapter({arguments.at("DID")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("removed " + shown(removed.did)) : out.document(codec::shape_json(removed)));
  return 0;
}

// Expressions are full of quotes, which shown() escapes; as the end of a line they need no such care.
std::string shown_expression(std::string_view expression) {
  std::string text;
  for (std::size_t at = 0; at <= expression.size();) {
    const std::size_t quote = std::min(expression.find('"', at), expression.size());
    text += shown(expression.substr(at, quote - at));
    if (quote < expression.size()) text.push_back('"');
    at = quote + 1;
  }
  return text;
}

std::string rule_line(const Rule& rule) {
  return shown(rule.name) + "  " + std::string(codec::enum_name(rule.kind)) + "  " + std::to_string(rule.priority) +
         "  " + shown(rule.action) + "  where " + shown_expression(rule.expression);
}

std::optional<RuleKind> kind_in(const Arguments& arguments) {
  const auto kind = arguments.value("--kind");
  return kind ? codec::parse_enum<RuleKind>(*kind) : std::nullopt;
}

Result<int> run_rule_add(Session& session, const Arguments& arguments) {
  Rule rule;
  rule.name = arguments.at("NAME");
  rule.kind = kind_in(arguments).value_or(RuleKind::kPermission);
  rule.expression = arguments.value("--expression").value_or("");
  rule.action = arguments.value("--action").value_or("");
  if (rule.expression.empty() || rule.action.empty())
    return fail(ErrorCode::kUsage,
                "config rule add: " + std::string(rule.action.empty() ? "--action" : "--expression") + " is missing",
                "spl config rule add --help shows an example");
  const std::uint64_t priority = TRY(number_of("--priority", arguments.value("--priority").value_or("0")));
  constexpr std::uint64_t kMost = 1'000'000;
  if (priority > kMost) return fail(ErrorCode::kUsage, "a priority is from 0 to 1000000");
  rule.priority = static_cast<std::uint32_t>(priority);
  const Rule added = TRY(TRY(session.changing())->add_rule(rule));
  Output& out = session.out();
  TRY(out.text() ? out.line(rule_line(added)) : out.document(codec::shape_json(added)));
  return 0;
}

Result<int> run_rule_list(Session& session, const Arguments& arguments) {
  const auto config = TRY(TRY(session.looking())->engine_config());
  const auto kind = kind_in(arguments);
  Output& out = session.out();
  ListOutput list(out);
  for (const Rule& rule : config.rules) {
    if (kind && rule.kind != *kind) continue;
    TRY(list.item(out.text() ? rule_line(rule) : codec::shape_json(rule).text()));
  }
  TRY(list.end());
  if (out.text() && !config.permissions_enabled)
    out.note("permission rules are not asked: spl config permissions enable has them asked");
  return 0;
}

Result<int> run_rule_remove(Session& session, const Arguments& arguments) {
  const Rule removed = TRY(TRY(session.changing())->remove_rule({arguments.at("NAME"), kind_in(arguments)}));
  Output& out = session.out();
  TRY(out.text() ? out.line("removed " + shown(removed.name)) : out.document(codec::shape_json(removed)));
  return 0;
}

Result<int> run_permissions(Session& session, const Arguments& arguments) {
  const auto permissions = TRY(TRY(session.changing())->set_permissions({arguments.at("STATE") == "enable"}));
  Output& out = session.out();
  TRY(out.text() ? out.line(permissions.enabled ? "what no permission rule allows is denied"
                                                : "permission rules are not asked")
                 : out.document(codec::shape_json(permissions)));
  return 0;
}

std::string trust_line(const substrate::Trust& trust) {
  std::array<char, 16> number{};
  std::snprintf(number.data(), number.size(), "%.4f", trust.trust);
  return std::string(number.data()) + "  " + shown(trust.actor) + "  " +
         (trust.domain.empty() ? "-" : shown(trust.domain)) + "  accepted " + std::to_string(trust.accepted) +
         "  rejected " + std::to_string(trust.rejected);
}

Result<int> run_trust(Session& session, const Arguments& arguments) {
  const auto all = TRY(TRY(session.looking())->trust({arguments.value("ACTOR")}, session.progress()));
  Output& out = session.out();
  ListOutput list(out);
  for (const substrate::Trust& trust : all)
    TRY(list.item(out.text() ? trust_line(trust) : codec::shape_json(trust).text()));
  TRY(list.end());
  return 0;
}

Command consent_command() {
  Command consent{.name = "consent",
                  .summary = "What may pass to peers, beside the namespaces that a pair shares",
                  .examples = {"spl consent list"}};
  consent.commands = {
      {.name = "grant",
       .summary = "Grant that records of a namespace pass to pairs of another",
       .details = "Without L0 among the levels a record passes without its body. The last grant that fits decides, and "
                  "one that is revoked never does.",
       .options = {{.name = "--source-namespace",
                    .value = "NAME",
                    .help = "whose records pass; default where it is not given"},
                   {.name = "--target-namespace", .value = "NAME", .help = "that of the pairs that get them"},
                   {.name = "--hash-level",
                    .value = "LEVEL",
                    .help = "L0 (records as they are), L1, L2 or L3; without it, all",
                    .times = Times::kAny,
                    .choices = {"L0", "L1", "L2", "L3"}},
                   {.name = "--thread",
                    .value = "THREAD",
                    .help = "a thread whose records pass; without it, all",
                    .times = Times::kAny,
                    .names = Names::kThread},
                   {.name = "--purpose", .value = "TEXT", .help = "what for"},
                   {.name = "--expires", .value = "TIME", .help = "its end, as 2030-01-31T12:00:00Z"}},
       .examples = {"spl consent grant --source-namespace research --target-namespace default",
                    "spl consent grant --target-namespace partner --hash-level L1 --purpose audit"},
       .run = run_consent_grant,
       .schema = codec::schema_of<ConsentGrant>},
      {.name = "list",
       .summary = "List the grants, those that were revoked among them",
       .examples = {"spl consent list -o json"},
       .run = run_consent_list,
       .schema = codec::list_schema_of<ConsentGrant>},
      {.name = "revoke",
       .summary = "End a grant: nothing passes by it from then on",
       .positionals = {{.name = "ID",
                        .help = "its id as the list shows it, or the first 8 digits or more",
                        .names = Names::kConsent}},
       .examples = {"spl consent revoke 0f3a9c1b"},
       .run = run_consent_revoke,
       .schema = codec::schema_of<operation::RevokedConsent>},
  };
  return consent;
}

Command adapter_command() {
  Command adapter{.name = "adapter",
                  .summary = "The programs and services that act for this instance",
                  .details = "They are listed and carried; spl runs none of them.",
                  .examples = {"spl adapter list"}};
  const Positional did{.name = "DID", .help = "whom it acts as", .names = Names::kAdapter};
  adapter.commands = {
      {.name = "add",
       .summary = "List an adapter, in the place of one of the same DID",
       .options = {{.name = "--family",
                    .value = "FAMILY",
                    .help = "cli: a command, which is the default; proxy: a URL",
                    .choices = {"cli", "proxy"}},
                   {.name = "--binary", .value = "PATH", .help = "of a cli: the program", .names = Names::kFile},
                   {.name = "--argument", .value = "WORD", .help = "of a cli: what it is given", .times = Times::kAny},
                   {.name = "--url", .value = "URL", .help = "of a proxy: where it is"},
                   {.name = "--timeout", .value = "SECONDS", .help = "how long a call may take"},
                   {.name = "--max-concurrent", .value = "N", .help = "how many calls at once"}},
       .positionals = {did},
       .examples = {"spl adapter add did:web:bot.example --binary /usr/local/bin/bot --timeout 600",
                    "spl adapter add did:web:api.example --family proxy --url https://api.example/v1"},
       .run = run_adapter_add,
       .schema = codec::schema_of<Adapter>},
      {.name = "list",
       .summary = "List the adapters",
       .examples = {"spl adapter list -o json"},
       .run = run_adapter_list,
       .schema = codec::list_schema_of<Adapter>},
      {.name = "remove",
       .summary = "Take an adapter off the list",
       .positionals = {did},
       .examples = {"spl adapter remove did:web:bot.example"},
       .run = run_adapter_remove,
       .schema = codec::schema_of<operation::RemovedAdapter>},
  };
  return adapter;
}

Command config_command() {
  Command config{
      .name = "config", .summary = "The rules that an instance carries with it", .examples = {"spl config rule list"}};
  const Option kind{.name = "--kind",
                    .value = "KIND",
                    .help = "permission, aitl, routing or fold",
                    .choices = {"permission", "aitl", "routing", "fold"}};
  const Positional name{.name = "NAME", .help = "the rule", .names = Names::kRule};
  Command rule{.name = "rule", .summary = "Rules, by kind and name", .examples = {"spl config rule list"}};
  rule.commands = {
      {.name = "add",
       .summary = "Lay down a rule, in the place of one of the same kind and name",
       .details =
           "An expression speaks of record, actor and account: ==, !=, <, <=, >, >=, in, &&, ||, !, members with "
           "a dot or in brackets, startsWith, endsWith, contains, size and has.",
       .options = {kind,
                   {.name = "--expression", .value = "TEXT", .help = "when the rule fits"},
                   {.name = "--action",
                    .value = "ACTION",
                    .help = "allow or deny; of an aitl rule auto_approve, auto_reject or ask"},
                   {.name = "--priority", .value = "N", .help = "the larger is asked first; 0 where it is not given"}},
       .positionals = {name},
       .examples =
           {"spl config rule add ci-only --action allow --priority 10 \\\n    --expression 'account == \"ci\" && "
            "record.act == \"DO\"'"},
       .run = run_rule_add,
       .schema = codec::schema_of<Rule>},
      {.name = "list",
       .summary = "List the rules in the order in which they are asked",
       .options = {kind},
       .examples = {"spl config rule list --kind permission"},
       .run = run_rule_list,
       .schema = codec::list_schema_of<Rule>},
      {.name = "remove",
       .summary = "Take a rule back",
       .options = {kind},
       .positionals = {name},
       .examples = {"spl config rule remove ci-only"},
       .run = run_rule_remove,
       .schema = codec::schema_of<Rule>},
  };
  config.commands.push_back(std::move(rule));
  config.commands.push_back(
      {.name = "permissions",
       .summary = "Whether what no permission rule allows is denied",
       .positionals = {{.name = "STATE", .help = "enable or disable", .choices = {"enable", "disable"}}},
       .examples = {"spl config permissions enable"},
       .run = run_permissions,
       .schema = codec::schema_of<operation::Permissions>});
  return config;
}

Command trust_command() {
  return {.name = "trust",
          .summary = "How far the verdicts on an actor's work say that it can be relied on",
          .details =
              "From the records alone: the lower bound of an interval that holds with 95 %; a verdict loses half "
              "of its weight in 90 days.",
          .positionals = {{.name = "ACTOR", .help = "a DID; without it, all", .need = Positional::Need::kOptional}},
          .examples = {"spl trust", "spl trust did:web:bot.example -o json"},
          .run = run_trust,
          .schema = codec::list_schema_of<substrate::Trust>};
}

}  // namespace

std::vector<Command> policy_commands() {
  std::vector<Command> commands;
  commands.push_back(consent_command());
  commands.push_back(adapter_command());
  commands.push_back(config_command());
  commands.push_back(trust_command());
  return commands;
}

}  // namespace spl::cli
