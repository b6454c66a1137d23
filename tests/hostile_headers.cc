#include "bundle/layout.h"
#include "hostile_cases.h"
#include "hostile_kit.h"

namespace spl::testing {
namespace {

constexpr char kType[] = "type flag is not allowed";

std::string path_of(std::size_t bytes) {
  return "records/" + std::string(bytes - 8, 'a');
}

// A pax header with what is to be refused of it, and a path that is right, before or after.
Forging pax_records(std::string before, std::string after = "") {
  const std::string path = path_of(120);
  PaxCase made{.path = path, .records = before + pax_record("path", path) + after};
  made.is_named = before.empty();
  return pax(made);
}

Forging pax_own_header(std::size_t at, std::string octets) {
  const std::string path = path_of(120);
  return pax({.path = path,
              .records = pax_record("path", path),
              .edit_header = [=](std::string& block) { block.replace(at, octets.size(), octets); },
              .is_named = false});
}

// An entry of another type in records/.
Forging typed(codec::TarType type, std::string link) {
  return at("records/th_alpha/zz", [=](BundleForge& f) {
    f.add("records/th_alpha/zz", "");
    ForgedEntry& entry = f.entry("records/th_alpha/zz");
    entry.header.type = type;
    entry.header.link = link;
  });
}

const Hostile kHeaders[] = {
    {"Mode0644", header_field([](codec::TarEntry& e) { e.mode = 0644; }), "its mode is not 0600"},
    {"Mode04600", header_field([](codec::TarEntry& e) { e.mode = 04600; }), "its mode is not 0600"},
    {"Owner1000", header_field([](codec::TarEntry& e) { e.uid = 1000; }), "its owner or group is not 0"},
    {"Group1000", header_field([](codec::TarEntry& e) { e.gid = 1000; }), "its owner or group is not 0"},
    {"TimeNotZero", header_field([](codec::TarEntry& e) { e.mtime_s = 1; }), "its time is not 0"},
    // Types.
    {"SymbolicLinkInRecords", typed(codec::TarType::kSymlink, "/etc/passwd"), "this entry type is not allowed here"},
    {"DirectoryInRecords", typed(codec::TarType::kDirectory, ""), "this entry type is not allowed here"},
    {"HardLink", header(156, "1"), kType},
    {"CharacterDevice", header(156, "3"), kType},
    {"BlockDevice", header(156, "4"), kType},
    {"Fifo", header(156, "6"), kType},
    {"ContiguousFile", header(156, "7"), kType},
    {"GnuLongName", header(156, "L"), kType},
    {"GnuLongLink", header(156, "K"), kType},
    {"GnuSparse", header(156, "S"), kType},
    {"GlobalPax", header(156, "g"), kType},
    {"OldRegularFlag", header(156, std::string(1, '\0')), kType},
    {"DirectoryWithoutASlash", header(156, "5"), "path of a directory does not end in a slash"},
    // Fields.
    {"GnuMagic", header(257, std::string("ustar  \0", 8)), "magic or version is not POSIX ustar's"},
    {"NoMagic", header(257, std::string(8, '\0')), "magic or version is not POSIX ustar's"},
    {"AnotherUstarVersion", header(263, "01"), "magic or version is not POSIX ustar's"},
    {"UserName", header(265, "root"), "owner or group has a name"},
    {"GroupName", header(297, "root"), "owner or group has a name"},
    {"DeviceNumber", header(329, "0000001"), "device fields are not zero"},
    {"BytesInTheUnusedEnd", header(500, "x"), "unused bytes of the header are not zero"},
    {"LinkNameOfAFile", header(157, "x"), "link target of what is not a symlink"},
    {"Base256Size", header(124, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x10", 12)), "size is not octal ended by NUL"},
    {"NegativeBase256Size", header(124, std::string(12, '\xFF')), "size is not octal ended by NUL"},
    {"Base256Owner", header(108, std::string("\x80\0\0\0\0\0\0\0", 8)), "owner is not octal ended by NUL"},
    {"Base256Time", header(136, std::string("\x80\0\0\0\0\0\0\0\0\0\0\0", 12)), "time is not octal ended by NUL"},
    {"SizeInSpaces", header(124, "          1 "), "size is not octal ended by NUL"},
    {"WrongChecksum",
     [](BundleForge& f) {
       const std::string path = first_record(f);
       f.entry(path).edits_checksum = true;
       f.entry(path).edit_header = [](std::string& header) { header.replace(148, 6, "000000"); };
       return "tar: header at byte " + std::to_string(f.offset_of(path));
     },
     "checksum is wrong"},
    {"PaddingThatIsNotZero",
     [](BundleForge& f) {
       std::string path = first_record(f);
       ForgedEntry& entry = f.entry(path);
       entry.content_in_tar = entry.content + "x";
       return path;
     },
     "padding is not zero"},
    {"RecordOver16MiB", header(124, "00100000001"), "longer than a record may be: 16 MiB"},
    {"TokensOver16MiB",
     at(std::string(bundle::kTokensPath),
        [](BundleForge& f) {
          f.add(std::string(bundle::kTokensPath), "x");
          f.entry(bundle::kTokensPath).header.size_bytes = (16u << 20) + 1;
        }),
     "longer than 16 MiB"},
    {"DocumentOver64KiB",
     at(std::string(bundle::kDidDocumentPath),
        [](BundleForge& f) { f.entry(bundle::kDidDocumentPath).header.size_bytes = (64u << 10) + 1; }),
     "longer than 64 KiB"},
    // pax headers.
    {"PaxWithAForeignKey", pax_records("", pax_record("mtime", "1")), "pax key is not path, linkpath or size"},
    {"PaxWithAForeignKeyFirst", pax_records(pax_record("GNU.sparse.major", "1")),
     "pax key is not path, linkpath or size"},
    {"PaxWithAKeyTwice", pax_records("", pax_record("path", path_of(121))), "pax key path is there twice"},
    {"PaxOver16KiB", pax_records(pax_record("comment", std::string(16384, 'c'))), "pax header is over 16 KiB"},
    {"PaxThatIsMalformed", pax_records("x"), "pax record is malformed"},
    {"PaxSizeThatUstarCanSay", pax_records("", pax_record("size", "1")), "pax size says what ustar can say"},
    {"PaxPathThatDiffersFromTheName",
     [](BundleForge& f) {
       std::string path = "records/b" + std::string(120, 'a');
       (void)pax({.path = path_of(120), .records = pax_record("path", path)})(f);
       return path;
     },
     "name field differs from the pax path"},
    {"PaxWithoutAnEntryAfterIt",
     pax({.path = path_of(120), .records = pax_record("path", path_of(120)), .has_entry = false}),
     "pax header without an entry after it"},
    {"PaxHeaderWithAnotherMode", pax_own_header(100, "0000644"),
     "pax header has a mode other than 0600, an owner, a group or a time"},
    {"PaxHeaderWithATime", pax_own_header(136, "00000000001"),
     "pax header has a mode other than 0600, an owner, a group or a time"},
    {"PaxHeaderWithALink", pax_own_header(157, "x"), "pax header has a link target"},
    {"PaxHeaderOfGnuMagic", pax_own_header(257, "ustar  "), "magic or version is not POSIX ustar's"},
};

}  // namespace

std::span<const Hostile> hostile_headers() {
  return kHeaders;
}

}  // namespace spl::testing
