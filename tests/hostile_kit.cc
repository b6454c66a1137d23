#include "hostile_kit.h"

#include "base/check.h"
#include "base/encoding.h"
#include "crypto/sha256.h"
#include "record/record.h"

namespace spl::testing {
namespace {

constexpr std::string_view kFirstAlpha = "records/th_alpha/";
constexpr std::string_view kLast = "records/th_alpha/zzzz";  // stands after all other records of its thread

std::string padded(std::string_view text, std::size_t bytes) {
  std::string field(text.substr(0, bytes));
  field.resize(bytes, '\0');
  return field;
}

void set_name(std::string& header, std::string_view name) {
  header.replace(0, 100, padded(name, 100));
  header.replace(345, 155, std::string(155, '\0'));
}

std::string file_name(Named named, const std::string& content, std::string_view old) {
  switch (named) {
    case Named::kByOctets:
      return base::to_hex(crypto::sha256(content).view());
    case Named::kById: {
      const auto parsed = record::parse_record(content);
      SPL_CHECK(parsed.has_value());
      return parsed->id.hex();
    }
    case Named::kAsItWas:
      break;
  }
  return std::string(old);
}

}  // namespace

std::string first_record(const BundleForge& forge) {
  for (const ForgedEntry& entry : forge.entries) {
    if (entry.header.path.starts_with(kFirstAlpha)) return entry.header.path;
  }
  return {};
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  SPL_CHECK(at != std::string::npos);
  text.replace(at, from.size(), to);
}

Forging at(std::string entry, std::function<void(BundleForge&)> forge) {
  return [entry = std::move(entry), forge = std::move(forge)](BundleForge& f) {
    forge(f);
    return entry;
  };
}

Forging manifest(std::function<void(bundle::Manifest&)> edit) {
  return at("manifest.json", [edit = std::move(edit)](BundleForge& f) { f.edit_manifest = edit; });
}

Forging manifest_text(std::string from, std::string to) {
  return at("manifest.json",
            [=](BundleForge& f) { f.edit_manifest_text = [=](std::string& text) { replace(text, from, to); }; });
}

Forging content(std::string_view path, std::function<void(std::string&)> edit) {
  return at(std::string(path), [=](BundleForge& f) {
    ForgedEntry& entry = f.entry(path);
    edit(entry.content);
    entry.header.size_bytes = entry.content.size();
  });
}

Forging extra_file(std::string path) {
  return at(path, [=](BundleForge& f) { f.add(path, "x"); });
}

Forging header(std::size_t at, std::string octets) {
  return [=](BundleForge& f) {
    std::string path = first_record(f);
    f.entry(path).edit_header = [=](std::string& header) { header.replace(at, octets.size(), octets); };
    return path;
  };
}

Forging header_field(std::function<void(codec::TarEntry&)> edit) {
  return [=](BundleForge& f) {
    std::string path = first_record(f);
    edit(f.entry(path).header);
    return path;
  };
}

Forging raw_path(std::string path) {
  return at(path, [=](BundleForge& f) {
    f.add(std::string(kLast), "x");
    f.entry(kLast).edit_header = [=](std::string& header) { set_name(header, path); };
  });
}

Forging record(std::function<void(std::string&)> edit, Named named) {
  return [=](BundleForge& f) {
    const std::string path = first_record(f);
    std::string content = f.entry(path).content;
    edit(content);
    f.remove(path);
    std::string renamed =
        std::string(kFirstAlpha) + file_name(named, content, path.substr(path.size() - 69, 64)) + ".json";
    f.add(renamed, content);
    return renamed;
  };
}

Forging record(std::string from, std::string to, Named named) {
  return record([=](std::string& content) { replace(content, from, to); }, named);
}

std::string pax_record(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t bytes = rest.size() + 1;
  while (std::to_string(bytes).size() + rest.size() != bytes) ++bytes;
  return std::to_string(bytes) + rest;
}

Forging pax(PaxCase pax) {
  return [=](BundleForge& f) -> std::string {
    f.add(std::string(kLast), pax.has_entry ? "x" : "");
    ForgedEntry& entry = f.entry(kLast);
    entry.counted = false;
    entry.edits_checksum = true;
    entry.edit_header = [=](std::string& header) {
      codec::TarEntry own;
      own.path = "PaxHeaders/entry";
      own.size_bytes = pax.records.size();
      std::string blocks;
      codec::append_tar_header(blocks, own);
      blocks[156] = 'x';
      if (pax.edit_header) pax.edit_header(blocks);
      fix_checksum(blocks, 0);
      blocks += pax.records;
      blocks.append(codec::tar_padding(pax.records.size()), '\0');
      set_name(header, pax.path);
      fix_checksum(header, 0);
      header.insert(0, blocks);
      if (!pax.has_entry) header = blocks;
    };
    if (pax.is_named) return pax.path;
    return "tar: header at byte " + std::to_string(f.offset_of(kLast));
  };
}

Forging pax_path(std::string path) {
  return pax({.path = path, .records = pax_record("path", path)});
}

}  // namespace spl::testing
