// The JSON of the owner's door (/v1/local/*) and of the portability routes, made by one side and read by the other:
// both directions stand together here, so that they cannot part. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/json.h"
#include "instance/access.h"
#include "instance/export.h"
#include "instance/import.h"
#include "instance/ingest.h"
#include "instance/instance.h"
#include "substrate/accounts.h"

namespace spl::http {

codec::Json emission_json(const instance::Emission& emission);
Result<instance::Emission> parse_emission(const codec::Json& json);
codec::Json emitted_json(const instance::Emitted& emitted);
Result<instance::Emitted> parse_emitted(const codec::Json& json);

codec::Json identity_json(const instance::IdentitySummary& summary);
Result<instance::IdentitySummary> parse_identity(const codec::Json& json);

codec::Json ids_json(const std::vector<RecordId>& ids);
Result<std::vector<RecordId>> parse_ids(const codec::Json& json);

codec::Json account_json(const substrate::ServiceAccount& account);
Result<substrate::ServiceAccount> parse_account(const codec::Json& json);

codec::Json token_request_json(const instance::TokenRequest& request);
Result<instance::TokenRequest> parse_token_request(const codec::Json& json);
// The only answer that holds a token: its text goes into `out`, which the caller wipes.
void append_new_token(std::string& out, const substrate::NewToken& made);
Result<substrate::NewToken> parse_new_token(std::string_view text);

// What a daemon says of itself and its instance.
struct DaemonStatus {
  instance::Status status;
  std::uint16_t port = 0;  // of the TCP door
  std::string version;
};
codec::Json status_json(const DaemonStatus& daemon);
Result<DaemonStatus> parse_status(const codec::Json& json);

// What of ExportOptions is asked of a daemon. The text may hold a passphrase: the caller wipes it.
std::string export_request_text(const instance::ExportOptions& options);
Result<instance::ExportOptions> parse_export_request(std::string_view text);

// How a bundle was encrypted that the client has opened: "none", "passphrase", "recipients:AGE1...:COUNT".
std::string opening_text(const bundle::Opening& opening);
Result<bundle::Opening> parse_opening(std::string_view text);

}  // namespace spl::http
