// context, secret.
#include <charconv>

#include "base/encoding.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "codec/toml_text.h"
#include "env/file_system.h"
#include "operation/service_operations.h"

namespace spl::cli {
namespace {

using operation::ContextEntry;
using operation::SecretState;

constexpr std::size_t kSecretsFileBytesMax = 16u << 20;

std::string context_line(const ContextEntry& context) {
  return std::to_string(context.id) + "  " + shown(context.name) +
         (context.label.empty() ? "" : "  " + shown(context.label));
}

Result<int> print_context(Output& out, const ContextEntry& context, std::string_view verb) {
  TRY(out.text() ? out.line(std::string(verb) + " " + context_line(context))
                 : out.document(codec::shape_json(context)));
  return 0;
}

Result<int> run_context_add(Session& session, const Arguments& arguments) {
  operation::NewContext context;
  context.name = arguments.at("NAME");
  context.label = arguments.value("--label").value_or("");
  if (const auto text = arguments.value("--id")) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), id);
    if (error != std::errc() || end != text->data() + text->size())
      return fail(ErrorCode::kUsage, "--id " + shown(*text) + " is no whole number");
    context.id = id;
  }
  return print_context(session.out(), TRY(TRY(session.changing())->add_context(context)), "added");
}

Result<int> run_context_list(Session& session, const Arguments&) {
  const auto contexts = TRY(TRY(session.looking())->contexts());
  Output& out = session.out();
  ListOutput list(out);
  for (const ContextEntry& context : contexts)
    TRY(list.item(out.text() ? context_line(context) : codec::shape_json(context).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_context_remove(Session& session, const Arguments& arguments) {
  const operation::RemovedContext request{arguments.at("NAME"), arguments.has("--delete-data"),
                                          arguments.has("--without-backup")};
  return print_context(session.out(), TRY(TRY(session.changing())->remove_context(request)), "removed");
}

Result<int> run_context_rename(Session& session, const Arguments& arguments) {
  const operation::RenamedContext request{arguments.at("OLD"), arguments.at("NEW")};
  return print_context(session.out(), TRY(TRY(session.changing())->rename_context(request, session.progress())),
                       "renamed");
}

// TOML: handle = "value".
Result<std::vector<operation::NewSecret>> secrets_in(Session& session, const std::string& file) {
  const env::AsOneself as_oneself;
  std::string text = TRY(env::read_followed(session.env().fs, file, kSecretsFileBytesMax));
  const auto table = codec::parse_toml(text);
  explicit_bzero(text.data(), text.size());
  // What is wrong with the text is not shown: it may be a value.
  if (!table)
    return fail(ErrorCode::kUsage, shown(file) + ":" + std::to_string(table.error().line) + ": this is no TOML",
                "each line is \"SERVICE/NAME\" = \"value\"");
  std::vector<operation::NewSecret> secrets;
  for (const auto& [key, node] : *table) {
    const auto value = node.value<std::string>();
    if (!value)
      return fail(ErrorCode::kUsage, shown(file) + ":" + std::to_string(key.source().begin.line) + ": " +
                                         shown(key.str()) + " is no text");
    secrets.push_back({std::string(key.str()), SecretBytes(*value)});
  }
  return secrets;
}

struct SetSecrets {
  std::vector<std::string> handles;

  static constexpr auto shape() {
    return codec::shape(codec::member("handles", &SetSecrets::handles, "the secrets that have a value now"));
  }
};

Result<int> run_secret_set(Session& session, const Arguments& arguments) {
  const auto handle = arguments.value("HANDLE");
  const auto from = arguments.value("--from");
  if (handle.has_value() == from.has_value())
    return fail(ErrorCode::kUsage, "secret set: a handle or --from FILE is wanted, and one of them alone",
                "spl secret set notes/key asks for the value");
  std::vector<operation::NewSecret> secrets;
  if (from) {
    secrets = TRY(secrets_in(session, *from));
  } else {
    secrets.push_back({*handle, TRY(read_secret_value(session, *handle))});
  }
  const auto home = TRY(session.changing());
  SetSecrets done;
  for (const operation::NewSecret& secret : secrets) done.handles.push_back(TRY(home->set_secret(secret)).handle);
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(done)));
  } else {
    for (const std::string& one : done.handles) TRY(out.line("set " + shown(one)));
  }
  return 0;
}

Result<int> run_secret_list(Session& session, const Arguments&) {
  const auto handles = TRY(TRY(session.looking())->secrets());
  Output& out = session.out();
  ListOutput list(out);
  for (const std::string& handle : handles) TRY(list.item(out.text() ? shown(handle) : codec::Json(handle).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_secret_check(Session& session, const Arguments&) {
  const auto states = TRY(TRY(session.looking())->secret_states());
  Output& out = session.out();
  ListOutput list(out);
  bool lacks = false;
  for (const SecretState& state : states) {
    lacks = lacks || (!state.there && state.required);
    TRY(list.item(out.text() ? std::string(state.there ? "ok       " : "missing  ") + shown(state.handle) + "  " +
                                   state.secret_class + (state.required ? ", required" : "")
                             : codec::shape_json(state).text()));
  }
  TRY(list.end());
  return lacks ? static_cast<int>(ErrorCode::kFailed) : 0;
}

Result<int> run_secret_delete(Session& session, const Arguments& arguments) {
  const auto deleted = TRY(TRY(session.changing())->delete_secret({arguments.at("HANDLE")}));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(deleted)));
  } else {
    TRY(out.line((deleted.deleted ? "deleted " : "there was no secret ") + shown(deleted.handle)));
  }
  return 0;
}

Command context_command() {
  Command context{.name = "context",
                  .summary = "The contexts (tenants) of the instance",
                  .examples = {"spl context add geomind", "spl context list"}};
  context.commands.push_back({.name = "add",
                              .summary = "Add a context",
                              .details = "Without --id it gets the smallest number from 1 that is free.",
                              .options = {{.name = "--id", .value = "N", .help = "its number"},
                                          {.name = "--label", .value = "TEXT", .help = "what people call it"}},
                              .positionals = {{.name = "NAME", .help = "lowercase letters, digits, _ and -"}},
                              .examples = {"spl context add geomind", "spl context add geomind --id 7"},
                              .run = run_context_add,
                              .schema = codec::schema_of<ContextEntry>});
  context.commands.push_back({.name = "list",
                              .summary = "List the contexts",
                              .examples = {"spl context list", "spl context list -o json"},
                              .run = run_context_list,
                              .schema = codec::list_schema_of<ContextEntry>});
  context.commands.push_back({.name = "rename",
                              .summary = "Give a context another name",
                              .details =
                                  "In every surface that is split by it, and in its secrets: the services are stopped, "
                                  "files, directories and keys get their new names, and the services start again. All "
                                  "of it or nothing, also after a crash. Records keep the namespace that they have.",
                              .positionals = {{.name = "OLD", .help = "the context", .names = Names::kContext},
                                              {.name = "NEW", .help = "lowercase letters, digits, _ and -"}},
                              .examples = {"spl context rename geomind geo"},
                              .run = run_context_rename,
                              .schema = codec::schema_of<ContextEntry>});
  context.commands.push_back(
      {.name = "remove",
       .summary = "Remove a context",
       .details = "One that has data is only removed with --delete-data, and after a backup "
                  "of it that was made here, or with --without-backup. Of a surface whose kind "
                  "this version cannot look into, the data stays where it is.",
       .options = {{.name = "--delete-data", .value = "", .help = "its data goes with it"},
                   {.name = "--without-backup", .value = "", .help = "also where no backup of it was made here"}},
       .positionals = {{.name = "NAME", .help = "the context", .names = Names::kContext}},
       .examples = {"spl context remove geomind", "spl context remove geomind --delete-data"},
       .run = run_context_remove,
       .schema = codec::schema_of<ContextEntry>});
  return context;
}

Command secret_command() {
  Command secret{
      .name = "secret",
      .summary = "The values of services' secrets",
      .details = "No bundle has them. They are sealed in the home, or another program has them (config.toml).",
      .examples = {"spl secret set notes/key", "spl secret check"}};
  secret.commands.push_back({.name = "set",
                             .summary = "Take the value of a secret",
                             .details = "It is read from the terminal without echo, or from standard input, of which a "
                                        "newline at the end is not part.",
                             .options = {{.name = "--from",
                                          .value = "FILE",
                                          .help = "many at once: TOML with a handle and a value a line",
                                          .names = Names::kFile}},
                             .positionals = {{.name = "HANDLE",
                                              .help = "SERVICE/NAME or SERVICE/CONTEXT/NAME",
                                              .need = Positional::Need::kOptional,
                                              .names = Names::kSecret}},
                             .examples = {"spl secret set notes/key", "pass show notes | spl secret set notes/key",
                                          "spl secret set --from secrets.toml"},
                             .run = run_secret_set,
                             .schema = codec::schema_of<SetSecrets>});
  secret.commands.push_back({.name = "list",
                             .summary = "List the handles of secrets that have a value",
                             .examples = {"spl secret list"},
                             .run = run_secret_list,
                             .schema = codec::list_schema_of<std::string>});
  secret.commands.push_back({.name = "check",
                             .summary = "Say which of the secrets that services declare have a value",
                             .details = "The exit code is 1 where a required one has none.",
                             .examples = {"spl secret check", "spl secret check -o json"},
                             .run = run_secret_check,
                             .schema = codec::list_schema_of<SecretState>});
  secret.commands.push_back({.name = "delete",
                             .summary = "Remove the value of a secret",
                             .positionals = {{.name = "HANDLE", .help = "the secret", .names = Names::kSecret}},
                             .examples = {"spl secret delete notes/key"},
                             .run = run_secret_delete,
                             .schema = codec::schema_of<operation::DeletedSecret>});
  return secret;
}

}  // namespace

std::vector<Command> context_commands() {
  std::vector<Command> commands;
  commands.push_back(context_command());
  commands.push_back(secret_command());
  return commands;
}

}  // namespace spl::cli
