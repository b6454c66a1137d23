#include "operation/log.h"

#include "base/encoding.h"

namespace spl::operation {
namespace {

// As the text stands in a record: within a string of JSON.
std::string as_in_json(const std::string& text) {
  std::string quoted;
  base::append_json_string(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

class LogReader {
 public:
  LogReader(store::StoreReader& reader, const LogQuery& query, const LogVisitor& visit)
      : reader_(reader), query_(query), visit_(visit), text_(query.text ? as_in_json(*query.text) : "") {}

  Result<void> read() {
    std::uint64_t after = 0;
    if (query_.since) {
      const auto first = TRY(reader_.first_arrived_since(*query_.since));
      if (!first) return {};
      after = *first - 1;
    }
    const auto look = [this](const store::StoredRecord& row) { return take(row); };
    auto walked = query_.order == LogOrder::kNewestFirst
                      ? reader_.newest_first(after, query_.thread, look)
                      : reader_.changes(after, ~std::uint64_t{0}, query_.thread, look);
    return walked || !is_full_ ? walked : Result<void>();
  }

 private:
  Result<void> take(const store::StoredRecord& row) {
    is_full_ = taken_ == query_.limit;
    if (is_full_) return fail("no more is asked for");
    if (!text_.empty() && row.canonical.find(text_) == std::string_view::npos) return {};
    const auto arrived = TRY(arrived_at(row.sequence));
    // Where the clock was set back, what came later may have an earlier time.
    if (query_.since && (!arrived || *arrived < *query_.since)) return {};
    const Record record = TRY(store::parse_row(row));
    if (!fits(record)) return {};
    ++taken_;
    return visit_({row, record, arrived});
  }

  [[nodiscard]] bool fits(const Record& record) const {
    if (query_.actor && record.actor != *query_.actor) return false;
    if (query_.act && record.act != *query_.act) return false;
    if (!query_.name_space) return true;
    const auto name = record::body_string(record.body(), "namespace");
    return name && (*name == *query_.name_space || name->starts_with(*query_.name_space + "/"));
  }

  // Asked once for the records that came together.
  Result<std::optional<std::int64_t>> arrived_at(std::uint64_t sequence) {
    const bool newest_first = query_.order == LogOrder::kNewestFirst;
    if (!newest_first || !last_ || sequence < last_->first_sequence) last_ = TRY(reader_.arrival(sequence));
    return last_ ? std::optional(last_->at) : std::nullopt;
  }

  store::StoreReader& reader_;
  const LogQuery& query_;
  const LogVisitor& visit_;
  const std::string text_;
  std::uint64_t taken_ = 0;
  bool is_full_ = false;
  std::optional<store::Arrival> last_;
};

}  // namespace

Result<void> read_log(store::StoreReader& reader, const LogQuery& query, const LogVisitor& visit) {
  return LogReader(reader, query, visit).read();
}

}  // namespace spl::operation
