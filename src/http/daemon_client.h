// What the command line uses to ask the daemon of a home: one method for each operation of instance/, with the same
// results and the same errors. It goes through the home's Unix socket, so no token is needed and keys may be sent.
//
// One thread at a time. Every method connects anew, but for commit_export(), which belongs to the export before it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stream.h"
#include "http/local_shapes.h"
#include "instance/access.h"
#include "instance/export.h"
#include "instance/home.h"
#include "instance/import.h"
#include "instance/ingest.h"
#include "instance/progress.h"

namespace spl::http {

// How long a daemon may work before it begins to answer. Where it ends meanwhile that is noticed at once.
inline constexpr std::chrono::hours kAnswerPatience{24};

class DaemonClient {
 public:
  // Nothing where no daemon listens on the home's socket. The Env's owner outlives the client.
  static Result<std::optional<DaemonClient>> connect(env::Env env, const instance::HomePaths& paths);
  DaemonClient(DaemonClient&&) noexcept;
  ~DaemonClient();

  Result<instance::PutReport> put_ndjson(Source& in, instance::Progress& progress);
  Result<RecordId> put_one(std::string_view json);
  Result<instance::Emitted> emit(const instance::Emission& emission);
  Result<std::vector<RecordId>> endorse(const std::vector<RecordId>& ids);
  Result<bool> cancel_move();
  Result<instance::IdentitySummary> generate_identity();
  Result<substrate::ServiceAccount> create_account(const substrate::ServiceAccount& account);
  Result<void> revoke_account(const std::string& name);
  Result<substrate::NewToken> create_token(const instance::TokenRequest& request);
  Result<void> revoke_token(std::string_view id);
  Result<DaemonStatus> status();

  // The bundle goes to `out`. `on_report` (may be empty) is called before its first byte. `options.workers` is the
  // daemon's to choose. An error midway leaves a part in `out`, which is no bundle.
  Result<instance::ExportReport> export_bundle(const instance::ExportOptions& options, Sink& out,
                                               const std::function<void(const instance::ExportReport&)>& on_report,
                                               instance::Progress& progress);
  // When the bundle of the last export_bundle() is durable: within ten minutes, else it counts as one that failed.
  Result<void> commit_export();

  // An encrypted bundle is opened here, with the options' keys: they are not sent. `findings` as in instance/import.h.
  Result<instance::ImportReport> import_bundle(Source& in, const instance::ImportOptions& options,
                                               instance::Progress& progress, std::vector<instance::Finding>* findings);

 private:
  class Call;
  DaemonClient(env::Env env, instance::HomePaths paths);
  Result<std::unique_ptr<Call>> call();
  Result<std::string> ask(std::string_view method, std::string_view target, std::string_view body);
  Result<codec::Json> ask_json(std::string_view method, std::string_view target, std::string_view body);

  env::Env env_;
  instance::HomePaths paths_;
  std::unique_ptr<Call> exported_;  // the connection of an export that waits for its commit
};

}  // namespace spl::http
