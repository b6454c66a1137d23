// Records, one by one and many at once.
#include <algorithm>

#include "api/cursor.h"
#include "api/list.h"
#include "api/record_lines.h"
#include "api/routes.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "instance/ingest.h"
#include "record/record_lines.h"
#include "record/thread.h"
#include "spool/receive.h"

namespace spl::api {
namespace {

using codec::Json;

constexpr std::size_t kIdempotencyKeyBytesMax = 255;
// A record in any JSON form, which may be longer than what is kept of it.
constexpr std::size_t kRecordBodyBytesMax = base::kRecordBytesMax + (1u << 20);

Result<void> check_actor(Exchange& exchange, std::string_view actor) {
  if (may_write_as(exchange, actor)) return {};
  return fail(ErrorCode::kRefused, Cause::kActorForbidden, "the token may not write as " + base::escaped(actor),
              "an account names its actors when it is created");
}

// "" is the owner.
std::string account_of(const Exchange& exchange) {
  return exchange.bearer() ? exchange.bearer()->account : std::string();
}

// Accounts are records, and so are the endorsements that they may need, on any reserved thread and whoever puts them.
template <class Put>
auto put_on(Call& call, bool reserved, const Put& put) {
  return reserved ? call.served.gate.change_power(put) : put();
}

instance::PutBy put_by(const Exchange& exchange, std::vector<RecordId>* ids) {
  return {.account = account_of(exchange),
          .own = may_sign(exchange) ? instance::OwnRecords::kSigned : instance::OwnRecords::kAsGiven,
          .ids = ids};
}

// What the field Idempotency-Key asks for; `what` tells apart requests of which the same body means different things.
Result<std::optional<instance::Once>> once_of(const Exchange& exchange, std::string_view what, std::string_view body) {
  const std::string* key = http::find_field(exchange.head().fields, "idempotency-key");
  if (key == nullptr) return std::optional<instance::Once>();
  const bool is_good = !key->empty() && key->size() <= kIdempotencyKeyBytesMax &&
                       std::ranges::all_of(*key, [](char c) { return c >= 0x20 && c <= 0x7E; });
  if (!is_good)
    return fail(ErrorCode::kUsage, "header field idempotency-key is not 1 to 255 characters of ASCII",
                "give a new random text, such as a UUID, for each request that is not one sent again");
  instance::Once once;
  once.key = crypto::sha256(account_of(exchange) + '\0' + *key);
  once.request = crypto::sha256(std::string(what) + '\0' + std::string(body));
  return std::optional(std::move(once));
}

Result<void> post_one(Call& call) {
  Exchange& exchange = call.exchange;
  const std::string_view body = TRY(exchange.body(kRecordBodyBytesMax));
  const auto turn = call.served.parsing.take(body.size());
  std::vector<Record> records;
  records.push_back(TRY(record::parse_record_to_put(body)));
  TRY(check_actor(exchange, records[0].actor));
  std::vector<RecordId> ids;
  const auto answer = [&ids](const instance::PutReport&) { return Json(Json::Object{{"id", ids.at(0).hex()}}).text(); };
  instance::PutBy by = put_by(exchange, &ids);
  auto once = TRY(once_of(exchange, "record", body));
  if (once) once->answer = answer;
  if (once) by.once = &*once;
  const auto report = TRY(put_on(call, record::is_reserved(records[0].thread),
                                 [&] { return instance::put_records(call.served.instance, records, by); }));
  return exchange.send(201, kJsonType, once ? *once->given : answer(report));
}

// What the answer to many records is: a report, or in NDJSON the id of each record, in their order.
std::string lines_of(const std::vector<RecordId>& ids) {
  std::string lines;
  for (const RecordId& id : ids) lines.append("{\"id\":\"").append(id.hex()).append("\"}\n");
  return lines;
}

Result<void> post_batch(Call& call, std::string_view lines) {
  Exchange& exchange = call.exchange;
  const auto turn = call.served.parsing.take(lines.size());
  const std::vector<Record> records = TRY(call.served.lines.parse(lines));
  bool reserved = false;
  for (const Record& record : records) {
    TRY(check_actor(exchange, record.actor));
    reserved = reserved || record::is_reserved(record.thread);
  }
  const bool wants_ids = http::accepts_ndjson(exchange.head().fields);
  std::vector<RecordId> ids;
  const auto answer = [&](const instance::PutReport& report) {
    return wants_ids ? lines_of(ids) : codec::shape_json(report).text();
  };
  instance::PutBy by = put_by(exchange, wants_ids ? &ids : nullptr);
  auto once = TRY(once_of(exchange, wants_ids ? "lines, ids" : "lines", lines));
  if (once) once->answer = answer;
  if (once) by.once = &*once;
  const auto report =
      TRY(put_on(call, reserved, [&] { return instance::put_records(call.served.instance, records, by); }));
  exchange.add_field(http::kReportField, codec::shape_json(report.details).text());
  return exchange.send(200, wants_ids ? kNdjsonType : kJsonType, once ? *once->given : answer(report));
}

// Of any length: through a file without a name, so that the store's writer waits for no network.
Result<void> post_spooled(Call& call) {
  Exchange& exchange = call.exchange;
  instance::Instance& instance = call.served.instance;
  http::BodySource rest(*TRY(exchange.body_wire()));
  const std::string_view beginning = exchange.body_buffer().view();
  auto lines = TRY(spool::BoundedLines::after(beginning, rest, record::kRecordLineBytesMax));
  auto spooled = TRY(spool::Received::all_of(instance.env(), instance.paths().run(), lines, exchange.progress(),
                                             "receiving records", beginning));
  const auto answer = [](const instance::PutReport& report) { return codec::shape_json(report).text(); };
  // Only the key tells whether it was sent before: it is too long to be kept until all of it is seen.
  auto once = TRY(once_of(exchange, "many lines", ""));
  instance::PutBy by = put_by(exchange, nullptr);
  if (once) once->answer = answer;
  if (once) by.once = &*once;
  exchange.body_buffer().recycle();
  const auto report = TRY(call.served.gate.change_power([&] {
    return instance::put_ndjson(
        instance, spooled, exchange.progress(),
        [&exchange](std::string_view actor) { return check_actor(exchange, actor); }, by);
  }));
  exchange.add_field(http::kReportField, codec::shape_json(report.details).text());
  return exchange.send(200, kJsonType, once ? *once->given : answer(report));
}

// Whoever writes with a token leaves the owner room for what he does about a disk that is nearly full.
Result<void> check_room(Call& call) {
  instance::Instance& instance = call.served.instance;
  const std::string directory = instance.store().directory();
  if (call.exchange.door() == Door::kUnix || directory.empty()) return {};
  const auto free = instance.env().fs.free_bytes(directory);
  if (!free || *free >= spool::kRoomKeptBytes) return {};
  return fail(Cause::kNoSpace, "the disk of the store is full", "its owner has to free some space");
}

Result<void> post_records(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  TRY(check_room(call));
  const std::string* type = http::find_field(exchange.head().fields, "content-type");
  const bool is_ndjson = type != nullptr && (http::begins_with(*type, "application/x-ndjson") ||
                                             http::begins_with(*type, "application/ndjson"));
  if (!is_ndjson) return post_one(call);
  if (TRY(exchange.fill_body(kBatchBytesMax)) == BodyBuffer::Fill::kWhole)
    return post_batch(call, exchange.body_buffer().view());
  return post_spooled(call);
}

Result<void> get_record(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const RecordId id = TRY(RecordId::parse(exchange.captured(0)));
  // As a list of one: a long record does not stay in memory until a slow client has it.
  List list(call.served.single_records, call.served.instance, exchange);
  bool found = false;
  TRY(list.take([&](store::StoreReader& reader) -> Result<void> {
    found = TRY(reader.look(id, [&](const store::StoredRecord& row) -> Result<void> {
      TRY(record::check_content(row.id, row.canonical));
      TRY(list.add(record_object_beginning(row.id)));
      return list.add(std::string_view(record::file_text(row.canonical, row.judged_by, row.sig)).substr(1));
    }));
    return {};
  }));
  if (!found) return fail(ErrorCode::kFailed, Cause::kNotFound, "no record " + id.hex() + " is here");
  return list.send();
}

// {"records","cursor","has_more"}
Result<void> send_page(Call& call, std::optional<std::string_view> thread, store::Cursor cursor, std::uint64_t limit) {
  List list(call.served.lists, call.served.instance, call.exchange);
  std::string text = "{\"records\":[";
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  bool has_more = false;
  const auto visit = [&](const store::StoredRecord& row) -> Result<void> {
    // One more than is asked for tells whether there is more.
    has_more = count == limit || bytes > kPageBytesMax;
    if (has_more) return fail("the page is full");
    TRY(record::check_content(row.id, row.canonical));
    if (count++ > 0) text.push_back(',');
    const std::string content = record::file_text(row.canonical, row.judged_by, row.sig);
    text.append(record_object_beginning(row.id)).append(content, 1);
    cursor.sequence = row.sequence;
    bytes += text.size();
    TRY(list.add(text));
    text.clear();
    return {};
  };
  TRY(list.take([&](store::StoreReader& reader) -> Result<void> {
    TRY(check_cursor(cursor, reader));
    auto walked = reader.changes(cursor.sequence, limit + 1, thread, visit);
    return walked || !has_more ? walked : Result<void>();
  }));
  text += "],\"cursor\":\"" + cursor.text() + "\",\"has_more\":" + (has_more ? "true}" : "false}");
  TRY(list.add(text));
  return list.send();
}

// {"id","record","sig"?} a line.
Result<void> send_lines(Call& call, std::optional<std::string_view> thread, store::Cursor cursor, std::uint64_t limit) {
  List list(call.served.lists, call.served.instance, call.exchange);
  std::string text;
  TRY(list.take([&](store::StoreReader& reader) -> Result<void> {
    TRY(check_cursor(cursor, reader));
    return reader.changes(cursor.sequence, limit, thread, [&](const store::StoredRecord& row) -> Result<void> {
      TRY(record::check_content(row.id, row.canonical));
      text.clear();
      record::append_element(text, row.id, row.canonical, row.judged_by, row.sig);
      text.push_back('\n');
      cursor.sequence = row.sequence;
      return list.add(text);
    });
  }));
  call.exchange.add_field(http::kCursorField, cursor.text());
  return list.send(kNdjsonType);
}

Result<void> list_records(Call& call) {
  Exchange& exchange = call.exchange;
  const bool as_lines = http::accepts_ndjson(exchange.head().fields);
  const std::string* parameter = exchange.parameter("thread");
  const auto thread = parameter == nullptr ? std::nullopt : std::optional<std::string_view>(*parameter);
  const store::Cursor cursor = TRY(cursor_from(exchange));
  // Lines end where the store does, where nothing else is asked for.
  const std::uint64_t limit = TRY(exchange.number("limit", as_lines ? kLinesMax : kPageRecordsDefault));
  TRY(exchange.only_known_parameters());
  const std::uint64_t limit_max = as_lines ? kLinesMax : kPageRecordsMax;
  if (limit == 0 || limit > limit_max)
    return fail(ErrorCode::kUsage, "parameter limit is not from 1 to " + std::to_string(limit_max));
  return as_lines ? send_lines(call, thread, cursor, limit) : send_page(call, thread, cursor, limit);
}

}  // namespace

void add_record_routes(std::vector<Route>& table) {
  table.push_back(
      {"POST",
       "/v1/records",
       Access::kWrite,
       post_records,
       {.summary = "Puts one record, or many (application/x-ndjson) all or nothing; each may lack its clock. With the "
                   "header field "
                   "idempotency-key the request may be sent again for 24 hours. With accept: application/x-ndjson the "
                   "answer to many has the id of each.",
        .status = 201}});
  table.push_back(
      {"GET",
       "/v1/records",
       Access::kRead,
       list_records,
       {.summary = "Records in the order of arrival, at most limit: records, cursor, has_more. since is 0 or the "
                   "cursor of an earlier answer; 410 CURSOR_GONE says that the instance was restored: begin "
                   "again, ids tell what is known. With accept: application/x-ndjson a record a line, all "
                   "there are where no limit is given, and the cursor in the header field spl-cursor."}});
  table.push_back({"GET", "/v1/records/{id}", Access::kRead, get_record, {.summary = "One record."}});
}

}  // namespace spl::api
