// What the tests of tar share: entries, tars of them, sources that come in pieces or fail. Tests
// only.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/tar.h"
#include "codec/tar_format.h"

namespace spl::codec {

struct Member {
  TarEntry entry;
  std::string content;
};

inline bool same(const Member& a, const Member& b) {
  const TarEntry& x = a.entry;
  const TarEntry& y = b.entry;
  return x.path == y.path && x.type == y.type && x.size_bytes == y.size_bytes && x.mode == y.mode && x.uid == y.uid &&
         x.gid == y.gid && x.mtime_s == y.mtime_s && x.link == y.link && a.content == b.content;
}

inline TarEntry file(std::string path, std::uint64_t size_bytes = 0) {
  TarEntry entry;
  entry.path = std::move(path);
  entry.size_bytes = size_bytes;
  return entry;
}

inline TarEntry directory(std::string path) {
  TarEntry entry = file(std::move(path));
  entry.type = TarType::kDirectory;
  entry.mode = 0755;
  return entry;
}

inline TarEntry symlink(std::string path, std::string link) {
  TarEntry entry = file(std::move(path));
  entry.type = TarType::kSymlink;
  entry.mode = 0777;
  entry.link = std::move(link);
  return entry;
}

inline void append_member(std::string& out, const Member& member) {
  append_tar_header(out, member.entry);
  out += member.content;
  out.append(tar_padding(member.content.size()), '\0');
}

inline std::string tar_of(const std::vector<Member>& members) {
  std::string out;
  for (const Member& member : members) append_member(out, member);
  append_tar_end(out, out.size());
  return out;
}

// One of everything that a tar can have: what testdata/golden.tar holds.
inline std::vector<Member> every_kind() {
  const std::string long_name(120, 'n');
  const std::string split = std::string(60, 's') + "/" + std::string(60, 't');
  std::vector<Member> members = {
      {file("a.json", 9), "{\"a\":\"b\"}"},
      {file("empty"), ""},
      {directory("tree"), ""},
      {directory("tree/" + long_name), ""},
      {file("tree/" + long_name + "/file \xC3\xA9\xFF\n\\", 512), std::string(512, 'f')},
      {symlink("tree/dangling", "../../nowhere"), ""},
      {symlink("tree/long-link", std::string(90, 'l') + "/" + std::string(90, 'm')), ""},
      {file("tree/" + split, 1), "x"},
  };
  members[4].entry.mode = 04755;
  members[4].entry.uid = 1000;
  members[4].entry.gid = 07777777;
  members[4].entry.mtime_s = 1'700'000'000;
  return members;
}

// Writes over octets of a tar.
inline void put(std::string& tar, std::size_t at, std::string_view octets) {
  octets.copy(&tar[at], octets.size());
}

// Makes the checksum of the header block at `at` right.
inline void set_checksum(std::string& tar, std::size_t at) {
  std::uint32_t sum = ustar::checksum(tar.data() + at);
  for (std::size_t i = 6; i > 0; --i, sum /= 8)
    tar[at + ustar::kChecksum.at + i - 1] = static_cast<char>('0' + sum % 8);
}

// Gives at most `piece` octets a read.
class PieceSource final : public Source {
 public:
  PieceSource(std::string_view octets, std::size_t piece) : rest_(octets), piece_(piece) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = rest_.copy(out.data(), std::min(out.size(), piece_));
    rest_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view rest_;
  std::size_t piece_;
};

// Fails after its octets.
class FailingSource final : public Source {
 public:
  explicit FailingSource(std::string octets) : octets_(std::move(octets)), rest_(octets_) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = rest_.copy(out.data(), out.size());
    rest_.remove_prefix(n);
    if (n > 0) return n;
    ++failures;
    return fail("the disk is gone");
  }
  int failures = 0;

 private:
  std::string octets_;
  std::string_view rest_;
};

inline Result<std::vector<Member>> read_tar(std::string_view tar, std::size_t piece = 1u << 20) {
  PieceSource source(tar, piece);
  TarReader reader(source);
  std::vector<Member> members;
  for (;;) {
    auto entry = TRY(reader.next());
    if (!entry) return members;
    Member member{std::move(*entry), {}};
    TRY(reader.append_content(member.content));
    members.push_back(std::move(member));
  }
}

}  // namespace spl::codec
