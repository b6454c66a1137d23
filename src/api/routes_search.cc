// Search: records that hold a text, as far as two seconds lead.
#include "api/cursor.h"
#include "api/list.h"
#include "api/record_lines.h"
#include "api/routes.h"
#include "base/encoding.h"
#include "record/record.h"

namespace spl::api {
namespace {

constexpr std::chrono::seconds kSearchFor{2};
constexpr std::size_t kFoundMax = 50;
constexpr std::size_t kQueryBytesMax = 1024;
constexpr std::uint64_t kLookEvery = 256;  // records, between two looks at the clock

// As the text stands in a record: within a string of JSON.
std::string as_in_json(const std::string& text) {
  std::string quoted;
  base::append_json_string(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

class Search {
 public:
  Search(Call& call, const std::string& text, store::Cursor cursor)
      : call_(call),
        text_(as_in_json(text)),
        cursor_(std::move(cursor)),
        until_(call.served.instance.env().clock.steady() + kSearchFor) {}

  Result<void> read(store::StoreReader& reader, List& list) {
    TRY(check_cursor(cursor_, reader));
    total_ = TRY(reader.counts()).records;
    auto walked = reader.changes(cursor_.sequence, ~std::uint64_t{0}, std::nullopt,
                                 [&](const store::StoredRecord& row) { return look(reader, list, row); });
    return walked || !has_more_ ? walked : Result<void>();
  }
  // How the answer ends.
  [[nodiscard]] std::string end() const {
    return "],\"searched\":" + std::to_string(searched_) + ",\"total\":" + std::to_string(total_) + ",\"cursor\":\"" +
           cursor_.text() + "\",\"has_more\":" + (has_more_ ? "true}" : "false}");
  }

 private:
  Result<void> look(store::StoreReader& reader, List& list, const store::StoredRecord& row) {
    has_more_ = found_ == kFoundMax ||
                (searched_ % kLookEvery == kLookEvery - 1 && call_.served.instance.env().clock.steady() >= until_);
    if (has_more_) return fail("the time is up, or the page full");
    ++searched_;
    cursor_.sequence = row.sequence;
    if (row.canonical.find(text_) == std::string_view::npos) return {};
    TRY(record::check_content(row.id, row.canonical));
    std::string text(found_++ == 0 ? "" : ",");
    text.append(record_object_beginning(row.id));
    text.append(record::file_text(row.canonical, row.judged_by, row.sig), 1);
    text.pop_back();
    const auto arrival = TRY(reader.arrival(row.sequence));
    text +=
        ",\"arrived_at\":" +
        (arrival ? "\"" + env::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(arrival->at))) + "\""
                 : std::string("null")) +
        "}";
    return list.add(text);
  }

  Call& call_;
  const std::string text_;
  store::Cursor cursor_;
  const std::chrono::steady_clock::time_point until_;
  std::uint64_t total_ = 0;
  std::uint64_t searched_ = 0;
  std::size_t found_ = 0;
  bool has_more_ = false;
};

Result<void> search(Call& call) {
  const std::string* text = call.exchange.parameter("q");
  const std::string* from = call.exchange.parameter("cursor");
  store::Cursor cursor;
  if (from != nullptr && !from->empty()) cursor = TRY(store::Cursor::parse(*from));
  TRY(call.exchange.only_known_parameters());
  if (text == nullptr || text->empty() || text->size() > kQueryBytesMax)
    return fail(ErrorCode::kUsage, "parameter q is not a text of 1 to " + std::to_string(kQueryBytesMax) + " bytes");
  List list(call.served.lists, call.served.instance, call.exchange);
  Search search(call, *text, std::move(cursor));
  TRY(list.add("{\"records\":["));
  TRY(list.take([&](store::StoreReader& reader) { return search.read(reader, list); }));
  TRY(list.add(search.end()));
  return list.send();
}

}  // namespace

void add_search_routes(std::vector<Route>& table) {
  table.push_back(
      {"GET",
       "/v1/search",
       Access::kAdmin,
       search,
       {.summary = "Records that hold the text q, in the order of arrival: those that two seconds find, and "
                   "how far that was."}});
}

}  // namespace spl::api
