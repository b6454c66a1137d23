// The hot paths one by one, with Google Benchmark: octets a second. `script/bench micro` runs it; by hand:
// build/release/bench/micro --benchmark_filter=...
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/stream.h"
#include "bundle/digest.h"
#include "codec/json_cursor.h"
#include "codec/tar.h"
#include "codec/zstd.h"
#include "crypto/age.h"
#include "crypto/ed25519.h"
#include "crypto/sha256.h"
#include "record/record.h"
#include "record/thread.h"
#include "record_maker.h"

namespace {

using spl::base::StringSink;
using spl::base::StringSource;

constexpr std::size_t kRecords = 4096;
constexpr std::size_t kFrameBytes = 1u << 20;
constexpr std::size_t kStreamBytes = 16u << 20;

// From the test vectors of https://github.com/C2SP/CCTV/tree/main/age: a key that everybody knows.
constexpr char kAgeIdentity[] = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

struct Data {
  std::vector<spl::Record> records;
  std::vector<std::string> paths;  // in a bundle
  std::size_t bytes = 0;           // of the records
  std::string tar;                 // of the records
};

spl::codec::TarEntry entry_of(const Data& data, std::size_t i) {
  spl::codec::TarEntry entry;
  entry.path = data.paths[i];
  entry.size_bytes = data.records[i].canonical.size();
  return entry;
}

std::string make_tar(const Data& data) {
  std::string tar;
  for (std::size_t i = 0; i < data.records.size(); ++i) {
    const std::string& text = data.records[i].canonical;
    spl::codec::append_tar_header(tar, entry_of(data, i));
    tar.append(text).append(spl::codec::tar_padding(text.size()), '\0');
  }
  spl::codec::append_tar_end(tar, tar.size());
  return tar;
}

const Data& data() {
  static const Data kData = [] {
    Data made;
    spl::bench::RecordMaker maker(1);
    for (std::size_t i = 0; i < kRecords; ++i) {
      const spl::Record& record = made.records.emplace_back(maker.next());
      made.paths.push_back(spl::record::record_path(spl::record::thread_directory(record.thread), record.id));
      made.bytes += record.canonical.size();
    }
    made.tar = make_tar(made);
    return made;
  }();
  return kData;
}

// Some megabytes that are not all the same.
const std::string& stream_data() {
  static const std::string kStream = [] {
    std::string text;
    while (text.size() < kStreamBytes) text += data().tar;
    text.resize(kStreamBytes);
    return text;
  }();
  return kStream;
}

void count_bytes(benchmark::State& state, std::size_t bytes_a_turn) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes_a_turn));
}

void count_records(benchmark::State& state) {
  count_bytes(state, data().bytes);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRecords));
}

void canonical_json(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    for (const spl::Record& record : data().records) {
      out.clear();
      SPL_CHECK(spl::codec::canonicalize_json(record.canonical, out));
      benchmark::DoNotOptimize(out.data());
    }
  }
  count_records(state);
}
BENCHMARK(canonical_json);

void record_id(benchmark::State& state) {
  for (auto _ : state) {
    for (const spl::Record& record : data().records) {
      auto parsed = spl::record::parse_record(record.canonical);
      SPL_CHECK(parsed);
      benchmark::DoNotOptimize(parsed->id);
    }
  }
  count_records(state);
}
BENCHMARK(record_id);

void sha256_stream(benchmark::State& state) {
  const std::string& text = stream_data();
  for (auto _ : state) {
    spl::crypto::Sha256 hash;
    hash.update(text);
    benchmark::DoNotOptimize(hash.finish());
  }
  count_bytes(state, text.size());
}
BENCHMARK(sha256_stream);

void sha256_500_bytes(benchmark::State& state) {
  const std::string text(500, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(spl::crypto::sha256(text));
  count_bytes(state, text.size());
}
BENCHMARK(sha256_500_bytes);

void digest_lines(benchmark::State& state) {
  const Data& all = data();
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (std::size_t i = 0; i < kRecords; ++i)
      spl::bundle::append_digest_line(out, all.records[i].id.digest, all.paths[i]);
    benchmark::DoNotOptimize(out.data());
  }
  count_bytes(state, out.size());
}
BENCHMARK(digest_lines);

void tar_header_write(benchmark::State& state) {
  const Data& all = data();
  std::string out;
  for (auto _ : state) {
    out.clear();
    for (std::size_t i = 0; i < kRecords; ++i) spl::codec::append_tar_header(out, entry_of(all, i));
    benchmark::DoNotOptimize(out.data());
  }
  count_bytes(state, out.size());
}
BENCHMARK(tar_header_write);

void tar_read(benchmark::State& state) {
  std::string content;
  for (auto _ : state) {
    StringSource source(data().tar);
    spl::codec::TarReader reader(source);
    for (auto entry = reader.next();; entry = reader.next()) {
      SPL_CHECK(entry);
      if (!*entry) break;
      content.clear();
      SPL_CHECK(reader.append_content(content));
    }
  }
  count_bytes(state, data().tar.size());
}
BENCHMARK(tar_read);

void zstd_3_frame(benchmark::State& state) {
  const std::string text = data().tar.substr(0, kFrameBytes);
  spl::codec::ZstdCompressor compressor(3);
  std::string out;
  for (auto _ : state) {
    out.clear();
    compressor.compress_frame(text, out);
    benchmark::DoNotOptimize(out.data());
  }
  count_bytes(state, text.size());
}
BENCHMARK(zstd_3_frame);

void zstd_read(benchmark::State& state) {
  const std::string text = data().tar.substr(0, kFrameBytes);
  std::string frame;
  spl::codec::ZstdCompressor(3).compress_frame(text, frame);
  std::string out(text.size(), '\0');
  for (auto _ : state) {
    StringSource in(frame);
    spl::codec::ZstdSource source(in);
    SPL_CHECK(spl::base::read_full(source, out).value() == text.size());
  }
  count_bytes(state, text.size());
}
BENCHMARK(zstd_read);

// Not for keys: the same octets each time.
void fill_even(std::span<char> out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(i * 37 + 11);
}

void encrypt(std::string_view text, spl::base::Sink& out) {
  auto identity = spl::crypto::AgeIdentity::parse(kAgeIdentity);
  SPL_CHECK(identity);
  auto sink = spl::crypto::AgeEncryptSink::make(out, {identity->recipient()}, fill_even);
  SPL_CHECK(sink && (*sink)->write(text) && (*sink)->finish());
}

void age_encrypt(benchmark::State& state) {
  StringSink out;
  encrypt(stream_data(), out);
  for (auto _ : state) {
    out.text.clear();  // its memory stays: getting some anew costs more than all the rest
    encrypt(stream_data(), out);
    benchmark::DoNotOptimize(out.text.data());
  }
  count_bytes(state, kStreamBytes);
}
BENCHMARK(age_encrypt)->UseRealTime();

void age_decrypt(benchmark::State& state) {
  StringSink file;
  encrypt(stream_data(), file);
  std::vector<spl::crypto::AgeIdentity> identities;
  identities.push_back(spl::crypto::AgeIdentity::parse(kAgeIdentity).value());
  std::string out(kStreamBytes, '\0');
  for (auto _ : state) {
    StringSource in(file.text);
    auto source = spl::crypto::AgeDecryptSource::open(in, identities, nullptr);
    SPL_CHECK(source && spl::base::read_full(**source, out).value() == kStreamBytes);
  }
  count_bytes(state, kStreamBytes);
}
BENCHMARK(age_decrypt)->UseRealTime();

void ed25519_verify(benchmark::State& state) {
  const auto key = spl::crypto::SigningKey::from_seed(std::string(32, '\x07')).value();
  const std::string& message = data().records[1].canonical;
  const auto signature = key.sign(message);
  const auto verifier = spl::crypto::Verifier::make(key.public_key()).value();
  for (auto _ : state) SPL_CHECK(verifier.verify(message, signature));
  count_bytes(state, message.size());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ed25519_verify);

}  // namespace

BENCHMARK_MAIN();
