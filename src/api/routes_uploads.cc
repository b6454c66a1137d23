// Uploads in pieces, by tus 1.0.0 (tus.io/protocols/resumable-upload) with creation, expiration and termination; and
// the way back, the files of backups.
#include <charconv>

#include "api/routes.h"
#include "base/encoding.h"
#include "base/rfc3339.h"
#include "env/streams.h"
#include "operation/local_operations.h"

namespace spl::api {
namespace {

using operation::Upload;

constexpr std::string_view kVersion = "1.0.0";
constexpr std::string_view kPieceType = "application/offset+octet-stream";
constexpr std::string_view kPlace = "/v1/uploads/";
constexpr std::chrono::minutes kPieceTimeout{10};  // without a byte of it
constexpr std::size_t kFilePieceBytes = 256u << 10;

std::string http_time(const std::string& rfc3339) {
  const auto time = base::parse_rfc3339(rfc3339);
  return time ? http_date(*time) : std::string();
}

void add_fields(Exchange& exchange, const Upload& upload) {
  exchange.add_field("upload-offset", std::to_string(upload.offset));
  exchange.add_field("upload-expires", http_time(upload.expires_at));
}

Result<void> speak_tus(Exchange& exchange) {
  TRY(exchange.only_known_parameters());
  exchange.add_field("tus-resumable", std::string(kVersion));
  const std::string* version = http::find_field(exchange.head().fields, "tus-resumable");
  if (version != nullptr && *version == kVersion) return {};
  exchange.add_field("tus-version", std::string(kVersion));
  exchange.set_error_status(412);
  return fail(ErrorCode::kUsage, "tus-resumable is not 1.0.0", "tus 1.0.0 is spoken here");
}

Result<std::uint64_t> number_in(const Exchange& exchange, std::string_view name) {
  const std::string* text = http::find_field(exchange.head().fields, name);
  std::uint64_t number = 0;
  if (text != nullptr) {
    const char* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, number);
    if (read.ec == std::errc() && read.ptr == end && !text->empty()) return number;
  }
  return fail(ErrorCode::kUsage, std::string(name) + " is missing, or no whole number");
}

// "filename d29ybGQ=,other": base64 after each name.
std::string filename_in(const Exchange& exchange) {
  const std::string* metadata = http::find_field(exchange.head().fields, "upload-metadata");
  if (metadata == nullptr) return "";
  constexpr std::string_view kName = "filename ";
  for (std::string_view rest = *metadata; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    std::string_view one = rest.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with(kName)) return base::from_base64(one.substr(kName.size())).value_or("");
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return "";
}

Result<void> tell_options(Call& call) {
  call.exchange.add_field("tus-resumable", std::string(kVersion));
  call.exchange.add_field("tus-version", std::string(kVersion));
  call.exchange.add_field("tus-extension", "creation,expiration,termination");
  call.exchange.add_field("tus-max-size", std::to_string(operation::kUploadBytesMax));
  return call.exchange.send(204, kJsonType, "");
}

Result<void> begin_upload(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(speak_tus(exchange));
  const Upload upload =
      TRY(call.served.uploads.begin(filename_in(exchange), TRY(number_in(exchange, "upload-length"))));
  add_fields(exchange, upload);
  exchange.add_field("location", std::string(kPlace) + upload.id);
  return exchange.send(201, kJsonType, "");
}

Result<void> look_at_upload(Call& call) {
  TRY(speak_tus(call.exchange));
  const Upload upload = TRY(call.served.uploads.find(call.exchange.captured(0)));
  add_fields(call.exchange, upload);
  call.exchange.add_field("upload-length", std::to_string(upload.length));
  return call.exchange.send(200, kJsonType, "");
}

Result<void> take_piece(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(speak_tus(exchange));
  const std::string* type = http::find_field(exchange.head().fields, "content-type");
  if (type == nullptr || *type != kPieceType)
    return fail(ErrorCode::kUsage, Cause::kUnsupportedMedia, "a piece is application/offset+octet-stream");
  const std::uint64_t offset = TRY(number_in(exchange, "upload-offset"));
  // What there is not is not waited for.
  TRY(call.served.uploads.find(exchange.captured(0)));
  http::Wire& wire = *TRY(exchange.body_wire());
  wire.channel().set_timeout(kPieceTimeout);
  http::BodySource body(wire);
  const auto taken = call.served.uploads.append(exchange.captured(0), offset, body, exchange.progress());
  if (!taken) {
    if (taken.error().cause == Cause::kLocked) exchange.set_error_status(423);
    return std::unexpected(taken.error());
  }
  add_fields(exchange, *taken);
  return exchange.send(204, kJsonType, "");
}

Result<void> end_upload(Call& call) {
  TRY(speak_tus(call.exchange));
  const auto ended = call.served.uploads.remove(call.exchange.captured(0));
  if (!ended && ended.error().cause == Cause::kLocked) call.exchange.set_error_status(423);
  TRY(ended);
  return call.exchange.send(204, kJsonType, "");
}

struct Range {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // behind the last octet
};
// "bytes=0-99", "bytes=100-", "bytes=-100" (RFC 9110, 14.1.2); nothing for what is none, or several: then all of it is
// sent. An error where it lies behind the end.
Result<std::optional<Range>> range_in(const Exchange& exchange, std::uint64_t bytes) {
  const std::string* field = http::find_field(exchange.head().fields, "range");
  constexpr std::string_view kUnit = "bytes=";
  if (field == nullptr || !field->starts_with(kUnit)) return std::optional<Range>();
  const std::string_view text = std::string_view(*field).substr(kUnit.size());
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::optional<Range>();
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return !digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? std::optional(value)
                                                                                                  : std::nullopt;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (dash + 1 < text.size() && !last) return std::optional<Range>();
  if (!first && (dash > 0 || !last)) return std::optional<Range>();
  Range range{first.value_or(bytes - std::min(last.value_or(0), bytes)), bytes};
  if (first && last) {
    if (*last < *first) return std::optional<Range>();
    range.to = std::min(*last + 1, bytes);
  }
  if (range.from < bytes) return std::optional(range);
  return fail(ErrorCode::kUsage, "the range lies behind the file's end");
}

Result<void> send_backup(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const auto backup = TRY(operation::LocalOperations(call.served.instance).backup({exchange.captured(0)}));
  // Whoever has the key acts as the instance.
  if (backup.identity != "omitted") TRY(BrowserGate::require_proof(exchange));
  const auto file = TRY(env::InputFile::open(backup.path, nullptr));
  const std::uint64_t bytes = file->size_bytes().value_or(backup.bytes);
  const auto range = range_in(exchange, bytes);
  if (!range) {
    exchange.add_field("content-range", "bytes */" + std::to_string(bytes));
    exchange.set_error_status(416);
    return std::unexpected(range.error());
  }
  const Range sent = range->value_or(Range{0, bytes});
  exchange.add_field("accept-ranges", "bytes");
  exchange.add_field("content-disposition", "attachment; filename=\"" + backup.id + ".spl\"");
  if (*range)
    exchange.add_field("content-range", "bytes " + std::to_string(sent.from) + "-" + std::to_string(sent.to - 1) + "/" +
                                            std::to_string(bytes));
  exchange.stream(kBundleType, *range ? 206 : 200);
  if (sent.from > 0) TRY(file->seek(sent.from));
  const auto piece = std::make_unique_for_overwrite<char[]>(kFilePieceBytes);
  for (std::uint64_t left = sent.to - sent.from; left > 0;) {
    const std::size_t n =
        TRY(file->read({piece.get(), static_cast<std::size_t>(std::min<std::uint64_t>(left, kFilePieceBytes))}));
    if (n == 0) return fail("the backup has become shorter");
    TRY(exchange.write({piece.get(), n}));
    left -= n;
  }
  return exchange.finish();
}

}  // namespace

void add_upload_routes(std::vector<Route>& table) {
  const auto add = [&table](std::string_view method, std::string_view pattern, Result<void> (*handle)(Call&),
                            std::string_view summary, int status) {
    Route route{method, pattern, Access::kAdmin, handle};
    route.about.summary = summary;
    route.about.status = status;
    table.push_back(route);
  };
  add("OPTIONS", "/v1/uploads", tell_options, "What is spoken of tus.", 204);
  add("POST", "/v1/uploads", begin_upload, "Begins an upload.", 201);
  add("GET", "/v1/uploads/{upload}", look_at_upload, "How far it is.", 200);
  add("PATCH", "/v1/uploads/{upload}", take_piece, "Takes a piece.", 204);
  add("DELETE", "/v1/uploads/{upload}", end_upload, "Ends it.", 204);
  Route file{"GET", "/v1/backups/{backup}/file", Access::kAdmin, send_backup};
  file.about.summary = "Its file, or a range of it.";
  file.about.answer_type = kBundleType;
  table.push_back(file);
}

}  // namespace spl::api
