// make_records COUNT [SEED]: that many records on standard output, one {"id":..,"record":..} a line, as
// `spl record put --ndjson` takes them. The same numbers give the same octets.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "record_maker.h"

namespace {

constexpr std::size_t kFlushBytes = 1u << 20;

bool write_out(std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  text.clear();
  return written;
}

bool parse_number(const char* text, std::uint64_t& number) {
  const char* end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, number);
  return error == std::errc() && at == end;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 0;
  std::uint64_t seed = 1;
  if (argc < 2 || argc > 3 || !parse_number(argv[1], count) || (argc == 3 && !parse_number(argv[2], seed))) {
    std::fputs("usage: make_records COUNT [SEED]\n", stderr);
    return 2;
  }
  spl::bench::RecordMaker maker(seed);
  std::string text;
  for (std::uint64_t i = 0; i < count; ++i) {
    const spl::Record& record = maker.next();
    text.append(R"({"id":")").append(record.id.hex()).append(R"(","record":)").append(record.canonical).append("}\n");
    if (text.size() > kFlushBytes && !write_out(text)) break;
  }
  if (!write_out(text) || std::fflush(stdout) != 0) {
    std::perror("make_records");
    return 1;
  }
  return 0;
}
