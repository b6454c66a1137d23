#include "operation/export.h"

#include <algorithm>

#include "base/cause.h"
#include "base/encoding.h"
#include "base/version.h"
#include "base/words.h"
#include "bundle/layout.h"
#include "env/acting_user.h"
#include "instance/move.h"
#include "operation/export_history.h"
#include "substrate/accounts.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kProgressEvery = 8192;  // records
constexpr std::size_t kNamedAccountsMax = 100;  // the report is a field of an HTTP head, too

Result<void> write_records(store::StoreReader& reader, bundle::BundleWriter& writer, std::uint64_t total,
                           base::Progress& progress) {
  std::uint64_t done = 0;
  TRY(writer.begin_section(std::string(bundle::kRecordsPrefix)));
  TRY(reader.bundle_order([&](std::string_view directory, const store::StoredRecord& record) -> Result<void> {
    if (++done % kProgressEvery == 0) {
      progress.update("reading records", done, total, "records");
      if (progress.cancelled()) return base::fail_cancelled("no bundle was made");
    }
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

Result<void> write_body(store::StoreReader& reader, const substrate::Identity& identity, const ExportOptions& options,
                        std::uint64_t records, bundle::BundleWriter& writer, base::Progress& progress) {
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
  return write_records(reader, writer, records, progress);
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
                                                      bundle::Manifest& manifest, base::Progress& progress) {
  const store::StoreCounts counts = TRY(reader.counts());
  std::unique_ptr<bundle::BundleWriter> writer;
  const auto body_in = [&](const spool::SpoolOptions& place) -> Result<void> {
    auto spool = TRY_IN("spool", spool_in(instance, place));
    writer = std::make_unique<bundle::BundleWriter>(
        std::move(spool),
        bundle::WriterOptions{options.uncompressed ? bundle::Compression::kNone : bundle::Compression::kZstd,
                              options.workers, options.batch_bytes});
    TRY(write_body(reader, identity, options, counts.records, *writer, progress));
    TRY(writer->finish_body(manifest));
    return check_written(reader, counts, *writer);
  };
  const auto places = spool_places(instance, options, encryption, number.why_not_noted.empty());
  auto body = body_in(places.front());
  // The home may have had room for the number and not for the body.
  if (!body && body.error().cause == Cause::kNoSpoolSpace && places.size() > 1 && body_in(places.back())) body = {};
  TRY(std::move(body));
  return writer;
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
  const Number number = TRY(take_number(instance, options));
  bundle::Manifest manifest;
  manifest.export_sequence = number.sequence;
  const auto reader = TRY(instance.store().reader());
  if (TRY(reader->setting(store::kDidSetting)) != identity->did)
    return fail("the identity was replaced while the export began", "export again");
  const std::string now = env::rfc3339(instance.env().clock.now());
  auto writer = TRY(body_of(instance, *reader, *identity, options, encryption, number, manifest, progress));

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
  manifest.snapshot = {now, 0, "quiesced"};

  const auto authority = TRY(substrate::authority_counts(*reader, identity->did));
  std::unique_ptr<PreparedExport> prepared(new PreparedExport(instance, std::move(writer), std::move(options)));
  prepared->sequence_ = number.sequence;
  prepared->noted_ = number.why_not_noted.empty();
  prepared->manifest_text_ = bundle::manifest_text(manifest);
  prepared->signature_ = identity->key.sign(prepared->manifest_text_);
  prepared->report_ = report_of(manifest, authority);
  ExportReport& report = prepared->report_;
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
