// Records, one by one and many at once.
#include <algorithm>

#include "api/cursor.h"
#include "api/list.h"
#include "api/record_lines.h"
#include "api/routes.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "instance/ingest.h"
#include "record/thread.h"
#include "spool/receive.h"

namespace spl::api {
namespace {

using codec::Json;

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

Result<void> post_one(Call& call) {
  Exchange& exchange = call.exchange;
  const std::string_view body = TRY(exchange.body(kRecordBodyBytesMax));
  const auto turn = call.served.parsing.take(body.size());
  RecordId id;
  auto record = record::parse_record_line(body);
  if (record) {
    TRY(check_actor(exchange, record->actor));
    id = record->id;
    std::vector<Record> records;
    records.push_back(std::move(*record));
    TRY(put_on(call, record::is_reserved(records[0].thread),
               [&] { return instance::put_records(call.served.instance, records, account_of(exchange)); }));
  } else {
    // It may only lack a clock. What has an id with it must not.
    const auto draft = record::parse_record(body, 0);
    if (!draft) return std::unexpected(record::is_wrapped_record(body) ? std::move(record).error() : draft.error());
    TRY(check_actor(exchange, draft->actor));
    const auto own = may_sign(exchange) ? instance::OwnRecords::kSigned : instance::OwnRecords::kAsGiven;
    id = TRY(put_on(call, record::is_reserved(draft->thread),
                    [&] { return instance::put_one(call.served.instance, body, own, account_of(exchange)); }));
  }
  return exchange.send_json(201, Json::Object{{"id", id.hex()}});
}

Result<void> send_report(Exchange& exchange, const instance::PutReport& report) {
  exchange.add_field(http::kReportField, codec::shape_json(report.details).text());
  return exchange.send_json(200, codec::shape_json(report));
}

Result<void> post_batch(Call& call, std::string_view lines) {
  const auto turn = call.served.parsing.take(lines.size());
  const std::vector<Record> records = TRY(call.served.lines.parse(lines));
  bool reserved = false;
  for (const Record& record : records) {
    TRY(check_actor(call.exchange, record.actor));
    reserved = reserved || record::is_reserved(record.thread);
  }
  return send_report(call.exchange, TRY(put_on(call, reserved, [&] {
                       return instance::put_records(call.served.instance, records, account_of(call.exchange));
                     })));
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
  exchange.body_buffer().recycle();
  return send_report(exchange, TRY(call.served.gate.change_power([&] {
                       return instance::put_ndjson(
                           instance, spooled, exchange.progress(),
                           [&exchange](std::string_view actor) { return check_actor(exchange, actor); },
                           account_of(exchange));
                     })));
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
  table.push_back({"POST",
                   "/v1/records",
                   Access::kWrite,
                   post_records,
                   {.summary = "Puts one record, or many (application/x-ndjson) all or nothing.", .status = 201}});
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
