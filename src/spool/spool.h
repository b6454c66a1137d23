// Bytes that wait: in memory as long as they are few, then in a file without a name. A bundle's body between its making
// and its writing out, an upload until it is read, a list until it is sent. Where it is kEncrypted, what lies on disk
// is encrypted under a key that never leaves memory. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/stream.h"
#include "crypto/keystream.h"
#include "env/env.h"

namespace spl::spool {

enum class Secrecy : bool { kPlain, kEncrypted };

struct SpoolOptions {
  std::string directory;  // where the file is made: on the file system that was checked for room
  Secrecy secrecy = Secrecy::kPlain;
  std::size_t held_bytes_max = 0;  // in memory; 0: the file is made at once, so that an error shows at the beginning
};

class Spool {
 public:
  // Errors have the cause kNoSpoolSpace or kSpool: another directory can be named.
  static Result<Spool> make(env::Env env, SpoolOptions options);
  Result<void> append(std::string_view octets);
  [[nodiscard]] std::uint64_t size_bytes() const { return in_file_bytes_ + held_.size(); }
  // Of them, those that lie in the file.
  [[nodiscard]] std::uint64_t in_file_bytes() const { return in_file_bytes_; }
  // What was appended, from byte `at` on: as much as `out` holds; fewer at the end alone.
  Result<std::size_t> read_at(std::uint64_t at, std::span<char> out);
  // All that was appended.
  Result<void> write_to(Sink& out);

 private:
  Spool(env::Env env, SpoolOptions options) : fs_(&env.fs), random_(&env.random), options_(std::move(options)) {}
  Result<void> open_file();
  Result<void> append_to_file(std::string_view octets);

  env::FileSystem* fs_;
  env::Random* random_;
  SpoolOptions options_;
  std::string held_;  // what comes after that in the file
  std::unique_ptr<env::File> file_;
  std::optional<crypto::Keystream> keystream_;
  std::uint64_t in_file_bytes_ = 0;
  std::string buffer_;
};

}  // namespace spl::spool
