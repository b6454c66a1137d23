// Backups that somebody looks into: each is opened once with its key, which stays in memory for ten minutes, and what
// is in it is read from its file, section by section. Any thread. docs/formats/door.md, "Backups".
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "crypto/age_keys.h"
#include "env/env.h"

namespace spl::operation {

inline constexpr std::chrono::minutes kOpenedFor{10};
inline constexpr std::size_t kOpenedMax = 8;  // at a time; the oldest go
inline constexpr std::size_t kOpenedChildrenMax = 200'000;
inline constexpr std::size_t kOpenedPage = 1000;

enum class OpenedType : std::uint8_t { kFile, kDirectory, kLink };

struct OpenedEntry {
  std::string path;  // whole, of a directory with the slash at its end
  OpenedType type = OpenedType::kFile;
  std::uint64_t bytes = 0;  // of a directory all that is below it
};

struct OpenedPage {
  std::vector<OpenedEntry> entries;
  std::string cursor;
  bool has_more = false;
};

struct OpenedBackup {
  std::string handle;
  std::string expires_at;
};

class OpenedBackups {
 public:
  explicit OpenedBackups(env::Env env) : env_(env) {}

  // Reads the beginning of the bundle, and checks its signature. `identity` is the text of a key file of age's. An
  // error of the reader where the key is not the one that opens it.
  Result<OpenedBackup> open(const std::string& path, const std::optional<SecretBytes>& passphrase,
                            const std::optional<SecretBytes>& identity);
  // What lies directly in the directory `prefix` ("" is all of it), by name, after `cursor`. Cause kNotFound where the
  // handle has ended or there is nothing of that name, kTooLarge where there is too much.
  Result<OpenedPage> entries(const std::string& handle, const std::string& prefix, const std::string& cursor,
                             base::Progress& progress);
  // The content of a file, to where `begin` (its size is given) leads. Its section is read to its end and held to its
  // signed digest: after an error what was written is not to be believed.
  Result<void> read(const std::string& handle, const std::string& path, base::Progress& progress,
                    const std::function<Result<Sink*>(std::uint64_t bytes)>& begin);

 private:
  struct Kept {
    std::string handle;
    std::string path;
    std::optional<SecretBytes> passphrase;
    std::vector<crypto::AgeIdentity> identities;
    std::chrono::steady_clock::time_point until;
  };
  using Listing = std::vector<OpenedEntry>;
  struct Listed {
    std::string handle;
    std::string prefix;
    std::shared_ptr<const Listing> entries;
  };
  Result<std::shared_ptr<const Kept>> kept(const std::string& handle);
  Result<std::shared_ptr<const Listing>> list(const Kept& kept, const std::string& prefix, base::Progress& progress);

  env::Env env_;
  std::mutex mutex_;  // guards all below
  std::deque<std::shared_ptr<const Kept>> kept_;
  std::optional<Listed> last_;  // pages of one directory are asked for one after the other
};

}  // namespace spl::operation
