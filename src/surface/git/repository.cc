#include "surface/git/repository.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr std::size_t kRefBytesMax = 4096;
constexpr std::size_t kPackedRefsBytesMax = 256u << 20;
constexpr std::size_t kDescriptionBytesMax = 64u << 10;
constexpr std::size_t kNameBytesMax = 4096;
constexpr std::size_t kComponentBytesMax = 255;
constexpr std::size_t kRefDepthMax = 64;

std::string trimmed(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.pop_back();
  return text;
}

// A ref's file: an object id, or "ref: " and another.
Result<void> read_loose(env::FileSystem& fs, const std::string& path, const std::string& name,
                        RepositoryMoment& moment) {
  auto text = env::read_file(fs, path, kRefBytesMax);
  if (!text && text.error().cause == Cause::kNoSuchFile) return {};
  const std::string content = trimmed(TRY(std::move(text)));
  constexpr std::string_view kSymbolic = "ref: ";
  if (content.starts_with(kSymbolic)) {
    moment.facts.symbolic_refs.push_back({name, content.substr(kSymbolic.size())});
  } else if (is_object_id(content) && is_ref_name(name)) {
    moment.refs[name] = content;
  }
  // Anything else git takes for a broken ref, and so nobody can fetch it.
  return {};
}

Result<void> read_loose_below(env::FileSystem& fs, const std::string& root, const std::string& name, std::size_t depth,
                              RepositoryMoment& moment) {
  if (depth > kRefDepthMax) return fail("refs lie too deep in " + base::escaped(root, 200));
  auto names = fs.list(env::join(root, name));
  if (!names && names.error().cause == Cause::kNoSuchFile) return {};
  for (const std::string& entry : TRY(std::move(names))) {
    const std::string below = name + "/" + entry;
    const auto info = TRY(fs.info(env::join(root, below)));
    if (!info) continue;
    if (info->type == env::FileType::kDirectory) {
      TRY(read_loose_below(fs, root, below, depth + 1, moment));
    } else if (info->type == env::FileType::kFile && !entry.ends_with(".lock")) {
      TRY(read_loose(fs, env::join(root, below), below, moment));
    }
  }
  return {};
}

// Lines "<object id> <ref>"; a loose ref of the same name counts.
Result<void> read_packed(env::FileSystem& fs, const std::string& root, RepositoryMoment& moment) {
  const std::string path = env::join(root, "packed-refs");
  if (!TRY(fs.info(path))) return {};
  const std::string text = TRY(env::read_file(fs, path, kPackedRefsBytesMax));
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t space = line.find(' ');
    if (line.empty() || line.front() == '#' || line.front() == '^' || space == std::string_view::npos) continue;
    const std::string_view id = line.substr(0, space);
    const std::string name(line.substr(space + 1));
    if (is_object_id(id) && is_ref_name(name)) moment.refs.emplace(name, id);
  }
  return {};
}

Result<void> find_below(env::FileSystem& fs, const std::string& root, const std::string& name,
                        const std::vector<std::string>& inner, std::vector<std::string>& found) {
  const std::string path = name.empty() ? root : env::join(root, name);
  if (std::ranges::find(inner, path) != inner.end()) return {};
  if (TRY(is_repository(fs, path))) {
    found.push_back(name);
    return {};
  }
  auto names = fs.list(path);
  if (!names && names.error().cause == Cause::kNoSuchFile) return {};
  for (const std::string& entry : TRY(std::move(names))) {
    if (entry.starts_with(kOwnNamePrefix)) continue;
    const std::string below = path_below(name, entry);
    const auto info = TRY(fs.info(env::join(root, below)));
    if (info && info->type == env::FileType::kDirectory) TRY(find_below(fs, root, below, inner, found));
  }
  return {};
}

}  // namespace

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_ref_name(std::string_view name) {
  if (!name.starts_with("refs/") || name.size() > kNameBytesMax || name.ends_with('.')) return false;
  if (name.find("..") != std::string_view::npos || name.find("@{") != std::string_view::npos) return false;
  for (const char c : name) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet <= 0x20 || octet == 0x7F || std::string_view("~^:?*[\\").find(c) != std::string_view::npos) return false;
  }
  const auto components = base::split(name, '/');
  return components.size() > 1 && std::ranges::all_of(components, [](const std::string& component) {
           return !component.empty() && component.size() <= kComponentBytesMax && component.front() != '.' &&
                  !component.ends_with(".lock");
         });
}

bool is_repository_name(std::string_view name) {
  if (name.empty()) return true;
  if (name.size() > kNameBytesMax || name.find('\0') != std::string_view::npos) return false;
  return std::ranges::all_of(base::split(name, '/'), [](const std::string& component) {
    return !component.empty() && component != "." && component != ".." && component.size() <= kComponentBytesMax &&
           !component.starts_with(kOwnNamePrefix);
  });
}

Result<bool> is_repository(env::FileSystem& fs, const std::string& path) {
  const auto is = [&](const char* name, env::FileType type) -> Result<bool> {
    const auto info = TRY(fs.info(env::join(path, name)));
    return info && (info->type == type || (type == env::FileType::kFile && info->type == env::FileType::kSymlink));
  };
  return TRY(is("HEAD", env::FileType::kFile)) && TRY(is("objects", env::FileType::kDirectory)) &&
         TRY(is("refs", env::FileType::kDirectory));
}

Result<std::vector<std::string>> find_repositories(env::FileSystem& fs, const std::string& root,
                                                   const std::vector<std::string>& inner) {
  std::vector<std::string> found;
  const auto info = TRY(fs.info(root));
  if (!info) return found;
  if (info->type != env::FileType::kDirectory)
    return fail(
        ErrorCode::kUsage,
        base::escaped(root, 200) + (info->type == env::FileType::kSymlink ? " is a symbolic link" : " is no directory"),
        "declare the directory itself");
  TRY(find_below(fs, root, "", inner, found));
  std::ranges::sort(found);
  return found;
}

Result<RepositoryMoment> read_repository(env::FileSystem& fs, const std::string& path) {
  if (TRY(fs.info(env::join(path, "shallow"))))
    return fail(ErrorCode::kUsage, base::escaped(path, 200) + " is a shallow repository: it has not all of its history",
                "complete it with git fetch --unshallow");
  RepositoryMoment moment;
  // In this order: what is packed meanwhile is seen there, if it was not seen loose.
  TRY(read_loose_below(fs, path, "refs", 0, moment));
  TRY(read_packed(fs, path, moment));
  const std::string head = trimmed(TRY(env::read_file(fs, env::join(path, "HEAD"), kRefBytesMax)));
  constexpr std::string_view kSymbolic = "ref: ";
  moment.facts.head = head.starts_with(kSymbolic) ? head.substr(kSymbolic.size()) : head;
  if (!is_ref_name(moment.facts.head) && !is_object_id(moment.facts.head))
    return fail(base::escaped(path, 200) + ": its HEAD names nothing");
  if (TRY(fs.info(env::join(path, "description"))))
    moment.facts.description = TRY(env::read_file(fs, env::join(path, "description"), kDescriptionBytesMax));
  return moment;
}

}  // namespace spl::surface
