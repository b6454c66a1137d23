// tenant.
#include <array>
#include <charconv>
#include <filesystem>

#include "base/utf8.h"
#include "cli/backup.h"
#include "cli/command.h"
#include "cli/door_link.h"
#include "cli/findings.h"
#include "cli/keys.h"
#include "cli/session.h"
#include "cli/table.h"

namespace spl::cli {
namespace {

using codec::Json;
using operation::Tenant;

// Options of import that are passed on as they are.
constexpr std::array kPassedFlags{"--force-overwrite", "--adopt-identity", "--allow-older", "--replace"};
constexpr std::array kPassedValues{"--expect-did", "--context", "--as", "--records"};
constexpr std::array kOtherOfImport{"--without", "--age-identity", "--passphrase", "--passphrase-file",
                                    "--passphrase-command"};

// The daemon works in another directory.
Result<std::string> absolute(const char* option, const std::string& given) {
  if (given == "-") return fail(ErrorCode::kUsage, std::string(option) + " - : a file is needed here", "name one");
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(given, error);
  if (error || given.empty() || !base::is_utf8(path.string()))
    return fail(ErrorCode::kUsage, std::string(option) + " " + shown(given) + ": no path that can be passed on",
                "give the whole path, in UTF-8");
  return path.string();
}

template <class Number>
Result<Number> number_in(const char* option, const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end)
    return fail(ErrorCode::kUsage, std::string(option) + " " + shown(text) + ": not a number", "give one, such as 2");
  return number;
}

// "2G", "512M", "1073741824".
Result<std::uint64_t> bytes_in(const char* option, std::string text) {
  constexpr std::string_view kUnits = "KMGT";
  unsigned shift = 0;
  if (!text.empty() && text.ends_with('B')) text.pop_back();
  if (!text.empty() && text.ends_with('i')) text.pop_back();
  if (const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
      unit != std::string_view::npos) {
    shift = 10 * (static_cast<unsigned>(unit) + 1);
    text.pop_back();
  }
  const auto number = TRY(number_in<std::uint64_t>(option, text));
  if (number > (UINT64_MAX >> shift))
    return fail(ErrorCode::kUsage, std::string(option) + " " + shown(text) + ": too large", "give less");
  return number << shift;
}

Json json_of(const Tenant& tenant, const std::optional<std::string>& claim_url) {
  const auto text_or_null = [](const std::optional<std::string>& text) { return text ? Json(*text) : Json(); };
  return Json::Object{{"name", tenant.name},
                      {"home", base::path_text(tenant.home)},
                      {"user", tenant.user},
                      {"address", tenant.address},
                      {"did", text_or_null(tenant.did)},
                      {"claim_url", text_or_null(claim_url)},
                      {"state", codec::enum_name(tenant.state)},
                      {"limits", codec::shape_json(tenant.limits)}};
}

std::string limits_text(const operation::TenantLimits& limits) {
  std::vector<std::string> parts;
  if (limits.memory_bytes) parts.push_back(human_bytes(*limits.memory_bytes));
  if (limits.cpus) parts.push_back(Json(*limits.cpus).text() + " CPU");
  if (limits.tasks) parts.push_back(std::to_string(*limits.tasks) + " tasks");
  if (parts.empty() || !limits.enforced) return "none";
  return base::join(parts, ", ");
}

Result<void> show(Output& out, const Tenant& tenant) {
  if (!out.text()) return out.document(json_of(tenant, std::nullopt));
  return out.line(shown(tenant.name) + "  " + std::string(codec::enum_name(tenant.state)) + "  " +
                  shown(tenant.address));
}

Result<operation::NewTenant> new_tenant_from(Session& session, const Arguments& arguments) {
  operation::NewTenant tenant;
  tenant.name = arguments.at("NAME");
  tenant.host = arguments.value("--name");
  if (const auto text = arguments.value("--memory")) tenant.memory_bytes = TRY(bytes_in("--memory", *text));
  if (const auto text = arguments.value("--cpus")) tenant.cpus = TRY(number_in<double>("--cpus", *text));
  if (const auto text = arguments.value("--tasks")) tenant.tasks = TRY(number_in<std::uint64_t>("--tasks", *text));
  const auto from = arguments.value("--from");
  for (const char* name : kPassedFlags) {
    if (arguments.has(name)) tenant.import_words.emplace_back(name);
  }
  for (const char* name : kPassedValues) {
    if (const auto value = arguments.value(name)) tenant.import_words.insert(tenant.import_words.end(), {name, *value});
  }
  bool of_import = !tenant.import_words.empty();
  for (const char* name : kOtherOfImport) of_import = of_import || arguments.has(name);
  if (!from && of_import)
    return fail(ErrorCode::kUsage, "tenant create: options of import are given, and no bundle", "give --from BUNDLE");
  if (!from) return tenant;
  tenant.from = TRY(absolute("--from", *from));
  tenant.without = arguments.all("--without");
  for (const std::string& file : arguments.all("--age-identity"))
    tenant.age_identities.push_back(TRY(absolute("--age-identity", file)));
  tenant.passphrase = TRY(read_passphrase(session, arguments, PassphraseFor::kOpening));
  return tenant;
}

Result<int> run_create(Session& session, const Arguments& arguments) {
  const operation::NewTenant tenant = TRY(new_tenant_from(session, arguments));
  const auto home = TRY(session.creating());
  const operation::MadeTenant made = TRY(home->create_tenant(tenant, session.progress()));
  Output& out = session.out();
  const std::string url(made.claim_url.reveal());
  if (out.text()) {
    TRY(show(out, made.tenant));
    TRY(out.line("user:   " + shown(made.tenant.user)));
    TRY(out.line("home:   " + shown(made.tenant.home)));
    TRY(out.line("did:    " + shown(made.tenant.did.value_or("none"))));
    TRY(out.line("limits: " + limits_text(made.tenant.limits)));
    TRY(out.line("claim:  " + shown(url)));
  } else {
    TRY(out.document(json_of(made.tenant, url)));
  }
  TRY(out.show_result());
  for (const operation::Finding& finding : made.findings) out.note(finding_line(out, finding));
  out.note("who opens the link first becomes its owner; spl tenant link prints another");
  return 0;
}

Result<int> run_list(Session& session, const Arguments&) {
  const auto tenants = TRY(TRY(session.looking())->tenants(session.progress()));
  Output& out = session.out();
  if (!out.text()) {
    ListOutput list(out);
    for (const Tenant& tenant : tenants) TRY(list.item(json_of(tenant, std::nullopt).text()));
    TRY(list.end());
    return 0;
  }
  if (tenants.empty()) {
    TRY(out.line("no tenants"));
    return 0;
  }
  std::vector<std::vector<std::string>> table{{"name", "state", "address", "user", "limits", "did"}};
  for (const Tenant& tenant : tenants)
    table.push_back({shown(tenant.name), std::string(codec::enum_name(tenant.state)), shown(tenant.address),
                     shown(tenant.user), limits_text(tenant.limits), shown(tenant.did.value_or("-"))});
  TRY(print_table(out, table));
  return 0;
}

Result<int> run_start(Session& session, const Arguments& arguments) {
  const auto home = TRY(session.changing());
  TRY(show(session.out(), TRY(home->start_tenant({arguments.at("NAME")}, session.progress()))));
  return 0;
}
Result<int> run_stop(Session& session, const Arguments& arguments) {
  const auto home = TRY(session.changing());
  TRY(show(session.out(), TRY(home->stop_tenant({arguments.at("NAME")}, session.progress()))));
  return 0;
}

Result<int> run_link(Session& session, const Arguments& arguments) {
  const auto home = TRY(session.changing());
  TRY(show_link(session.out(), TRY(home->link_tenant({arguments.at("NAME")}, session.progress()))));
  return 0;
}

Result<int> run_remove(Session& session, const Arguments& arguments) {
  operation::RemovedTenant request;
  request.name = arguments.at("NAME");
  const auto backup = arguments.value("--backup-to");
  if (backup.has_value() == arguments.has("--without-backup"))
    return fail(ErrorCode::kUsage, "tenant remove: what becomes of all that it has is not said",
                "give either --backup-to PATH or --without-backup");
  if (backup) request.backup_to = TRY(absolute("--backup-to", *backup));
  for (const std::string& recipient : arguments.all("--recipient"))
    request.export_words.insert(request.export_words.end(), {"--recipient", recipient});
  if (arguments.has("--plaintext")) request.export_words.emplace_back("--plaintext");
  if (!backup && !request.export_words.empty())
    return fail(ErrorCode::kUsage, "tenant remove: --recipient and --plaintext are of a backup", "give --backup-to");
  const auto home = TRY(session.changing());
  const operation::TenantName removed = TRY(home->remove_tenant(request, session.progress()));
  Output& out = session.out();
  TRY(out.text() ? out.line("removed " + shown(removed.name)) : out.document(codec::shape_json(removed)));
  return 0;
}

Json tenant_schema() {
  return codec::with_member(codec::schema_of<Tenant>(), "claim_url",
                            Json::Object{{"type", Json::Array{"string", "null"}},
                                         {"description", "who opens it first becomes the owner; shown once"}});
}
Json tenants_schema() {
  return Json::Object{{"type", "array"}, {"items", tenant_schema()}};
}

Command create_command() {
  Command create{
      .name = "create",
      .summary = "Make a tenant: an instance beside this one, with an owner of its own",
      .details =
          "As root it has a Unix user of its own, spl-NAME, and its home in /var/lib/spl/tenants. Its daemon runs, and "
          "the machine's router shows it at NAME below the machine's first name. With --from it begins with what is in "
          "a bundle, whose identity it takes; else it gets a new one. All or nothing: what fails leaves nothing.",
      .options = {{.name = "--from", .value = "BUNDLE", .help = "begin with this bundle", .names = Names::kFile},
                  {.name = "--name", .value = "HOST", .help = "its host, instead of NAME below the machine's"},
                  {.name = "--memory", .value = "BYTES", .help = "memory that it may take at most, such as 2G"},
                  {.name = "--cpus", .value = "N", .help = "processors' time that it may take at most, such as 1.5"},
                  {.name = "--tasks", .value = "N", .help = "processes and threads that it may have at most"}},
      .positionals = {{.name = "NAME", .help = "its name: a-z, 0-9 and -"}},
      .examples = {"spl tenant create acme", "spl tenant create acme --from acme.spl --memory 2G --cpus 1.5"},
      .run = run_create,
      .schema = tenant_schema};
  for (Option& option : restore_options()) {
    if (option.name != "--dry-run") create.options.push_back(std::move(option));
  }
  return create;
}

Command remove_command() {
  return {
      .name = "remove",
      .summary = "End a tenant, and remove its home, its user and all that it has",
      .details = "Its backup is written first, and where that fails nothing is removed.",
      .options = {{.name = "--backup-to", .value = "PATH", .help = "its bundle, first", .names = Names::kFile},
                  {.name = "--without-backup", .value = "", .help = "what it has is lost"},
                  {.name = "--recipient",
                   .value = "RECIPIENT",
                   .help = "encrypt the bundle for this age recipient",
                   .times = Times::kAny},
                  {.name = "--plaintext", .value = "", .help = "the bundle is not encrypted"}},
      .positionals = {{.name = "NAME", .help = "the tenant"}},
      .examples = {"spl tenant remove acme --backup-to /backup/acme.spl", "spl tenant remove acme --without-backup"},
      .run = run_remove,
      .schema = codec::schema_of<operation::TenantName>};
}

}  // namespace

std::vector<Command> tenant_commands() {
  const Positional name{.name = "NAME", .help = "the tenant"};
  Command tenant{.name = "tenant",
                 .summary = "Instances of others on this machine, each with its own owner, user and address",
                 .details = "A tenant is an instance as any: with --home HOME all commands work on it.",
                 .examples = {"spl tenant create acme", "spl tenant list"}};
  tenant.commands = {create_command(),
                     {.name = "list",
                      .summary = "List the tenants",
                      .details = "What was cut off while it was made or removed is taken away.",
                      .examples = {"spl tenant list -o json"},
                      .run = run_list,
                      .schema = tenants_schema},
                     {.name = "start",
                      .summary = "Start a tenant, with the services that ran when it was stopped",
                      .positionals = {name},
                      .examples = {"spl tenant start acme"},
                      .run = run_start,
                      .schema = tenant_schema},
                     {.name = "stop",
                      .summary = "Stop a tenant: its services and its daemon",
                      .positionals = {name},
                      .examples = {"spl tenant stop acme"},
                      .run = run_stop,
                      .schema = tenant_schema},
                     {.name = "link",
                      .summary = "Print a link that claims a tenant's door, or signs in",
                      .positionals = {name},
                      .examples = {"spl tenant link acme"},
                      .run = run_link,
                      .schema = link_schema},
                     remove_command()};
  return {tenant};
}

}  // namespace spl::cli
