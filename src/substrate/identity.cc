#include "substrate/identity.h"

#include <array>

#include "base/encoding.h"
#include "crypto/did_key.h"
#include "crypto/sha256.h"
#include "record/did_document.h"

namespace spl::substrate {
namespace {

constexpr char kKeyFile[] = "private_key.bin";
constexpr char kDocumentFile[] = "did_document.json";
constexpr char kPrevious[] = "previous";
constexpr char kUnreadable[] = "unreadable-";  // and the file's SHA-256
constexpr std::size_t kPieceBytes = 64u << 10;

using env::join;

// The identity whose two files lie in `directory`; nothing where one is missing.
Result<std::optional<Identity>> read_pair(env::Env env, const std::string& directory) {
  for (const char* name : {kKeyFile, kDocumentFile}) {
    if (!TRY(env.fs.info(join(directory, name)))) return std::nullopt;
  }
  const SecretBytes seed(TRY(env::read_followed(env.fs, join(directory, kKeyFile), 64)));
  const std::string document =
      TRY(env::read_followed(env.fs, join(directory, kDocumentFile), record::kDidDocumentBytesMax));
  return std::optional(TRY_IN(directory, identity_from(seed.reveal(), document)));
}

// The DID that one of the two files speaks of; nothing where there is no such file.
Result<std::optional<std::string>> did_in_file(env::Env env, const std::string& directory, const char* name) {
  const std::string path = join(directory, name);
  if (!TRY(env.fs.info(path))) return std::nullopt;
  const SecretBytes content(TRY(env::read_followed(env.fs, path, record::kDidDocumentBytesMax)));
  if (name == kKeyFile) {
    const auto key = TRY_IN(path, crypto::SigningKey::from_seed(content.reveal()));
    return std::optional(crypto::did_of(key.public_key()));
  }
  return std::optional(crypto::did_of(TRY_IN(path, record::parse_did_document(content.reveal()))));
}

Result<void> drop_incoming(env::Env env, const std::string& directory) {
  const std::string incoming = join(directory, kIncomingDirectory);
  if (!TRY(env.fs.info(incoming))) return {};
  TRY(env::remove_tree(env.fs, incoming));
  return env.fs.sync_directory(directory);
}

// A copy, and no rename: where a sync fails, what it should have made durable may be lost although it can be seen. What
// is still where it came from can be copied again.
Result<void> copy_durably(env::Env env, const std::string& from, const std::string& to) {
  const SecretBytes content(TRY(env::read_followed(env.fs, from, record::kDidDocumentBytesMax)));
  return env::write_file_atomically(env.fs, to, content.reveal());
}

Result<Digest> digest_of_file(env::Env env, const std::string& path) {
  const auto file = TRY(env.fs.open(TRY(env::follow_to_file(env.fs, path)), env::OpenMode::kRead));
  crypto::Sha256 sha256;
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t offset = 0;; offset += piece.size()) {
    const std::size_t n = TRY(file->read_at(offset, piece));
    sha256.update(std::string_view(piece).substr(0, n));
    if (n < piece.size()) break;
  }
  explicit_bzero(piece.data(), piece.size());
  return sha256.finish();
}

// Where below previous/ a file is kept that is replaced; nothing where it is not there or is the one of `did`.
Result<std::optional<std::string>> place_aside(env::Env env, const std::string& directory, const char* name,
                                               const std::string& did) {
  const std::string path = join(directory, name);
  const auto info = TRY(env.fs.info(path));
  if (!info) return std::nullopt;
  if (info->size_bytes <= record::kDidDocumentBytesMax) {
    const auto there = did_in_file(env, directory, name);
    if (there) return *there == did ? std::nullopt : *there;
    if (there.error().code != ErrorCode::kVerification) return std::unexpected(there.error());
  }
  const Digest digest = TRY(digest_of_file(env, path));
  return kUnreadable + base::to_hex(digest.view());
}

// Keeps a file that is not of `did` before it is replaced, whatever is in it.
Result<void> set_aside(env::Env env, const std::string& directory, const char* name, const std::string& did) {
  const auto place = TRY(place_aside(env, directory, name, did));
  if (!place) return {};
  const std::string path = join(directory, name);
  const std::string previous = join(join(directory, kPrevious), *place);
  TRY(env::make_directories(env.fs, previous));
  const auto info = TRY(env.fs.info(path));
  if (info && info->size_bytes <= record::kDidDocumentBytesMax) return copy_durably(env, path, join(previous, name));
  // No file of an identity is so long, so nothing is lost with a rename that is.
  TRY(env.fs.rename(path, join(previous, name)));
  TRY(env.fs.sync_directory(previous));
  return env.fs.sync_directory(directory);
}

// Whether the staged file of this name is there and speaks of `did`. An error where it cannot be read: it may be the
// only one of its key, and nobody may drop it for that.
Result<bool> is_staged(env::Env env, const std::string& incoming, const char* name, const std::string& did) {
  const auto staged = did_in_file(env, incoming, name);
  if (staged) return *staged == did;
  if (staged.error().code == ErrorCode::kVerification) return false;
  return std::unexpected(staged.error());
}

}  // namespace

Result<Identity> generate_identity(env::Env env) {
  std::array<char, crypto::kSeedBytes> seed{};
  env.random.fill(seed);
  auto key = crypto::SigningKey::from_seed({seed.data(), seed.size()});
  explicit_bzero(seed.data(), seed.size());
  if (!key) return std::unexpected(std::move(key).error());
  std::string did = crypto::did_of(key->public_key());
  std::string document = record::did_document_text(key->public_key());
  return Identity{std::move(*key), std::move(did), std::move(document)};
}

Result<Identity> identity_from(std::string_view seed, std::string_view document) {
  auto key = TRY(crypto::SigningKey::from_seed(seed));
  if (TRY(record::parse_did_document(document)) != key.public_key())
    return fail(ErrorCode::kVerification, "the private key does not derive the key of did_document.json");
  std::string did = crypto::did_of(key.public_key());
  return Identity{std::move(key), std::move(did), std::string(document)};
}

std::optional<std::string> did_of_files(env::Env env, const std::string& directory) {
  const auto pair = read_pair(env, directory);
  return pair && *pair ? std::optional((*pair)->did) : std::nullopt;
}

Result<void> stage_identity(env::Env env, const std::string& directory, const std::optional<std::string>& did_now,
                            const Identity& identity) {
  TRY(settle_identity(env, directory, did_now));
  const std::string incoming = join(directory, kIncomingDirectory);
  TRY(env::make_directories(env.fs, incoming));
  TRY(env::write_file_atomically(env.fs, join(incoming, kKeyFile), identity.key.seed().reveal()));
  return env::write_file_atomically(env.fs, join(incoming, kDocumentFile), identity.document);
}

Result<void> settle_identity(env::Env env, const std::string& directory, const std::optional<std::string>& did) {
  const std::string incoming = join(directory, kIncomingDirectory);
  if (!TRY(env.fs.info(incoming))) return {};
  for (const char* name : {kKeyFile, kDocumentFile}) {
    if (!did || !TRY(is_staged(env, incoming, name, *did))) continue;
    TRY(set_aside(env, directory, name, *did));
    TRY(copy_durably(env, join(incoming, name), join(directory, name)));
  }
  // Everything is durable in its place: only now may the staged files go.
  return drop_incoming(env, directory);
}

Result<Identity> load_identity(env::Env env, const std::string& directory, const std::string& did) {
  // Twice: another process may have put it in its place between the two looks.
  for (int round = 0; round < 2; ++round) {
    std::optional<Error> unread;
    for (const std::string& place : {directory, join(directory, kIncomingDirectory)}) {
      auto pair = read_pair(env, place);
      if (pair && *pair && (*pair)->did == did) return std::move(**pair);
      if (!pair && !unread && pair.error().code != ErrorCode::kVerification) unread = std::move(pair).error();
    }
    if (unread) return std::unexpected(std::move(*unread));
  }
  return fail("the files in " + directory + " are not those of the instance's identity " + did,
              "put back its private_key.bin and did_document.json: spl bundle extract FILE identity/ --to DIR takes "
              "them from a "
              "bundle");
}

}  // namespace spl::substrate
