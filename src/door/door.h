// The owner's door: who may come in by the browser. One owner, claimed once with a code that the console shows; from
// then on a password, or a link of the console. What is kept is door.db in the home: hashes alone, no code and no
// token. In no bundle, and no restore touches it. Any thread. docs/formats/door.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "db/sqlite.h"
#include "door/failures.h"
#include "door/passkey.h"
#include "env/env.h"
#include "home/home.h"

namespace spl::door {

inline constexpr std::chrono::minutes kLinkLifetime{15};
inline constexpr std::chrono::days kSessionLifetime{30};
inline constexpr std::chrono::minutes kProofLifetime{10};
inline constexpr std::size_t kSessionsMax = 32;
inline constexpr std::size_t kLinksMax = 8;

struct Session {
  std::string id;  // for people, and to end it by; opens nothing
  std::string made_at;
  std::string used_at;
  std::string address;     // from where it was made
  std::string agent;       // what the browser said of itself; a stranger's text
  bool is_proven = false;  // within the last ten minutes
};

struct NewSession {
  SecretBytes token;  // for the cookie; shown this once
  Session session;
};

// What a passkey is known by.
struct Passkey {
  std::string name;  // given by the owner
  std::string made_at;
  PasskeyKey key;
};

// Who stands before the door.
struct Visitor {
  std::string address;
  std::string agent;
};

std::string door_file(const home::HomePaths& paths);

class Door {
 public:
  // Makes door.db where it is not there.
  static Result<std::unique_ptr<Door>> open(env::Env env, const home::HomePaths& paths,
                                            std::chrono::seconds session_idle);

  Result<bool> is_claimed();

  // A code for a link: of an unclaimed door one that claims it, which lasts until it is used; else one that signs in,
  // once, within fifteen minutes. Only the newest few are good.
  Result<SecretBytes> make_link();

  // Cause kClaimed where there is an owner; kAuthInvalid for a wrong code, kTryLater after too many; a right one is
  // taken however many wrong ones came before.
  Result<NewSession> claim(const SecretBytes& code, const SecretBytes& password, const Visitor& visitor);
  // Cause kUnclaimed, kAuthInvalid, kTryLater.
  Result<NewSession> enter(const SecretBytes& code, const Visitor& visitor);
  Result<NewSession> sign_in(const SecretBytes& password, const Visitor& visitor);
  // Within the session the password again; it is proven then for ten minutes.
  Result<void> prove(const Session& session, const SecretBytes& password, const Visitor& visitor);

  // In the order in which they came.
  Result<std::vector<Passkey>> passkeys();
  // Code kRefused where there are too many, or this one already.
  Result<void> add_passkey(const std::string& name, const PasskeyKey& key);
  Result<void> remove_passkey(const std::string& id);
  // `check` says whether the passkey of this id has answered, and its count from now on. A session where there is none;
  // else that one is proven. What fails counts as a wrong password does.
  using PasskeyCheck = std::function<Result<std::uint32_t>(const PasskeyKey&)>;
  Result<NewSession> sign_in_with(const std::string& id, const PasskeyCheck& check, const Visitor& visitor);
  Result<void> prove_with(const Session& session, const std::string& id, const PasskeyCheck& check,
                          const Visitor& visitor);

  // Whose token it is, and that it is used now; nothing where it is nobody's, or has ended.
  Result<std::optional<Session>> session_of(const SecretBytes& token);
  Result<std::vector<Session>> sessions();
  // The session of exactly this id, while it lasts.
  Result<std::optional<Session>> session(const std::string& id);
  // The session of this id, or a beginning of it that no other shares; "" all of them. How many have ended.
  Result<std::size_t> sign_out(const std::string& id);

  // By the console, or within a session that was proven. All sessions end but that of this id.
  Result<void> set_password(const SecretBytes& password, const std::string& kept_session = "");
  // There is no owner any more, and no session.
  Result<void> reset();

 private:
  Door(env::Env env, db::Connection database, std::chrono::seconds session_idle)
      : env_(env), database_(std::move(database)), session_idle_(session_idle) {}
  // In one transaction, which waits for other processes.
  template <class Work>
  auto change(const Work& work);
  Result<std::optional<std::string>> password_hash();
  Result<bool> is_code(const SecretBytes& code, std::string_view kind);
  Result<bool> use_code(const SecretBytes& code, std::string_view kind);
  Result<NewSession> begin_session(const Visitor& visitor);
  Result<void> check_wait(const Visitor& visitor);
  std::unexpected<Error> invalid(const Visitor& visitor);
  Result<std::vector<Session>> read_sessions();
  Result<std::vector<Passkey>> read_passkeys();
  Result<void> use_passkey(const std::string& id, const PasskeyCheck& check, const Visitor& visitor);
  [[nodiscard]] std::int64_t seconds_now() const;  // since 1970

  env::Env env_;
  std::mutex mutex_;  // guards all below
  db::Connection database_;
  const std::chrono::seconds session_idle_;
  Failures failures_;
};

}  // namespace spl::door
