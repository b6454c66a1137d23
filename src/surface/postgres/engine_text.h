// What the manifest says of a part's engine beyond its version (docs/formats/postgres.md): what a database must be like
// to take the dump. It comes from whoever made the bundle. One thread.
//
//   postgresql 15.18 program 15.18 encoding UTF8 collate C.UTF-8 ctype C.UTF-8 extensions citext 1.6 public, hstore 1.8
//   x
// Where it is not the C library that orders text "provider icu locale en-US" stands before the extensions.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace spl::surface {

struct ExtensionFacts {
  std::string name;
  std::string version;
  std::string schema;
  auto operator<=>(const ExtensionFacts&) const = default;
};

// How text is ordered.
struct LocaleFacts {
  static constexpr std::string_view kLibc = "libc";
  static constexpr std::string_view kIcu = "icu";
  static constexpr std::string_view kBuiltin = "builtin";
  std::string collation = {};  // the C library's locales
  std::string character_type = {};
  std::string provider = std::string(kLibc);
  std::string name = {};  // the provider's own, where that is not the C library
  bool operator==(const LocaleFacts&) const = default;
  [[nodiscard]] std::string shown() const;  // for messages
};

struct EngineFacts {
  std::string server = {};   // "15.18"
  std::string program = {};  // pg_dump's
  std::string encoding = {};
  LocaleFacts locale = {};
  std::vector<ExtensionFacts> extensions = {};
  bool operator==(const EngineFacts&) const = default;
};

std::string engine_text(const EngineFacts& facts);
// Of one surface, whose parts may differ: texts with "; " between them. `server` and `program` are the newest that are
// named; encoding and locale are empty where the parts differ; of a text that is not written so
// there is nothing but `server`.
EngineFacts parse_engine_text(std::string_view text);

}  // namespace spl::surface
