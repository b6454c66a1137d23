// Export and import of the whole instance, as streams.
#include <chrono>
#include <memory>

#include "api/query_shape.h"
#include "api/routes.h"
#include "base/words.h"
#include "operation/export.h"
#include "operation/import.h"
#include "spool/receive.h"
#include "spool/spool.h"

namespace spl::api {
namespace {

// Without a byte of a bundle moved: who makes or takes it may be slow.
constexpr std::chrono::minutes kBundleTimeout{10};

// What was sent, as long as somebody waits for what becomes of it. Asked by another thread than the connection's.
class AwaitedSource final : public base::SeekableSource {
 public:
  AwaitedSource(base::SeekableSource& in, base::Progress& progress) : in_(in), progress_(progress) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (progress_.cancelled()) return base::fail_cancelled("nothing was imported");
    return in_.read(out);
  }
  [[nodiscard]] std::optional<std::uint64_t> seekable_bytes() const override { return in_.seekable_bytes(); }
  Result<void> seek(std::uint64_t offset) override { return in_.seek(offset); }

 private:
  base::SeekableSource& in_;
  base::Progress& progress_;
};

Result<void> export_bundle(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const auto text = exchange.body();
  auto options =
      text ? codec::parse_shape_text<operation::ExportOptions>(text->empty() ? "{}" : *text, codec::Unknown::kRefused)
           : std::unexpected(text.error());
  exchange.body_buffer().wipe();
  if (!options) return std::unexpected(std::move(options).error().in("body"));
  if (exchange.door() != Door::kUnix) {
    if (options->passphrase)
      return fail(ErrorCode::kUsage, "a passphrase is taken at the Unix socket only", "name recipients instead");
    if (!options->spool_directory.empty())
      return fail(ErrorCode::kUsage, "spool_directory is taken at the Unix socket only");
  }
  options->workers = call.served.workers;
  options->temporary_directory = call.served.temporary_directory;
  const std::string* commits = http::find_field(exchange.head().fields, http::kCommitField);
  const bool client_commits = commits != nullptr && *commits == "client";
  if (options->move && !client_commits)
    return fail(ErrorCode::kUsage, "a move wants a client that says when its file is durable",
                "send spl-commit: client, and then ask for /v1/portability/export/commit on the same connection");
  call.connection.uncommitted.reset();
  instance::Instance& instance = call.served.instance;
  const std::string directory = options->spool_directory;
  auto made = operation::prepare_export(instance, std::move(*options), exchange.progress());
  // A directory that cannot be used is the client's mistake.
  if (!made && !directory.empty() && !spool::Spool::make(instance.env(), {directory})) exchange.set_error_status(400);
  auto prepared = TRY(std::move(made));
  TRY(exchange.body_wire())->channel().set_timeout(kBundleTimeout);
  exchange.add_field(http::kReportField, codec::shape_json(prepared->report()).text());
  exchange.stream(kBundleType);
  TRY(prepared->write(exchange));
  TRY(exchange.finish());
  if (client_commits) {
    call.connection.uncommitted = std::move(prepared);
    return {};
  }
  return prepared->note_durable();
}

Result<void> commit_export(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const auto prepared = std::move(call.connection.uncommitted);
  if (!prepared)
    return fail(ErrorCode::kUsage, "no export of this connection waits for its commit",
                "ask for the export with spl-commit: client, on the same connection");
  TRY(prepared->note_durable());
  return exchange.send_json(200, codec::shape_json(prepared->report()));
}

Result<void> import_bundle(Call& call) {
  Exchange& exchange = call.exchange;
  operation::ImportOptions options = TRY(query_shape<operation::ImportOptions>(exchange));
  options.reader.workers = call.served.workers;
  http::Wire& wire = *TRY(exchange.body_wire());
  wire.channel().set_timeout(kBundleTimeout);
  instance::Instance& instance = call.served.instance;
  http::BodySource sent(wire);
  auto body = TRY(spool::Received::all_of(instance.env(), instance.paths().run(), sent, exchange.progress(),
                                          "receiving the bundle"));
  AwaitedSource awaited(body, exchange.progress());
  std::vector<operation::Finding> findings;
  const auto report = call.served.gate.change_power(
      [&] { return operation::import_bundle(instance, awaited, options, exchange.progress(), &findings); });
  if (!report) {
    if (!findings.empty())
      exchange.add_error_member("preflight", codec::JsonValue<std::vector<operation::Finding>>::to(findings));
    return std::unexpected(report.error());
  }
  return exchange.send_json(200, codec::shape_json(*report));
}

}  // namespace

void add_portability_routes(std::vector<Route>& table) {
  table.push_back(
      {"POST",
       "/v1/portability/export",
       Access::kAdmin,
       export_bundle,
       {.summary =
            "The whole instance as a bundle; the header spl-report describes it. A body that does not end well is "
            "no bundle. With spl-commit: client the client says that it is durable with "
            "/v1/portability/export/commit, on the same connection and within ten minutes.",
        .request = codec::schema_of<operation::ExportOptions>,
        .answer_type = kBundleType}});
  table.push_back({"POST",
                   "/v1/portability/export/commit",
                   Access::kAdmin,
                   commit_export,
                   {.summary = "The bundle that this connection has received is durable.",
                    .answer = codec::schema_of<operation::ExportReport>}});
  table.push_back(
      {"POST",
       "/v1/portability/import",
       Access::kAdmin,
       import_bundle,
       {.summary = "A bundle into this instance: all of it or nothing. Where it verified, an error has its preflight.",
        .answer = codec::schema_of<operation::ImportReport>,
        .parameters = [] { return query_parameters(codec::schema_of<operation::ImportOptions>()); },
        .request_type = kBundleType}});
}

}  // namespace spl::api
