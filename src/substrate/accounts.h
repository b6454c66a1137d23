// Service accounts and their tokens (docs/formats/accounts.md): who may come in over TCP, and for what.
// Accounts are records on th_service_accounts; tokens lie beside the records, as hashes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "env/env.h"
#include "store/record_store.h"

namespace spl::substrate {

struct ServiceAccount {
  std::string name;                 // [a-z0-9][a-z0-9_-]{0,62}
  std::vector<std::string> scopes;  // ascending
  std::vector<std::string> actors;  // DIDs it may write as; empty: none
  bool active = true;               // false: revoked

  static constexpr auto shape() {
    return codec::shape(codec::member("name", &ServiceAccount::name, "[a-z0-9][a-z0-9_-]{0,62}"),
                        codec::member("scopes", &ServiceAccount::scopes, "what it may do"),
                        codec::member("actors", &ServiceAccount::actors, "the DIDs that it may write as"),
                        codec::member("active", &ServiceAccount::active, "false: revoked"));
  }
};

// The scopes that there are; "admin" holds all others.
const std::vector<std::string_view>& known_scopes();

// The body of the record that creates or revokes an account.
std::string account_body(const ServiceAccount& account);
// All accounts of effective records; the last of a name wins. By name.
Result<std::vector<ServiceAccount>> service_accounts(store::StoreReader& reader, const std::optional<std::string>& did);

// The names of active accounts, ascending: those with a token that has not ended at `now`, and those without.
struct TokenHolders {
  std::vector<std::string> with;
  std::vector<std::string> without;
};
Result<TokenHolders> token_holders(store::StoreReader& reader, const std::optional<std::string>& did,
                                   const std::vector<store::Token>& tokens, const std::string& now);

// What every token begins with.
inline constexpr std::string_view kTokenPrefix = "spl_";
// A new token: spl_<env>_<account>_<secret>. `text` is shown once and not kept.
struct NewToken {
  SecretBytes text;
  store::Token token;
};
Result<NewToken> new_token(env::Env env, std::string_view environment, const ServiceAccount& account,
                           const std::vector<std::string>& scopes, const std::optional<std::string>& expires_at);

// Who a bearer is, and may do.
struct Bearer {
  std::string account;
  std::vector<std::string> scopes;
  std::vector<std::string> actors;
  [[nodiscard]] bool may(std::string_view scope) const;
};

// 2030-01-31T12:00:00Z: the one form of times of tokens, so that their order is that of the texts.
bool is_token_time(std::string_view text);

// credentials/tokens.json of a bundle, and back. Strict; code kVerification.
std::string tokens_text(const std::vector<store::Token>& tokens);
Result<std::vector<store::Token>> parse_tokens(std::string_view text);

}  // namespace spl::substrate
