#include <algorithm>

#include "base/limits.h"
#include "bundle/layout.h"
#include "hostile_cases.h"
#include "hostile_kit.h"

namespace spl::testing {
namespace {

constexpr char kNoPlace[] = "nothing of this name has a place in a bundle";

std::string long_path(std::size_t bytes) {
  std::string path = "records";
  while (path.size() < bytes) path += "/" + std::string(200, 'a');
  return path;
}

ForgedEntry entry_of(std::string path, std::string content) {
  ForgedEntry entry;
  entry.header.path = std::move(path);
  entry.header.size_bytes = content.size();
  entry.content = std::move(content);
  return entry;
}

Forging head(std::string entry, std::function<void(std::vector<ForgedEntry>&)> edit) {
  return at(std::move(entry), [=](BundleForge& f) { f.edit_head = edit; });
}

const Hostile kEntries[] = {
    // Manifest and signature.
    {"NoManifest", head("manifest.sig", [](auto& head) { head.erase(head.begin()); }), "manifest.json must stand here"},
    {"NoSignature", head("identity/did_document.json", [](auto& head) { head.pop_back(); }),
     "manifest.sig must stand here"},
    {"SignatureBeforeManifest", head("manifest.sig", [](auto& head) { std::swap(head[0], head[1]); }),
     "manifest.json must stand here"},
    {"EntryBeforeTheManifest",
     head("credentials/tokens.json",
          [](auto& head) { head.insert(head.begin(), entry_of("credentials/tokens.json", "x")); }),
     "manifest.json must stand here"},
    {"EntryBeforeTheSignature",
     head("manifest.json.bak", [](auto& head) { head.insert(head.begin() + 1, entry_of("manifest.json.bak", "x")); }),
     "manifest.sig must stand here"},
    {"ManifestTwice", head("manifest.json", [](auto& head) { head.insert(head.begin(), head[0]); }),
     "manifest.sig must stand here"},
    {"SignatureTwice", head("manifest.sig", [](auto& head) { head.push_back(head[1]); }), kNoPlace},
    {"ManifestAgainAtTheEnd",
     at("manifest.json",
        [](BundleForge& f) {
          f.entries.push_back(entry_of("manifest.json", "{}"));
          f.entries.back().counted = false;
        }),
     kNoPlace},
    {"NothingAtAll",
     at("manifest.json",
        [](BundleForge& f) {
          f.entries.clear();
          f.edit_head = [](std::vector<ForgedEntry>& head) { head.clear(); };
        }),
     "missing"},
    {"NothingAfterTheManifest",
     at("manifest.sig",
        [](BundleForge& f) {
          f.entries.clear();
          f.edit_head = [](std::vector<ForgedEntry>& head) { head.pop_back(); };
        }),
     "missing"},
    {"ManifestOfMode0644", head("manifest.json", [](auto& head) { head[0].header.mode = 0644; }),
     "its mode is not 0600"},
    {"SignatureThatIsALink",
     head("manifest.sig",
          [](auto& head) {
            head[1] = entry_of("manifest.sig", "");
            head[1].header.type = codec::TarType::kSymlink;
            head[1].header.link = "/etc/passwd";
          }),
     "this entry type is not allowed here"},
    // Which entries there are.
    {"ExtraFileAtTheTop",
     at("zzz",
        [](BundleForge& f) {
          f.add("zzz", "x");
          f.entry("zzz").counted = false;
        }),
     kNoPlace},
    {"ExtraFileInIdentity", extra_file("identity/extra"), kNoPlace},
    {"ExtraFileInRecords", extra_file("records/th_alpha/readme.txt"), kNoPlace},
    {"RecordAtTheTopOfRecords", extra_file("records/x.json"), kNoPlace},
    {"RecordInASubdirectory", extra_file("records/th_alpha/sub/" + std::string(64, 'a') + ".json"), kNoPlace},
    {"RecordNameInUppercase", extra_file("records/th_alpha/" + std::string(64, 'A') + ".json"), kNoPlace},
    {"RecordNameOf63Digits", extra_file("records/th_alpha/" + std::string(63, 'a') + ".json"), kNoPlace},
    {"NameWithControlsAndOverrides", extra_file("records/th_alpha/\x1b[2J\n\xe2\x80\xae.json"), kNoPlace},
    {"FileOfNoSection",
     at("credentials/tokens.json",
        [](BundleForge& f) {
          f.add("credentials/tokens.json", "x");
          f.entry("credentials/tokens.json").counted = false;
        }),
     "belongs to no section of the manifest"},
    {"RecordThatTheManifestDoesNotCount",
     at("records/th_beta/" + std::string(64, 'a') + ".json",
        [](BundleForge& f) {
          f.add("records/th_beta/" + std::string(64, 'a') + ".json", "x");
          f.entries.back().counted = false;
        }),
     "more entries or bytes than the manifest says"},
    {"EntryMissing",
     at("records/",
        [](BundleForge& f) {
          const bundle::Manifest whole = f.manifest();
          f.remove(first_record(f));
          f.edit_manifest = [whole](bundle::Manifest& m) { m = whole; };
        }),
     "has 5 files, the manifest says 6"},
    {"EntryTwice",
     [](BundleForge& f) {
       std::string path = first_record(f);
       const ForgedEntry copy = f.entry(path);
       const auto at = std::ranges::find_if(f.entries, [&](const ForgedEntry& e) { return e.header.path == path; });
       f.entries.insert(at, copy);
       return path;
     },
     "stands twice"},
    {"RecordsOutOfOrder",
     [](BundleForge& f) {
       const std::size_t last = f.entries.size() - 1;
       std::swap(f.entries[last], f.entries[last - 1]);
       return f.entries[last].header.path;
     },
     "not in ascending order"},
    {"IdentityAfterRecords",
     at("identity/",
        [](BundleForge& f) {
          const bundle::Manifest whole = f.manifest();
          std::rotate(f.entries.begin(), f.entries.begin() + 2, f.entries.end());
          f.edit_manifest = [whole](bundle::Manifest& m) { m = whole; };
        }),
     "has 0 files, the manifest says 2"},
    // Paths.
    {"AbsolutePath", raw_path("/etc/passwd"), "path is absolute"},
    {"PathWithDotDot", raw_path("records/../../x"), "path has a component \"..\""},
    {"PathWithDot", raw_path("records/./x"), "path has a component \".\""},
    {"PathWithAnEmptyComponent", raw_path("records//x"), "path has an empty component"},
    {"PathWithASlashAtItsEnd", raw_path("records/x/"), "path has an empty component"},
    {"PathThatIsDotDot", raw_path(".."), "path has a component \"..\""},
    {"EmptyPath",
     [](BundleForge& f) {
       (void)raw_path("")(f);
       return "tar: header at byte " + std::to_string(f.offset_of("records/th_alpha/zzzz"));
     },
     "name field is empty"},
    {"PathWithBytesAfterItsNul",
     [](BundleForge& f) {
       (void)raw_path(std::string("records/x\0y", 11))(f);
       return std::string("records/x");
     },
     "bytes after the NUL of the name field"},
    {"ComponentOver255", pax_path("records/th_alpha/" + std::string(256, 'a')), "path has a component over 255 bytes"},
    {"PathOver4096", pax_path(long_path(base::kPathBytesMax + 1)), "path is over 4096 bytes"},
    {"PaxPathThatUstarCanSay", pax_path("records/th_alpha/short"), "pax path says what ustar can say"},
    {"PaxPathWithDotDot", pax_path("records/../" + std::string(120, 'a')), "path has a component \"..\""},
    {"PaxPathWithANul", pax_path("records/" + std::string(120, 'a') + std::string("\0x", 2)), "path has a NUL"},
    {"PaxPathThatIsAbsolute", pax_path("/" + std::string(120, 'a')), "path is absolute"},
};

}  // namespace

std::span<const Hostile> hostile_entries() {
  return kEntries;
}

}  // namespace spl::testing
