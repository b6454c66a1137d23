// Cuts the input as an RDB: without a checksum, so that more of it is looked at, each value's body ends as DUMP's does,
// and what is cut in small pieces is what is cut in large ones.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "surface/redis/rdb_reader.h"

namespace {

using namespace spl;

// Gives a few octets at a time.
class Pieces final : public base::Source {
 public:
  Pieces(std::string_view octets, std::size_t piece) : rest_(octets), piece_(piece) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = rest_.copy(out.data(), std::min(out.size(), piece_));
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
  std::size_t piece_;
};

// Everything that comes, as text.
class Told final : public surface::RdbSink {
 public:
  explicit Told(std::size_t octets) : octets_(octets) {}
  Result<void> begin_key(const surface::RdbKey& key) override {
    SPL_CHECK(!within_);
    within_ = true;
    text_ += std::to_string(key.database) + " " + key.key + " " + std::to_string(key.expires_at_ms.value_or(0)) + "\n";
    body_.clear();
    return {};
  }
  Result<void> body(std::string_view piece) override {
    SPL_CHECK(within_);
    body_ += piece;
    SPL_CHECK(body_.size() <= octets_ + kEndBytes);
    return {};
  }
  Result<void> end_key() override {
    SPL_CHECK(within_ && body_.size() > kEndBytes);
    within_ = false;
    const std::string_view value = std::string_view(body_).substr(0, body_.size() - kEndBytes);
    const std::string_view end = std::string_view(body_).substr(value.size());
    SPL_CHECK(end == surface::dump_end(static_cast<unsigned char>(end[0]), value));
    text_ += body_;
    return {};
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t kEndBytes = 10;
  std::size_t octets_;
  bool within_ = false;
  std::string body_;
  std::string text_;
};

bool cut(std::string_view rdb, std::size_t piece, Told& out) {
  Pieces source(rdb, piece);
  surface::RdbReader reader(source);
  return reader.read(out).has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kSmall = 3;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Told small(size);
  Told large(size);
  const bool small_ok = cut(input, kSmall, small);
  const bool large_ok = cut(input, size + 1, large);
  SPL_CHECK(small_ok == large_ok && small.text() == large.text());
  return 0;
}
