#include "door/door.h"

#include <algorithm>

#include "base/encoding.h"
#include "door/code.h"
#include "door/password.h"

namespace spl::door {
namespace {

constexpr std::int64_t kSchemaVersion = 2;
constexpr int kBusyTimeoutMs = 10'000;
constexpr std::size_t kAgentBytesMax = 200;
constexpr std::size_t kNameBytesMax = 100;
constexpr std::int64_t kUseNotedSeconds = 60;  // a session's use is written once in that time
constexpr std::string_view kClaim = "claim";
constexpr std::string_view kSignIn = "sign-in";

constexpr char kSchema[] = R"(
CREATE TABLE owner (one INTEGER PRIMARY KEY CHECK (one = 1), password TEXT NOT NULL, claimed_at INTEGER NOT NULL) STRICT;
CREATE TABLE links (code BLOB PRIMARY KEY, kind TEXT NOT NULL, made_at INTEGER NOT NULL, ends_at INTEGER) STRICT;
CREATE TABLE sessions (token BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_at INTEGER NOT NULL,
                       used_at INTEGER NOT NULL, proven_at INTEGER, address TEXT NOT NULL, agent TEXT NOT NULL) STRICT;
PRAGMA user_version = 1;
)";
constexpr char kPasskeysSchema[] = R"(
CREATE TABLE passkeys (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL, made_at INTEGER NOT NULL,
                       algorithm INTEGER NOT NULL, key BLOB NOT NULL, sign_count INTEGER NOT NULL) STRICT;
PRAGMA user_version = 2;
)";

std::string time_text(std::int64_t seconds) {
  return env::rfc3339(std::chrono::system_clock::time_point(std::chrono::seconds(seconds)));
}

std::unexpected<Error> unclaimed() {
  return fail(ErrorCode::kRefused, Cause::kUnclaimed, "this instance has no owner yet",
              "spl owner link, on its machine, prints where to claim it");
}

}  // namespace

std::int64_t Door::seconds_now() const {
  return std::chrono::duration_cast<std::chrono::seconds>(env_.clock.now().time_since_epoch()).count();
}

template <class Work>
auto Door::change(const Work& work) {
  using Outcome = decltype(work());
  auto done = [&]() -> Outcome {
    TRY(database_.execute("BEGIN IMMEDIATE"));
    auto outcome = work();
    if (outcome) TRY(database_.execute("COMMIT"));
    return outcome;
  }();
  (void)database_.roll_back();
  return done;
}

std::string door_file(const home::HomePaths& paths) {
  return env::join(paths.root, "door.db");
}

Result<std::unique_ptr<Door>> Door::open(env::Env env, const home::HomePaths& paths,
                                         std::chrono::seconds session_idle) {
  const std::string path = door_file(paths);
  // Made by hand: its mode is its owner's alone from the first moment.
  TRY(env.fs.open(path, env::OpenMode::kCreate, 0600));
  auto database = TRY_IN(base::escaped(path), db::Connection::open(path, db::OpenAs::kReadWrite));
  database.set_busy_timeout_ms(kBusyTimeoutMs);
  TRY(database.execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON"));
  std::unique_ptr<Door> door(new Door(env, std::move(database), session_idle));
  TRY_IN(base::escaped(path), door->change([&]() -> Result<void> {
    const std::int64_t version = TRY(door->database_.query_integer("PRAGMA user_version"));
    if (version > kSchemaVersion)
      return fail(ErrorCode::kVerification, Cause::kNewerVersion, "the door's database is of a newer spl",
                  "upgrade spl");
    if (version < 1) TRY(door->database_.execute(kSchema));
    return version < 2 ? door->database_.execute(kPasskeysSchema) : Result<void>();
  }));
  return door;
}

Result<std::optional<std::string>> Door::password_hash() {
  auto row = TRY(database_.prepare("SELECT password FROM owner"));
  if (!TRY(row.step())) return std::optional<std::string>();
  return std::optional(std::string(row.text(0)));
}

Result<bool> Door::is_claimed() {
  const std::scoped_lock lock(mutex_);
  return TRY(password_hash()).has_value();
}

Result<SecretBytes> Door::make_link() {
  const std::scoped_lock lock(mutex_);
  SecretBytes code = new_code(env_.random);
  const Digest digest = *digest_of_code(code.reveal());
  TRY(change([&]() -> Result<void> {
    const bool is_claimed = TRY(password_hash()).has_value();
    auto old = TRY(database_.prepare("DELETE FROM links WHERE ends_at <= ?1"));
    TRY(old.bind(1, seconds_now()).run());
    auto many =
        TRY(database_.prepare("DELETE FROM links WHERE code NOT IN "
                              "(SELECT code FROM links ORDER BY made_at DESC, rowid DESC LIMIT ?1)"));
    TRY(many.bind(1, static_cast<std::int64_t>(kLinksMax) - 1).run());
    auto link = TRY(database_.prepare("INSERT INTO links VALUES (?1, ?2, ?3, ?4)"));
    link.bind_blob(1, digest.view()).bind_text(2, is_claimed ? kSignIn : kClaim).bind(3, seconds_now());
    const auto seconds = std::chrono::seconds(kLinkLifetime).count();
    is_claimed ? link.bind(4, seconds_now() + seconds) : link.bind_null(4);
    return link.run();
  }));
  return code;
}

Result<bool> Door::is_code(const SecretBytes& code, std::string_view kind) {
  const auto digest = digest_of_code(code.reveal());
  if (!digest) return false;
  auto row =
      TRY(database_.prepare("SELECT 1 FROM links WHERE code = ?1 AND kind = ?2 AND (ends_at IS NULL OR ends_at > ?3)"));
  return row.bind_blob(1, digest->view()).bind_text(2, kind).bind(3, seconds_now()).step();
}

// Whether it is one that is good, and is good no more.
Result<bool> Door::use_code(const SecretBytes& code, std::string_view kind) {
  const auto digest = digest_of_code(code.reveal());
  if (!digest) return false;
  auto used =
      TRY(database_.prepare("DELETE FROM links WHERE code = ?1 AND kind = ?2 AND (ends_at IS NULL OR ends_at > ?3)"));
  TRY(used.bind_blob(1, digest->view()).bind_text(2, kind).bind(3, seconds_now()).run());
  return database_.changes() == 1;
}

Result<void> Door::check_wait(const Visitor& visitor) {
  const auto wait = failures_.wait_of(visitor.address, env_.clock.steady());
  if (wait.count() == 0) return {};
  return fail(ErrorCode::kUnavailable, Cause::kTryLater,
              "too many wrong answers from there: wait " + std::to_string(wait.count()) + " s",
              "spl owner link, on the machine, prints a link that works at once");
}

// Failures are all alike, whatever was wrong.
std::unexpected<Error> Door::invalid(const Visitor& visitor) {
  const auto waits = check_wait(visitor);
  failures_.note(visitor.address, env_.clock.steady());
  if (!waits) return std::unexpected(waits.error());
  return fail(ErrorCode::kRefused, Cause::kAuthInvalid, "that is not right",
              "spl owner link, on the machine, prints a link that works at once");
}

Result<NewSession> Door::begin_session(const Visitor& visitor) {
  NewSession made;
  made.token = new_token(env_.random);
  std::array<char, 8> id{};
  env_.random.fill(id);
  const Digest digest = *digest_of_token(made.token.reveal());
  made.session = {base::to_hex({id.data(), id.size()}),
                  time_text(seconds_now()),
                  time_text(seconds_now()),
                  visitor.address,
                  base::escaped(visitor.agent, kAgentBytesMax),
                  true};
  auto many =
      TRY(database_.prepare("DELETE FROM sessions WHERE token NOT IN "
                            "(SELECT token FROM sessions ORDER BY used_at DESC, rowid DESC LIMIT ?1)"));
  TRY(many.bind(1, static_cast<std::int64_t>(kSessionsMax) - 1).run());
  auto row = TRY(database_.prepare("INSERT INTO sessions VALUES (?1, ?2, ?3, ?3, ?3, ?4, ?5)"));
  row.bind_blob(1, digest.view()).bind_text(2, made.session.id).bind(3, seconds_now());
  TRY(row.bind_text(4, made.session.address).bind_text(5, made.session.agent).run());
  failures_.forget(visitor.address);
  return made;
}

Result<NewSession> Door::claim(const SecretBytes& code, const SecretBytes& password, const Visitor& visitor) {
  // What is wrong with the password uses no code up.
  TRY(check_password(password));
  {
    // Who has no code does not make the machine work.
    const std::scoped_lock lock(mutex_);
    if (!TRY(password_hash()) && !TRY(is_code(code, kClaim))) return invalid(visitor);
  }
  const std::string hash = TRY(hash_of(password, env_.random));
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<NewSession> {
    if (TRY(password_hash()))
      return fail(ErrorCode::kRefused, Cause::kClaimed, "this instance has an owner already",
                  "sign in; spl owner link, on the machine, prints a link that does");
    if (!TRY(use_code(code, kClaim))) return invalid(visitor);
    TRY(database_.execute("DELETE FROM links"));
    auto owner = TRY(database_.prepare("INSERT INTO owner VALUES (1, ?1, ?2)"));
    TRY(owner.bind_text(1, hash).bind(2, seconds_now()).run());
    return begin_session(visitor);
  });
}

Result<NewSession> Door::enter(const SecretBytes& code, const Visitor& visitor) {
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<NewSession> {
    if (!TRY(password_hash())) return unclaimed();
    if (!TRY(use_code(code, kSignIn))) return invalid(visitor);
    return begin_session(visitor);
  });
}

Result<NewSession> Door::sign_in(const SecretBytes& password, const Visitor& visitor) {
  std::optional<std::string> hash;
  {
    const std::scoped_lock lock(mutex_);
    hash = TRY(password_hash());
    if (!hash) return unclaimed();
    TRY(check_wait(visitor));
  }
  // Others come in meanwhile: it takes its time.
  const bool is_right = TRY(is_password(password, *hash));
  const std::scoped_lock lock(mutex_);
  if (!is_right) return invalid(visitor);
  return change([&]() -> Result<NewSession> {
    // The password may have been changed, or the owner be gone.
    if (TRY(password_hash()) != hash) return invalid(visitor);
    return begin_session(visitor);
  });
}

Result<void> Door::prove(const Session& session, const SecretBytes& password, const Visitor& visitor) {
  std::optional<std::string> hash;
  {
    const std::scoped_lock lock(mutex_);
    hash = TRY(password_hash());
    if (!hash) return unclaimed();
    TRY(check_wait(visitor));
  }
  const bool is_right = TRY(is_password(password, *hash));
  const std::scoped_lock lock(mutex_);
  if (!is_right) return invalid(visitor);
  failures_.forget(visitor.address);
  auto row = TRY(database_.prepare("UPDATE sessions SET proven_at = ?1 WHERE id = ?2"));
  return row.bind(1, seconds_now()).bind_text(2, session.id).run();
}

Result<std::optional<Session>> Door::session_of(const SecretBytes& token) {
  const auto digest = digest_of_token(token.reveal());
  if (!digest) return std::optional<Session>();
  const std::scoped_lock lock(mutex_);
  auto row =
      TRY(database_.prepare("SELECT id, made_at, used_at, proven_at, address, agent FROM sessions WHERE token = ?1"));
  row.bind_blob(1, digest->view());
  if (!TRY(row.step())) return std::optional<Session>();
  const std::int64_t made_at = row.integer(1);
  const std::int64_t used_at = row.integer(2);
  const bool has_ended = seconds_now() >= used_at + session_idle_.count() ||
                         seconds_now() >= made_at + std::chrono::seconds(kSessionLifetime).count();
  const bool is_proven =
      !row.is_null(3) && seconds_now() < row.integer(3) + std::chrono::seconds(kProofLifetime).count();
  Session session{std::string(row.text(0)), time_text(made_at),       time_text(used_at),
                  std::string(row.text(4)), std::string(row.text(5)), is_proven};
  row.reset();
  if (has_ended) {
    auto ended = TRY(database_.prepare("DELETE FROM sessions WHERE token = ?1"));
    TRY(ended.bind_blob(1, digest->view()).run());
    return std::optional<Session>();
  }
  if (seconds_now() >= used_at + kUseNotedSeconds) {
    auto used = TRY(database_.prepare("UPDATE sessions SET used_at = ?1 WHERE token = ?2"));
    TRY(used.bind(1, seconds_now()).bind_blob(2, digest->view()).run());
  }
  return std::optional(std::move(session));
}

Result<std::vector<Session>> Door::read_sessions() {
  std::vector<Session> all;
  auto row = TRY(database_.prepare(
      "SELECT id, made_at, used_at, proven_at, address, agent FROM sessions ORDER BY used_at DESC, rowid DESC"));
  while (TRY(row.step())) {
    const bool has_ended = seconds_now() >= row.integer(2) + session_idle_.count() ||
                           seconds_now() >= row.integer(1) + std::chrono::seconds(kSessionLifetime).count();
    if (has_ended) continue;
    all.push_back({std::string(row.text(0)), time_text(row.integer(1)), time_text(row.integer(2)),
                   std::string(row.text(4)), std::string(row.text(5)),
                   !row.is_null(3) && seconds_now() < row.integer(3) + std::chrono::seconds(kProofLifetime).count()});
  }
  return all;
}

Result<std::optional<Session>> Door::session(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  std::vector<Session> all = TRY(read_sessions());
  const auto at = std::ranges::find(all, id, &Session::id);
  return at == all.end() ? std::optional<Session>() : std::optional(std::move(*at));
}

Result<std::vector<Session>> Door::sessions() {
  const std::scoped_lock lock(mutex_);
  return read_sessions();
}

Result<std::size_t> Door::sign_out(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<std::size_t> {
    if (id.empty()) {
      TRY(database_.execute("DELETE FROM sessions"));
      return static_cast<std::size_t>(database_.changes());
    }
    std::vector<Session> meant = TRY(read_sessions());
    std::erase_if(meant, [&id](const Session& session) { return !session.id.starts_with(id); });
    if (meant.empty())
      return fail(Cause::kNotFound, "there is no session " + base::escaped(id, 40), "spl owner sessions lists them");
    if (meant.size() > 1)
      return fail(ErrorCode::kUsage, "several sessions begin with " + base::escaped(id, 40), "give more of its id");
    auto row = TRY(database_.prepare("DELETE FROM sessions WHERE id = ?1"));
    TRY(row.bind_text(1, meant.front().id).run());
    return std::size_t{1};
  });
}

Result<void> Door::set_password(const SecretBytes& password, const std::string& kept_session) {
  const std::string hash = TRY(hash_of(password, env_.random));
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<void> {
    auto owner = TRY(database_.prepare("UPDATE owner SET password = ?1"));
    TRY(owner.bind_text(1, hash).run());
    if (database_.changes() == 0) return unclaimed();
    auto others = TRY(database_.prepare("DELETE FROM sessions WHERE id <> ?1"));
    TRY(others.bind_text(1, kept_session).run());
    return database_.execute("DELETE FROM links");
  });
}

Result<void> Door::reset() {
  const std::scoped_lock lock(mutex_);
  return change([&] {
    return database_.execute("DELETE FROM owner; DELETE FROM sessions; DELETE FROM links; DELETE FROM passkeys");
  });
}

Result<std::vector<Passkey>> Door::read_passkeys() {
  std::vector<Passkey> all;
  auto row =
      TRY(database_.prepare("SELECT id, name, made_at, algorithm, key, sign_count FROM passkeys ORDER BY number"));
  while (TRY(row.step())) {
    Passkey& one = all.emplace_back();
    one.key.id = row.blob(0);
    one.name = row.text(1);
    one.made_at = time_text(row.integer(2));
    one.key.algorithm = static_cast<int>(row.integer(3));
    one.key.public_key = row.blob(4);
    one.key.sign_count = static_cast<std::uint32_t>(row.integer(5));
  }
  return all;
}

Result<std::vector<Passkey>> Door::passkeys() {
  const std::scoped_lock lock(mutex_);
  return read_passkeys();
}

Result<void> Door::add_passkey(const std::string& name, const PasskeyKey& key) {
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<void> {
    if (!TRY(password_hash())) return unclaimed();
    const std::vector<Passkey> all = TRY(read_passkeys());
    if (all.size() >= kPasskeysMax)
      return fail(ErrorCode::kRefused, "there are " + std::to_string(kPasskeysMax) + " passkeys already",
                  "remove one that is not used");
    if (std::ranges::find(all, key.id, [](const Passkey& one) { return one.key.id; }) != all.end())
      return fail(ErrorCode::kRefused, "that passkey is here already");
    const std::string shown = base::escaped(name.empty() ? "a passkey" : name, kNameBytesMax);
    auto row = TRY(database_.prepare(
        "INSERT INTO passkeys (id, name, made_at, algorithm, key, sign_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
    row.bind_blob(1, key.id).bind_text(2, shown).bind(3, seconds_now()).bind(4, key.algorithm);
    return row.bind_blob(5, key.public_key).bind(6, std::int64_t{key.sign_count}).run();
  });
}

Result<void> Door::remove_passkey(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  auto row = TRY(database_.prepare("DELETE FROM passkeys WHERE id = ?1"));
  TRY(row.bind_blob(1, id).run());
  return database_.changes() == 1 ? Result<void>() : fail(Cause::kNotFound, "there is no such passkey");
}

Result<void> Door::use_passkey(const std::string& id, const PasskeyCheck& check, const Visitor& visitor) {
  if (!TRY(password_hash())) return unclaimed();
  TRY(check_wait(visitor));
  const std::vector<Passkey> all = TRY(read_passkeys());
  const auto at = std::ranges::find(all, id, [](const Passkey& one) { return one.key.id; });
  if (at == all.end()) return invalid(visitor);
  const auto count = check(at->key);
  if (!count) return invalid(visitor);
  auto row = TRY(database_.prepare("UPDATE passkeys SET sign_count = ?1 WHERE id = ?2"));
  return row.bind(1, std::int64_t{*count}).bind_blob(2, id).run();
}

Result<NewSession> Door::sign_in_with(const std::string& id, const PasskeyCheck& check, const Visitor& visitor) {
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<NewSession> {
    TRY(use_passkey(id, check, visitor));
    return begin_session(visitor);
  });
}

Result<void> Door::prove_with(const Session& session, const std::string& id, const PasskeyCheck& check,
                              const Visitor& visitor) {
  const std::scoped_lock lock(mutex_);
  return change([&]() -> Result<void> {
    TRY(use_passkey(id, check, visitor));
    failures_.forget(visitor.address);
    auto row = TRY(database_.prepare("UPDATE sessions SET proven_at = ?1 WHERE id = ?2"));
    return row.bind(1, seconds_now()).bind_text(2, session.id).run();
  });
}

}  // namespace spl::door
