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

  static constexpr auto shape() {
    using enum codec::Presence;
    return codec::shape(codec::member("account", &TokenRequest::account, "the account's name"),
                        codec::member("environment", &TokenRequest::environment, "a tag in its text", kOmitted),
                        codec::member("scopes", &TokenRequest::scopes, "of the account's; none: all of them"),
                        codec::member("expires_at", &TokenRequest::expires_at, "its end, RFC 3339", kOmitted));
  }
};
Result<substrate::NewToken> create_token(Instance& instance, const TokenRequest& request);
Result<std::vector<store::Token>> list_tokens(Instance& instance);
// `id` is the token's hash as the list shows it, or a beginning of it that no other token shares (8 digits or more), or
// the token itself. What it is may be a secret: errors do not repeat it. The hash of the token that is gone.
Result<Digest> revoke_token(Instance& instance, std::string_view id);

}  // namespace spl::instance
