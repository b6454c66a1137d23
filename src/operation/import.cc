#include "operation/import.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>

#include "base/encoding.h"
#include "bundle/reader.h"
#include "instance/move.h"
#include "operation/context_data.h"
#include "operation/context_records.h"
#include "operation/export_history.h"
#include "operation/metrics.h"
#include "operation/preflight.h"
#include "operation/service_recovery.h"
#include "operation/service_restore.h"
#include "record/did_document.h"
#include "record/thread.h"
#include "substrate/accounts.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kRoomKeptBytes = 16u << 20;  // of the disk, by a merge
constexpr std::uint64_t kRoomCheckedEach = 4u << 20;
constexpr std::uint64_t kProgressEvery = 8192;  // records
constexpr std::size_t kNamedRecordsMax = 20;    // in one finding

std::unexpected<Error> cancelled() {
  return base::fail_cancelled("nothing was imported");
}

// Whether this is what the record's file in a bundle of this store would hold.
bool would_be(const store::StoredRecord& row, std::string_view content) {
  if (!row.judged_by && !row.sig) return row.canonical == content;
  return record::file_text(row.canonical, row.judged_by, row.sig) == content;
}

// One import, from the first byte to the commit.
class Import {
 public:
  Import(instance::Instance& instance, bundle::BundleReader& bundle, const ImportOptions& options,
         base::Progress& progress)
      : instance_(instance), bundle_(bundle), manifest_(bundle.manifest()), options_(options), progress_(progress) {}

  Result<ImportReport> run(std::vector<Finding>* findings);

 private:
  enum class Mode : std::uint8_t { kInsert, kCompare };

  Result<void> prepare();
  Result<bool> comes_home();
  [[nodiscard]] Result<ImportFacts> facts();
  Result<bool> has_room();
  Result<void> keep_room(std::uint64_t bytes);
  Result<void> take_entries();
  [[nodiscard]] bool is_section_wanted(std::string_view prefix) const;
  Result<void> plan_services();
  [[nodiscard]] bool may_stage(const ImportFacts& known) const;
  Result<void> add_older_services(ImportFacts& facts);
  Result<void> note_restored();
  Result<void> replace_records();
  Result<void> put_all(Result<void> (Import::*write)());
  Result<void> take_record(const bundle::BundleEntry& entry);
  Result<bool> is_wanted(const bundle::BundleEntry& entry);
  Result<void> insert(const Record& record);
  Result<void> compare(const bundle::BundleEntry& entry);
  Result<void> refuse(const ImportFacts& known) const;
  Result<void> adopt();
  Result<void> install();
  Result<void> note_verified();
  void put_in_force();
  Result<void> note_effects(const std::set<std::string>& effective_before);
  Result<std::set<std::string>> effective_now(const std::optional<std::string>& did);
  Result<void> fill_counts();

  void note(std::string check, FindingStatus status, std::string subject, std::string message, std::string hint = {}) {
    report_.preflight.push_back({std::move(check), status, std::move(subject), std::move(message), std::move(hint)});
  }
  // Of the bundle, and of what is taken of it.
  [[nodiscard]] bool whole_instance() const {
    return !manifest_.scope.service && !manifest_.scope.context && !options_.service && !options_.context;
  }
  [[nodiscard]] PastExport this_export() const {
    return {manifest_.export_sequence, base::to_hex(manifest_.bundle_sha256.view())};
  }
  [[nodiscard]] std::optional<std::string> did_after() const {
    return adopts_ ? std::optional(manifest_.source_did) : did_before_;
  }

  instance::Instance& instance_;
  bundle::BundleReader& bundle_;
  const bundle::Manifest& manifest_;
  const ImportOptions& options_;
  base::Progress& progress_;
  ImportReport report_;
  home::Config config_;

  std::unique_ptr<store::StoreWriter> writer_;
  std::optional<std::string> did_before_;
  std::uint64_t records_before_ = 0;
  Mode mode_ = Mode::kInsert;
  bool adopts_ = false;
  bool returns_ = false;   // the instance has moved, and this bundle brings it home
  bool replaces_ = false;  // the bundle's records are put in the place of those that are here
  bool lacks_room_ = false;
  std::uint64_t unchecked_bytes_ = 0;  // written since the room was looked at
  std::uint64_t record_bytes_ = 0;     // that go into an empty store
  std::uint64_t missing_ = 0;          // in kCompare: records of the bundle that are not here
  std::uint64_t sigs_filled_ = 0;
  bool fills_ = false;  // in kCompare: a signature that is missing here may have been put
  std::string document_;
  SecretBytes seed_;
  std::optional<substrate::Identity> adopted_;  // staged
  std::vector<store::Token> tokens_;

  std::unique_ptr<ServiceRooms> rooms_;
  std::unique_ptr<ServiceRestore> services_;  // null where none are restored
  std::vector<Finding> service_findings_;
  bool has_tenants_ = false;
  bool stages_ = false;
};

Result<void> Import::prepare() {
  config_ = TRY(instance_.config());
  // The writer first: nothing can change between what is decided here and the commit.
  writer_ = TRY(instance_.store().writer());
  records_before_ = TRY(writer_->counts()).records;
  did_before_ = TRY(writer_->setting(store::kDidSetting));
  const bool empty = records_before_ == 0;
  const bool refused_anyway = (whole_instance() && !manifest_.identity_included) || !is_expected(manifest_, options_);
  returns_ = !refused_anyway && TRY(comes_home());
  if (options_.replace_records && !whole_instance())
    return fail(ErrorCode::kUsage, "--records replace wants a bundle of a whole instance, and all of it",
                "the records of a context or beside a service are merged");
  replaces_ = options_.replace_records && !empty;
  const bool merges = options_.force_overwrite || options_.merge || replaces_;
  mode_ = !refused_anyway && (empty || merges || returns_) ? Mode::kInsert : Mode::kCompare;
  if (mode_ == Mode::kInsert && !returns_) TRY(instance::require_not_moved(*writer_));
  if (mode_ == Mode::kInsert && !TRY(has_room())) mode_ = Mode::kCompare;
  if (mode_ == Mode::kInsert && empty) TRY(writer_->expect_many_distinct());
  if (mode_ == Mode::kInsert || options_.context) bundle_.set_records(bundle::Records::kGiven);
  const bool same = did_before_ == manifest_.source_did;
  adopts_ = manifest_.identity_included && whole_instance() && !same && mode_ == Mode::kInsert &&
            (empty || options_.adopt_identity);

  report_.dry_run = options_.dry_run;
  report_.source_did = manifest_.source_did;
  report_.threads = manifest_.thread_count;
  if (!manifest_.identity_included || !whole_instance()) {
    report_.identity = IdentityOutcome::kOmitted;
  } else if (same) {
    report_.identity = IdentityOutcome::kSame;
  } else {
    report_.identity = adopts_ ? IdentityOutcome::kAdopted : IdentityOutcome::kKept;
  }
  return {};
}

// Whether the instance has left with --move, and the bundle was made where it went.
Result<bool> Import::comes_home() {
  if (!whole_instance() || did_before_ != manifest_.source_did) return false;
  return TRY(instance::moved_at(*writer_)) && manifest_.export_sequence > TRY(instance::moved_sequence(*writer_));
}

// What the pre-flight decides by, once everything is read.
Result<ImportFacts> Import::facts() {
  ImportFacts facts;
  facts.opening = options_.opened_by_caller.value_or(bundle_.opening());
  facts.did = did_before_;
  facts.records = records_before_;
  facts.has_tenants = has_tenants_;
  facts.strict_signers = config_.strict_signers;
  facts.newest_seen = TRY(newest_seen(*writer_, manifest_.source_did)).sequence;
  facts.last_sequence = TRY(last_sequence(*writer_));
  facts.compares = mode_ == Mode::kCompare;
  facts.adopts = adopts_;
  facts.returns = returns_;
  facts.signatures_filled = sigs_filled_;
  facts.tokens = tokens_.size();
  facts.services = service_findings_;
  TRY(add_older_services(facts));
  const bool own = adopts_ || report_.identity == IdentityOutcome::kSame;
  if (mode_ == Mode::kInsert && own) {
    std::vector<store::Token> tokens = TRY(writer_->tokens());
    tokens.insert(tokens.end(), tokens_.begin(), tokens_.end());
    const std::string now = env::rfc3339(instance_.env().clock.now());
    facts.accounts_without_token = TRY(substrate::token_holders(*writer_, did_after(), tokens, now)).without;
  }
  return facts;
}

// Whether what will certainly be written fits: all records, but for those that can be in the store already. What it
// will take in all is not known: about twice as much.
Result<bool> Import::has_room() {
  const std::string directory = instance_.store().directory();
  if (directory.empty() || options_.service) return true;
  std::uint64_t bytes = 0;
  for (const bundle::Section& section : manifest_.sections) {
    if (section.prefix == bundle::kRecordsPrefix && !options_.context) bytes = section.bytes;
  }
  if (records_before_ > 0 && !replaces_) {
    std::uint64_t there = 0;
    for (const std::string& file : instance_.store().files()) {
      if (const auto info = TRY(instance_.env().fs.info(file))) there += info->size_bytes;
    }
    bytes -= std::min(bytes, there);
  }
  record_bytes_ = bytes;
  const std::uint64_t free = TRY(instance_.env().fs.free_bytes(directory));
  lacks_room_ = record_bytes_ > free;
  const std::string sizes =
      std::string(records_before_ > 0 && !replaces_ ? "the records that are new are at least " : "the records are ") +
      std::to_string(record_bytes_ >> 20) + " MiB, " + std::to_string(free >> 20) + " MiB are free";
  if (lacks_room_) {
    note("space", FindingStatus::kStop, directory, sizes,
         "free some disk space, or give a home on another disk with --home");
  } else {
    note("space", FindingStatus::kOk, directory, sizes);
  }
  return !lacks_room_;
}

// What the services say against it: by the manifest, which is signed, before anything else is read.
Result<void> Import::plan_services() {
  if (!brings_services(manifest_, options_) && !replaces_) {
    for (const std::string& name : options_.without) {
      const bool there =
          std::ranges::find(manifest_.services, name, &bundle::Service::name) != manifest_.services.end();
      service_findings_.push_back({"service", there ? FindingStatus::kOk : FindingStatus::kWarn, name,
                                   there ? "this service of the bundle is left out, as was asked for"
                                         : "there is nothing to leave out: the bundle has no service of this name",
                                   ""});
    }
    if (options_.service)
      return fail(ErrorCode::kUsage, Cause::kNotFound,
                  "the bundle has no service \"" + base::escaped(*options_.service, 80) + "\"",
                  "spl bundle show FILE lists those that it has");
    return {};
  }
  rooms_ = TRY(ServiceRooms::open(instance_.env(), instance_.paths(), config_));
  const auto signer = did_before_ == manifest_.source_did ? surface::Trust::kOwn : surface::Trust::kStranger;
  services_ = TRY(ServiceRestore::plan(*rooms_, manifest_, options_, signer, service_findings_, progress_));
  RestoreRoom room;
  if (!instance_.store().directory().empty()) room.want(instance_.store().directory(), record_bytes_, 0);
  services_->want_room(room);
  room.report(service_findings_);
  // Asked only where it decides: every context is looked into.
  if (signer == surface::Trust::kStranger && records_before_ == 0 && !options_.expect_did)
    has_tenants_ = TRY(any_context_has_data(*rooms_));
  return {};
}

// Whether nothing that is known before the records are read speaks against it.
bool Import::may_stage(const ImportFacts& known) const {
  if (!services_ || options_.dry_run || services_->refusal()) return false;
  if ((whole_instance() && !manifest_.identity_included) || !is_expected(manifest_, options_)) return false;
  const auto findings = preflight(manifest_, options_, known);
  return first_stop(findings) == nullptr && !lacks_room_;
}

// The export of the bundle's identity that a service was last restored from here.
Result<void> Import::add_older_services(ImportFacts& facts) {
  if (!services_) return {};
  for (const ServicePart& part : services_->parts()) {
    const auto seen = TRY(writer_->setting(restored_setting(manifest_.source_did, part.service, part.context)));
    if (seen && std::strtoull(seen->c_str(), nullptr, 10) > manifest_.export_sequence)
      facts.older_services.push_back(part.service + (part.context.empty() ? "" : " of " + part.context));
  }
  return {};
}

Result<void> Import::note_restored() {
  for (const ServicePart& part : services_->parts())
    TRY(writer_->set_setting(restored_setting(manifest_.source_did, part.service, part.context),
                             std::to_string(manifest_.export_sequence)));
  if (replaces_) TRY(writer_->set_setting(kRecordsReplacedSetting, services_->id()));
  return writer_->set_setting(kRestoreCommittedSetting, services_->id());
}

// Within the transaction: until the commit the records are there for everybody else.
Result<void> Import::replace_records() {
  if (!replaces_) return {};
  if (stages_) TRY(services_->keep_records(*writer_));
  note("records", FindingStatus::kWarn, did_before_.value_or(""),
       "the bundle's records take the place of " + std::to_string(records_before_) + " that are here",
       "they are kept as previous: spl service all restore --previous brings them back");
  TRY(writer_->clear_records());
  return writer_->expect_many_distinct();
}

// Whether the record is of what is taken of the bundle.
Result<bool> Import::is_wanted(const bundle::BundleEntry& entry) {
  if (options_.context) return is_of_context(*entry.record, *options_.context);
  return !options_.service;
}

Result<void> Import::take_record(const bundle::BundleEntry& entry) {
  if (!TRY(is_wanted(entry))) return {};
  ++report_.records_inspected;
  if (report_.records_inspected % kProgressEvery == 0) {
    progress_.update("importing records", report_.records_inspected, manifest_.record_count, "records");
    if (progress_.cancelled()) return cancelled();
  }
  return mode_ == Mode::kInsert ? insert(*entry.record) : compare(entry);
}

Result<void> Import::insert(const Record& record) {
  switch (TRY(writer_->put(record))) {
    case store::PutOutcome::kInserted:
      ++report_.records_inserted;
      return keep_room(record.canonical.size());
    case store::PutOutcome::kDiffers:
      ++report_.records_differing;
      break;
    case store::PutOutcome::kSigFilled:
      ++sigs_filled_;
      break;
    case store::PutOutcome::kDuplicate:
      break;
  }
  ++report_.records_deduplicated;
  return {};
}

// A merge finds out as it goes how much is new, and ends before the disk is full for everything else: it goes on
// reading for what is wrong with the bundle, which comes first, and will stop for want of room.
Result<void> Import::keep_room(std::uint64_t bytes) {
  unchecked_bytes_ += bytes;
  const std::string directory = instance_.store().directory();
  if (records_before_ == 0 || unchecked_bytes_ < kRoomCheckedEach || directory.empty()) return {};
  unchecked_bytes_ = 0;
  const auto free = instance_.env().fs.free_bytes(directory);
  if (!free || *free >= kRoomKeptBytes) return {};
  lacks_room_ = true;
  mode_ = Mode::kCompare;
  writer_.reset();
  writer_ = TRY(instance_.store().writer());
  note("space", FindingStatus::kStop, directory,
       "there was no more room after " + std::to_string(report_.records_inserted) + " new records",
       "free some disk space, or give a home on another disk with --home");
  return {};
}

// With what this store would write for it, octet for octet; it is parsed only where that differs.
Result<void> Import::compare(const bundle::BundleEntry& entry) {
  const RecordId id = TRY(RecordId::parse(bundle::parts_of_record_path(entry.path).id));
  std::optional<Record> record;
  bool lacks_sig = false;
  const bool there = TRY(writer_->look(id, [&](const store::StoredRecord& row) -> Result<void> {
    if (would_be(row, entry.content)) return {};
    TRY(record::check_content(id, row.canonical));
    record = TRY(record::parse_record_file(entry.content, id));
    if (row.judged_by != std::optional<std::string_view>(record->judged_by)) ++report_.records_differing;
    lacks_sig = !row.sig || (record::is_reserved(record->thread) && !row.is_signed);
    return {};
  }));
  ++(there ? report_.records_deduplicated : missing_);
  if (!lacks_sig || !record->sig) return {};
  // What was found is written only if nothing is missing.
  fills_ = true;
  if (TRY(writer_->put(*record)) == store::PutOutcome::kSigFilled) ++sigs_filled_;
  return {};
}

// One context or service out of a bundle: nothing else of it is read, where it is a file.
bool Import::is_section_wanted(std::string_view prefix) const {
  if (whole_instance()) return true;
  if (prefix == bundle::kRecordsPrefix) return !options_.service;
  return services_ && services_->takes(prefix);
}

Result<void> Import::take_entries() {
  TRY(bundle_.limit_to([this](std::string_view prefix) { return is_section_wanted(prefix); }));
  while (const auto entry = TRY(bundle_.next())) {
    switch (entry->kind) {
      case bundle::EntryKind::kRecord:
        TRY(take_record(*entry));
        break;
      case bundle::EntryKind::kDidDocument:
        document_ = entry->content;
        break;
      case bundle::EntryKind::kPrivateKey:
        seed_ = SecretBytes(entry->content);
        break;
      case bundle::EntryKind::kTokens: {
        auto tokens = substrate::parse_tokens(entry->content);
        if (!tokens) return bundle::malformed(entry->path, tokens.error().message);
        tokens_ = std::move(*tokens);
        break;
      }
      case bundle::EntryKind::kServiceFile:
        progress_.update("verifying the services", 0, 0, "");
        if (progress_.cancelled()) return cancelled();
        break;
    }
  }
  progress_.update("importing records", report_.records_inspected, manifest_.record_count, "records");
  return {};
}

// The safety gates: code 3, after all verification and before every stop.
Result<void> Import::refuse(const ImportFacts& known) const {
  if (whole_instance() && !manifest_.identity_included)
    return fail(ErrorCode::kRefused, Cause::kNoIdentity,
                "import refused: bundle has no identity (exported with --no-identity)",
                "export it again without --no-identity");
  if (!is_expected(manifest_, options_))
    return fail(ErrorCode::kRefused, Cause::kUnknownSigner,
                "import refused: the bundle is signed by " + manifest_.source_did + ", not by " + *options_.expect_did,
                "check where the bundle comes from");
  if (services_ && services_->refusal()) return std::unexpected(*services_->refusal());
  if (wants_known_signer(manifest_, options_, known))
    return fail(ErrorCode::kRefused, Cause::kUnknownSigner,
                "restore refused: the bundle is signed by " + manifest_.source_did + ", and " +
                    (brings_services(manifest_, options_) ? "services are only restored from"
                                                          : "records are only replaced by") +
                    " this instance's own bundles",
                "name the signer with --expect-did where you trust it");
  if (missing_ > 0 && !lacks_room_)
    return fail(ErrorCode::kRefused, Cause::kStoreNotEmpty,
                "import refused: local store has " + std::to_string(records_before_) +
                    " records; pass --force-overwrite to import anyway",
                "with --force-overwrite the records are merged and nothing is deleted");
  return {};
}

Result<std::set<std::string>> Import::effective_now(const std::optional<std::string>& did) {
  std::set<std::string> ids;
  for (const std::string_view thread : record::reserved_threads()) {
    TRY(substrate::effective_records(*writer_, thread, did, [&ids](const Record& record) -> Result<void> {
      ids.insert(record.id.hex());
      return {};
    }));
  }
  return ids;
}

Result<void> Import::note_effects(const std::set<std::string>& effective_before) {
  if (effective_before.empty()) return {};
  const auto after = TRY(effective_now(did_after()));
  std::string names;
  std::size_t lost = 0;
  for (const std::string& id : effective_before) {
    if (after.contains(id)) continue;
    if (lost++ < kNamedRecordsMax) names += " " + id;
  }
  if (lost > 0 && replaces_)
    note("authority", FindingStatus::kWarn, did_before_.value_or(""),
         std::to_string(lost) + " records that had an effect here have none afterwards:" + names,
         "those that the bundle has, too, spl authority endorse ID... signs anew");
  else if (lost > 0)
    note("authority", FindingStatus::kWarn, *did_before_,
         std::to_string(lost) + " records of the identity before lose their effect:" + names,
         "spl authority endorse ID... signs them anew");
  return {};
}

// Everything beside the records, in the same transaction.
Result<void> Import::adopt() {
  if (adopts_) {
    adopted_ = TRY(substrate::identity_from(seed_.reveal(), document_));
    // Whatever else the bundle's document says, the home's is made from the key alone.
    adopted_->document = record::did_document_text(adopted_->key.public_key());
    TRY(substrate::stage_identity(instance_.env(), instance_.paths().identity(), did_before_, *adopted_));
    TRY(writer_->set_setting(store::kDidSetting, adopted_->did));
    TRY(writer_->set_setting(store::kIdentityCreatedAtSetting, env::rfc3339(instance_.env().clock.now())));
  }
  if (returns_) TRY(instance::note_return(*writer_));
  if (adopts_ || report_.identity == IdentityOutcome::kSame) {
    TRY(take_over(*writer_, did_before_, manifest_.source_did, this_export()));
    for (const store::Token& token : tokens_) TRY(writer_->put_token(token));
  } else {
    TRY(note_seen(*writer_, manifest_.source_did, this_export()));
  }
  // One that comes home is not taken by its peers for the one that stayed there meanwhile.
  if (records_before_ > 0 && !replaces_ && !returns_) return {};
  std::string random(16, '\0');
  instance_.env().random.fill(random);
  return writer_->new_incarnation(base::to_hex(random));
}

Result<void> Import::install() {
  // What is taken away is kept, or nothing is.
  if (replaces_ && !stages_) return fail("the records cannot be replaced: what is here was not kept");
  progress_.update("making it durable", 0, 0, "");
  auto done = adopt();
  if (done && stages_) done = note_restored();
  if (done) done = count_import(*writer_, env::rfc3339(instance_.env().clock.now()));
  if (done) done = writer_->commit();
  if (done) put_in_force();
  writer_.reset();
  if (!done && adopts_) instance_.drop_staged_identity();
  return done;
}

// With the services, all or nothing: they are switched before the commit line is written, and back if it is not.
Result<void> Import::put_all(Result<void> (Import::*write)()) {
  if (!stages_) return (this->*write)();
  TRY(services_->switch_over());
  auto done = (this->*write)();
  if (!done) {
    const auto back = services_->switch_back();
    if (!services_->not_started().empty()) done.error().message += "; and " + services_->not_started();
    if (!back) done.error().message += "; and the services could not be switched back: " + back.error().message;
    return done;
  }
  // Nothing makes it fail any more: what is left to be done the next start or restore does.
  if (const auto finished = services_->finish(report_.preflight); !finished)
    note("restore", FindingStatus::kWarn, manifest_.source_did, finished.error().message, finished.error().hint);
  report_.services = services_->report();
  return done;
}

// What a verification leaves: signatures that were missing, and that this export of the own identity is known.
Result<void> Import::note_verified() {
  const bool advances =
      report_.identity == IdentityOutcome::kSame && manifest_.export_sequence > TRY(last_sequence(*writer_));
  if (advances) TRY(take_over(*writer_, did_before_, manifest_.source_did, this_export()));
  if (stages_) TRY(note_restored());
  return advances || fills_ || stages_ ? writer_->commit() : Result<void>();
}

// After the commit, and before another may write: nothing makes the import fail any more.
void Import::put_in_force() {
  if (!adopted_) return;
  const auto placed = instance_.adopt_committed_identity(std::move(*adopted_));
  if (placed) return;
  note("identity", FindingStatus::kWarn, manifest_.source_did,
       "the identity is in force, its files are not in their place yet: " + placed.error().message,
       "they lie in identity/incoming/, and every start of a writer tries again");
}

Result<void> Import::fill_counts() {
  const auto counts = TRY(substrate::authority_counts(*writer_, did_after()));
  report_.federation_pairs = counts.federation_pairs;
  report_.consent_grants = counts.consent_grants;
  return {};
}

Result<ImportReport> Import::run(std::vector<Finding>* findings) {
  const auto started = instance_.env().clock.steady();
  // Before the store's writer: who changes services may want that, too.
  const std::scoped_lock lock(instance_.service_work());
  if (brings_services(manifest_, options_) || options_.replace_records)
    TRY(settle_restores(instance_.env(), instance_.paths(), TRY(instance_.config()), instance_.store(), progress_));
  TRY(prepare());
  const auto effective_before =
      (adopts_ || replaces_) && records_before_ > 0 ? TRY(effective_now(did_before_)) : std::set<std::string>();
  TRY(plan_services());
  stages_ = may_stage(TRY(facts()));
  if (stages_) TRY(services_->begin());
  TRY(replace_records());
  TRY(take_entries());
  // From here on the bundle has verified to its last byte.
  if (stages_) TRY(services_->stage_all(bundle_));
  const ImportFacts known = TRY(facts());
  report_.signer = signer_of(manifest_, options_, known);
  for (Finding& finding : preflight(manifest_, options_, known)) report_.preflight.push_back(std::move(finding));
  TRY(add_ineffective(*writer_, did_after(), report_.preflight));
  TRY(note_effects(effective_before));
  if (findings != nullptr) *findings = report_.preflight;
  TRY(refuse(known));
  if (const Finding* stop = first_stop(report_.preflight))
    return fail(ErrorCode::kStop, "pre-flight: " + stop->check + ": " + stop->message, stop->hint);
  TRY(fill_counts());
  if (progress_.cancelled()) return cancelled();
  if (services_) report_.services = services_->report();
  if (!options_.dry_run) TRY(put_all(mode_ == Mode::kInsert ? &Import::install : &Import::note_verified));
  report_.seconds = std::chrono::duration<double>(instance_.env().clock.steady() - started).count();
  return std::move(report_);
}

}  // namespace

Result<ImportReport> import_bundle(instance::Instance& instance, Source& in, const ImportOptions& options,
                                   base::Progress& progress, std::vector<Finding>* findings) {
  const auto bundle = TRY(bundle::BundleReader::open(in, options.reader));
  return Import(instance, *bundle, options, progress).run(findings);
}

}  // namespace spl::operation
