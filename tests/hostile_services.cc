#include "bundle/layout.h"
#include "hostile_cases.h"
#include "hostile_kit.h"

namespace spl::testing {
namespace {

using bundle::Manifest;
using bundle::SecretClass;
using bundle::Service;
using bundle::Surface;
using bundle::SurfaceClass;
using bundle::SurfaceKind;

constexpr char kPart[] = "services/a/b/@instance/";

Surface surface(SurfaceKind kind, bool per_context = false) {
  return {"b", kind, SurfaceClass::kSource, per_context, true, "engine"};
}

Service service(Surface surface) {
  return {"a", "1", 1, "", {std::move(surface)}};
}

// A bundle whose service a has the surface b, with one file in it; then the manifest is changed.
std::function<void(BundleForge&)> with_file(SurfaceKind kind, const std::string& path,
                                            std::function<void(Manifest&)> edit = {}) {
  return [=](BundleForge& f) {
    f.add(path, "x");
    f.edit_manifest = [=](Manifest& m) {
      m.services = {service(surface(kind))};
      if (edit) edit(m);
    };
  };
}

Forging file(SurfaceKind kind, const std::string& name) {
  return at(kPart + name, with_file(kind, kPart + name));
}

std::function<void(BundleForge&)> with_dump(std::function<void(Manifest&)> edit) {
  return with_file(SurfaceKind::kCommand, std::string(kPart) + "dump.bin", std::move(edit));
}

// What manifest.json says of the service is wrong.
Forging wrong_service(std::function<void(Manifest&)> edit) {
  return at("manifest.json", with_dump(std::move(edit)));
}

// The same, where no manifest of this program can say it.
Forging wrong_word(std::string from, std::string to) {
  return at("manifest.json", [=](BundleForge& f) {
    with_dump([](Manifest& m) { m.secrets = {{"h", SecretClass::kPortable, true}}; })(f);
    f.edit_manifest_text = [=](std::string& text) {
      const std::size_t found = text.find(from);
      if (found != std::string::npos) text.replace(found, from.size(), to);
    };
  });
}

// The same without identity, for a scope that is not the whole instance.
Forging wrong_scope(std::function<void(Manifest&)> edit) {
  return at("manifest.json", [=](BundleForge& f) {
    f.remove(bundle::kDidDocumentPath);
    f.remove(bundle::kPrivateKeyPath);
    with_dump(edit)(f);
  });
}

Forging included(SurfaceKind kind) {
  return manifest([=](Manifest& m) { m.services = {service(surface(kind))}; });
}

Forging part_entry(codec::TarType type, std::string link) {
  const std::string path = std::string(kPart) + "sub";
  return at(path, [=](BundleForge& f) {
    with_dump({})(f);
    f.add(path, "");
    f.entry(path).header.type = type;
    f.entry(path).header.link = link;
  });
}

constexpr char kMissing[] = "sections: services/a/b/@instance/ is missing, its surface is included";

const Hostile kServices[] = {
    // Names.
    {"ServiceNameInUppercase", wrong_service([](Manifest& m) { m.services[0].name = "A"; }),
     "service: \"A\" is no name"},
    {"ServiceNameWithASlash", wrong_service([](Manifest& m) { m.services[0].name = "a/b"; }),
     "service: \"a/b\" is no name"},
    {"ServiceNameOf64Bytes", wrong_service([](Manifest& m) { m.services[0].name = std::string(64, 'a'); }),
     "service: \"" + std::string(64, 'a') + "\" is no name"},
    {"ServiceNameOfNothing", wrong_service([](Manifest& m) { m.services[0].name = ""; }), "service: \"\" is no name"},
    {"SurfaceNameThatBeginsWithADash", wrong_service([](Manifest& m) { m.services[0].surfaces[0].name = "-b"; }),
     "surface: \"-b\" is no name"},
    {"SurfaceNameWithADot", wrong_service([](Manifest& m) { m.services[0].surfaces[0].name = ".."; }),
     "surface: \"..\" is no name"},
    {"ContextNameWithASpace", wrong_service([](Manifest& m) { m.contexts = {{"a b", 1}}; }),
     "context: \"a b\" is no name"},
    {"ContextNameOfThePart", wrong_service([](Manifest& m) { m.contexts = {{"@instance", 1}}; }),
     "context: \"@instance\" is no name"},
    {"ScopeServiceThatIsNoName", wrong_scope([](Manifest& m) { m.scope.service = "A"; }), "scope: \"A\" is no name"},
    {"ScopeContextThatIsNoName", wrong_scope([](Manifest& m) { m.scope.context = "A"; }), "scope: \"A\" is no name"},
    {"SurfaceKindThatIsNone", wrong_word(R"("kind": "command")", R"("kind": "tape")"), "surface: kind is \"tape\""},
    {"SurfaceClassThatIsNone", wrong_word(R"("class": "source")", R"("class": "gold")"), "surface: class is \"gold\""},
    {"SecretClassThatIsNone", wrong_word(R"("class": "portable")", R"("class": "open")"), "secret: class is \"open\""},
    {"ServiceTwice", wrong_service([](Manifest& m) { m.services.push_back(m.services[0]); }),
     "services has a name twice"},
    {"SurfaceTwice", wrong_service([](Manifest& m) { m.services[0].surfaces.push_back(m.services[0].surfaces[0]); }),
     "services: a has a surface's name twice"},
    {"ContextNameTwice", wrong_service([](Manifest& m) { m.contexts = {{"a", 1}, {"a", 2}}; }),
     "contexts has a name or an id twice"},
    {"ContextIdTwice", wrong_service([](Manifest& m) { m.contexts = {{"a", 1}, {"b", 1}}; }),
     "contexts has a name or an id twice"},
    // Sections and surfaces.
    {"SectionOfNoSurface", wrong_service([](Manifest& m) { m.services.clear(); }),
     "sections: services/a/b/@instance/ is of no surface that services name"},
    {"SectionOfASurfaceThatWasLeftOut", wrong_service([](Manifest& m) { m.services[0].surfaces[0].included = false; }),
     "sections: services/a/b/@instance/ is of a surface that was left out"},
    {"SectionOfAnUnknownContext", wrong_service([](Manifest& m) {
       m.services = {service(surface(SurfaceKind::kCommand, true))};
       m.sections.back().prefix = "services/a/b/acme/";
     }),
     "sections: services/a/b/acme/ is of no context that contexts name"},
    {"PartOfNoContext",
     wrong_service([](Manifest& m) { m.services = {service(surface(SurfaceKind::kCommand, true))}; }),
     "sections: services/a/b/@instance/ is of no context that contexts name"},
    {"PartOfASurfaceThatIsNotPerContext", wrong_service([](Manifest& m) {
       m.contexts = {{"acme", 1}};
       m.sections.back().prefix = "services/a/b/acme/";
     }),
     "sections: services/a/b/acme/ is of a surface that is not per context"},
    {"IncludedPostgresWithoutAPart", included(SurfaceKind::kPostgres), kMissing},
    {"IncludedMariadbWithoutAPart", included(SurfaceKind::kMariadb), kMissing},
    {"IncludedCommandWithoutAPart", included(SurfaceKind::kCommand), kMissing},
    {"IncludedFilesWithoutAPart", included(SurfaceKind::kFiles), kMissing},
    {"SectionThatTheEntriesDoNotHave",
     at(kPart,
        [](BundleForge& f) {
          f.edit_manifest = [](Manifest& m) {
            m.services = {service(surface(SurfaceKind::kCommand))};
            m.sections.push_back({kPart, 1, 1, {}, 0});
          };
        }),
     "has 0 files, the manifest says 1"},
    {"WrongDigestOfAPart", at(kPart, with_dump([](Manifest& m) { m.sections.back().sha256.octets[0] ^= 1; })),
     "its digest is not the manifest's"},
    {"PartFilesTooMany", at(kPart, with_dump([](Manifest& m) { m.sections.back().files += 1; })),
     "has 1 files, the manifest says 2"},
    {"PartBytesTooFew",
     at(std::string(kPart) + "dump.bin", with_dump([](Manifest& m) { m.sections.back().bytes = 0; })),
     "more entries or bytes than the manifest says"},
    // Scope.
    {"IdentityInTheScopeOfAService", manifest([](Manifest& m) {
       m.scope.service = "a";
       m.services = {{"a", "1", 1, "", {}}};
     }),
     "only a whole instance has an identity or tokens"},
    {"IdentityInTheScopeOfAContext", manifest([](Manifest& m) { m.scope.context = "acme"; }),
     "only a whole instance has an identity or tokens"},
    {"ServiceThatIsNotTheScopes", wrong_scope([](Manifest& m) { m.scope.service = "b"; }),
     "services names one that is not the scope's: a"},
    {"ScopeOfAServiceThatIsNotThere", wrong_scope([](Manifest& m) {
       m.scope.service = "a";
       m.services.clear();
       m.sections.pop_back();
     }),
     "services does not name the scope's: a"},
    {"WholePartInTheScopeOfAContext", wrong_scope([](Manifest& m) {
       m.scope.context = "acme";
       m.contexts = {{"acme", 1}};
     }),
     "sections: services/a/b/@instance/ is not of the scope's context"},
    {"OtherContextInTheScopeOfOne", wrong_scope([](Manifest& m) {
       m.scope.context = "acme";
       m.contexts = {{"acme", 1}, {"other", 2}};
     }),
     "contexts names one that is not the scope's"},
    {"DeclarationInTheScopeOfAContext", wrong_scope([](Manifest& m) {
       m.scope.context = "acme";
       m.services[0].declaration = "name = \"a\"";
     }),
     "a context's bundle has a declaration"},
    // Files of a part.
    {"FileThatItsSurfaceDoesNotHave", file(SurfaceKind::kSqlite, "dump.bin"),
     "a surface of the kind sqlite has no such file"},
    {"RedisDatabaseWhoseNumberBeginsWithZero", file(SurfaceKind::kRedis, "db-01.ndjson"),
     "a surface of the kind redis has no such file"},
    {"FileOfACommandInASubdirectory", file(SurfaceKind::kCommand, "sub/dump.bin"),
     "a surface of the kind command has no such file"},
    {"FileInATreeThatIsNone", file(SurfaceKind::kCommand, "tree/x"), "a surface of the kind command has no such file"},
    {"DatabaseWithoutAName", file(SurfaceKind::kSqlite, ".sqlite"), "a surface of the kind sqlite has no such file"},
    {"DatabaseNameThatIsNotEncoded", file(SurfaceKind::kSqlite, "a b.sqlite"),
     "a surface of the kind sqlite has no such file"},
    {"DatabaseNameEncodedWithoutNeed", file(SurfaceKind::kSqlite, "%41.sqlite"),
     "a surface of the kind sqlite has no such file"},
    {"DatabaseNameEncodedInLowercase", file(SurfaceKind::kSqlite, "%c3%bc.sqlite"),
     "a surface of the kind sqlite has no such file"},
    {"DatabaseNameOver200Bytes", file(SurfaceKind::kSqlite, std::string(201, 'a') + ".sqlite"),
     "a surface of the kind sqlite has no such file"},
    {"RepositoryNameThatBeginsWithADot", file(SurfaceKind::kGit, ".hidden.json"),
     "a surface of the kind git has no such file"},
    {"RepositoryWithoutItsDescription", file(SurfaceKind::kGit, "repo.bundle"), "stands without its repo.json"},
    {"RepositoryBeforeTheDescriptionOfAnother",
     at(std::string(kPart) + "repo.bundle",
        [](BundleForge& f) {
          with_file(SurfaceKind::kGit, std::string(kPart) + "repo.bundle")(f);
          f.add(std::string(kPart) + "repo.c.json", "x");
          f.add(std::string(kPart) + "zoo.json", "x");
        }),
     "stands without its repo.json"},
    {"DirectoryInAPart", part_entry(codec::TarType::kDirectory, ""), "this entry type is not allowed here"},
    {"SymbolicLinkInAPart", part_entry(codec::TarType::kSymlink, "/etc/passwd"), "this entry type is not allowed here"},
    {"FileOutsideEveryPart",
     at("services/a/file",
        [](BundleForge& f) {
          with_dump({})(f);
          f.add("services/a/file", "x");
          f.entry("services/a/file").counted = false;
        }),
     "belongs to no section of the manifest"},
};

}  // namespace

std::span<const Hostile> hostile_services() {
  return kServices;
}

}  // namespace spl::testing
