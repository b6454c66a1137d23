#include "surface/redis/rdb_reader.h"

#include <liblzf/lzf.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <span>

#include "base/encoding.h"
#include "codec/enum_names.h"

namespace spl::surface {
namespace {

// "Jones", as crc64.c of Redis has it.
using Crc64 = boost::crc_optimal<64, 0xad93d23594c935a9, 0, 0, true, true>;

constexpr std::size_t kBufferBytes = 256u << 10;
constexpr std::size_t kKeyBytesMax = 64u << 20;  // a key is held in memory
constexpr std::size_t kHeadBytes = 9;
constexpr std::string_view kMagic = "REDIS";

// Opcodes between keys.
constexpr unsigned kFunctions = 245;
constexpr unsigned kModuleAux = 247;
constexpr unsigned kIdle = 248;
constexpr unsigned kFrequency = 249;
constexpr unsigned kAux = 250;
constexpr unsigned kResize = 251;
constexpr unsigned kExpiresMs = 252;
constexpr unsigned kExpires = 253;
constexpr unsigned kSelect = 254;
constexpr unsigned kEnd = 255;

// How a value's octets follow each other.
enum class Layout : std::uint8_t {
  kNone,
  kString,
  kStrings,     // a count, and as many strings
  kPairs,       // a count, and twice as many strings
  kScoredText,  // a count; a string and a number as text each
  kScored,      // a count; a string and eight octets each
  kQuicklist,   // a count; a number and a string each
  kStream,      // streams of 5.0, 7.0, 7.2
  kStreamEntries,
  kStreamConsumers,
};

struct ValueType {
  RedisType type = RedisType::kString;
  Layout layout = Layout::kNone;
};

// By the octet before a value (rdb.h, RDB_TYPE_*).
constexpr std::array<ValueType, 22> kValueTypes = [] {
  using enum RedisType;
  using L = Layout;
  std::array<ValueType, 22> types{};
  types[0] = {kString, L::kString};
  types[1] = {kList, L::kStrings};
  types[2] = {kSet, L::kStrings};
  types[3] = {kSortedSet, L::kScoredText};
  types[4] = {kHash, L::kPairs};
  types[5] = {kSortedSet, L::kScored};
  types[9] = {kHash, L::kString};        // zipmap
  types[10] = {kList, L::kString};       // ziplist
  types[11] = {kSet, L::kString};        // intset
  types[12] = {kSortedSet, L::kString};  // ziplist
  types[13] = {kHash, L::kString};       // ziplist
  types[14] = {kList, L::kStrings};      // quicklist of ziplists
  types[15] = {kStream, L::kStream};
  types[16] = {kHash, L::kString};       // listpack
  types[17] = {kSortedSet, L::kString};  // listpack
  types[18] = {kList, L::kQuicklist};
  types[19] = {kStream, L::kStreamEntries};
  types[20] = {kSet, L::kString};  // listpack
  types[21] = {kStream, L::kStreamConsumers};
  return types;
}();
constexpr unsigned kModule = 6;
constexpr unsigned kModule2 = 7;

std::unexpected<Error> malformed(const std::string& why) {
  return fail(Cause::kMalformed, "what the server sent is no RDB: " + why);
}

std::uint64_t little_endian(std::string_view octets) {
  std::uint64_t value = 0;
  for (std::size_t i = octets.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(octets[i - 1]);
  return value;
}

std::uint64_t big_endian(std::string_view octets) {
  std::uint64_t value = 0;
  for (const char c : octets) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void append_little_endian(std::string& out, std::uint64_t value, int octets) {
  for (int i = 0; i < octets; ++i) out += static_cast<char>(value >> (8 * i) & 255);
}

// A length, or how a string is written that has none.
struct Length {
  std::uint64_t value = 0;
  bool is_encoding = false;
};
constexpr std::uint64_t kLzf = 3;

}  // namespace

std::string dump_end(unsigned version, std::string_view body) {
  std::string end;
  append_little_endian(end, version, 2);
  Crc64 crc;
  crc.process_bytes(body.data(), body.size());
  crc.process_bytes(end.data(), end.size());
  append_little_endian(end, crc.checksum(), 8);
  return end;
}

class RdbReader::Impl {
 public:
  explicit Impl(Source& source) : source_(source) { buffer_.resize(kBufferBytes); }

  Result<RdbSummary> read(RdbSink& out);
  Result<void> read_rest(std::string& out, std::size_t bytes);

 private:
  Result<void> fill(std::size_t wanted);
  Result<std::string_view> take(std::size_t bytes);
  Result<void> pass(std::uint64_t bytes);
  Result<unsigned> octet();
  Result<Length> length();
  Result<std::uint64_t> count();
  Result<void> pass_string();
  Result<void> pass_strings(std::uint64_t number);
  Result<std::string> string();
  Result<std::string> compressed_string();
  Result<void> pass_value(Layout layout);
  Result<void> pass_stream(Layout layout);
  Result<void> pass_stream_group(Layout layout);
  Result<void> opcode(unsigned code);
  Result<void> key(unsigned code, RdbSink& out);
  Result<void> flush_body();

  Source& source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Crc64 crc_;  // of all that was taken
  RdbSummary summary_;
  RdbKey key_;
  RdbSink* out_ = nullptr;  // within a value: where its octets go
  std::string body_;        // of them, those that are small
  Crc64 body_crc_;
};

// At least `wanted` octets are in the buffer.
Result<void> RdbReader::Impl::fill(std::size_t wanted) {
  if (end_ - begin_ >= wanted) return {};
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  while (end_ < wanted) {
    const std::size_t n = TRY(source_.read(std::span(buffer_).subspan(end_)));
    if (n == 0) return malformed("it ends too early");
    end_ += n;
  }
  return {};
}

// The next octets, few; within a value they are its own. Good until the next call.
Result<std::string_view> RdbReader::Impl::take(std::size_t bytes) {
  TRY(fill(bytes));
  const std::string_view octets = std::string_view(buffer_).substr(begin_, bytes);
  begin_ += bytes;
  crc_.process_bytes(octets.data(), octets.size());
  if (out_ != nullptr) {
    body_ += octets;
    if (body_.size() >= kBufferBytes) TRY(flush_body());
  }
  return octets;
}

Result<void> RdbReader::Impl::flush_body() {
  body_crc_.process_bytes(body_.data(), body_.size());
  TRY(out_->body(body_));
  body_.clear();
  return {};
}

// Many octets, of no interest but as a part of the value that they are in.
Result<void> RdbReader::Impl::pass(std::uint64_t bytes) {
  while (bytes > 0) {
    if (begin_ == end_) TRY(fill(1));
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, end_ - begin_));
    TRY(take(n));
    bytes -= n;
  }
  return {};
}

Result<unsigned> RdbReader::Impl::octet() {
  return static_cast<unsigned char>(TRY(take(1)).front());
}

Result<Length> RdbReader::Impl::length() {
  const unsigned first = TRY(octet());
  const unsigned low = first & 0x3f;
  switch (first >> 6) {
    case 0:
      return Length{low};
    case 1: {
      const unsigned second = TRY(octet());
      return Length{low << 8 | second};
    }
    case 2:
      if (first == 0x80) return Length{big_endian(TRY(take(4)))};
      if (first == 0x81) return Length{big_endian(TRY(take(8)))};
      return malformed("a length of an unknown form");
    default:
      return Length{low, true};
  }
}

Result<std::uint64_t> RdbReader::Impl::count() {
  const Length length = TRY(this->length());
  if (length.is_encoding) return malformed("an encoding where a length should be");
  return length.value;
}

Result<void> RdbReader::Impl::pass_string() {
  const Length length = TRY(this->length());
  if (!length.is_encoding) return pass(length.value);
  if (length.value < kLzf) return pass(std::uint64_t{1} << length.value);
  if (length.value != kLzf) return malformed("a string in an unknown encoding");
  const std::uint64_t compressed = TRY(count());
  TRY(count());
  return pass(compressed);
}

Result<void> RdbReader::Impl::pass_strings(std::uint64_t number) {
  for (; number > 0; --number) TRY(pass_string());
  return {};
}

Result<std::string> RdbReader::Impl::compressed_string() {
  const std::uint64_t compressed = TRY(count());
  const std::uint64_t bytes = TRY(count());
  if (compressed > kKeyBytesMax || bytes > kKeyBytesMax || bytes == 0) return malformed("a key that is too long");
  std::string from;
  while (from.size() < compressed) {
    const std::size_t n = std::min(static_cast<std::size_t>(compressed) - from.size(), kBufferBytes);
    from += TRY(take(n));
  }
  std::string text(static_cast<std::size_t>(bytes), '\0');
  const auto n = ::lzf_decompress(from.data(), static_cast<unsigned>(from.size()), text.data(),
                                  static_cast<unsigned>(text.size()));
  if (n != text.size()) return malformed("a compressed string that is broken");
  return text;
}

// One that is understood: a key.
Result<std::string> RdbReader::Impl::string() {
  const Length length = TRY(this->length());
  if (length.is_encoding) {
    if (length.value == kLzf) return compressed_string();
    if (length.value > kLzf) return malformed("a string in an unknown encoding");
    const std::size_t octets = std::size_t{1} << length.value;
    const std::uint64_t value = little_endian(TRY(take(octets)));
    const int unused = static_cast<int>(64 - (8 * octets));
    return std::to_string(static_cast<std::int64_t>(value << unused) >> unused);
  }
  if (length.value > kKeyBytesMax) return malformed("a key that is too long");
  std::string text;
  while (text.size() < length.value) {
    const std::size_t n = std::min(static_cast<std::size_t>(length.value) - text.size(), kBufferBytes);
    text += TRY(take(n));
  }
  return text;
}

Result<void> RdbReader::Impl::pass_stream_group(Layout layout) {
  constexpr std::size_t kIdBytes = 16;
  constexpr std::size_t kTimeBytes = 8;
  TRY(pass_string());                        // name
  for (int i = 0; i < 2; ++i) TRY(count());  // last id
  if (layout != Layout::kStream) TRY(count());
  for (std::uint64_t pending = TRY(count()); pending > 0; --pending) {
    TRY(take(kIdBytes + kTimeBytes));
    TRY(count());
  }
  for (std::uint64_t consumers = TRY(count()); consumers > 0; --consumers) {
    TRY(pass_string());
    TRY(take(layout == Layout::kStreamConsumers ? 2 * kTimeBytes : kTimeBytes));
    for (std::uint64_t pending = TRY(count()); pending > 0; --pending) TRY(take(kIdBytes));
  }
  return {};
}

Result<void> RdbReader::Impl::pass_stream(Layout layout) {
  for (std::uint64_t packs = TRY(count()); packs > 0; --packs) TRY(pass_strings(2));
  // Its length and last id; then the first id, the last that was deleted, and how many ever were.
  const int numbers = layout == Layout::kStream ? 3 : 8;
  for (int i = 0; i < numbers; ++i) TRY(count());
  for (std::uint64_t groups = TRY(count()); groups > 0; --groups) TRY(pass_stream_group(layout));
  return {};
}

Result<void> RdbReader::Impl::pass_value(Layout layout) {
  constexpr unsigned kNumbersWithoutText = 253;  // from here on: no number, and the infinities
  constexpr std::size_t kScoreBytes = 8;
  switch (layout) {
    case Layout::kNone:
      return malformed("a value of no type");
    case Layout::kString:
      return pass_string();
    case Layout::kStrings:
      return pass_strings(TRY(count()));
    case Layout::kPairs: {
      const std::uint64_t number = TRY(count());
      TRY(pass_strings(number));
      return pass_strings(number);
    }
    case Layout::kScoredText:
      for (std::uint64_t number = TRY(count()); number > 0; --number) {
        TRY(pass_string());
        const unsigned digits = TRY(octet());
        if (digits < kNumbersWithoutText) TRY(take(digits));
      }
      return {};
    case Layout::kScored:
      for (std::uint64_t number = TRY(count()); number > 0; --number) {
        TRY(pass_string());
        TRY(take(kScoreBytes));
      }
      return {};
    case Layout::kQuicklist:
      for (std::uint64_t number = TRY(count()); number > 0; --number) {
        TRY(count());
        TRY(pass_string());
      }
      return {};
    default:
      return pass_stream(layout);
  }
}

// What stands between keys.
Result<void> RdbReader::Impl::opcode(unsigned code) {
  switch (code) {
    case kExpiresMs:
      key_.expires_at_ms = static_cast<std::int64_t>(little_endian(TRY(take(8))));
      return {};
    case kExpires:
      key_.expires_at_ms = static_cast<std::int64_t>(little_endian(TRY(take(4)))) * 1000;
      return {};
    case kSelect: {
      const std::uint64_t database = TRY(count());
      if (database > INT32_MAX) return malformed("a database of number " + std::to_string(database));
      key_.database = static_cast<std::uint32_t>(database);
      return {};
    }
    case kResize:
      for (int i = 0; i < 2; ++i) TRY(count());
      return {};
    case kAux:
      TRY(pass_strings(2));
      return {};
    case kIdle:
      TRY(count());
      return {};
    case kFrequency:
      TRY(octet());
      return {};
    case kFunctions:
      summary_.has_functions = true;
      TRY(pass_string());
      return {};
    case kModuleAux:
      return fail(ErrorCode::kUsage, "the server has data of a module, which cannot be carried",
                  "leave the service out with --without, or unload the module");
    default:
      return malformed("an unknown opcode " + std::to_string(code));
  }
}

Result<void> RdbReader::Impl::key(unsigned code, RdbSink& out) {
  key_.key = TRY(string());
  if (code == kModule || code == kModule2)
    return fail(ErrorCode::kUsage,
                "the key " + base::escaped(key_.key, 100) + " has a value of a module, which cannot be carried",
                "leave the service out with --without, or remove such keys");
  if (code >= kValueTypes.size() || kValueTypes[code].layout == Layout::kNone)
    return malformed("a value of the unknown type " + std::to_string(code));
  if (key_.expires_at_ms && *key_.expires_at_ms < 1) return malformed("a key that ends before 1970");
  key_.type = kValueTypes[code].type;
  TRY(out.begin_key(key_));
  out_ = &out;
  body_.assign(1, static_cast<char>(code));
  body_crc_.reset();
  TRY(pass_value(kValueTypes[code].layout));
  append_little_endian(body_, summary_.version, 2);
  TRY(flush_body());
  append_little_endian(body_, body_crc_.checksum(), 8);
  TRY(out.body(body_));
  out_ = nullptr;
  key_.expires_at_ms.reset();
  return out.end_key();
}

Result<RdbSummary> RdbReader::Impl::read(RdbSink& out) {
  const std::string head(TRY(take(kHeadBytes)));
  if (!head.starts_with(kMagic)) return malformed("it does not begin as one");
  for (const char c : head.substr(kMagic.size())) {
    if (c < '0' || c > '9') return malformed("it has no version");
    summary_.version = (summary_.version * 10) + static_cast<unsigned>(c - '0');
  }
  if (summary_.version < kRdbVersionMin || summary_.version > kRdbVersionMax)
    return fail(ErrorCode::kUnavailable, Cause::kNewerVersion,
                "the server writes version " + std::to_string(summary_.version) + " of RDB; this program reads " +
                    std::to_string(kRdbVersionMin) + " to " + std::to_string(kRdbVersionMax));
  for (;;) {
    const unsigned code = TRY(octet());
    if (code == kEnd) break;
    if (code < kFunctions) {
      TRY(key(code, out));
    } else {
      TRY(opcode(code));
    }
  }
  const std::uint64_t wanted = crc_.checksum();
  const std::uint64_t checksum = little_endian(TRY(take(8)));
  // 0: the server makes none (rdbchecksum no).
  if (checksum != 0 && checksum != wanted) return malformed("its checksum does not agree");
  return summary_;
}

Result<void> RdbReader::Impl::read_rest(std::string& out, std::size_t bytes) {
  out = TRY(take(bytes));
  return {};
}

RdbReader::RdbReader(Source& source) : impl_(std::make_unique<Impl>(source)) {}
RdbReader::~RdbReader() = default;

Result<RdbSummary> RdbReader::read(RdbSink& out) {
  return impl_->read(out);
}

Result<void> RdbReader::read_rest(std::string& out, std::size_t bytes) {
  return impl_->read_rest(out, bytes);
}

}  // namespace spl::surface
