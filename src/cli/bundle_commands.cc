// bundle show, verify, list.
#include <algorithm>
#include <cstdlib>

#include "base/encoding.h"
#include "spool/spool.h"
#include "cli/bundle_file.h"
#include "operation/bundle_files.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "operation/signature_check.h"

namespace spl::cli {
namespace {

using bundle::Encryption;
using bundle::Manifest;
using codec::Json;

constexpr std::uint64_t kProgressEvery = 4096;  // entries

std::string encryption_text(const Manifest& manifest) {
  switch (manifest.encryption.kind) {
    case Encryption::Kind::kPassphrase:
      return "with a passphrase";
    case Encryption::Kind::kRecipients:
      return "for " + counted(manifest.encryption.recipients.size(), "recipient");
    case Encryption::Kind::kNone:
      break;
  }
  return "none";
}

std::string scope_text(const bundle::Scope& scope) {
  std::string text = scope.service ? "service " + shown(*scope.service) : "the whole instance";
  if (scope.context) text += ", context " + shown(*scope.context);
  return text;
}

Result<void> print_manifest(Output& out, const Manifest& manifest) {
  const auto row = [&out](std::string name, const std::string& value) {
    name.resize(16, ' ');
    return out.line(name + value);
  };
  TRY(row("source:", shown(manifest.source_did)));
  TRY(row("scope:", scope_text(manifest.scope)));
  TRY(row("made:", shown(manifest.created_at) + " by " + shown(manifest.created_by)));
  TRY(row("export:", "number " + std::to_string(manifest.export_sequence)));
  TRY(row("records:", std::to_string(manifest.record_count) + " in " + counted(manifest.thread_count, "thread")));
  TRY(row("identity:", manifest.identity_included ? "included, with the private key" : "omitted"));
  TRY(row("tokens:", manifest.tokens_carried ? "carried" : "revoked"));
  TRY(row("encryption:", encryption_text(manifest)));
  TRY(row("bundle_sha256:", base::to_hex(manifest.bundle_sha256.view())));
  for (const bundle::Context& context : manifest.contexts)
    TRY(row("context:", shown(context.name) + " (" + std::to_string(context.id) + ")"));
  for (const bundle::Service& service : manifest.services)
    TRY(row("service:", shown(service.name) + " " + shown(service.version)));
  for (const bundle::Secret& secret : manifest.secrets)
    TRY(row("secret:", shown(secret.handle) + (secret.required ? ", required" : "")));
  for (const bundle::Section& section : manifest.sections)
    TRY(row("section:", shown(section.prefix) + "  " + counted(section.files, "file") + ", " +
                            human_bytes(section.bytes) + ", sha256 " + base::to_hex(section.sha256.view())));
  return {};
}

Result<int> run_show(Session& session, const Arguments& arguments) {
  const Keys keys = TRY(read_keys(arguments));
  const BundleFile opened = TRY(open_bundle(arguments.at("FILE"), keys, nullptr, 1));
  Output& out = session.out();
  const std::string_view text = opened.reader->manifest_text();
  switch (out.format()) {
    case Format::kText:
      TRY(print_manifest(out, opened.reader->manifest()));
      break;
    case Format::kJson:
      TRY(out.line(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text));
      break;
    case Format::kStreamJson:
      TRY(out.document(TRY(Json::parse(text))));
      break;
  }
  return 0;
}

struct Totals {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

Result<Totals> read_through(bundle::BundleReader& reader, operation::SignatureCheck* signatures, ShownProgress& progress) {
  Totals totals;
  while (const auto entry = TRY(operation::next_file(reader))) {
    ++totals.files;
    totals.bytes += entry->size_bytes;
    if (signatures != nullptr && entry->kind == bundle::EntryKind::kRecord)
      signatures->add(entry->path, *entry->record);
    if (totals.files % kProgressEvery != 0) continue;
    progress.update("verifying", totals.files, 0, "files");
    if (progress.cancelled()) return base::fail_cancelled("the bundle was not verified");
  }
  return totals;
}

Json signatures_json(const operation::SignatureCheck::Counts& counts) {
  return Json::Object{{"valid", counts.valid}, {"invalid", counts.invalid}, {"absent", counts.absent}};
}

Result<void> print_verified(Output& out, const bundle::BundleReader& reader, const Totals& totals,
                            const std::optional<operation::SignatureCheck::Counts>& signatures) {
  const Manifest& manifest = reader.manifest();
  const std::string sha256 = base::to_hex(manifest.bundle_sha256.view());
  if (!out.text()) {
    Json json = Json::Object{{"verified", true},
                             {"source_did", manifest.source_did},
                             {"bundle_sha256", sha256},
                             {"encrypted", reader.opening().kind != Encryption::Kind::kNone},
                             {"record_count", manifest.record_count},
                             {"thread_count", manifest.thread_count},
                             {"files", totals.files},
                             {"bytes", totals.bytes}};
    if (signatures) json.add("signatures", signatures_json(*signatures));
    return out.document(json);
  }
  TRY(out.line("verified: signed by " + shown(manifest.source_did)));
  TRY(out.line(counted(manifest.record_count, "record") + " in " + counted(manifest.thread_count, "thread") + ", " +
               counted(totals.files, "file") + ", " + human_bytes(totals.bytes)));
  TRY(out.line("bundle_sha256 " + sha256));
  if (!signatures) return {};
  return out.line("signatures of records: " + std::to_string(signatures->valid) + " valid, " +
                  std::to_string(signatures->absent) + " absent");
}

Result<int> run_verify(Session& session, const Arguments& arguments) {
  const Keys keys = TRY(read_keys(arguments));
  ShownProgress progress(session);
  const auto records = arguments.has("--signatures") ? bundle::Records::kGiven : bundle::Records::kChecked;
  const BundleFile opened =
      TRY(open_bundle(arguments.at("FILE"), keys, &progress.interrupt(), Session::workers(), records));
  progress.follow(*opened.file);
  std::optional<operation::SignatureCheck> signatures;
  if (arguments.has("--signatures")) signatures.emplace(Session::workers());
  const Totals totals = TRY(read_through(*opened.reader, signatures ? &*signatures : nullptr, progress));
  std::optional<operation::SignatureCheck::Counts> counts;
  if (signatures) counts = signatures->finish();
  progress.finish();
  Output& out = session.out();
  if (counts && counts->invalid > 0) {
    if (!out.text()) out.add_to_error("signatures", signatures_json(*counts));
    return fail(ErrorCode::kVerification,
                counted(counts->invalid, "record") + " with a signature that is not its actor's, the first " +
                    shown(counts->first_invalid),
                "the bundle itself is whole: its signer carried them as they were");
  }
  TRY(print_verified(out, *opened.reader, totals, counts));
  const auto kinds = bundle::section_kinds(opened.reader->manifest());
  if (std::ranges::find(kinds, "files") != kinds.end())
    out.note(
        "spl: of its trees of files the contents are verified; their modes, owners, times and links are not, until "
        "this program reads tree.mtree");
  return 0;
}

// What list prints of one file.
struct Listed {
  std::string_view path;
  std::uint64_t size_bytes;
};

// A JSON array that is shown when the whole bundle has verified: standard output holds one document, the list or the
// error. Until then it lies in a file without a name.
class WithheldArray {
 public:
  static Result<WithheldArray> make(env::Env env) {
    const char* const directory = std::getenv("TMPDIR");
    const bool named = directory != nullptr && *directory != '\0';
    return WithheldArray(TRY(spool::Spool::make(env, {named ? directory : "/tmp", spool::Secrecy::kPlain, kHeldBytesMax})));
  }
  Result<void> item(std::string_view json) {
    TRY(spool_.append(any_ ? ",\n" : "["));
    any_ = true;
    return spool_.append(json);
  }
  Result<void> show(Output& out) {
    TRY(spool_.append(any_ ? "]\n" : "[]\n"));
    OutputSink sink(out);
    return spool_.write_to(sink);
  }

 private:
  static constexpr std::size_t kHeldBytesMax = 1u << 20;
  struct OutputSink final : Sink {
    explicit OutputSink(Output& output) : out(output) {}
    Result<void> write(std::string_view octets) override { return out.write(octets); }
    Output& out;
  };
  explicit WithheldArray(spool::Spool spool) : spool_(std::move(spool)) {}

  spool::Spool spool_;
  bool any_ = false;
};

Result<int> run_list(Session& session, const Arguments& arguments) {
  const Keys keys = TRY(read_keys(arguments));
  const std::string prefix = arguments.value("PREFIX").value_or("");
  const BundleFile opened = TRY(open_bundle(arguments.at("FILE"), keys, nullptr, Session::workers()));
  Output& out = session.out();
  ListOutput list(out);
  std::optional<WithheldArray> array;
  if (out.format() == Format::kJson) array = TRY(WithheldArray::make(session.env()));
  const auto item = [&](const Listed& listed) -> Result<void> {
    if (!listed.path.starts_with(prefix)) return {};
    if (out.text()) return list.item(path_line(listed.path, out.out_is_terminal()));
    const std::string json =
        Json(Json::Object{{"path", base::path_text(listed.path)}, {"bytes", listed.size_bytes}}).text();
    return array ? array->item(json) : list.item(json);
  };
  TRY(item({bundle::kManifestPath, opened.reader->manifest_text().size()}));
  TRY(item({bundle::kSignaturePath, crypto::kSignatureBytes}));
  while (const auto entry = TRY(operation::next_file(*opened.reader))) TRY(item({entry->path, entry->size_bytes}));
  TRY(array ? array->show(out) : list.end());
  return 0;
}

Command with_keys(Command command) {
  for (Option& option : key_options()) command.options.push_back(std::move(option));
  return command;
}

}  // namespace

std::vector<Command> bundle_commands() {
  Command bundle{.name = "bundle",
                 .summary = "Look into bundles and check them; no instance is needed",
                 .examples = {"spl bundle verify my.spl"}};
  const Positional file{.name = "FILE", .help = "the bundle", .names = Names::kFile};
  bundle.commands = {
      with_keys({.name = "show",
                 .summary = "Say what a bundle says of itself",
                 .details = "Signature and manifest are checked, the rest is not read.",
                 .positionals = {file},
                 .examples = {"spl bundle show my.spl", "spl bundle show my.spl -o json | jq .sections"},
                 .run = run_show,
                 .needs_home = false}),
      with_keys({.name = "verify",
                 .summary = "Check a bundle from its first byte to its last",
                 .options = {{.name = "--signatures",
                              .value = "",
                              .help = "also check the signature of every record that carries one"}},
                 .positionals = {file},
                 .examples = {"spl bundle verify my.spl", "spl bundle verify my.spl --signatures"},
                 .run = run_verify,
                 .needs_home = false}),
      with_keys(
          {.name = "list",
           .summary = "List the files in a bundle",
           .details = "The bundle is verified on the way: an error at the end means that what was listed is not "
                      "to be trusted.",
           .positionals = {file,
                           {.name = "PREFIX", .help = "only paths that begin so", .need = Positional::Need::kOptional}},
           .examples = {"spl bundle list my.spl", "spl bundle list my.spl records/"},
           .run = run_list,
           .needs_home = false}),
      with_keys(bundle_extract_command()),
      with_keys(bundle_diff_command()),
  };
  return {std::move(bundle)};
}

}  // namespace spl::cli
