// Service accounts and tokens of an instance: making, listing, revoking. Any thread, on an open instance.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "instance/instance.h"
#include "substrate/accounts.h"

namespace spl::instance {

// Writes the account's record, signed by the instance; tokens of an earlier account of the name go. Code kRefused where
// an active account of the name exists, kUsage for a bad name, scope or actor.
Result<substrate::ServiceAccount> create_account(Instance& instance, substrate::ServiceAccount account);
Result<std::vector<substrate::ServiceAccount>> list_accounts(Instance& instance);
// Its tokens are gone with it. Code kUsage where there is no active account of the name.
Result<void> revoke_account(Instance& instance, const std::string& name);

struct TokenRequest {
  std::string account;
  std::string environment = "prod";       // a tag in the token's text
  std::vector<std::string> scopes;        // of the account's; empty: all of them
  std::optional<std::string> expires_at;  // RFC 3339
};
Result<substrate::NewToken> create_token(Instance& instance, const TokenRequest& request);
Result<std::vector<store::Token>> list_tokens(Instance& instance);
// `id` is the token's hash as the list shows it, or a beginning of it that no other token shares (8 digits or more).
Result<void> revoke_token(Instance& instance, std::string_view id);

}  // namespace spl::instance
