// Octets. Throughout the program a std::string_view is a view of octets, not of text, and a std::string owns them;
// where text is meant the name says so. Also the fixed-size digest, and octets that must not be seen. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"

namespace spl::base {

// 32 octets that a hash function made.
struct Digest {
  std::array<std::uint8_t, 32> octets{};
  auto operator<=>(const Digest&) const = default;

  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }
  // `bytes` must be 32 long.
  static Digest from(std::string_view bytes) {
    Digest digest;
    SPL_CHECK(bytes.size() == digest.octets.size());
    std::memcpy(digest.octets.data(), bytes.data(), digest.octets.size());
    return digest;
  }
};

// A secret of any length: wiped when it goes, movable, and with no way to print it but reveal().
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::string_view bytes) : bytes_(bytes) {}
  SecretBytes(SecretBytes&& other) noexcept { *this = std::move(other); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe();
      // Not a plain move: a short string would leave its octets behind in the other object.
      bytes_.assign(other.bytes_);
      other.wipe();
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes() { wipe(); }

  [[nodiscard]] SecretBytes copy() const { return SecretBytes(bytes_); }
  [[nodiscard]] std::string_view reveal() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  void wipe() {
    explicit_bzero(bytes_.data(), bytes_.size());
    bytes_.clear();
  }
  std::string bytes_;
};

}  // namespace spl::base

namespace spl {
using base::Digest;
using base::SecretBytes;
}  // namespace spl
