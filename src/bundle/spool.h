// A file without a name that holds a bundle's body between its making and its writing out, or a bundle that comes from
// the network until it is read. Where it is kEncrypted, what lies on disk is encrypted under a key that never leaves
// memory. One thread.
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

namespace spl::bundle {

enum class SpoolKind : bool { kPlain, kEncrypted };

class Spool {
 public:
  // In `directory`, so that its file system is the one that was checked for room.
  static Result<Spool> make(env::Env env, const std::string& directory, SpoolKind kind);
  Result<void> append(std::string_view octets);
  [[nodiscard]] std::uint64_t size_bytes() const { return size_; }
  // What was appended, from byte `at` on: as much as `out` holds; fewer at the end alone.
  Result<std::size_t> read_at(std::uint64_t at, std::span<char> out);
  // All that was appended.
  Result<void> write_to(Sink& out);

 private:
  Spool(std::unique_ptr<env::File> file, std::optional<crypto::Keystream> keystream)
      : file_(std::move(file)), keystream_(std::move(keystream)) {}
  std::unique_ptr<env::File> file_;
  std::optional<crypto::Keystream> keystream_;
  std::uint64_t size_ = 0;
  std::string buffer_;
};

}  // namespace spl::bundle
