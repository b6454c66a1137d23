// The hot paths of services: what a fork of Redis sends, and the lines of keys and of trees in a bundle.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/check.h"
#include "base/encoding.h"
#include "base/stream.h"
#include "codec/mtree.h"
#include "surface/redis/key_line.h"
#include "surface/redis/rdb_reader.h"

namespace {

using spl::surface::KeyHead;
using spl::surface::RdbKey;
using spl::surface::RdbReader;
using spl::surface::RdbSink;

constexpr std::size_t kKeys = 20'000;
constexpr std::size_t kValueBytes = 500;
constexpr unsigned kRdbVersion = 10;

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
}

// A length as RDB has it, of at most 16383.
std::string length_of(std::size_t n) {
  return {static_cast<char>(0x40 | n >> 8), static_cast<char>(n & 0xff)};
}

std::string key_of(std::size_t i) {
  return "session:" + std::to_string(i);
}

std::string value_of(std::size_t i) {
  std::string value(kValueBytes, '\0');
  for (std::size_t at = 0; at < value.size(); ++at) value[at] = static_cast<char>(at * 131 + i * 17);
  return value;
}

// Strings of one database, without a checksum.
const std::string& rdb() {
  static const std::string kRdb = [] {
    std::string octets = "REDIS0010";
    octets += "\xfe";
    octets += '\0';
    for (std::size_t i = 0; i < kKeys; ++i) {
      octets += '\0';
      octets += length_of(key_of(i).size()) + key_of(i) + length_of(kValueBytes) + value_of(i);
    }
    return octets + "\xff" + std::string(8, '\0');
  }();
  return kRdb;
}

class Nobody final : public RdbSink {
 public:
  spl::Result<void> begin_key(const RdbKey& /*key*/) override { return {}; }
  spl::Result<void> body(std::string_view piece) override {
    bytes += piece.size();
    return {};
  }
  spl::Result<void> end_key() override { return {}; }
  std::size_t bytes = 0;
};

void rdb_cut(benchmark::State& state) {
  for (auto _ : state) {
    spl::base::StringSource source(rdb());
    RdbReader reader(source);
    Nobody out;
    SPL_CHECK(reader.read(out) && out.bytes > kKeys * kValueBytes);
  }
  count_bytes(state, rdb().size());
}
BENCHMARK(rdb_cut);

std::string line_of(std::size_t i) {
  const std::string body = value_of(i) + spl::surface::dump_end(kRdbVersion, value_of(i));
  return spl::surface::key_line_begin(KeyHead{key_of(i), spl::surface::RedisType::kString, {}}) +
         spl::base::to_base64(body);
}

void key_line_write(benchmark::State& state) {
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string line = line_of(bytes);
    benchmark::DoNotOptimize(line.data());
    bytes = line.size();
  }
  count_bytes(state, bytes);
}
BENCHMARK(key_line_write);

void key_line_read(benchmark::State& state) {
  const std::string line = line_of(7) + "\"}";
  for (auto _ : state) SPL_CHECK(spl::surface::parse_key_line(line).has_value());
  count_bytes(state, line.size());
}
BENCHMARK(key_line_read);

spl::codec::MtreeEntry tree_entry(std::size_t i) {
  spl::codec::MtreeEntry entry;
  const std::string number = std::to_string(1'000'000 + i);
  entry.path = "notes-" + number + " of a long year.txt";
  entry.mode = 0644;
  entry.uid = 1000;
  entry.gid = 1000;
  entry.modified_s = 1'700'000'000 + static_cast<std::int64_t>(i);
  entry.modified_ns = 123'456'789;
  return entry;
}

std::string tree_lines() {
  std::string lines;
  for (std::size_t i = 0; i < kKeys; ++i) spl::codec::append_mtree_line(lines, tree_entry(i));
  return lines;
}

void mtree_write(benchmark::State& state) {
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string lines = tree_lines();
    bytes = lines.size();
  }
  count_bytes(state, bytes);
}
BENCHMARK(mtree_write);

void mtree_read(benchmark::State& state) {
  const std::string lines = tree_lines();
  for (auto _ : state) {
    spl::codec::MtreeLines reader;
    SPL_CHECK(reader.take(spl::codec::kMtreeFirstLine.substr(0, spl::codec::kMtreeFirstLine.size() - 1)));
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      SPL_CHECK(reader.take(std::string_view(lines).substr(at, end - at)));
      at = end + 1;
    }
    SPL_CHECK(reader.end(""));
  }
  count_bytes(state, lines.size());
}
BENCHMARK(mtree_read);

}  // namespace
