#include "bundle/layout.h"
#include "hostile_cases.h"
#include "hostile_kit.h"

namespace spl::testing {
namespace {

using bundle::Manifest;

const Hostile kManifests[] = {
    // Versions.
    {"NewerVersion", manifest_text("\"bundle_version\": 1,", "\"bundle_version\": 2,"),
     "bundle_version 2 is newer than this program's: it reads up to version 1"},
    {"HugeVersion", manifest_text("\"bundle_version\": 1,", "\"bundle_version\": 99999999999999999999999,"),
     "bundle_version 99999999999999999999999 is newer than this program's: it reads up to version 1"},
    {"VersionZero", manifest_text("\"bundle_version\": 1,", "\"bundle_version\": 0,"), "bundle_version is 0"},
    {"VersionOneAndAHalf", manifest_text("\"bundle_version\": 1,", "\"bundle_version\": 1.5,"),
     "manifest: bundle_version is not a whole number from 0 to 2^63-1"},
    {"VersionAsText", manifest_text("\"bundle_version\": 1,", "\"bundle_version\": \"1\","),
     "bundle_version is not a whole number"},
    {"ManifestBeginsOtherwise", manifest_text("{\n  \"bundle", "{\n \"bundle"),
     "does not begin with bundle_version as a manifest must"},
    // Members.
    {"ManifestWithAnExtraMember", manifest_text("\"created_by\"", "\"extra\": 1,\n  \"created_by\""),
     "manifest: member \"extra\" stands where \"created_by\" must"},
    {"ManifestWithAMemberAtItsEnd", manifest_text("\n  ]\n}", "\n  ],\n  \"extra\": 1\n}"),
     "manifest: member \"extra\" is not allowed"},
    {"ManifestWithARepeatedMember",
     manifest_text("\"created_by\"", "\"created_at\": \"2026-01-31T12:00:00Z\",\n  \"created_by\""),
     "JSON: a name stands twice"},
    {"ManifestWithARepeatedNameInside", manifest_text("\"pause_ms\": 0", "\"pause_ms\": 0,\n    \"pause_ms\": 0"),
     "JSON: a name stands twice at byte 637"},
    {"ManifestWithARepeatedNameWrittenOtherwise",
     manifest_text("\"pause_ms\": 0", "\"pause_ms\": 0,\n    \"pause\\u005fms\": 0"),
     "JSON: a name stands twice at byte 642"},
    {"ManifestMembersInAnotherOrder",
     manifest_text("\"identity\": \"included\",\n  \"tokens\": \"revoked\"",
                   "\"tokens\": \"revoked\",\n  \"identity\": \"included\""),
     "manifest: member \"tokens\" stands where \"identity\" must"},
    {"ManifestWithoutAMember", manifest_text("  \"thread_count\": 2,\n", ""),
     "manifest: member \"identity\" stands where \"thread_count\" must"},
    {"ManifestWithoutItsSections",
     at("manifest.json",
        [](BundleForge& f) {
          f.edit_manifest_text = [](std::string& text) {
            text.erase(text.find(",\n  \"sections\""));
            text += "\n}\n";
          };
        }),
     "manifest has no member \"sections\""},
    {"ManifestWithANumberAsText", manifest_text("\"record_count\": 6", "\"record_count\": \"6\""),
     "manifest: record_count is not a whole number from 0 to 2^63-1"},
    {"ManifestWithANegativeCount", manifest_text("\"record_count\": 6", "\"record_count\": -6"),
     "manifest: record_count is not a whole number from 0 to 2^63-1"},
    {"ManifestWithAFraction", manifest_text("\"record_count\": 6", "\"record_count\": 6.0"),
     "manifest: record_count is not a whole number from 0 to 2^63-1"},
    {"ManifestWithAWordThatIsNone", manifest_text("\"tokens\": \"revoked\"", "\"tokens\": \"kept\""),
     "manifest: tokens is \"kept\""},
    {"ManifestWithADigestInUppercase",
     manifest_text("\"previous\": null", "\"previous\": \"" + std::string(64, 'A') + "\""),
     "previous is neither null nor a digest"},
    {"ManifestWithAScopeThatIsNone", manifest_text("\"kind\": \"instance\"", "\"kind\": \"all\""),
     "scope: kind is \"all\""},
    {"ManifestWithAnEncryptionThatIsNone", manifest_text("\"encryption\": \"none\"", "\"encryption\": \"rot13\""),
     "encryption is neither \"none\" nor \"passphrase\" nor an array of recipients"},
    {"ManifestWithARecipientThatIsNone", manifest_text("\"encryption\": \"none\"", "\"encryption\": [\"bob\"]"),
     "encryption holds something that is no age recipient"},
    {"ManifestWithAConsistencyThatIsNone", manifest_text("\"quiesced\"", "\"hopeful\""),
     "snapshot: consistency is \"hopeful\""},
    {"ManifestWithInvalidUtf8", manifest_text("spl 0.1.0", "spl \xFF"), "JSON: invalid UTF-8 at byte 173"},
    {"ManifestWithTextAfterIt",
     at("manifest.json", [](BundleForge& f) { f.edit_manifest_text = [](std::string& t) { t += "{}"; }; }),
     "JSON: something after the value at byte 1007"},
    {"ManifestDeeperThanAllowed",
     manifest_text("\"contexts\": []", "\"contexts\": " + std::string(200, '[') + std::string(200, ']')),
     "JSON: nested deeper than 128 levels at byte 599"},
    {"ManifestOfAMillionValues",
     at("manifest.json",
        [](BundleForge& f) {
          f.edit_manifest_text = [](std::string& t) {
            std::string values = "[0]";
            for (int i = 0; i < 600'000; ++i) values += ",[0]";
            replace(t, "\"secrets\": []", "\"secrets\": [" + values + "]");
          };
        }),
     "has more than a million values"},
    {"ManifestOver64MiB",
     at("manifest.json",
        [](BundleForge& f) {
          f.edit_head = [](std::vector<ForgedEntry>& head) { head[0].header.size_bytes = (64u << 20) + 1; };
        }),
     "longer than 67108864 bytes"},
    {"SequenceThatNoNextCanFollow", manifest([](Manifest& m) { m.export_sequence = bundle::kExportSequenceMax + 1; }),
     "export_sequence is over 2^53-1"},
    {"TimeThatIsNone", manifest([](Manifest& m) { m.created_at = "2026-02-30T12:00:00Z"; }),
     "manifest: created_at is not an RFC 3339 time in UTC"},
    // Digests and counts.
    {"WrongBundleDigest", manifest([](Manifest& m) { m.bundle_sha256.octets[0] ^= 1; }),
     "bundle_sha256 is not the digest of the files"},
    {"WrongDigestOfIdentity",
     at("identity/",
        [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[0].sha256.octets[0] ^= 1; }; }),
     "its digest is not the manifest's"},
    {"WrongDigestOfRecords",
     at("records/", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].sha256.octets[0] ^= 1; }; }),
     "its digest is not the manifest's"},
    {"WrongDigestOfCredentials",
     at("credentials/",
        [](BundleForge& f) {
          f.add(std::string(bundle::kTokensPath), "{\"kind\":\"spl.tokens.v1\",\"tokens\":[]}");
          f.edit_manifest = [](Manifest& m) { m.sections[0].sha256.octets[0] ^= 1; };
        }),
     "its digest is not the manifest's"},
    {"RecordCountTooLow", manifest([](Manifest& m) { m.record_count -= 1; }),
     "record_count is 5, the bundle has 6 records"},
    {"RecordCountTooHigh", manifest([](Manifest& m) { m.record_count += 1; }),
     "record_count is 7, the bundle has 6 records"},
    {"RecordCountOfNone", manifest([](Manifest& m) { m.record_count = m.thread_count = 0; }),
     "record_count does not agree with the sections"},
    {"ThreadCountTooHigh", manifest([](Manifest& m) { m.thread_count += 1; }),
     "thread_count is 3, the bundle has 2 threads"},
    {"ThreadCountTooLow", manifest([](Manifest& m) { m.thread_count -= 1; }),
     "thread_count is 1, the bundle has 2 threads"},
    {"ThreadCountOverRecordCount", manifest([](Manifest& m) { m.thread_count = 7; }),
     "thread_count is larger than record_count"},
    // Sections.
    {"SectionFilesTooFew",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) { m.sections[1].files -= 1; };
       return f.entries.back().header.path;
     },
     "more entries or bytes than the manifest says"},
    {"SectionFilesTooMany",
     at("records/", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].files += 1; }; }),
     "has 6 files, the manifest says 7"},
    {"SectionBytesTooFew",
     [](BundleForge& f) {
       f.edit_manifest = [](Manifest& m) { m.sections[1].bytes -= 1; };
       return f.entries.back().header.path;
     },
     "more entries or bytes than the manifest says"},
    {"SectionBytesTooMany",
     at("records/", [](BundleForge& f) { f.edit_manifest = [](Manifest& m) { m.sections[1].bytes += 1; }; }),
     "has 702 bytes, the manifest says 703"},
    {"SectionMissing", manifest([](Manifest& m) { m.sections.pop_back(); }),
     "record_count does not agree with the sections"},
    {"SectionOfNoFiles", manifest([](Manifest& m) { m.sections[1].files = 0; }), "sections: \"records/\" has no files"},
    {"SectionsOutOfOrder", manifest([](Manifest& m) { std::swap(m.sections[0], m.sections[1]); }),
     "sections are not ascending"},
    {"SectionTwice", manifest([](Manifest& m) { m.sections.push_back(m.sections[1]); }), "sections are not ascending"},
    {"SectionWithAnUnknownPrefix", manifest_text("\"prefix\": \"records/\"", "\"prefix\": \"secrets/\""),
     "sections: \"secrets/\" is no section's prefix"},
    {"SectionPrefixWithDotDot",
     manifest([](Manifest& m) { m.sections.push_back({"services/../../etc/", 1, 1, {}, 0}); }),
     "sections: \"services/../../etc/\" is no section's prefix"},
    {"SectionPrefixThatIsTooShort", manifest([](Manifest& m) { m.sections.push_back({"services/a/b/", 1, 1, {}, 0}); }),
     "sections: \"services/a/b/\" is no section's prefix"},
    {"SectionPrefixOfAnotherPart",
     manifest([](Manifest& m) { m.sections.push_back({"services/a/b/@all/", 1, 1, {}, 0}); }),
     "sections: \"services/a/b/@all/\" is no section's prefix"},
    {"IdentitySaidToBeOmitted", manifest([](Manifest& m) { m.identity_included = false; }),
     "identity does not agree with the sections"},
    {"TokensSaidToBeCarried", manifest([](Manifest& m) { m.tokens_carried = true; }),
     "tokens does not agree with the sections"},
};

}  // namespace

std::span<const Hostile> hostile_manifests() {
  return kManifests;
}

}  // namespace spl::testing
