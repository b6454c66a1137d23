#include "instance/access.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/names.h"
#include "base/words.h"
#include "crypto/sha256.h"
#include "instance/ingest.h"
#include "instance/move.h"
#include "record/thread.h"

namespace spl::instance {
namespace {

using substrate::ServiceAccount;

constexpr std::size_t kShortestTokenId = 8;

Result<void> write_account(Instance& instance, store::StoreWriter& writer, const ServiceAccount& account) {
  Emission emission;
  emission.act = record::Act::kLearn;
  emission.thread = std::string(record::kServiceAccountsThread);
  emission.body = substrate::account_body(account);
  TRY(emit_within(instance, writer, emission));
  return {};
}

Result<std::optional<ServiceAccount>> find_account(Instance& instance, store::StoreReader& reader,
                                                   const std::string& name) {
  for (ServiceAccount& account : TRY(substrate::service_accounts(reader, instance.did()))) {
    if (account.name == name && account.active) return std::optional(std::move(account));
  }
  return std::nullopt;
}

Result<void> remove_tokens(store::StoreWriter& writer, const std::string& account) {
  for (const store::Token& token : TRY(writer.tokens())) {
    if (token.account == account) TRY(writer.remove_token(token.sha256));
  }
  return {};
}

Result<void> check_scopes(const std::vector<std::string>& scopes) {
  for (const std::string& scope : scopes) {
    if (std::ranges::find(substrate::known_scopes(), scope) != substrate::known_scopes().end()) continue;
    return fail(ErrorCode::kUsage, "there is no scope \"" + base::escaped(scope, 80) + "\"",
                "the scopes are " + base::join(substrate::known_scopes(), ", "));
  }
  return {};
}

Result<void> check_account_has(const ServiceAccount& account, const std::vector<std::string>& scopes) {
  const substrate::Bearer whole{account.name, account.scopes, {}};
  for (const std::string& scope : scopes) {
    if (!whole.may(scope))
      return fail(ErrorCode::kUsage, "account " + account.name + " has no scope " + scope,
                  "a token has its account's scopes or fewer");
  }
  return {};
}

}  // namespace

Result<ServiceAccount> create_account(Instance& instance, ServiceAccount account) {
  if (!base::is_name(account.name))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(account.name, 80) + "\" is no name for an account",
                "use lowercase letters, digits, _ and -, at most 63");
  TRY(check_scopes(account.scopes));
  for (const std::string& actor : account.actors) {
    if (!actor.starts_with("did:")) return fail(ErrorCode::kUsage, "\"" + base::escaped(actor, 80) + "\" is no DID");
  }
  std::ranges::sort(account.scopes);
  account.scopes.erase(std::unique(account.scopes.begin(), account.scopes.end()), account.scopes.end());
  account.active = true;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    if (TRY(find_account(instance, writer, account.name)))
      return fail(ErrorCode::kRefused, "there is a service account " + account.name + " already",
                  "spl service-account revoke " + account.name + " ends it");
    // An account of the name before may have been revoked by a record from elsewhere: its tokens are still here.
    TRY(remove_tokens(writer, account.name));
    return write_account(instance, writer, account);
  }));
  return account;
}

Result<std::vector<ServiceAccount>> list_accounts(Instance& instance) {
  const auto reader = TRY(instance.store().reader());
  return substrate::service_accounts(*reader, instance.did());
}

Result<void> revoke_account(Instance& instance, const std::string& name) {
  return instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    auto account = TRY(find_account(instance, writer, name));
    if (!account)
      return fail(ErrorCode::kUsage, "there is no active service account \"" + base::escaped(name, 80) + "\"",
                  "spl service-account list shows them");
    account->active = false;
    TRY(write_account(instance, writer, *account));
    return remove_tokens(writer, name);
  });
}

Result<substrate::NewToken> create_token(Instance& instance, const TokenRequest& request) {
  if (!base::is_name(request.environment) || request.environment.find('_') != std::string::npos)
    return fail(ErrorCode::kUsage, "the environment of a token is lowercase letters, digits and -");
  TRY(check_scopes(request.scopes));
  if (request.expires_at && !substrate::is_token_time(*request.expires_at))
    return fail(ErrorCode::kUsage, "a time like 2030-01-31T12:00:00Z is wanted for the token's end");
  if (request.expires_at && *request.expires_at <= env::rfc3339(instance.env().clock.now()))
    return fail(ErrorCode::kUsage, "the token would end before it begins: " + *request.expires_at + " is past");
  std::optional<substrate::NewToken> made;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    TRY(require_not_moved(writer));
    const auto account = TRY(find_account(instance, writer, request.account));
    if (!account)
      return fail(ErrorCode::kUsage,
                  "there is no active service account \"" + base::escaped(request.account, 80) + "\"",
                  "spl service-account create makes one");
    TRY(check_account_has(*account, request.scopes));
    made = TRY(substrate::new_token(instance.env(), request.environment, *account,
                                    request.scopes.empty() ? account->scopes : request.scopes, request.expires_at));
    return writer.put_token(made->token);
  }));
  return std::move(*made);
}

Result<std::vector<store::Token>> list_tokens(Instance& instance) {
  return TRY(instance.store().reader())->tokens();
}

Result<Digest> revoke_token(Instance& instance, std::string_view id) {
  const std::string hash =
      id.starts_with(substrate::kTokenPrefix) ? base::to_hex(crypto::sha256(id).view()) : std::string(id);
  if (hash.size() < kShortestTokenId)
    return fail(ErrorCode::kUsage, "a token is named by at least 8 digits of its id", "spl token list shows them");
  std::optional<Digest> found;
  TRY(instance.committer().run([&](store::StoreWriter& writer) -> Result<void> {
    found.reset();
    for (const store::Token& token : TRY(writer.tokens())) {
      if (!base::to_hex(token.sha256.view()).starts_with(hash)) continue;
      if (found)
        return fail(ErrorCode::kUsage, "more than one token has an id that begins so", "give more digits of it");
      found = token.sha256;
    }
    if (!found) return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no such token", "spl token list shows them");
    TRY(writer.remove_token(*found));
    return {};
  }));
  return *found;
}

}  // namespace spl::instance
