#include "bundle/foreign_file.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "bundle/layout.h"

namespace spl::bundle {
namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view magic;
  std::string_view name;
  std::string_view unpack;  // what makes the tar of it that may be within; "" where none may
};
// Sources: RFC 1952; https://tukaani.org/xz/xz-file-format.txt; bzip2(1); lz4_Frame_format.md; APPNOTE.TXT; file(1).
constexpr Kind kKinds[] = {
    {"\x1F\x8B"sv, "a gzip file", "gunzip"},
    {"\xFD"
     "7zXZ\0"sv,
     "an xz file", "unxz"},
    {"BZh"sv, "a bzip2 file", "bunzip2"},
    {"\x04\x22\x4D\x18"sv, "an lz4 file", "unlz4"},
    {"PK\x03\x04"sv, "a zip file", ""},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z file", ""},
    {"SQLite format 3\0"sv, "an SQLite database", ""},
    {"# v2 git bundle\n"sv, "a git bundle", ""},
    {"# v3 git bundle\n"sv, "a git bundle", ""},
    {"PGDMP"sv, "a dump of PostgreSQL", ""},
};
// What a bundle begins with.
constexpr std::string_view kOwnBeginnings[] = {kManifestPath, "age-encryption.org/"sv, "\x28\xB5\x2F\xFD"sv};
constexpr std::string_view kUstarMagic = "ustar"sv;
constexpr std::string_view kGnuMagic = "ustar  "sv;  // of GNU tar by itself, which no bundle's tar has
constexpr std::size_t kUstarMagicAt = 257;

bool may_be_tar(std::string_view first) {
  const bool own = std::ranges::any_of(
      kOwnBeginnings, [&](std::string_view begin) { return begin.starts_with(first.substr(0, begin.size())); });
  // Of zeros is what was laid out on the disk and never filled.
  return own || (first.size() > kUstarMagicAt && first.substr(kUstarMagicAt).starts_with(kUstarMagic)) ||
         first.find_first_not_of('\0') == std::string_view::npos;
}

bool is_text(std::string_view first) {
  // The last character may be cut.
  for (std::size_t cut = 0; cut < 4 && cut < first.size(); ++cut) {
    if (base::is_utf8(first.substr(0, first.size() - cut))) return first.find('\0') == std::string_view::npos;
  }
  return false;
}

std::unexpected<Error> no_bundle(std::string_view what, std::string hint) {
  return fail(ErrorCode::kVerification, Cause::kNotABundle, "bundle malformed: no bundle: " + std::string(what),
              std::move(hint));
}

}  // namespace

Result<void> check_beginning(std::string_view first) {
  std::string hint(kNotABundleHint);
  if (first.empty()) return no_bundle("it is empty", std::move(hint));
  const auto* const kind = std::ranges::find_if(kKinds, [&](const Kind& k) { return first.starts_with(k.magic); });
  if (kind != std::end(kKinds)) {
    if (!kind->unpack.empty())
      hint = "where a bundle was packed once more, " + std::string(kind->unpack) + " unpacks it; else " + hint;
    return no_bundle("it is " + std::string(kind->name), std::move(hint));
  }
  const bool is_gnu = first.size() > kUstarMagicAt && first.substr(kUstarMagicAt).starts_with(kGnuMagic);
  if (is_gnu && !first.starts_with(kManifestPath)) return no_bundle("it is a tar of other files", std::move(hint));
  if (may_be_tar(first)) return {};
  return no_bundle(is_text(first) ? "it is text" : "it begins as no bundle does", std::move(hint));
}

}  // namespace spl::bundle
