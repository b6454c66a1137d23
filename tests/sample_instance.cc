#include "sample_instance.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/encoding.h"
#include "bundle/reader.h"
#include "crypto/did_key.h"
#include "instance/access.h"
#include "instance/ingest.h"
#include "record/thread.h"
#include "substrate/accounts.h"

namespace spl::testing {
namespace {

constexpr std::string_view kOtherSeed = "the key of some other instance 32";
constexpr int kDepthOfBody = 2;
constexpr std::size_t kLargeBytes = 1u << 20;

std::string json_string(std::string_view text) {
  std::string json;
  base::append_json_string(json, text);
  return json;
}

// Bodies that canonical JSON, or a program on the way, could spoil.
std::vector<std::string> odd_bodies() {
  const std::size_t levels = base::kJsonDepthMax - kDepthOfBody;
  return {
      "{}",
      "{\"nfd\":\"cafe\\u0301\",\"nfc\":\"caf\\u00e9\",\"face\":\"\\ud83d\\ude00\",\"raw\":\"\xf0\x9f\x98\x80\"}",
      "{\"zero\":\"a\\u0000b\",\"controls\":\"\\u0001\\b\\t\\n\\f\\r\\u001f\\u007f\\u0085\\u2028\"}",
      // By UTF-8 the second name comes last, by UTF-16 it would come first.
      "{\"\\uffff\":1,\"\\ud800\\udc00\":2,\"\":3,\"\\u0000\":4,\"a\\\"\\\\/\":5}",
      "{\"big\":123456789012345678901234567890123456789012345,\"neg\":-98765432109876543210987654321098765432109876}",
      "{\"floats\":[5e-324,1.7976931348623157e308,1e21,1e-7,0.1,-0.0,1e-400,123456789012345680000.0,4.35,1e2,-1.5E-3]}",
      "{\"deep\":" + std::string(levels, '[') + std::string(levels, ']') + "}",
      "{\"path\":\"../../etc/passwd\",\"sql\":\"'; DROP TABLE records; --\",\"sig\":\"no\",\"judged_by\":null}",
      "{ \"spaced\" : [ true , false , null , { } , [ ] ] }",
  };
}

void add_odd_records(std::vector<Record>& records) {
  std::uint64_t clock = 0;
  for (const std::string& body : odd_bodies()) records.push_back(make_record({.body = body, .clock = clock++}));
  std::string wide;
  while (wide.size() < base::kThreadBytesMax) wide += "\xc3\xbc";
  for (const std::string& thread :
       {std::string(), std::string(".hidden"), std::string("a/b c"), std::string("\xc3\xbc"), std::string("%"),
        std::string("%%41"), std::string(".."), std::string("th_\xf0\x9f\x98\x80"), wide,
        std::string(base::kThreadBytesMax, 'x')}) {
    for (clock = 0; clock < 2; ++clock) records.push_back(make_record({.clock = clock, .thread = thread}));
  }
  // Two that only their bodies tell apart, the largest clock, and one of each act and type.
  records.push_back(make_record({.body = "{\"n\":1}", .clock = 7, .thread = "th_equal"}));
  records.push_back(make_record({.body = "{\"n\":2}", .clock = 7, .thread = "th_equal"}));
  records.push_back(make_record({.clock = INT64_MAX, .thread = "th_equal"}));
  clock = 0;
  for (const char* act : {"INTEND", "DO", "KNOW", "LEARN", "GET", "PUT", "CALL", "MAP"})
    records.push_back(make_record({.act = act, .clock = clock++, .thread = "th_acts"}));
  for (const char* type : {"SCALAR", "FORMULA", "DISTRIBUTION", "REFERENCE", "MORPHISM", "VOID"})
    records.push_back(make_record({.act = "GET", .clock = clock++, .thread = "th_types", .data_type = type}));
  for (const std::string& judge : {std::string("did:example:judge"), std::string(), std::string("\"\\\n\0\xc3\xa9", 6)})
    records.push_back(make_record({.clock = clock++, .thread = "th_judged", .judged_by = judge}));
}

// A thread of each state.
void add_stories(std::vector<Record>& records) {
  const auto opened = [&records](const std::string& thread) {
    records.push_back(make_record({.act = "INTEND", .thread = thread}));
    return records.back().id;
  };
  const auto then = [&records](const char* act, const std::string& thread, std::uint64_t clock, std::string body,
                               std::vector<RecordId> parents) {
    records.push_back(make_record(
        {.act = act, .body = std::move(body), .clock = clock, .thread = thread, .parents = std::move(parents)}));
    return records.back().id;
  };
  opened("th_open");
  const RecordId active = opened("th_active");
  then("CALL", "th_active", 1, "{}", {active});
  const RecordId cancelled = opened("th_cancelled");
  then("DO", "th_cancelled", 1, "{\"cancels\":\"" + cancelled.hex() + "\"}", {cancelled});
  const RecordId rejected = opened("th_rejected");
  then("KNOW", "th_rejected", 1, R"({"verdict":"reject"})", {rejected});
  const RecordId closed = opened("th_closed");
  then("KNOW", "th_closed", 1, "{\"fulfills\":[\"" + closed.hex() + "\"]}", {closed});
  const RecordId again = opened("th_again");
  const RecordId end = then("KNOW", "th_again", 1, "{\"fulfills\":\"" + again.hex() + "\"}", {again});
  then("INTEND", "th_again", 2, "{}", {std::min(again, end), std::max(again, end)});
}

// Records with and without power, and with right and wrong signatures.
void add_signed_records(std::vector<Record>& records, const crypto::SigningKey& own) {
  const auto other = crypto::SigningKey::from_seed(kOtherSeed.substr(0, crypto::kSeedBytes));
  SPL_CHECK(other.has_value());
  const std::string own_did = crypto::did_of(own.public_key());
  const std::string other_did = crypto::did_of(other->public_key());
  const std::string grant = R"({"kind":"core.consent.v1","to":"did:example:friend"})";
  records.push_back(make_record({.actor = other_did, .thread = "th_signed"}, &*other));
  records.push_back(make_record({.actor = other_did, .clock = 1, .thread = "th_signed"}, &*other, Sign::kWrong));
  records.push_back(make_record({.actor = "did:example:nokey", .clock = 2, .thread = "th_signed"}, &*other));
  records.push_back(
      make_record({.actor = own_did, .clock = 3, .thread = "th_signed", .judged_by = "did:example:judge"}, &own));
  std::uint64_t clock = 0;
  for (const std::string_view thread : record::reserved_threads()) {
    const std::string name(thread);
    records.push_back(make_record({.act = "LEARN", .actor = own_did, .clock = clock, .thread = name}, &own));
    records.push_back(make_record({.act = "LEARN", .actor = other_did, .clock = clock, .thread = name}, &*other));
  }
  const Draft consent{.act = "LEARN", .actor = own_did, .body = grant, .clock = ++clock, .thread = "th_consent"};
  const auto consent_at = [&consent](std::uint64_t at) {
    Draft draft = consent;
    draft.clock = at;
    return draft;
  };
  records.push_back(make_record(consent, &own));
  records.push_back(make_record(consent_at(++clock), &own, Sign::kWrong));
  records.push_back(make_record(consent_at(++clock)));
  records.push_back(make_record(consent_at(++clock)));
  records.push_back(make_record({.act = "KNOW",
                                 .actor = own_did,
                                 .body = "{\"endorses\":[\"" + records.back().id.hex() + "\"]}",
                                 .clock = ++clock,
                                 .thread = "th_consent"},
                                &own));
  const std::string pair = R"({"kind":"core.pair.v1","pair_id":"p1","peer_did":"did:example:peer"})";
  const std::string pairs(record::kPairsThread);
  records.push_back(
      make_record({.act = "LEARN", .actor = own_did, .body = pair, .clock = ++clock, .thread = pairs}, &own));
  records.push_back(
      make_record({.act = "LEARN", .actor = other_did, .body = pair, .clock = ++clock, .thread = pairs}, &*other));
}

}  // namespace

std::unique_ptr<instance::Instance> Machine::open(std::string_view home, instance::OpenFor how) {
  auto opened = instance::Instance::open(env(), {.home = path(home), .store_url = {}}, how);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}

std::unique_ptr<instance::Instance> Machine::make(std::string_view home) {
  auto opened = open(home);
  const auto made = opened->generate_identity();
  EXPECT_TRUE(made) << made.error().message;
  return opened;
}

Record make_record(const Draft& draft, const crypto::SigningKey* key, Sign sign) {
  std::string parents;
  for (const RecordId& parent : draft.parents)
    parents.append(parents.empty() ? "" : ",").append(json_string(parent.hex()));
  auto made = record::parse_record("{\"act\":" + json_string(draft.act) + ",\"actor\":" + json_string(draft.actor) +
                                   ",\"body\":" + draft.body + ",\"clock\":" + std::to_string(draft.clock) +
                                   ",\"data_type\":" + json_string(draft.data_type) + ",\"parents\":[" + parents +
                                   "],\"thread\":" + json_string(draft.thread) +
                                   (draft.judged_by ? ",\"judged_by\":" + json_string(*draft.judged_by) : "") + "}");
  SPL_CHECK(made.has_value());
  if (key != nullptr && sign != Sign::kNot)
    made->sig = key->sign(sign == Sign::kRight ? made->canonical : made->canonical + " ");
  return std::move(*made);
}

std::vector<Record> sample_records(const crypto::SigningKey& own, SampleSize size) {
  std::vector<Record> records;
  add_odd_records(records);
  add_stories(records);
  add_signed_records(records, own);
  if (size == SampleSize::kWhole)
    records.push_back(make_record(
        {.body = "{\"large\":\"" + std::string(kLargeBytes, 'L') + "\"}", .clock = 1, .thread = "th_large"}));
  return records;
}

void fill_sample(instance::Instance& instance, SampleSize size) {
  const auto put = instance::put_records(instance, sample_records(instance.identity()->key, size));
  ASSERT_TRUE(put) << put.error().message;
  for (const char* name : {"ci", "bot"}) {
    ASSERT_TRUE(instance::create_account(
        instance, {.name = name, .scopes = {"records:read", "records:write"}, .actors = {"did:example:bot"}}));
    ASSERT_TRUE(
        instance::create_token(instance, {.account = name, .environment = "test", .scopes = {}, .expires_at = {}}));
  }
  ASSERT_TRUE(instance::create_token(
      instance, {.account = "ci", .scopes = {"records:read"}, .expires_at = "2030-01-31T12:00:00Z"}));
}

std::vector<Record> many_records(const std::string& thread, std::uint64_t count, const std::string& actor) {
  std::vector<Record> records;
  for (std::uint64_t clock = 0; clock < count; ++clock) {
    records.push_back(make_record({.actor = actor,
                                   .body = "{\"n\":" + std::to_string(clock) + ",\"text\":\"one of many\"}",
                                   .clock = clock,
                                   .thread = thread}));
  }
  return records;
}

Result<std::string> setting_of(instance::Instance& instance, std::string_view name) {
  return TRY(TRY(instance.store().reader())->setting(name)).value_or("");
}

Result<Contents> contents_of(instance::Instance& instance) {
  Contents contents;
  const auto reader = TRY(instance.store().reader());
  TRY(reader->changes(0, ~std::uint64_t{0}, {}, [&contents](const store::StoredRecord& row) -> Result<void> {
    contents.records[row.id.hex()] = record::file_text(row.canonical, row.judged_by, row.sig);
    return {};
  }));
  TRY(reader->threads([&contents](const store::ThreadSummary& thread) -> Result<void> {
    contents.threads[thread.thread] =
        std::string(record::thread_state_name(thread.state)) + ", " + std::to_string(thread.records) + " records";
    return {};
  }));
  contents.tokens = substrate::tokens_text(TRY(reader->tokens()));
  contents.did = TRY(reader->setting(store::kDidSetting)).value_or("");
  contents.export_sequence = TRY(reader->setting(store::kExportSequenceSetting)).value_or("");
  contents.previous_export = TRY(reader->setting(store::kPreviousExportSetting)).value_or("");
  const auto counts = TRY(substrate::authority_counts(*reader, instance.did()));
  contents.pairs = counts.federation_pairs;
  contents.grants = counts.consent_grants;
  contents.accounts = counts.service_accounts;
  return contents;
}

Result<std::string> export_text(instance::Instance& instance, operation::ExportOptions options) {
  base::NoProgress progress;
  const auto prepared = TRY(operation::prepare_export(instance, std::move(options), progress));
  base::StringSink out;
  TRY(prepared->write(out));
  TRY(prepared->note_durable());
  return std::move(out.text);
}

Result<operation::ImportReport> import_text(instance::Instance& instance, std::string_view bundle,
                                            const operation::ImportOptions& options,
                                            std::vector<operation::Finding>* findings) {
  base::NoProgress progress;
  base::StringSource source(bundle);
  return operation::import_bundle(instance, source, options, progress, findings);
}

Result<Verified> verify_bundle(std::string_view bundle, const bundle::ReaderOptions& options) {
  base::StringSource source(bundle);
  const auto reader = TRY(bundle::BundleReader::open(source, options));
  Verified verified{reader->manifest(), std::string(reader->manifest_text()), {}};
  while (const auto entry = TRY(reader->next())) verified.files.emplace(entry->path, entry->content);
  return verified;
}

}  // namespace spl::testing
