// Looking into a backup: opened with its key, listed, and a file of it taken out.
#include "api/routes.h"
#include "base/encoding.h"
#include "bundle/layout.h"
#include "codec/enum_names.h"
#include "operation/local_operations.h"

namespace spl::api {
namespace {

using codec::Json;
using operation::OpenedType;

constexpr std::string_view kFileType = "application/octet-stream";

std::optional<SecretBytes> secret_in(const Json& asked, std::string_view name) {
  const Json* text = asked.find(name);
  if (text == nullptr || text->string() == nullptr) return std::nullopt;
  return SecretBytes(*text->string());
}

Result<void> open_backup(Call& call) {
  TRY(call.exchange.only_known_parameters());
  auto body = call.exchange.json_body();
  call.exchange.body_buffer().wipe();
  const Json asked = TRY(std::move(body));
  const auto backup = TRY(operation::LocalOperations(call.served.instance).backup({call.exchange.captured(0)}));
  const auto opened =
      TRY(call.served.opened.open(backup.path, secret_in(asked, "passphrase"), secret_in(asked, "identity")));
  return call.exchange.send_json(200, Json::Object{{"handle", opened.handle}, {"expires_at", opened.expires_at}});
}

std::string_view word_of(OpenedType type) {
  switch (type) {
    case OpenedType::kDirectory:
      return "directory";
    case OpenedType::kLink:
      return "link";
    case OpenedType::kFile:
      break;
  }
  return "file";
}

Result<void> list_entries(Call& call) {
  const std::string* prefix = call.exchange.parameter("prefix");
  const std::string* cursor = call.exchange.parameter("cursor");
  TRY(call.exchange.only_known_parameters());
  const auto page = TRY(call.served.opened.entries(call.exchange.captured(0), prefix == nullptr ? "" : *prefix,
                                                   cursor == nullptr ? "" : *cursor, call.exchange.progress()));
  Json::Array entries;
  for (const operation::OpenedEntry& entry : page.entries)
    entries.emplace_back(Json::Object{{"path", entry.path}, {"type", word_of(entry.type)}, {"bytes", entry.bytes}});
  return call.exchange.send_json(
      200, Json::Object{{"entries", std::move(entries)}, {"cursor", page.cursor}, {"has_more", page.has_more}});
}

class ToExchange final : public Sink {
 public:
  explicit ToExchange(Exchange& exchange) : exchange_(exchange) {}
  Result<void> write(std::string_view octets) override { return exchange_.write(octets); }

 private:
  Exchange& exchange_;
};

// As a name within quotes: what a field may not hold is left out.
std::string file_name_of(const std::string& path) {
  std::string name;
  for (const char c : path.substr(path.rfind('/') + 1)) {
    if (c > ' ' && c < 0x7F && c != '"' && c != '\\') name += c;
  }
  return name.empty() ? "file" : name;
}

Result<void> send_file(Call& call) {
  Exchange& exchange = call.exchange;
  const std::string* path = exchange.parameter("path");
  TRY(exchange.only_known_parameters());
  if (path == nullptr) return fail(ErrorCode::kUsage, "parameter path is missing");
  // Whoever has the key acts as the instance.
  if (*path == bundle::kPrivateKeyPath) TRY(BrowserGate::require_proof(exchange));
  ToExchange sink(exchange);
  TRY(call.served.opened.read(exchange.captured(0), *path, exchange.progress(), [&](std::uint64_t) -> Result<Sink*> {
    exchange.add_field("content-disposition", "attachment; filename=\"" + file_name_of(*path) + "\"");
    exchange.stream(kFileType);
    return &sink;
  }));
  return exchange.finish();
}

}  // namespace

void add_opened_routes(std::vector<Route>& table) {
  const auto add = [&table](std::string_view method, std::string_view pattern, Result<void> (*handle)(Call&),
                            std::string_view summary) {
    Route route{method, pattern, Access::kAdmin, handle};
    route.about.summary = summary;
    table.push_back(route);
  };
  add("POST", "/v1/backups/{backup}/open", open_backup, "Opens a backup with its key, for ten minutes.");
  add("GET", "/v1/opened/{handle}/entries", list_entries, "What lies in one directory of it.");
  Route file{"GET", "/v1/opened/{handle}/file", Access::kAdmin, send_file};
  file.about.summary = "A file of it.";
  file.about.answer_type = kFileType;
  table.push_back(file);
}

}  // namespace spl::api
