#include "hostile_cases.h"

#include <algorithm>

#include "base/check.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "bundle/layout.h"
#include "crypto/did_key.h"
#include "crypto/sha256.h"
#include "record/did_document.h"

namespace spl::testing {
namespace {

using bundle::Manifest;

constexpr char kFirstAlpha[] = "records/th_alpha/";

std::string first_record(const BundleForge& forge, std::string_view prefix = kFirstAlpha) {
  for (const ForgedEntry& entry : forge.entries) {
    if (entry.header.path.starts_with(prefix)) return entry.header.path;
  }
  return {};
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  SPL_CHECK(at != std::string::npos);
  text.replace(at, from.size(), to);
}

// Puts another content under the name of the first record, everything else made to fit.
void forge_record(BundleForge& forge, const std::function<void(std::string&)>& edit, bool rename = true) {
  const std::string path = first_record(forge);
  std::string content = forge.entry(path).content;
  edit(content);
  forge.remove(path);
  const std::string id = rename ? base::to_hex(crypto::sha256(content).view()) : path.substr(path.size() - 69, 64);
  forge.add(kFirstAlpha + id + ".json", content);
}

std::function<void(BundleForge&)> header_edit(std::size_t at, std::string bytes) {
  return [=](BundleForge& forge) {
    forge.entry(first_record(forge)).edit_header = [=](std::string& header) {
      header.replace(at, bytes.size(), bytes);
    };
  };
}

std::function<void(BundleForge&)> manifest_edit(std::string from, std::string to) {
  return [=](BundleForge& forge) { forge.edit_manifest_text = [=](std::string& text) { replace(text, from, to); }; };
}

std::function<void(BundleForge&)> record_edit(std::string from, std::string to) {
  return [=](BundleForge& forge) { forge_record(forge, [=](std::string& content) { replace(content, from, to); }); };
}

std::function<void(BundleForge&)> extra_file(std::string path) {
  return [=](BundleForge& forge) { forge.add(path, "x"); };
}

// An entry whose path the writer would not write: it is put into the name field by hand.
std::function<void(BundleForge&)> raw_path(std::string path) {
  return [=](BundleForge& forge) {
    forge.add("records/th_alpha/zzzz", "x");
    forge.entry("records/th_alpha/zzzz").edit_header = [=](std::string& header) {
      header.replace(0, 100, path + std::string(100 - path.size(), '\0'));
      header.replace(345, 155, std::string(155, '\0'));
    };
  };
}

// The same with a pax header, as a path that ustar cannot say comes.
std::function<void(BundleForge&)> pax_path(std::string path) {
  return [=](BundleForge& forge) {
    forge.add("records/th_alpha/zzzz", "x");
    ForgedEntry& entry = forge.entry("records/th_alpha/zzzz");
    entry.counted = false;
    entry.edit_header = [=](std::string& header) {
      std::string said = " path=" + path + "\n";
      std::size_t length = said.size() + 2;
      while (std::to_string(length).size() + said.size() > length) ++length;
      said.insert(0, std::to_string(length));
      codec::TarEntry pax_entry;
      pax_entry.path = "pax";
      pax_entry.size_bytes = said.size();
      std::string pax;
      codec::append_tar_header(pax, pax_entry);
      pax[156] = 'x';
      fix_checksum(pax, 0);
      pax += said;
      pax.append(codec::tar_padding(said.size()), '\0');
      std::string name = path.substr(0, 100);
      name.resize(100, '\0');
      header.replace(0, 100, name);
      header.replace(345, 155, std::string(155, '\0'));
      header.insert(0, pax);
    };
  };
}

std::string long_path(std::size_t bytes) {
  std::string path = "records";
  while (path.size() < bytes) path += "/" + std::string(200, 'a');
  return path;
}

const Hostile kHostile[] = {
    // Signature and signer.
    {"SignatureOverOtherBytes", [](BundleForge& f) { f.edit_signature = [](std::string& s) { s[7] ^= 1; }; },
     "signature verification failed"},
    {"SignatureOf63Bytes", [](BundleForge& f) { f.edit_signature = [](std::string& s) { s.pop_back(); }; },
     "manifest.sig: not 64 bytes"},
    {"SignatureOf65Bytes", [](BundleForge& f) { f.edit_signature = [](std::string& s) { s += 'x'; }; }, "manifest.sig"},
    {"EmptySignature", [](BundleForge& f) { f.edit_signature = [](std::string& s) { s.clear(); }; }, "manifest.sig"},
    {"SignerIsAnother",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) {
         const auto other = crypto::SigningKey::from_seed("another key of thirty-two bytes!");
         m.source_did = crypto::did_of(other->public_key());
       };
     },
     "signature verification failed"},
    {"SignerIsNoKey",
     [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.source_did = "did:web:example.org"; }; },
     "manifest.json: source_did"},
    {"DocumentOfAnotherKey",
     [](BundleForge& f) {
       const BundleForge other("another key of thirty-two bytes!");
       f.entry(bundle::kDidDocumentPath).content = record::did_document_text(other.key().public_key());
     },
     "identity/did_document.json: its key is not that of source_did"},
    {"DocumentWithoutTheMethod",
     [](BundleForge& f) {
       ForgedEntry& entry = f.entry(bundle::kDidDocumentPath);
       replace(entry.content, "Ed25519VerificationKey2020", "JsonWebKey2020");
       entry.header.size_bytes = entry.content.size();
     },
     "bundle malformed: identity/did_document.json has no Ed25519VerificationKey2020"},
    {"PrivateKeyOfAnother",
     [](BundleForge& f) { f.entry(bundle::kPrivateKeyPath).content = "another key of thirty-two bytes!"; },
     "identity/private_key.bin: does not derive source_did"},
    {"PrivateKeyOf31Bytes",
     [](BundleForge& f) {
       ForgedEntry& entry = f.entry(bundle::kPrivateKeyPath);
       entry.content.pop_back();
       entry.header.size_bytes = 31;
     },
     "identity/private_key.bin: not 32 bytes"},
    {"IdentityWithoutKey", [](BundleForge& f) { f.remove(bundle::kPrivateKeyPath); }, "identity/"},
    {"IdentityWithoutDocument", [](BundleForge& f) { f.remove(bundle::kDidDocumentPath); }, "identity/"},
    // Manifest.
    {"NewerVersion", manifest_edit("\"bundle_version\": 1,", "\"bundle_version\": 2,"), "bundle_version 2 is newer"},
    {"HugeVersion", manifest_edit("\"bundle_version\": 1,", "\"bundle_version\": 99999999999999999999999,"), "newer"},
    {"VersionZero", manifest_edit("\"bundle_version\": 1,", "\"bundle_version\": 0,"), "manifest.json"},
    {"ManifestBeginsOtherwise", manifest_edit("{\n  \"bundle", "{\n \"bundle"), "manifest.json"},
    {"ManifestWithAnExtraMember", manifest_edit("\"created_by\"", "\"extra\": 1,\n  \"created_by\""), "manifest.json"},
    {"ManifestWithARepeatedMember",
     manifest_edit("\"created_by\"", "\"created_at\": \"2026-01-31T12:00:00Z\",\n  \"created_by\""), "manifest.json"},
    {"ManifestMembersInAnotherOrder",
     manifest_edit("\"identity\": \"included\",\n  \"tokens\": \"revoked\"",
                   "\"tokens\": \"revoked\",\n  \"identity\": \"included\""),
     "manifest.json"},
    {"ManifestWithoutAMember", manifest_edit("  \"thread_count\": 2,\n", ""), "manifest.json"},
    {"ManifestWithANumberAsText", manifest_edit("\"record_count\": 6", "\"record_count\": \"6\""), "manifest.json"},
    {"ManifestWithANegativeCount", manifest_edit("\"record_count\": 6", "\"record_count\": -6"), "manifest.json"},
    {"ManifestWithAFraction", manifest_edit("\"record_count\": 6", "\"record_count\": 6.0"), "manifest.json"},
    {"ManifestWithTextAfterIt", [](BundleForge& f) { f.edit_manifest_text = [](std::string& t) { t += "{}"; }; },
     "manifest.json"},
    {"ManifestDeeperThanAllowed",
     [](BundleForge& f) {
       f.edit_manifest_text = [](std::string& t) {
         replace(t, "\"contexts\": []", "\"contexts\": " + std::string(200, '[') + std::string(200, ']'));
       };
     },
     "manifest.json"},
    {"WrongBundleDigest", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.bundle_sha256.octets[0] ^= 1; }; },
     "manifest.json: bundle_sha256"},
    {"WrongSectionDigest",
     [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].sha256.octets[0] ^= 1; }; },
     "records/: its digest"},
    {"RecordCountTooLow", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.record_count -= 1; }; },
     "record_count"},
    {"RecordCountTooHigh", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.record_count += 1; }; },
     "record_count"},
    {"ThreadCountWrong", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.thread_count += 1; }; },
     "thread_count"},
    {"SectionFilesTooFew", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].files -= 1; }; },
     "records/"},
    {"SectionFilesTooMany", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].files += 1; }; },
     "records/"},
    {"SectionBytesTooFew", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].bytes -= 1; }; },
     "records/"},
    {"SectionBytesTooMany", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].bytes += 1; }; },
     "records/"},
    {"SectionMissing", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections.pop_back(); }; },
     "manifest.json"},
    {"SectionThatIsNotThere",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) { m.sections.push_back({"services/a/b/@instance/", 1, 1, {}, 0}); };
     },
     "services/a/b/@instance/"},
    {"SectionsOutOfOrder",
     [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { std::swap(m.sections[0], m.sections[1]); }; },
     "manifest.json: sections"},
    {"SectionTwice", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections.push_back(m.sections[1]); }; },
     "manifest.json: sections"},
    {"SectionWithAnUnknownPrefix", manifest_edit("\"prefix\": \"records/\"", "\"prefix\": \"secrets/\""),
     "manifest.json: sections"},
    {"SectionPrefixWithDotDot",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) { m.sections.push_back({"services/../../etc/", 1, 1, {}, 0}); };
     },
     "manifest.json: sections"},
    {"SectionOfASurfaceThatWasLeftOut",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) {
         m.services.push_back({"a", "1", 1, "", {{"b", "files", "source", false, false, "files"}}});
         m.sections.push_back({"services/a/b/@instance/", 1, 1, {}, 0});
       };
     },
     "services/a/b/@instance/ is of a surface that was left out"},
    {"SectionOfAnUnknownContext",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) {
         m.services.push_back({"a", "1", 1, "", {{"b", "files", "source", true, true, "files"}}});
         m.sections.push_back({"services/a/b/acme/", 1, 1, {}, 0});
       };
     },
     "services/a/b/acme/ is of no context"},
    {"PartOfASurfaceThatIsNotPerContext",
     [](BundleForge& f) {
       f.add("services/a/b/acme/dump.bin", "x");
       f.edit_manifest = [](Manifest& m) {
         m.contexts = {{"acme", 1}};
         m.services.push_back({"a", "1", 1, "", {{"b", "command", "source", false, true, "cat"}}});
       };
     },
     "services/a/b/acme/ is of a surface that is not per context"},
    {"PartOfNoContext",
     [](BundleForge& f) {
       f.add("services/a/b/@instance/dump.bin", "x");
       f.edit_manifest = [](Manifest& m) {
         m.services.push_back({"a", "1", 1, "", {{"b", "command", "source", true, true, "cat"}}});
       };
     },
     "services/a/b/@instance/ is of no context"},
    {"FileThatItsSurfaceDoesNotHave",
     [](BundleForge& f) {
       f.add("services/a/b/@instance/dump.bin", "x");
       f.edit_manifest = [](Manifest& m) {
         m.services.push_back({"a", "1", 1, "", {{"b", "sqlite", "source", false, true, "sqlite"}}});
       };
     },
     "services/a/b/@instance/dump.bin: a surface of the kind sqlite has no such file"},
    {"ServiceThatIsNotTheScopes",
     [](BundleForge& f) {
       f.remove("identity/did_document.json");
       f.remove("identity/private_key.bin");
       f.edit_manifest = [](Manifest& m) {
         m.scope.service = "b";
         m.identity_included = false;
         m.services.push_back({"a", "1", 1, "", {}});
       };
     },
     "services names one that is not the scope's"},
    {"SurfaceWithoutItsEntries",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) {
         m.services.push_back({"a", "1", 1, "", {{"b", "files", "source", false, true, "files"}}});
         m.sections.push_back({"services/a/b/@instance/", 1, 1, {}, 0});
       };
     },
     "services/a/b/@instance/"},
    {"ServiceTwice",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) { m.services = {{"a", "1", 1, "", {}}, {"a", "1", 1, "", {}}}; };
     },
     "manifest.json: services"},
    {"ContextTwice", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.contexts = {{"a", 1}, {"b", 1}}; }; },
     "manifest.json: contexts"},
    {"SequenceThatNoNextCanFollow",
     [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.export_sequence = (std::uint64_t{1} << 63) - 1; }; },
     "manifest.json: export_sequence"},
    {"TimeThatIsNone",
     [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.created_at = "2026-02-30T12:00:00Z"; }; },
     "manifest.json"},
    {"ManifestOfAMillionValues",
     [](BundleForge& f) {
       f.edit_manifest_text = [](std::string& t) {
         std::string values = "[0]";
         for (int i = 0; i < 600'000; ++i) values += ",[0]";
         replace(t, "\"secrets\": []", "\"secrets\": [" + values + "]");
       };
     },
     "manifest.json: has more than a million values"},
    {"IdentitySaidToBeOmitted",
     [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.identity_included = false; }; },
     "manifest.json: identity"},
    {"TokensSaidToBeCarried", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.tokens_carried = true; }; },
     "manifest.json: tokens"},
    {"ContextWithAnIdentity", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.scope.context = "acme"; }; },
     "manifest.json"},
    // Entries.
    {"ExtraFileAtTheTop",
     [](BundleForge& f) {
       f.add("zzz", "x");
       f.entry("zzz").counted = false;
     },
     "zzz"},
    {"ExtraFileInIdentity", extra_file("identity/extra"), "identity/extra"},
    {"ExtraFileInRecords", extra_file("records/th_alpha/readme.txt"), "records/th_alpha/readme.txt"},
    {"RecordAtTheTopOfRecords", extra_file("records/x.json"), "records/x.json"},
    {"RecordInASubdirectory", extra_file("records/th_alpha/sub/" + std::string(64, 'a') + ".json"),
     "records/th_alpha/sub/"},
    {"RecordNameInUppercase", extra_file("records/th_alpha/" + std::string(64, 'A') + ".json"),
     "records/th_alpha/AAAA"},
    {"FileOutsideEverySection",
     [](BundleForge& f) {
       f.add("records/th_beta/" + std::string(64, 'a') + ".json", "x");
       f.entries.back().counted = false;
     },
     "records/th_"},
    {"EntryMissing",
     [](BundleForge& f) {
       const Manifest whole = f.manifest();
       f.remove(first_record(f));
       f.edit_manifest = [whole](Manifest& m) { m = whole; };
     },
     "records/"},
    {"EntryTwice",
     [](BundleForge& f) {
       const ForgedEntry copy = f.entry(first_record(f));
       const auto at =
           std::ranges::find_if(f.entries, [&](const ForgedEntry& e) { return e.header.path == copy.header.path; });
       f.entries.insert(at, copy);
     },
     "stands twice"},
    {"RecordsOutOfOrder",
     [](BundleForge& f) {
       const std::size_t last = f.entries.size() - 1;
       std::swap(f.entries[last], f.entries[last - 1]);
     },
     "not in ascending order"},
    {"AbsolutePath", raw_path("/etc/passwd"), "/etc/passwd"},
    {"PathWithDotDot", raw_path("records/../../x"), ".."},
    {"PathWithDot", raw_path("records/./x"), "records/./x"},
    {"PathWithAnEmptyComponent", raw_path("records//x"), "records//x"},
    {"PathThatIsDotDot", raw_path(".."), ".."},
    {"EmptyPath", raw_path(""), "tar"},
    {"ComponentOver255", pax_path("records/th_alpha/" + std::string(256, 'a')), "aaaa"},
    {"PathOver4096", pax_path(long_path(base::kPathBytesMax + 1)), "records/"},
    {"PaxPathThatUstarCanSay", pax_path("records/th_alpha/short"), "records/th_alpha/short"},
    {"PaxPathWithDotDot", pax_path("records/../" + std::string(120, 'a')), ".."},
    // Headers.
    {"Mode0644", [](BundleForge& f) { f.entry(first_record(f)).header.mode = 0644; }, "mode is not 0600"},
    {"Mode04600", [](BundleForge& f) { f.entry(first_record(f)).header.mode = 04600; }, "mode is not 0600"},
    {"Owner1000", [](BundleForge& f) { f.entry(first_record(f)).header.uid = 1000; }, "owner or group is not 0"},
    {"Group1000", [](BundleForge& f) { f.entry(first_record(f)).header.gid = 1000; }, "owner or group is not 0"},
    {"TimeNotZero", [](BundleForge& f) { f.entry(first_record(f)).header.mtime_s = 1; }, "time is not 0"},
    {"HardLink", header_edit(156, "1"), "records/th_alpha"},
    {"SymbolicLinkInRecords",
     [](BundleForge& f) {
       f.add("records/th_alpha/zz", "");
       ForgedEntry& entry = f.entry("records/th_alpha/zz");
       entry.header.type = codec::TarType::kSymlink;
       entry.header.link = "/etc/passwd";
     },
     "records/th_alpha/zz"},
    {"DirectoryInRecords",
     [](BundleForge& f) {
       f.add("records/th_alpha/zz", "");
       f.entry("records/th_alpha/zz").header.type = codec::TarType::kDirectory;
     },
     "records/th_alpha/zz"},
    {"CharacterDevice", header_edit(156, "3"), "records/th_alpha"},
    {"Fifo", header_edit(156, "6"), "records/th_alpha"},
    {"GnuLongName", header_edit(156, "L"), "records/th_alpha"},
    {"GlobalPax", header_edit(156, "g"), "records/th_alpha"},
    {"OldRegularFlag", header_edit(156, std::string(1, '\0')), "records/th_alpha"},
    {"GnuMagic", header_edit(257, "ustar  "), "tar: header at byte"},
    {"UserName", header_edit(265, "root"), "records/th_alpha"},
    {"GroupName", header_edit(297, "root"), "records/th_alpha"},
    {"DeviceNumber", header_edit(329, "0000001"), "records/th_alpha"},
    {"BytesInTheUnusedEnd", header_edit(500, "x"), "records/th_alpha"},
    {"LinkNameOfAFile", header_edit(157, "x"), "records/th_alpha"},
    {"Base256Size", header_edit(124, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x10", 12)), "records/th_alpha"},
    {"NegativeBase256Size", header_edit(124, std::string(12, '\xFF')), "records/th_alpha"},
    {"SizeInSpaces", header_edit(124, "          1 "), "records/th_alpha"},
    // Records.
    {"RecordThatDoesNotHashToItsName",
     [](BundleForge& f) { forge_record(f, [](std::string& c) { replace(c, "\"clock\":", "\"clock\":1"); }, false); },
     "its content hashes to"},
    {"RecordWithWhiteSpace", record_edit("\"body\":{}", "\"body\": {}"), "hashes to"},
    {"RecordUnderAnotherThread", record_edit("th_alpha", "th_gamma"), "lies under another thread"},
    {"RecordWithNullJudgedBy", record_edit(",\"parents\"", ",\"judged_by\":null,\"parents\""), "hashes to"},
    {"RecordWithAnUnknownMember", record_edit("\"act\"", "\"aaa\":1,\"act\""), "is no member of a record"},
    {"RecordWithARepeatedMember", record_edit("\"clock\":", "\"clock\":0,\"clock\":"), "clock stands twice"},
    {"RecordWithARepeatedBodyName", record_edit("\"body\":{}", "\"body\":{\"a\":1,\"a\":2}"), "stands twice"},
    {"RecordWithAnUnknownAct", record_edit("\"DO\"", "\"DONE\""), "act is none of"},
    {"RecordWithoutAThread", record_edit(",\"thread\":\"th_alpha\"", ""), "thread is missing"},
    {"RecordWithANegativeClock", record_edit("\"clock\":", "\"clock\":-1"), "clock"},
    {"RecordWithAHugeClock", record_edit("\"clock\":", "\"clock\":99999999999999999999"), "clock"},
    {"RecordWithAFractionalClock", record_edit("\"clock\":", "\"clock\":0.5e1"), "clock"},
    {"RecordWithAnArrayBody", record_edit("\"body\":{}", "\"body\":[]"), "body is not an object"},
    {"RecordWithAnActorThatIsNoDid", record_edit("did:example:forge", "alice"), "actor is not a DID"},
    {"RecordWithInvalidUtf8", record_edit("\"body\":{}", "\"body\":{\"a\":\"\xff\"}"), "invalid UTF-8"},
    {"RecordWithALoneSurrogate", record_edit("\"body\":{}", "\"body\":{\"a\":\"\\ud800\"}"), "surrogate"},
    {"RecordWithAnOverflowingNumber", record_edit("\"body\":{}", "\"body\":{\"a\":1e400}"), "too large"},
    {"RecordWithParentsOutOfOrder",
     record_edit("\"parents\":[]", "\"parents\":[\"" + std::string(64, 'b') + "\",\"" + std::string(64, 'a') + "\"]"),
     "parents are not ascending"},
    {"RecordWithAParentThatIsNoId", record_edit("\"parents\":[]", "\"parents\":[\"x\"]"), "parents"},
    {"RecordWithAShortSig", record_edit(",\"thread\"", ",\"sig\":\"AAAA\",\"thread\""), "sig is not"},
    {"RecordWithAControlCharacterInItsThread", record_edit("th_alpha", "th_\\u0007"), "control character"},
    {"RecordDeeperThanAllowed",
     record_edit("\"body\":{}", "\"body\":{\"a\":" + std::string(127, '[') + std::string(127, ']') + "}"), "deeper"},
    {"RecordThatIsEmpty", [](BundleForge& f) { forge_record(f, [](std::string& c) { c.clear(); }); },
     "records/th_alpha"},
    {"RecordWithTextAfterIt", [](BundleForge& f) { forge_record(f, [](std::string& c) { c += "\n"; }); },
     "records/th_alpha"},
    // Tokens.
    {"TokensThatAreNoTokens",
     [](BundleForge& f) { f.add(std::string(bundle::kTokensPath), "{\"kind\":\"spl.tokens.v1\"}"); },
     "credentials/tokens.json"},
};

}  // namespace

std::span<const Hostile> hostile_bundles() {
  return kHostile;
}

}  // namespace spl::testing
