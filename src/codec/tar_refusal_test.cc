// Everything that TarReader refuses, and how it says so.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/tar.h"
#include "codec/tar_test_util.h"

namespace spl::codec {
namespace {

std::string why(std::string_view tar) {
  const auto read = read_tar(tar);
  if (read) return "accepted";
  EXPECT_EQ(read.error().code, ErrorCode::kVerification);
  return read.error().message;
}

// The tar of one file "f" of 3 bytes with octets of its header written over.
std::string header_with(std::size_t at, std::string_view octets) {
  std::string tar = tar_of({{file("f", 3), "abc"}});
  put(tar, at, octets);
  set_checksum(tar, 0);
  return tar;
}

std::string nuls(std::string_view text, std::size_t bytes) {
  std::string padded(text);
  padded.resize(bytes);
  return padded;
}

TEST(TarRefusal, HeaderFields) {
  struct Case {
    std::size_t at;
    std::string octets;
    std::string rule;
  };
  const std::string kMagic = "f: magic or version is not POSIX ustar's";
  const std::vector<Case> cases = {
      {257, nuls("ustar  ", 8), kMagic},  // GNU's old magic
      {257, std::string("ustar\00001", 8), kMagic},
      {257, nuls("", 8), kMagic},
      {263, "01", kMagic},
      {1, nuls("", 1) + "x", "f: bytes after the NUL of the name field"},
      {0, nuls("", 1), "tar: header at byte 0: name field is empty"},
      {345, nuls("p", 2) + "q", "p/f: bytes after the NUL of the prefix field"},
      {345, "/", "//f: path is absolute"},
      {345, "p/", "p//f: path has an empty component"},
      {157, "x", "f: link target of what is not a symlink"},
      {157, nuls("", 1) + "x", "f: bytes after the NUL of the link field"},
      {100, "000600 ", "f: mode is not octal ended by NUL"},
      {100, " 000600", "f: mode is not octal ended by NUL"},
      {100, nuls("0600", 8), "f: mode is not octal ended by NUL"},
      {100, "00006000", "f: mode is not octal ended by NUL"},
      {100, "0010600", "f: mode is over 07777"},
      {108, "0000008", "f: owner is not octal ended by NUL"},
      {108, "\x80", "f: owner is not octal ended by NUL"},
      {116, "000000/", "f: group is not octal ended by NUL"},
      {124, "\x80", "f: size is not octal ended by NUL"},  // base-256
      {124, "\xFF", "f: size is not octal ended by NUL"},
      {124, "00000000003 ", "f: size is not octal ended by NUL"},
      {124, "000000000030", "f: size is not octal ended by NUL"},
      {136, "-0000000001", "f: time is not octal ended by NUL"},
      {136, "\x80", "f: time is not octal ended by NUL"},
      {265, "root", "f: owner or group has a name"},
      {297, "root", "f: owner or group has a name"},
      {328, "x", "f: owner or group has a name"},
      {329, "0000001", "f: device fields are not zero"},
      {337, "0000001", "f: device fields are not zero"},
      {329, nuls("000000", 8), "f: device fields are not zero"},
      {500, "x", "f: unused bytes of the header are not zero"},
      {511, "x", "f: unused bytes of the header are not zero"},
  };
  for (const Case& c : cases) EXPECT_EQ(why(header_with(c.at, c.octets)), c.rule) << c.at;
}

TEST(TarRefusal, Checksums) {
  const std::string tar = tar_of({{file("f", 3), "abc"}});
  const std::string right = tar.substr(148, 8);
  const auto with = [&](std::string_view checksum) {
    std::string changed = tar;
    put(changed, 148, checksum);
    return why(changed);
  };
  EXPECT_EQ(with(right), "accepted");
  const std::string form = "tar: header at byte 0: checksum is not six octal digits, NUL and space";
  EXPECT_EQ(with(right.substr(0, 6) + std::string(" \0", 2)), form);
  EXPECT_EQ(with(right.substr(0, 6) + std::string("\0\0", 2)), form);
  EXPECT_EQ(with(" " + right.substr(1)), form);
  EXPECT_EQ(with("0" + right.substr(0, 6) + std::string(1, '\0')), form);
  std::string wrong = right;
  wrong[5] = wrong[5] == '7' ? '6' : static_cast<char>(wrong[5] + 1);
  EXPECT_EQ(with(wrong), "tar: header at byte 0: checksum is wrong");
  EXPECT_EQ(why(std::string(kTarRecord, 'x')), "tar: header at byte 0: magic or version is not POSIX ustar's");
}

TEST(TarRefusal, EveryOtherTypeFlag) {
  for (int flag = 0; flag < 256; ++flag) {
    const char octet = static_cast<char>(flag);
    if (octet == '0' || octet == '5' || octet == '2' || octet == 'x') continue;
    EXPECT_EQ(why(header_with(156, {&octet, 1})), "f: type flag is not allowed") << flag;
  }
}

TEST(TarRefusal, Paths) {
  const auto named = [](std::string_view name) { return why(header_with(0, nuls(name, 100))); };
  EXPECT_EQ(named("/etc/passwd"), "/etc/passwd: path is absolute");
  EXPECT_EQ(named("a/../b"), "a/../b: path has a component \"..\"");
  EXPECT_EQ(named(".."), "..: path has a component \"..\"");
  EXPECT_EQ(named("a/.."), "a/..: path has a component \"..\"");
  EXPECT_EQ(named("./a"), "./a: path has a component \".\"");
  EXPECT_EQ(named("a/."), "a/.: path has a component \".\"");
  EXPECT_EQ(named("a//b"), "a//b: path has an empty component");
  EXPECT_EQ(named("a/"), "a/: path has an empty component");
  EXPECT_EQ(named("\x1b[2J/.."), "\\x1b[2J/..: path has a component \"..\"");
  EXPECT_EQ(named("..."), "accepted");
  EXPECT_EQ(named(".a/..b/c..").substr(0, 8), "accepted");
  EXPECT_EQ(tar_path_fault(std::string("a\0b", 3)), "path has a NUL");
  EXPECT_EQ(tar_path_fault(std::string(256, 'a')), "path has a component over 255 bytes");
  EXPECT_EQ(tar_path_fault(std::string(255, 'a')), "");
  std::string deep = "a";
  while (deep.size() < 4095) deep += "/a";
  EXPECT_EQ(tar_path_fault(deep + "a"), "");
  EXPECT_EQ(tar_path_fault(deep + "aa"), "path is over 4096 bytes");
}

TEST(TarRefusal, DirectoriesAndLinks) {
  std::string tar = tar_of({{directory("d"), ""}});
  put(tar, 1, nuls("", 1));
  set_checksum(tar, 0);
  EXPECT_EQ(why(tar), "d: path of a directory does not end in a slash");
  put(tar, 1, "//");
  set_checksum(tar, 0);
  EXPECT_EQ(why(tar), "d/: path has an empty component");
  put(tar, 0, nuls("/", 3));
  set_checksum(tar, 0);
  EXPECT_EQ(why(tar), "tar: header at byte 0: path is empty");

  tar = tar_of({{directory("d"), ""}});
  put(tar, 124, "00000001000");
  set_checksum(tar, 0);
  EXPECT_EQ(why(tar), "d: size of a directory or symlink is not 0");

  tar = tar_of({{symlink("l", "to"), ""}});
  put(tar, 124, "00000000001");
  set_checksum(tar, 0);
  EXPECT_EQ(why(tar), "l: size of a directory or symlink is not 0");
  put(tar, 124, "00000000000");
  put(tar, 157, nuls("", 2));
  set_checksum(tar, 0);
  EXPECT_EQ(why(tar), "l: link target is empty");
}

TEST(TarRefusal, PaddingAndEnd) {
  const std::string tar = tar_of({{file("f", 3), "abc"}, {file("g"), ""}});
  for (const std::size_t at : {515u, 700u, 1023u}) {
    std::string changed = tar;
    put(changed, at, "x");
    EXPECT_EQ(why(changed), "f: padding is not zero");
  }
  // The two zero blocks are at 1536 and 2048.
  std::string changed = tar;
  put(changed, 2048, "x");
  EXPECT_EQ(why(changed), "tar: bytes after the end that are not zero");
  changed = tar;
  put(changed, 10239, "x");
  EXPECT_EQ(why(changed), "tar: bytes after the end that are not zero");
  EXPECT_EQ(why(tar + std::string(1, '\0')), "tar: bytes after the end");
  EXPECT_EQ(why(tar + std::string(kTarRecord, '\0')), "tar: bytes after the end");
  EXPECT_EQ(why(""), "tar: truncated at byte 0");
  EXPECT_EQ(why(std::string(kTarRecord, '\0')), "accepted");
  EXPECT_EQ(why(std::string(2 * kTarBlock, '\0')), "tar: truncated at byte 1024");
}

// A pax header of `text`, then the file that `rest` gives.
std::string pax_tar(std::string_view text, const TarEntry& rest, std::string_view flag = "x") {
  TarEntry pax = file("PaxHeaders/entry", text.size());
  std::string tar;
  append_member(tar, {pax, std::string(text)});
  put(tar, 156, flag);
  set_checksum(tar, 0);
  append_member(tar, {rest, std::string(rest.size_bytes, 'c')});
  append_tar_end(tar, tar.size());
  return tar;
}

std::string record(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t bytes = rest.size();
  while (std::to_string(bytes).size() + rest.size() != bytes) bytes = std::to_string(bytes).size() + rest.size();
  return std::to_string(bytes) + rest;
}

std::string why_pax(std::string_view text, const TarEntry& rest = file(std::string(100, 'p'))) {
  std::string message = why(pax_tar(text, rest));
  const std::string_view prefix = "tar: header at byte 0: ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

TEST(TarRefusal, PaxRecords) {
  const std::string path(101, 'p');
  const std::string good = record("path", path);
  EXPECT_EQ(why_pax(good), "accepted");
  EXPECT_EQ(why_pax(""), "pax header is empty");
  EXPECT_EQ(why_pax(good + good), path + ": pax key path is there twice");
  EXPECT_EQ(why_pax(good + record("mtime", "1")), path + ": pax key is not path, linkpath or size");
  EXPECT_EQ(why_pax(record("mtime", "1") + good), "pax key is not path, linkpath or size");
  EXPECT_EQ(why_pax(record("", path)), "pax key is not path, linkpath or size");
  EXPECT_EQ(why_pax(record("GNU.sparse.size", "1")), "pax key is not path, linkpath or size");
  const std::string link = record("linkpath", path);
  EXPECT_EQ(why_pax(link + link), "pax key linkpath is there twice");
  const std::string size = record("size", "8589934592");
  EXPECT_EQ(why_pax(size + size), "pax key size is there twice");
  const std::string malformed = "pax record is malformed";
  for (const std::string_view text :
       {"x", " ", "0 ", "3 \n", "03 a=\n", "-5 a=\n", "6 path\n", "9 path=p", "11 path=p\n", "8 path=p\n",
        "99999999999999999999 path=p\n", "18446744073709551615 path=p\n", "path=p\n", "2 ", "4 a\n", "5 a=b"}) {
    EXPECT_EQ(why_pax(text), malformed) << text;
  }
  EXPECT_EQ(why_pax("9 path=p\nx"), "p: " + malformed);
  std::string cut = good;
  cut.pop_back();
  EXPECT_EQ(why_pax(cut), malformed);
}

TEST(TarRefusal, PaxThatUstarCouldSay) {
  const std::string shown(100, 'p');
  EXPECT_EQ(why_pax(record("path", shown)), shown + ": pax path says what ustar can say");
  const std::string split = std::string(50, 'a') + "/" + std::string(100, 'b');
  EXPECT_EQ(why_pax(record("path", split), file(split.substr(0, 100))), split + ": pax path says what ustar can say");
  EXPECT_EQ(why_pax(record("size", "8589934591")), "pax size says what ustar can say");
  EXPECT_EQ(why_pax(record("size", "0")), "pax size is not a plain decimal number");
  EXPECT_EQ(why_pax(record("linkpath", shown), symlink("l", shown)), "l: pax linkpath says what ustar can say");
}

TEST(TarRefusal, PaxThatItsEntryContradicts) {
  const std::string path(120, 'p');
  EXPECT_EQ(why_pax(record("path", path), file("q")), path + ": name field differs from the pax path");
  EXPECT_EQ(why_pax(record("path", path), file(std::string(60, 'p') + "/" + std::string(60, 'p'))),
            path + ": name field differs from the pax path");
  EXPECT_EQ(why_pax(record("linkpath", path), symlink("l", "q")), "l: link field differs from the pax linkpath");
  EXPECT_EQ(why_pax(record("linkpath", path), file("f")), "f: link target of what is not a symlink");
  EXPECT_EQ(why_pax(record("size", "8589934592"), file("f", 3)), "f: size field is not 0 beside a pax size");
  EXPECT_EQ(why_pax(record("size", "8589934592"), directory("d")), "d: size of a directory or symlink is not 0");
  EXPECT_EQ(why_pax(record("path", path), directory("d")), path + ": path of a directory does not end in a slash");
}

TEST(TarRefusal, PaxValues) {
  const TarEntry rest = file(std::string(100, 'p'));
  const std::string start(100, 'p');
  EXPECT_EQ(why_pax(record("path", start + "/../x"), rest), start + "/../x: path has a component \"..\"");
  EXPECT_EQ(why_pax(record("path", start + std::string("/\0x", 3)), rest), start + "/\\x00x: path has a NUL");
  EXPECT_EQ(why(pax_tar(record("path", ""), rest)), "tar: header at byte 1024: path is empty");
  EXPECT_EQ(why_pax(record("linkpath", start + std::string("\0x", 2)), symlink("l", start)),
            "l: link target has a NUL");
  EXPECT_EQ(why_pax(record("linkpath", start + std::string(4000, 'p')), symlink("l", start)),
            "l: link target is over 4096 bytes");
  EXPECT_EQ(why_pax(record("size", "18446744073709551616")), "pax size is not a plain decimal number");
  EXPECT_EQ(why_pax(record("size", "+8589934592")), "pax size is not a plain decimal number");
  EXPECT_EQ(why_pax(record("size", "08589934592")), "pax size is not a plain decimal number");
  EXPECT_EQ(why_pax(record("size", "9223372036854775807")), "size is too large");
  EXPECT_EQ(why_pax(record("path", std::string(16384, 'p'))), "pax header is over 16 KiB");
}

TEST(TarRefusal, PaxHeadersOwnFields) {
  const std::string good = pax_tar(record("path", std::string(101, 'p')), file(std::string(100, 'p')));
  const auto with = [&](std::size_t at, std::string_view octets) {
    std::string tar = good;
    put(tar, at, octets);
    set_checksum(tar, 0);
    return why(tar);
  };
  const std::string fields =
      "tar: header at byte 0: pax header has a mode other than 0600, an owner, a group or a time";
  EXPECT_EQ(with(100, "0000644"), fields);
  EXPECT_EQ(with(108, "0000001"), fields);
  EXPECT_EQ(with(116, "0000001"), fields);
  EXPECT_EQ(with(136, "00000000001"), fields);
  EXPECT_EQ(with(157, "x"), "tar: header at byte 0: pax header has a link target");
  EXPECT_EQ(with(265, "root"), "tar: header at byte 0: owner or group has a name");
  EXPECT_EQ(with(0, "any/other/name!!"), "accepted");
  std::string tar = good;
  put(tar, 1023, "x");
  EXPECT_EQ(why(tar), std::string(101, 'p') + ": padding is not zero");
}

TEST(TarRefusal, PaxWithoutItsEntry) {
  const std::string path(101, 'p');
  const std::string rule = path + ": pax header without an entry after it";
  std::string pax = pax_tar(record("path", path), file("f")).substr(0, 2 * kTarBlock);
  std::string two = pax + pax;
  append_tar_end(two, two.size());
  EXPECT_EQ(why(two), rule);
  std::string none = pax;
  append_tar_end(none, none.size());
  EXPECT_EQ(why(none), rule);
  EXPECT_EQ(why(pax), path + ": truncated at byte 1024");
  EXPECT_EQ(why(pax_tar(record("path", path), file("f"), "g")), "PaxHeaders/entry: type flag is not allowed");
  EXPECT_EQ(why(pax_tar(std::string(101, 'p') + std::string(1, '\0'), file("f"), "L")),
            "PaxHeaders/entry: type flag is not allowed");
}

}  // namespace
}  // namespace spl::codec
