// Export and import of the whole instance, as streams.
#include <chrono>
#include <memory>

#include "base/words.h"
#include "bundle/spool.h"
#include "http/local_shapes.h"
#include "http/routes.h"
#include "instance/export.h"
#include "instance/import.h"
#include "instance/spooled.h"

namespace spl::http {
namespace {

// Without a byte of a bundle moved: who makes or takes it may be slow.
constexpr std::chrono::minutes kBundleTimeout{10};

// What was sent, as long as somebody waits for what becomes of it. Asked by another thread than the connection's.
class AwaitedSource final : public Source {
 public:
  AwaitedSource(Source& in, instance::Progress& progress) : in_(in), progress_(progress) {}
  Result<std::size_t> read(std::span<char> out) override {
    if (progress_.cancelled()) return fail("cancelled: nothing was imported");
    return in_.read(out);
  }

 private:
  Source& in_;
  instance::Progress& progress_;
};

Result<void> export_bundle(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const auto text = exchange.body();
  auto options = text ? parse_export_request(*text) : std::unexpected(text.error());
  exchange.body_buffer().wipe();
  if (!options) return std::unexpected(std::move(options).error().in("body"));
  if (exchange.door() != Door::kUnix) {
    if (options->passphrase)
      return fail(ErrorCode::kUsage, "a passphrase is taken at the Unix socket only", "name recipients instead");
    if (!options->spool_directory.empty())
      return fail(ErrorCode::kUsage, "spool_directory is taken at the Unix socket only");
  }
  options->workers = call.served.workers;
  const std::string* commits = find_field(exchange.head().fields, kCommitField);
  const bool client_commits = commits != nullptr && *commits == "client";
  if (options->move && !client_commits)
    return fail(ErrorCode::kUsage, "a move wants a client that says when its file is durable",
                "send spl-commit: client, and then ask for /v1/portability/export/commit on the same connection");
  call.session.uncommitted.reset();
  instance::Instance& instance = call.served.instance;
  const std::string directory = options->spool_directory;
  auto made = instance::prepare_export(instance, std::move(*options), exchange.progress());
  // A directory that cannot be used is the client's mistake.
  if (!made && !directory.empty() && !bundle::Spool::make(instance.env(), directory, bundle::SpoolKind::kPlain))
    return exchange.refuse(verdict::kInvalidRequest, made.error().code, made.error().message, made.error().hint);
  auto prepared = TRY(std::move(made));
  TRY(exchange.body_wire())->channel().set_timeout(kBundleTimeout);
  exchange.add_field(kReportField, prepared->report().json().text());
  exchange.stream(kBundleType);
  TRY(prepared->write(exchange));
  TRY(exchange.finish());
  if (client_commits) {
    call.session.uncommitted = std::move(prepared);
    return {};
  }
  return prepared->committed();
}

Result<void> commit_export(Call& call) {
  Exchange& exchange = call.exchange;
  TRY(exchange.only_known_parameters());
  const auto prepared = std::move(call.session.uncommitted);
  if (!prepared)
    return fail(ErrorCode::kUsage, "no export of this connection waits for its commit",
                "ask for the export with spl-commit: client, on the same connection");
  TRY(prepared->committed());
  return exchange.send_json(200, prepared->report().json());
}

Result<instance::ImportOptions> import_options(Exchange& exchange) {
  instance::ImportOptions options;
  options.dry_run = TRY(exchange.flag("dry_run"));
  options.force_overwrite = TRY(exchange.flag("force_overwrite"));
  options.adopt_identity = TRY(exchange.flag("adopt_identity"));
  options.allow_older = TRY(exchange.flag("allow_older"));
  if (const std::string* did = exchange.parameter("expect_did")) options.expect_did = *did;
  if (const std::string* names = exchange.parameter("without")) options.without = base::split(*names, ',');
  if (const std::string* opened = exchange.parameter("opened")) options.opened_by_caller = TRY(parse_opening(*opened));
  TRY(exchange.only_known_parameters());
  return options;
}

Result<void> import_bundle(Call& call) {
  Exchange& exchange = call.exchange;
  instance::ImportOptions options = TRY(import_options(exchange));
  options.reader.workers = call.served.workers;
  Wire& wire = *TRY(exchange.body_wire());
  wire.channel().set_timeout(kBundleTimeout);
  instance::Instance& instance = call.served.instance;
  BodySource sent(wire);
  auto body = TRY(instance::Spooled::receive(instance.env(), instance.paths().run(), sent, exchange.progress(),
                                             "receiving the bundle"));
  AwaitedSource awaited(body, exchange.progress());
  std::vector<instance::Finding> findings;
  const auto report = call.served.gate.change_power(
      [&] { return instance::import_bundle(instance, awaited, options, exchange.progress(), &findings); });
  if (!report) {
    if (!findings.empty()) exchange.add_error_member("preflight", instance::findings_json(findings));
    return std::unexpected(report.error());
  }
  return exchange.send_json(200, report->json());
}

}  // namespace

void add_portability_routes(std::vector<Route>& table) {
  table.push_back({"POST", "/v1/portability/export", Access::kAdmin, export_bundle});
  table.push_back({"POST", "/v1/portability/export/commit", Access::kAdmin, commit_export});
  table.push_back({"POST", "/v1/portability/import", Access::kAdmin, import_bundle});
}

}  // namespace spl::http
