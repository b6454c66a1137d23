#include "operation/export.h"

#include <algorithm>
#include <mutex>

#include "base/cause.h"
#include "base/encoding.h"
#include "base/version.h"
#include "base/words.h"
#include "bundle/layout.h"
#include "env/acting_user.h"
#include "instance/move.h"
#include "operation/context_records.h"
#include "operation/export_history.h"
#include "operation/metrics.h"
#include "operation/secret_lookup.h"
#include "service/inventory.h"
#include "substrate/accounts.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kProgressEvery = 8192;  // records
constexpr std::size_t kNamedAccountsMax = 100;  // the report is a field of an HTTP head, too

// All of them, or those of one context.
Result<void> write_records(store::StoreReader& reader, const std::optional<std::string>& context,
                           bundle::BundleWriter& writer, std::uint64_t total, base::Progress& progress) {
  std::uint64_t done = 0;
  TRY(writer.begin_section(std::string(bundle::kRecordsPrefix)));
  TRY(reader.bundle_order([&](std::string_view directory, const store::StoredRecord& record) -> Result<void> {
    if (++done % kProgressEvery == 0) {
      progress.update("reading records", done, total, "records");
      if (progress.cancelled()) return base::fail_cancelled("no bundle was made");
    }
    if (context && !TRY(is_of_context(TRY(store::parse_row(record)), *context))) return {};
    return writer.add_record(directory, {record.id, record.canonical, record.judged_by, record.sig});
  }));
  progress.update("reading records", done, total, "records");
  return {};
}

// What every reader will take.
Result<std::string> carried_tokens(store::StoreReader& reader) {
  const auto tokens = TRY(reader.tokens());
  std::string text = substrate::tokens_text(tokens);
  if (text.size() > bundle::kTokensBytesMax)
    return fail(ErrorCode::kRefused, "export refused: the tokens do not fit into a bundle",
                "end some with spl token revoke, or export without --carry-tokens");
  if (const auto parsed = substrate::parse_tokens(text); !parsed)
    return fail(ErrorCode::kRefused,
                "export refused: no reader takes the tokens of this store: " + parsed.error().message,
                "export without --carry-tokens");
  return text;
}

// Sections in the order of a bundle.
Result<void> write_body(store::StoreReader& reader, const substrate::Identity& identity, const ExportOptions& options,
                        std::uint64_t records, Snapshot& services, bundle::BundleWriter& writer,
                        base::Progress& progress) {
  if (options.carry_tokens) {
    const std::string tokens = TRY(carried_tokens(reader));
    TRY(writer.begin_section("credentials/"));
    TRY(writer.add_file(bundle::kTokensPath, tokens));
  }
  if (!options.no_identity) {
    TRY(writer.begin_section("identity/"));
    TRY(writer.add_file(bundle::kDidDocumentPath, identity.document));
    TRY(writer.add_file(bundle::kPrivateKeyPath, identity.key.seed().reveal()));
  }
  if (!options.service || options.context) TRY(write_records(reader, options.context, writer, records, progress));
  return services.stream(writer, progress);
}

// What was written is all that the store has, by its own sums and by its log: a damaged one gives no bundle.
Result<void> check_written(store::StoreReader& reader, const store::StoreCounts& sums,
                           const bundle::BundleWriter& writer) {
  const std::uint64_t logged = TRY(reader.log_size());
  if (writer.record_count() == sums.records && writer.record_count() == logged && writer.thread_count() == sums.threads)
    return {};
  return fail(Cause::kStoreDamaged,
              "the store is damaged: it says " + base::counted(sums.records, "record") + " in " +
                  base::counted(sums.threads, "thread") + ", its log has " + base::counted(logged, "record") +
                  ", and " + base::counted(writer.record_count(), "record") + " in " +
                  base::counted(writer.thread_count(), "thread") + " could be read for a bundle",
              "run spl doctor");
}

bundle::Encryption encryption_of(const ExportOptions& options) {
  using Kind = bundle::Encryption::Kind;
  if (options.passphrase) return {Kind::kPassphrase, {}};
  if (options.recipients.empty()) return {};
  bundle::Encryption encryption{Kind::kRecipients, {}};
  for (const crypto::Recipient& recipient : options.recipients) encryption.recipients.push_back(recipient.text());
  return encryption;
}

// Whether it is of a part of the instance.
bool is_scoped(const ExportOptions& options) {
  return options.service || options.context;
}

// Adds the recipients of config.toml, where nothing on the line speaks against it.
Result<void> complete(const home::Config& config, ExportOptions& options) {
  if (options.plaintext && (options.passphrase || !options.recipients.empty()))
    return fail(ErrorCode::kUsage, "--plaintext cannot be given together with --recipient or --passphrase-file");
  if (options.move && options.no_identity)
    return fail(ErrorCode::kUsage, "--move cannot be given together with --no-identity",
                "an instance moves with its identity");
  if (options.passphrase && !options.recipients.empty())
    return fail(ErrorCode::kUsage, "a bundle is encrypted for a passphrase or for recipients, not both",
                "leave out --recipient or --passphrase-file");
  if (is_scoped(options)) {
    if (options.move || options.carry_tokens)
      return fail(ErrorCode::kUsage,
                  std::string(options.move ? "--move" : "--carry-tokens") +
                      " is of a whole instance: it cannot be given for one service or context",
                  "export the whole instance");
    options.no_identity = true;
  }
  if (options.records_only && options.service)
    return fail(ErrorCode::kUsage, "a backup of one service has no records", "leave out --records-only");
  if (options.plaintext || options.passphrase) return {};
  for (const std::string& text : config.recipients) {
    const crypto::Recipient recipient = TRY(crypto::Recipient::parse(text));
    if (std::ranges::find(options.recipients, recipient) == options.recipients.end())
      options.recipients.push_back(recipient);
  }
  return {};
}

struct Number {
  std::uint64_t sequence = 0;
  std::string why_not_noted;  // "" where it is taken for good
};

// A moved instance takes no writes: what it exports is the export again with which it left, under the same number.
Result<std::uint64_t> next_sequence(store::StoreReader& reader) {
  if (TRY(instance::moved_at(reader))) return instance::moved_sequence(reader);
  return TRY(last_sequence(reader)) + 1;
}

Result<Number> take_number(instance::Instance& instance, const ExportOptions& options) {
  Number number;
  Result<void> taken;
  if (instance.takes_writes()) {
    taken = instance.committer().run([&number](store::StoreWriter& writer) -> Result<void> {
      const bool moved = TRY(instance::moved_at(writer)).has_value();
      number.sequence = TRY(moved ? next_sequence(writer) : take_sequence(writer));
      return {};
    });
  } else {
    taken = fail(Cause::kReadOnly, options.why_home_is_read);
  }
  if (taken) return number;
  if (!base::cannot_be_written(taken.error())) return std::unexpected(std::move(taken).error());
  if (options.move)
    return fail(ErrorCode::kRefused, taken.error().cause,
                "export refused: the home cannot be written, and that the instance has moved must be noted there: " +
                    taken.error().message,
                "make the home writable, or export without --move and do not use this home any more");
  number.sequence = TRY(next_sequence(*TRY(instance.store().reader())));
  number.why_not_noted = taken.error().message;
  return number;
}

// Where the body may wait, the first that has room.
std::vector<spool::SpoolOptions> spool_places(const instance::Instance& instance, const ExportOptions& options,
                                              const bundle::Encryption& encryption, bool home_is_written) {
  const auto secrecy =
      encryption.kind == bundle::Encryption::Kind::kNone ? spool::Secrecy::kPlain : spool::Secrecy::kEncrypted;
  if (!options.spool_directory.empty()) return {{options.spool_directory, spool::Secrecy::kEncrypted}};
  std::vector<spool::SpoolOptions> places;
  if (home_is_written) places.push_back({instance.paths().run(), secrecy});
  places.push_back({options.temporary_directory, spool::Secrecy::kEncrypted});
  return places;
}

// A place that is not the home's is the caller's to name.
Result<spool::Spool> spool_in(const instance::Instance& instance, const spool::SpoolOptions& place) {
  if (place.directory == instance.paths().run()) return spool::Spool::make(instance.env(), place);
  const env::AsOneself as_oneself;
  return spool::Spool::make(instance.env(), place);
}

// The body in the first place that has room for it; the manifest gets its sections and digest.
Result<std::unique_ptr<bundle::BundleWriter>> body_of(const instance::Instance& instance, store::StoreReader& reader,
                                                      const substrate::Identity& identity, const ExportOptions& options,
                                                      const bundle::Encryption& encryption, const Number& number,
                                                      Snapshot& services, bundle::Manifest& manifest,
                                                      base::Progress& progress) {
  const store::StoreCounts counts = TRY(reader.counts());
  std::unique_ptr<bundle::BundleWriter> writer;
  const auto body_in = [&](const spool::SpoolOptions& place) -> Result<void> {
    auto spool = TRY_IN("spool", spool_in(instance, place));
    writer = std::make_unique<bundle::BundleWriter>(
        std::move(spool),
        bundle::WriterOptions{options.uncompressed ? bundle::Compression::kNone : bundle::Compression::kZstd,
                              options.workers, options.batch_bytes});
    TRY(write_body(reader, identity, options, counts.records, services, *writer, progress));
    TRY(writer->finish_body(manifest));
    return is_scoped(options) ? Result<void>() : check_written(reader, counts, *writer);
  };
  const auto places = spool_places(instance, options, encryption, number.why_not_noted.empty());
  auto body = body_in(places.front());
  // The home may have had room for the number and not for the body. What services were at the moment can be read once.
  if (!body && !services.has_services() && body.error().cause == Cause::kNoSpoolSpace && places.size() > 1 &&
      body_in(places.back()))
    body = {};
  TRY(std::move(body));
  return writer;
}

// The services that the home declares, where any of them are wanted.
Result<service::ServiceSet> services_of(const instance::Instance& instance, const ExportOptions& options) {
  if (options.records_only) return service::ServiceSet::none(instance.env(), instance.paths());
  return service::ServiceSet::load(instance.env(), instance.paths());
}

SnapshotOptions snapshot_options(const ExportOptions& options) {
  return {options.service,         options.context, options.without,
          options.without_derived, options.quiesce, options.allow_inconsistent};
}

// What drivers read ahead waits beside the body, and is as secret as its source.
spool::SpoolOptions spool_of_parts(const instance::Instance& instance, const ExportOptions& options) {
  constexpr std::size_t kHeldBytesMax = 1u << 20;
  return {options.spool_directory.empty() ? instance.paths().run() : options.spool_directory,
          spool::Secrecy::kEncrypted, kHeldBytesMax};
}

Result<void> check_encrypted(const Snapshot& services, const bundle::Encryption& encryption,
                             const ExportOptions& options) {
  if (!services.has_services() || options.plaintext || encryption.kind != bundle::Encryption::Kind::kNone) return {};
  return fail(
      ErrorCode::kRefused, "export refused: a bundle that holds services is encrypted, and for whom is not said",
      "name recipients in config.toml or with --recipient, give --passphrase, or --plaintext to leave it plain");
}

// What looks like a context's and is none's would be left behind in silence.
Result<void> check_strays(const instance::Instance& instance, const service::ServiceSet& set,
                          const service::SecretLookup& secrets, const ExportOptions& options,
                          base::Progress& progress) {
  if (options.allow_stray || options.context || options.service) return {};
  const auto is_carried = [&options](const service::Declaration& service, const service::SurfaceDeclaration& surface) {
    if (std::ranges::find(options.without, service.name) != options.without.end()) return false;
    // An engine that holds nothing that is carried need not run.
    const bool is_left = surface.surface_class == service::SurfaceClass::kDerived ||
                         (surface.surface_class == service::SurfaceClass::kDerivedCostly && options.without_derived);
    return !is_left || !service::is_database(surface.kind);
  };
  const auto strays = TRY(service::find_strays(instance.env(), set, is_carried, secrets, progress));
  if (strays.empty()) return {};
  return fail(ErrorCode::kRefused,
              "export refused: " + base::escaped(strays.front().where, 200) +
                  " would be left behind: " + strays.front().snapshot,
              "spl context add makes the context, --allow-stray leaves the data behind; spl inventory lists all of it");
}

// The records as they were at the moment of the services.
Result<std::unique_ptr<store::StoreReader>> reader_of_the_moment(instance::Instance& instance, Snapshot& services,
                                                                 base::Progress& progress) {
  std::unique_ptr<store::StoreReader> reader;
  std::unique_ptr<store::StoreWriter> held;
  const Snapshot::Records records{[&]() -> Result<void> {
                                    // Who has the writer keeps all others from it.
                                    if (services.has_services() && instance.takes_writes())
                                      held = TRY(instance.store().writer());
                                    return {};
                                  },
                                  [&]() -> Result<void> {
                                    reader = TRY(instance.store().reader());
                                    return {};
                                  },
                                  [&] { held.reset(); }};
  TRY(services.take(records, progress));
  return reader;
}

// What is said of it, but for what only the file itself shows.
ExportReport report_of(const bundle::Manifest& manifest, const substrate::AuthorityCounts& authority) {
  ExportReport report;
  report.source_did = manifest.source_did;
  report.bundle_sha256 = manifest.bundle_sha256;
  report.encrypted = manifest.encryption.kind != bundle::Encryption::Kind::kNone;
  report.record_count = manifest.record_count;
  report.thread_count = manifest.thread_count;
  report.federation_pairs = authority.federation_pairs;
  report.consent_grants = authority.consent_grants;
  report.identity = manifest.identity_included ? InBundle::kIncluded : InBundle::kOmitted;
  report.pause_ms = manifest.snapshot.pause_ms;
  report.consistency = manifest.snapshot.consistency;
  return report;
}

// Of each context what of each service is in the bundle.
std::vector<std::string> backed_up_settings(const bundle::Manifest& manifest) {
  std::vector<std::string> settings;
  for (const bundle::Service& service : manifest.services) {
    const bool is_whole = std::ranges::all_of(service.surfaces, [](const bundle::Surface& surface) {
      return surface.included || surface.surface_class != bundle::SurfaceClass::kSource;
    });
    if (!is_whole) continue;
    for (const bundle::Context& context : manifest.contexts)
      settings.push_back(backed_up_setting(service.name, context.name));
  }
  return settings;
}

}  // namespace

PreparedExport::PreparedExport(instance::Instance& instance, std::unique_ptr<bundle::BundleWriter> writer,
                               ExportOptions options)
    : instance_(instance), writer_(std::move(writer)), options_(std::move(options)) {}

Result<std::unique_ptr<PreparedExport>> prepare_export(instance::Instance& instance, ExportOptions options,
                                                       base::Progress& progress) {
  const auto identity = instance.identity();
  if (!identity)
    return fail(ErrorCode::kRefused, Cause::kNoIdentity, "export refused: this instance has no identity to sign with",
                "spl identity generate makes one");
  const home::Config config = TRY(instance.config());
  TRY(complete(config, options));
  const bundle::Encryption encryption = encryption_of(options);
  const std::scoped_lock lock(instance.service_work());
  const service::ServiceSet set = TRY(services_of(instance, options));
  const auto services = TRY(Snapshot::plan(instance.env(), set, secret_lookup(instance, config),
                                           spool_of_parts(instance, options), snapshot_options(options), progress));
  TRY(check_encrypted(*services, encryption, options));
  TRY(check_strays(instance, set, secret_lookup(instance, config), options, progress));
  const Number number = TRY(take_number(instance, options));
  bundle::Manifest manifest;
  manifest.export_sequence = number.sequence;
  const std::string now = env::rfc3339(instance.env().clock.now());
  const auto reader = TRY(reader_of_the_moment(instance, *services, progress));
  if (TRY(reader->setting(store::kDidSetting)) != identity->did)
    return fail("the identity was replaced while the export began", "export again");
  auto writer = TRY(body_of(instance, *reader, *identity, options, encryption, number, *services, manifest, progress));

  manifest.created_at = now;
  manifest.created_by = std::string("spl ") + base::kVersion;
  manifest.source_did = identity->did;
  manifest.encryption = encryption;
  Digest previous;
  if (base::parse_hex_digest(TRY(previous_export(*reader)).bundle_sha256, previous)) manifest.previous = previous;
  manifest.record_count = writer->record_count();
  manifest.thread_count = writer->thread_count();
  manifest.identity_included = !options.no_identity;
  manifest.tokens_carried = options.carry_tokens;
  TRY(services->describe(manifest));

  const auto authority = TRY(substrate::authority_counts(*reader, identity->did));
  std::unique_ptr<PreparedExport> prepared(new PreparedExport(instance, std::move(writer), std::move(options)));
  prepared->sequence_ = number.sequence;
  prepared->noted_ = number.why_not_noted.empty();
  prepared->manifest_text_ = bundle::manifest_text(manifest);
  prepared->backed_up_ = backed_up_settings(manifest);
  prepared->signature_ = identity->key.sign(prepared->manifest_text_);
  prepared->report_ = report_of(manifest, authority);
  ExportReport& report = prepared->report_;
  report.services = services->service_names();
  if (services->has_services()) report.pause_steps = services->steps();
  report.warnings = services->warnings();
  if (!prepared->noted_)
    report.warnings.push_back(
        "the home cannot be written, so this export is not noted there and the next one will have "
        "the same number: " +
        number.why_not_noted);
  if (manifest.identity_included && !manifest.tokens_carried) {
    const auto tokens = TRY(reader->tokens());
    report.tokens_left = TRY(substrate::token_holders(*reader, identity->did, tokens, now)).with;
    if (report.tokens_left.size() > kNamedAccountsMax) report.tokens_left.resize(kNamedAccountsMax);
  }
  return prepared;
}

Result<void> PreparedExport::write(Sink& out) {
  // The spool goes with it: a client may take its time until it says that the bundle is durable.
  const std::unique_ptr<bundle::BundleWriter> writer = std::move(writer_);
  const crypto::FillRandom random = [this](std::span<char> bytes) { instance_.env().random.fill(bytes); };
  std::unique_ptr<crypto::AgeEncryptSink> age;
  if (options_.passphrase) {
    age = TRY(crypto::AgeEncryptSink::make_with_passphrase(out, *options_.passphrase, random));
  } else if (!options_.recipients.empty()) {
    age = TRY(crypto::AgeEncryptSink::make(out, options_.recipients, random));
  }
  if (!age) return writer->write_out(manifest_text_, signature_, out);
  TRY(writer->write_out(manifest_text_, signature_, *age));
  return age->finish();
}

Result<void> PreparedExport::note_durable() {
  if (!noted_) return {};
  auto done = instance_.committer().run([this](store::StoreWriter& writer) -> Result<void> {
    if (options_.move) TRY(leave(writer));
    // Another identity may have come.
    if (TRY(writer.setting(store::kDidSetting)) != report_.source_did) return {};
    for (const std::string& setting : backed_up_) TRY(writer.set_setting(setting, std::to_string(sequence_)));
    TRY(count_export(writer, env::rfc3339(instance_.env().clock.now())));
    return note_finished(writer, {sequence_, base::to_hex(report_.bundle_sha256.view())});
  });
  // The bundle may be what filled the disk; it is whole.
  if (done || options_.move || !base::cannot_be_written(done.error())) return done;
  report_.warnings.push_back("the bundle is whole, and could not be noted in the home as the last one: " +
                             done.error().message);
  return {};
}

Result<void> PreparedExport::leave(store::StoreWriter& writer) {
  if (TRY(instance::moved_at(writer))) return {};
  const std::uint64_t came = TRY(writer.counts()).records - report_.record_count;
  if (came > 0)
    return fail("the instance has not moved: records came while the bundle was made, which it does not have",
                "end what writes to it, and export with --move again");
  if (TRY(writer.setting(store::kDidSetting)) != report_.source_did)
    return fail("the instance has not moved: its identity was replaced while the bundle was made",
                "export with --move again");
  return instance::note_move(writer, env::rfc3339(instance_.env().clock.now()), sequence_);
}

}  // namespace spl::operation
