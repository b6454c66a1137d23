// What this layer needs around OpenSSL's calls: a buffer for secrets that wipes itself, and
// OpenSSL's error queue left as it was found, for it is the thread's and other users (TLS) judge by
// it. One thread at a time.
#pragma once

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace spl::crypto {

template <std::size_t N>
class Wiped {
 public:
  Wiped() = default;
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  ~Wiped() { OPENSSL_cleanse(octets_.data(), N); }

  [[nodiscard]] std::span<char> span() { return octets_; }
  [[nodiscard]] std::string_view view() const { return {octets_.data(), N}; }
  [[nodiscard]] unsigned char* octets() { return reinterpret_cast<unsigned char*>(octets_.data()); }

 private:
  std::array<char, N> octets_{};
};

class ErrorQueueMark {
 public:
  ErrorQueueMark() { ERR_set_mark(); }
  ErrorQueueMark(const ErrorQueueMark&) = delete;
  ErrorQueueMark& operator=(const ErrorQueueMark&) = delete;
  ~ErrorQueueMark() { ERR_pop_to_mark(); }
};

inline const unsigned char* octets_of(std::string_view view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

}  // namespace spl::crypto
