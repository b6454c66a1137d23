// Parts of the kind files whose tree.mtree, attributes and entries do not agree, or break a rule of
// docs/formats/tree.md.
#include "bundle/layout.h"
#include "hostile_cases.h"
#include "hostile_kit.h"

namespace spl::testing {
namespace {

using codec::TarType;

const std::string kPart = "services/a/b/@instance/";
const std::string kRest = " mode=0600 uid=0 gid=0 time=0.000000000";

void tree_entry(BundleForge& forge, const std::string& path, TarType type, const std::string& content,
                const std::string& link = "") {
  forge.add(kPart + path, type == TarType::kFile ? content : "");
  codec::TarEntry& header = forge.entry(kPart + path).header;
  header.type = type;
  header.link = link;
}

// A tree that keeps to every rule: a directory with a file, a link, and a file with two names.
void add_tree(BundleForge& forge) {
  forge.add(kPart + "tree.attrs.ndjson", "{\"path\":\"ZC9m\",\"xattrs\":{\"user.a\":\"\"}}\n");
  forge.add(kPart + "tree.mtree", "#mtree\n. type=dir mode=0755 uid=0 gid=0 time=0.000000000\n./d type=dir" + kRest +
                                      "\n./d/f type=file" + kRest + "\n./l type=link" + kRest +
                                      " link=d/f\n./x type=file" + kRest + " inode=1\n./y type=file" + kRest +
                                      " inode=1\n");
  tree_entry(forge, "tree/d", TarType::kDirectory, "");
  tree_entry(forge, "tree/d/f", TarType::kFile, "content");
  tree_entry(forge, "tree/l", TarType::kSymlink, "", "d/f");
  tree_entry(forge, "tree/x", TarType::kFile, "shared");
  tree_entry(forge, "tree/y", TarType::kFile, "shared");
  forge.edit_manifest = [](bundle::Manifest& m) {
    m.services = {
        {"a", "1", 1, "", {{"b", bundle::SurfaceKind::kFiles, bundle::SurfaceClass::kSource, false, true, "files"}}}};
  };
}

Forging tree(const std::string& named, std::function<void(BundleForge&)> change) {
  return at(kPart + named, [change = std::move(change)](BundleForge& forge) {
    add_tree(forge);
    change(forge);
  });
}

void set_content(BundleForge& forge, const std::string& path, std::string content) {
  ForgedEntry& entry = forge.entry(kPart + path);
  entry.header.size_bytes = content.size();
  entry.content = std::move(content);
}

// tree.mtree with `from` replaced by `to`.
Forging mtree(const std::string& from, const std::string& to) {
  return tree("tree.mtree", [from, to](BundleForge& forge) {
    std::string content = forge.entry(kPart + "tree.mtree").content;
    replace(content, from, to);
    set_content(forge, "tree.mtree", std::move(content));
  });
}

Forging attributes(const std::string& content) {
  return tree("tree.attrs.ndjson", [content](BundleForge& forge) { set_content(forge, "tree.attrs.ndjson", content); });
}

Forging header(const std::string& path, std::function<void(codec::TarEntry&)> change) {
  return tree("tree.mtree",
              [path, change = std::move(change)](BundleForge& forge) { change(forge.entry(kPart + path).header); });
}

constexpr char kDiffers[] = "does not say what the entries below tree/ say";

const Hostile kTrees[] = {
    {"TreeWithoutMtree", tree("tree.mtree", [](BundleForge& f) { f.remove(kPart + "tree.mtree"); }), "missing"},
    {"TreeWithAnEntryThatIsNotListed",
     tree("tree/z", [](BundleForge& f) { tree_entry(f, "tree/z", TarType::kFile, ""); }),
     "tree.mtree has no line for it"},
    {"TreeWithoutAnEntryThatIsListed", tree("tree.mtree", [](BundleForge& f) { f.remove(kPart + "tree/y"); }),
     "has 5 entries, below tree/ there are 4"},
    {"TreeWithAnotherName", mtree("./y", "./z"), kDiffers},
    {"TreeWithAnotherType", mtree("./d/f type=file", "./d/f type=dir"), kDiffers},
    {"TreeWithAnotherMode", header("tree/d/f", [](codec::TarEntry& e) { e.mode = 04755; }), kDiffers},
    {"TreeWithAnotherOwner", header("tree/d/f", [](codec::TarEntry& e) { e.uid = 1000; }), kDiffers},
    {"TreeWithAnotherTime", header("tree/d/f", [](codec::TarEntry& e) { e.mtime_s = 1; }), kDiffers},
    {"TreeWithAnotherTarget", mtree("link=d/f", "link=/etc"), kDiffers},
    {"TreeWithSharedContentThatDiffers", tree("tree/y", [](BundleForge& f) { set_content(f, "tree/y", "other"); }),
     "has another content than the other names of its inode"},
    {"MtreeWithoutItsFirstLine", mtree("#mtree\n", ""), "line 1: the first line is not #mtree"},
    {"MtreeOutOfOrder", mtree("./l type", "./a type"), "line 5: not in ascending order"},
    {"MtreeBelowALink", mtree("./x type=file" + kRest + " inode=1", "./l/x type=file" + kRest),
     "line 6: its directory has no line before it"},
    {"MtreeThatLeavesTheTree", mtree("./d/f", "./d/../f"), "line 4: path has a component \"..\""},
    {"MtreeCutShort", mtree("inode=1\n./y type=file" + kRest + " inode=1\n", "inode=1"), "line 6: no newline ends it"},
    {"MtreeWithAWordOfItsOwn", mtree("./l type", "./l flags=uchg type"), "line 5: a word that there is not: flags"},
    {"AttributesOfNothing", attributes(""), "is empty"},
    {"AttributesOfAnEntryThatIsNotThere", attributes("{\"path\":\"ZC9n\",\"xattrs\":{\"user.a\":\"\"}}\n"),
     "has attributes of an entry that tree.mtree does not have"},
    {"AttributesTwice",
     attributes("{\"path\":\"ZC9m\",\"xattrs\":{\"user.a\":\"\"}}\n"
                "{\"path\":\"ZC9m\",\"xattrs\":{\"user.a\":\"\"}}\n"),
     "line 2: not in ascending order"},
    {"AttributesThatAreNoJson", attributes("x\n"), "line 1: is no JSON object"},
    {"AttributesCutShort", attributes("{\"path\":\"ZC9m\",\"xattrs\":{\"user.a\":\"\"}}"), "no newline ends it"},
};

}  // namespace

std::span<const Hostile> hostile_trees() {
  return kTrees;
}

void add_sound_tree(BundleForge& forge) {
  add_tree(forge);
}

}  // namespace spl::testing
