// bundle show, verify, list.
#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "codec/shape.h"
#include "operation/bundle_files.h"
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
  const Keys keys = TRY(read_keys(session, arguments));
  const BundleFile opened = TRY(open_bundle(arguments.at("FILE"), keys, session.progress().interrupt(), 1));
  Output& out = session.out();
  const std::string_view text = opened.reader->manifest_text();
  switch (out.format()) {
    case Format::kText:
      TRY(print_manifest(out, opened.reader->manifest()));
      break;
    case Format::kJson:
      TRY(out.document_text(text.ends_with('\n') ? text.substr(0, text.size() - 1) : text));
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

Result<Totals> read_through(bundle::BundleReader& reader, operation::SignatureCheck* signatures,
                            ShownProgress& progress) {
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

struct SignatureCounts {
  std::uint64_t valid = 0;
  std::uint64_t invalid = 0;
  std::uint64_t absent = 0;

  static SignatureCounts of(const operation::SignatureCheck::Counts& counts) {
    return {counts.valid, counts.invalid, counts.absent};
  }
  static constexpr auto shape() {
    using S = SignatureCounts;
    return codec::shape(codec::member("valid", &S::valid, "records with a signature that is their actor's"),
                        codec::member("invalid", &S::invalid, "records with another one"),
                        codec::member("absent", &S::absent, "records without one"));
  }
};

struct Verified {
  bool verified = true;
  std::string source_did;
  Digest bundle_sha256;
  bool encrypted = false;
  std::uint64_t record_count = 0;
  std::uint64_t thread_count = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<SignatureCounts> signatures;

  static constexpr auto shape() {
    using V = Verified;
    return codec::shape(codec::member("verified", &V::verified, "true"),
                        codec::member("source_did", &V::source_did, "who signed it"),
                        codec::member("bundle_sha256", &V::bundle_sha256, "the digest of all that is in it"),
                        codec::member("encrypted", &V::encrypted, "whether it is encrypted"),
                        codec::member("record_count", &V::record_count, "records in it"),
                        codec::member("thread_count", &V::thread_count, "threads in it"),
                        codec::member("files", &V::files, "files in it, but for the manifest and its signature"),
                        codec::member("bytes", &V::bytes, "in these files"),
                        codec::member("signatures", &V::signatures, "with --signatures", codec::Presence::kOmitted));
  }
};

struct ListedFile {
  std::string path;
  std::uint64_t bytes = 0;

  static constexpr auto shape() {
    return codec::shape(codec::path_member("path", &ListedFile::path, "in the bundle"),
                        codec::member("bytes", &ListedFile::bytes, "its size"));
  }
};

struct ListedSection {
  std::string prefix;
  std::string service;
  std::string surface;
  std::string context;
  std::string kind;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  Digest sha256;

  static constexpr auto shape() {
    using L = ListedSection;
    return codec::shape(codec::path_member("prefix", &L::prefix, "what its paths begin with"),
                        codec::member("service", &L::service, "whose it is; empty of what is no service's"),
                        codec::member("surface", &L::surface, "of which surface"),
                        codec::member("context", &L::context, "of which context; empty where it is not split"),
                        codec::member("kind", &L::kind, "files, git, sqlite, postgres, redis, ..."),
                        codec::member("files", &L::files, "files in it"),
                        codec::member("bytes", &L::bytes, "in these files"),
                        codec::member("sha256", &L::sha256, "over their digest lines"));
  }
};

ListedSection listed(const bundle::Section& section, std::optional<bundle::SurfaceKind> kind) {
  ListedSection listed{.prefix = section.prefix,
                       .service = {},
                       .surface = {},
                       .context = {},
                       .kind = {},
                       .files = section.files,
                       .bytes = section.bytes,
                       .sha256 = section.sha256};
  if (!kind) return listed;
  // services/<service>/<surface>/<part>/
  const auto names = base::split(section.prefix, '/');
  listed.service = names.at(1);
  listed.surface = names.at(2);
  if (names.at(3) != bundle::kWholeInstance) listed.context = names.at(3);
  listed.kind = codec::enum_name(*kind);
  return listed;
}

// Of manifest.json, whose exact form docs/formats/bundle.md has.
Json manifest_schema() {
  const auto of_type = [](const char* type) { return Json(Json::Object{{"type", type}}); };
  const std::pair<const char*, const char*> members[] = {
      {"bundle_version", "integer"},  {"bundle_sha256", "string"}, {"created_at", "string"},
      {"created_by", "string"},       {"source_did", "string"},    {"scope", "object"},
      {"export_sequence", "integer"}, {"record_count", "integer"}, {"thread_count", "integer"},
      {"identity", "string"},         {"tokens", "string"},        {"contexts", "array"},
      {"services", "array"},          {"secrets", "array"},        {"snapshot", "object"},
      {"sections", "array"}};
  Json::Object properties;
  Json::Array required;
  for (const auto& [name, type] : members) {
    properties.emplace_back(name, of_type(type));
    required.emplace_back(name);
  }
  properties.emplace_back("encryption", Json::Object{{"anyOf", Json::Array{of_type("string"), of_type("array")}}});
  properties.emplace_back("previous", Json::Object{{"anyOf", Json::Array{of_type("string"), of_type("null")}}});
  return Json::Object{{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

Result<void> print_verified(Output& out, const bundle::BundleReader& reader, const Totals& totals,
                            const std::optional<operation::SignatureCheck::Counts>& signatures) {
  const Manifest& manifest = reader.manifest();
  const std::string sha256 = base::to_hex(manifest.bundle_sha256.view());
  if (!out.text()) {
    Verified verified{.source_did = manifest.source_did,
                      .bundle_sha256 = manifest.bundle_sha256,
                      .encrypted = reader.opening().kind != Encryption::Kind::kNone,
                      .record_count = manifest.record_count,
                      .thread_count = manifest.thread_count,
                      .files = totals.files,
                      .bytes = totals.bytes,
                      .signatures = {}};
    if (signatures) verified.signatures = SignatureCounts::of(*signatures);
    return out.document(codec::shape_json(verified));
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
  const Keys keys = TRY(read_keys(session, arguments));
  ShownProgress& progress = session.progress();
  const auto records = arguments.has("--signatures") ? bundle::Records::kGiven : bundle::Records::kChecked;
  const BundleFile opened =
      TRY(open_bundle(arguments.at("FILE"), keys, progress.interrupt(), Session::workers(), records));
  progress.follow(*opened.file);
  std::optional<operation::SignatureCheck> signatures;
  if (arguments.has("--signatures")) signatures.emplace(Session::workers());
  const Totals totals = TRY(read_through(*opened.reader, signatures ? &*signatures : nullptr, progress));
  std::optional<operation::SignatureCheck::Counts> counts;
  if (signatures) counts = signatures->finish();
  Output& out = session.out();
  if (counts && counts->invalid > 0) {
    if (!out.text()) out.add_to_error("signatures", codec::shape_json(SignatureCounts::of(*counts)));
    return fail(ErrorCode::kVerification,
                counted(counts->invalid, "record") + " with a signature that is not its actor's, the first " +
                    shown(counts->first_invalid),
                "the bundle itself is whole: its signer carried them as they were");
  }
  TRY(print_verified(out, *opened.reader, totals, counts));
  return 0;
}

Result<void> list_sections(Output& out, const Manifest& manifest, const std::string& prefix) {
  ListOutput list(out);
  const auto kinds = bundle::section_kinds(manifest);
  bool any = false;
  for (std::size_t i = 0; i < manifest.sections.size(); ++i) {
    const ListedSection section = listed(manifest.sections[i], kinds[i]);
    if (!section.prefix.starts_with(prefix)) continue;
    any = true;
    TRY(list.item(out.text() ? shown(section.prefix) + "  " + (section.kind.empty() ? "" : section.kind + ", ") +
                                   counted(section.files, "file") + ", " + human_bytes(section.bytes)
                             : codec::shape_json(section).text()));
  }
  if (!any) return operation::no_such_file(prefix);
  return list.end();
}

Result<int> run_list(Session& session, const Arguments& arguments) {
  const Keys keys = TRY(read_keys(session, arguments));
  const std::string prefix = arguments.value("PREFIX").value_or("");
  const bool sections = arguments.has("--sections");
  ShownProgress& progress = session.progress();
  const BundleFile opened = TRY(open_bundle(arguments.at("FILE"), keys, progress.interrupt(), Session::workers()));
  progress.follow(*opened.file);
  Output& out = session.out();
  ListOutput list(out, Showing::kAtTheEnd);
  bool any = false;
  const auto item = [&](std::string_view path, std::uint64_t bytes) -> Result<void> {
    if (sections || !path.starts_with(prefix)) return {};
    any = true;
    if (out.text()) return list.item(path_line(path, out.out_is_terminal()));
    return list.item(codec::shape_json(ListedFile{std::string(path), bytes}).text());
  };
  TRY(item(bundle::kManifestPath, opened.reader->manifest_text().size()));
  TRY(item(bundle::kSignaturePath, crypto::kSignatureBytes));
  while (const auto entry = TRY(operation::next_file(*opened.reader))) {
    if (progress.cancelled()) return base::fail_cancelled("the list is not whole");
    TRY(item(entry->path, entry->size_bytes));
  }
  if (sections) {
    TRY(list_sections(out, opened.reader->manifest(), prefix));
    return 0;
  }
  if (!any) return operation::no_such_file(prefix);
  TRY(list.end());
  return 0;
}

Json list_schema() {
  return Json::Object{
      {"anyOf", Json::Array{codec::list_schema_of<ListedFile>(), codec::list_schema_of<ListedSection>()}}};
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
                 .schema = manifest_schema,
                 .needs_home = false}),
      with_keys({.name = "verify",
                 .summary = "Check a bundle from its first byte to its last",
                 .options = {{.name = "--signatures",
                              .value = "",
                              .help = "also check the signature of every record that carries one"}},
                 .positionals = {file},
                 .examples = {"spl bundle verify my.spl", "spl bundle verify my.spl --signatures"},
                 .run = run_verify,
                 .schema = codec::schema_of<Verified>,
                 .needs_home = false}),
      with_keys(
          {.name = "list",
           .summary = "List the files in a bundle",
           .details = "The bundle is verified on the way: an error at the end means that what was listed is not "
                      "to be trusted.",
           .options = {{.name = "--sections",
                        .value = "",
                        .help = "its parts instead of files: of services by surface and context, with kind and size"}},
           .positionals = {file,
                           {.name = "PREFIX", .help = "only paths that begin so", .need = Positional::Need::kOptional}},
           .examples = {"spl bundle list my.spl", "spl bundle list my.spl records/",
                        "spl bundle list my.spl --sections services/"},
           .run = run_list,
           .schema = list_schema,
           .needs_home = false}),
      with_keys(bundle_extract_command()),
      with_keys(bundle_diff_command()),
  };
  return {std::move(bundle)};
}

}  // namespace spl::cli
