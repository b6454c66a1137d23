// How one rule is broken: what the tables of hostile bundles are written with.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "testing/bundle_forge.h"

namespace spl::testing {

// What breaks a rule and gives the entry that is at fault.
using Forging = std::function<std::string(BundleForge&)>;

// The path of the first record on th_alpha.
std::string first_record(const BundleForge& forge);
// The first `from` in a text, which must be there.
void replace(std::string& text, std::string_view from, std::string_view to);

// `forge`, and the entry that is at fault.
Forging at(std::string entry, std::function<void(BundleForge&)> forge);
// manifest.json: what it says, and its text.
Forging manifest(std::function<void(bundle::Manifest&)> edit);
Forging manifest_text(std::string from, std::string to);

// A file's content under its name, its size made right.
Forging content(std::string_view path, std::function<void(std::string&)> edit);
// One more file.
Forging extra_file(std::string path);
// A file whose header is changed: octets of the first record's header block.
Forging header(std::size_t at, std::string octets);
Forging header_field(std::function<void(codec::TarEntry&)> edit);
// An entry whose path the writer would not write: it is put into the name field by hand.
Forging raw_path(std::string path);

// The first record's file, under the SHA-256 of its octets, under the id of the record that it is, or under its old
// name.
enum class Named : std::uint8_t { kByOctets, kById, kAsItWas };
Forging record(std::function<void(std::string&)> edit, Named named = Named::kByOctets);
Forging record(std::string from, std::string to, Named named = Named::kByOctets);

// A pax header's record: "<length> <key>=<value>\n".
std::string pax_record(std::string_view key, std::string_view value);
struct PaxCase {
  std::string path;                                    // of the entry: its name field has the beginning
  std::string records;                                 // the pax header's text
  std::function<void(std::string&)> edit_header = {};  // of the pax header's own block
  bool has_entry = true;                               // after it
  bool is_named = true;                                // by a reader; else by the offset of the header
};
Forging pax(PaxCase pax);
Forging pax_path(std::string path);

}  // namespace spl::testing
