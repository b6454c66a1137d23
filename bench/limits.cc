// limits DIRECTORY: what this machine can do at most, one core each, half a second and more each: the bounds that the
// benchmarks' figures are held against. Uses the libraries directly, not spl's code. Files are made in DIRECTORY and
// removed. Prints one JSON object: octets, operations, rows or files a second; seconds for one small fsync.
#include <fcntl.h>
#include <openssl/evp.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "record_maker.h"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecords = 40'000;
constexpr std::size_t kBufferBytes = 32u << 20;
constexpr std::size_t kFrameBytes = 1u << 20;
constexpr std::size_t kCopyBytes = 256u << 20;
constexpr std::size_t kDiskBytes = 512u << 20;
constexpr int kSmallSyncs = 100;
constexpr double kSecondsMin = 0.5;

[[noreturn]] void die(const std::string& why) {
  std::cerr << "limits: " << why << "\n";
  std::exit(1);
}

// Of this process: what others take of the core is not counted.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// How much a second of the processor, where one turn of `work` does `amount`; the first turn warms up.
double rate_of(double amount, const std::function<void()>& work) {
  work();
  const double begun = processor_seconds();
  double spent = 0;
  int turns = 0;
  while (spent < kSecondsMin) {
    work();
    ++turns;
    spent = processor_seconds() - begun;
  }
  return amount * turns / spent;
}

// The whole process: one limit is one core's.
void stay_on_one_core() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (int core = CPU_SETSIZE - 1; core >= 0; --core) {
    if (!CPU_ISSET(core, &allowed)) continue;
    CPU_ZERO(&allowed);
    CPU_SET(core, &allowed);
    ::sched_setaffinity(0, sizeof allowed, &allowed);
    return;
  }
}

std::vector<std::string> make_rows() {
  spl::bench::RecordMaker maker(1);
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < kRecords; ++i) rows.push_back(maker.next().canonical);
  return rows;
}

// About what a tar of them is: a 512-octet header that is mostly zeros, and the content padded.
std::string make_tar_like(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) {
    text.append("records/").append(row, row.size() - 69, 67).append(512 - 75, '\0').append(row);
    text.append(-row.size() % 512, '\0');
    if (text.size() > kBufferBytes) break;
  }
  return text;
}

std::size_t whole_pieces(const std::string& data, std::size_t piece_bytes) {
  return data.size() - data.size() % piece_bytes;
}

double sha256_rate(const std::string& data) {
  unsigned char digest[32];
  return rate_of(static_cast<double>(data.size()),
                 [&] { EVP_Digest(data.data(), data.size(), digest, nullptr, EVP_sha256(), nullptr); });
}

double chacha_rate(const std::string& data) {
  constexpr std::size_t kChunk = 64u << 10;  // age's
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(EVP_CIPHER_CTX_new(),
                                                                                EVP_CIPHER_CTX_free);
  const unsigned char key[32] = {1};
  const unsigned char nonce[12] = {2};
  std::vector<unsigned char> out(kChunk + 16);
  return rate_of(static_cast<double>(whole_pieces(data, kChunk)), [&] {
    for (std::size_t at = 0; at + kChunk <= data.size(); at += kChunk) {
      int bytes = 0;
      EVP_EncryptInit_ex(context.get(), EVP_chacha20_poly1305(), nullptr, key, nonce);
      EVP_EncryptUpdate(context.get(), out.data(), &bytes, reinterpret_cast<const unsigned char*>(&data[at]), kChunk);
      EVP_EncryptFinal_ex(context.get(), &out[kChunk], &bytes);
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, &out[kChunk]);
    }
  });
}

double ed25519_rate(const std::string& row) {
  constexpr int kTurns = 500;
  const unsigned char seed[32] = {7};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, sizeof seed), EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto* message = reinterpret_cast<const unsigned char*>(row.data());
  unsigned char signature[64];
  std::size_t bytes = sizeof signature;
  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get());
  if (EVP_DigestSign(context.get(), signature, &bytes, message, row.size()) != 1) die("cannot sign");
  return rate_of(kTurns, [&] {
    for (int i = 0; i < kTurns; ++i) {
      EVP_MD_CTX_reset(context.get());
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get());
      if (EVP_DigestVerify(context.get(), signature, bytes, message, row.size()) != 1) die("cannot verify");
    }
  });
}

// In frames of a mebibyte, which a core's caches hold.
double zstd_rate(const std::string& data, int level) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  std::string out(ZSTD_compressBound(kFrameBytes), '\0');
  return rate_of(static_cast<double>(whole_pieces(data, kFrameBytes)), [&] {
    for (std::size_t at = 0; at + kFrameBytes <= data.size(); at += kFrameBytes)
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), &data[at], kFrameBytes, level);
  });
}

double zstd_decompress_rate(const std::string& data) {
  std::string frame(ZSTD_compressBound(kFrameBytes), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), data.data(), kFrameBytes, 3));
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::string out(kFrameBytes, '\0');
  return rate_of(static_cast<double>(kFrameBytes),
                 [&] { ZSTD_decompressDCtx(context.get(), out.data(), out.size(), frame.data(), frame.size()); });
}

double copy_rate() {
  const std::vector<char> from(kCopyBytes, 'x');
  std::vector<char> to(kCopyBytes);
  return rate_of(static_cast<double>(kCopyBytes), [&] { std::copy(from.begin(), from.end(), to.begin()); });
}

void write_all(int file, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(file, data, bytes);
    if (written < 0) die("cannot write");
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

int open_new(const fs::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) die("cannot make " + path.string());
  return file;
}

// Into directories of a thousand, not synced.
double file_create_rate(const fs::path& directory, const std::vector<std::string>& rows) {
  constexpr std::size_t kFiles = 20'000;
  const double spent = seconds_of([&] {
    fs::path in;
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (i % 1000 == 0) fs::create_directory(in = directory / ("d" + std::to_string(i / 1000)));
      const int file = open_new(in / std::to_string(i));
      write_all(file, rows[i].data(), rows[i].size());
      ::close(file);
    }
  });
  return kFiles / spent;
}

// The rows in one table, one transaction, with no index but the row's number.
double sqlite_insert_rate(const fs::path& directory, const std::vector<std::string>& rows) {
  sqlite3* database = nullptr;
  sqlite3_stmt* insert = nullptr;
  const auto run = [&](const char* sql) {
    if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) die(sqlite3_errmsg(database));
  };
  if (sqlite3_open((directory / "rows.db").c_str(), &database) != SQLITE_OK) die("cannot make a database");
  run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE rows(n INTEGER PRIMARY KEY, row TEXT) STRICT");
  const double spent = seconds_of([&] {
    run("BEGIN");
    sqlite3_prepare_v2(database, "INSERT INTO rows(row) VALUES(?)", -1, &insert, nullptr);
    for (const std::string& row : rows) {
      sqlite3_bind_text64(insert, 1, row.data(), row.size(), SQLITE_STATIC, SQLITE_UTF8);
      if (sqlite3_step(insert) != SQLITE_DONE) die(sqlite3_errmsg(database));
      sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    run("COMMIT");
  });
  sqlite3_close(database);
  return static_cast<double>(rows.size()) / spent;
}

double disk_write_rate(const fs::path& directory, const std::string& data) {
  const int file = open_new(directory / "large");
  const double spent = seconds_of([&] {
    for (std::size_t done = 0; done < kDiskBytes; done += data.size()) write_all(file, data.data(), data.size());
    if (::fsync(file) != 0) die("cannot fsync");
  });
  ::close(file);
  const std::size_t pieces = (kDiskBytes + data.size() - 1) / data.size();
  return static_cast<double>(pieces * data.size()) / spent;
}

// Of 4 KiB written over what is there, as a log that is used again does, and fdatasync; on average.
double small_sync_seconds(const fs::path& directory) {
  const std::string page(4096, 'x');
  const int file = open_new(directory / "small");
  for (int i = 0; i < kSmallSyncs; ++i) write_all(file, page.data(), page.size());
  if (::fsync(file) != 0 || ::lseek(file, 0, SEEK_SET) != 0) die("cannot fsync");
  const double spent = seconds_of([&] {
    for (int i = 0; i < kSmallSyncs; ++i) {
      write_all(file, page.data(), page.size());
      if (::fdatasync(file) != 0) die("cannot fdatasync");
    }
  });
  ::close(file);
  return spent / kSmallSyncs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) die("usage: limits DIRECTORY");
  stay_on_one_core();
  const fs::path directory = fs::path(argv[1]) / "limits";
  fs::remove_all(directory);
  fs::create_directories(directory);
  const std::vector<std::string> rows = make_rows();
  const std::string data = make_tar_like(rows);
  std::printf("{\"sha256_bytes_s\":%.0f,", sha256_rate(data));
  std::printf("\"chacha20_poly1305_bytes_s\":%.0f,", chacha_rate(data));
  std::printf("\"ed25519_verify_s\":%.0f,", ed25519_rate(rows[1]));
  std::printf("\"zstd_1_bytes_s\":%.0f,", zstd_rate(data, 1));
  std::printf("\"zstd_3_bytes_s\":%.0f,", zstd_rate(data, 3));
  std::printf("\"zstd_decompress_bytes_s\":%.0f,", zstd_decompress_rate(data));
  std::printf("\"memory_copy_bytes_s\":%.0f,", copy_rate());
  std::printf("\"file_create_s\":%.0f,", file_create_rate(directory, rows));
  std::printf("\"sqlite_insert_rows_s\":%.0f,", sqlite_insert_rate(directory, rows));
  std::printf("\"disk_write_fsync_bytes_s\":%.0f,", disk_write_rate(directory, data));
  std::printf("\"small_fsync_seconds\":%.6f}\n", small_sync_seconds(directory));
  fs::remove_all(directory);
  return 0;
}
