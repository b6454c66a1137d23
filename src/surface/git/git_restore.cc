#include <algorithm>
#include <charconv>
#include <map>

#include "base/encoding.h"
#include "base/words.h"
#include "bundle/part_files.h"
#include "env/acting_user.h"
#include "surface/git/git.h"
#include "surface/git/git_program.h"
#include "surface/git/repository.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kHeaderBytesMax = 256u << 20;  // all refs of a repository
constexpr std::size_t kFactsBytesMax = 16u << 20;
constexpr std::uint32_t kParentMode = 0750;
constexpr std::uint32_t kRepositoryMode = 0755;
constexpr std::chrono::hours kPackTimeMax{24};
constexpr std::string_view kBundleSuffix = ".bundle";
constexpr std::string_view kFactsSuffix = ".json";

std::unexpected<Error> no_part(const std::string& subject, const std::string& path, const std::string& why) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, subject + ": " + base::escaped(path, 200) + ": " + why);
}

class GitRestore final : public RestorePart {
 public:
  GitRestore(const Surroundings& surroundings, Place place, RestoreRequest request)
      : fs_(surroundings.env.fs),
        place_(std::move(place)),
        request_(std::move(request)),
        prefix_(std::string(kOwnNamePrefix) + request_.id + "-") {}

  Result<void> inspect(std::vector<Finding>& findings) override;
  Result<std::string> stage(PartSource& files, base::Progress& progress) override;
  Result<std::vector<StagedThing>> staged_at(std::string_view mark) override;
  Result<std::vector<Count>> check(std::string_view mark, base::Progress& progress) override;
  Result<void> swap(std::string_view mark) override;
  Result<void> swap_back(std::string_view mark) override;
  Result<std::vector<Count>> count_live() override;
  Result<bool> has_other(std::string_view mark) override;
  Result<void> discard(std::string_view mark) override;

 private:
  using Marks = std::map<std::string, std::uint64_t>;  // name to inode
  // What a bundle says of a repository until all of it is there.
  struct Staged {
    std::map<std::string, std::string> refs;
    bool has_facts = false;
  };

  [[nodiscard]] std::string live(const std::string& name) const {
    return name.empty() ? place_.path : env::join(place_.path, name);
  }
  [[nodiscard]] std::string other(const std::string& name) const {
    if (name.empty()) return env::join(env::parent_of(place_.path), prefix_ + base_name());
    return env::join(place_.path, prefix_ + bundle::encoded_name(name));
  }
  [[nodiscard]] std::string base_name() const { return place_.path.substr(place_.path.rfind('/') + 1); }
  Result<Marks> read_mark(std::string_view mark) const;
  Result<bool> is_inode(const std::string& path, std::uint64_t inode);
  Result<std::vector<std::string>> others();
  Result<std::vector<std::string>> live_names() { return find_repositories(fs_, place_.path, place_.inner); }
  Result<void> make_repository(const std::string& name, const std::string& path, base::Progress& progress);
  Result<void> unpack(const std::string& name, const std::string& path, PartSource& files, Staged& staged,
                      base::Progress& progress);
  Result<std::string> read_header(const std::string& path, PartSource& files, Staged& staged);
  Result<void> read_header_line(const std::string& path, std::string_view line, Staged& staged);
  Result<void> settle(const std::string& name, const std::string& path, PartSource& files, Staged& staged);
  Result<void> copy_tree(const std::string& from, const std::string& to);
  // With whose rights repositories get their names.
  Result<std::optional<env::UserIds>> who_names() {
    const auto info = TRY(fs_.info(place_.path));
    const bool is_one = !info || TRY(is_repository(fs_, place_.path));
    return who_names_in(fs_, is_one ? env::parent_of(place_.path) : place_.path, place_.owner);
  }
  Result<std::vector<Count>> count(const std::vector<std::string>& paths, base::Progress& progress);
  Result<void> sync();

  env::FileSystem& fs_;
  const Place place_;
  const RestoreRequest request_;
  const std::string prefix_;
};

Result<void> GitRestore::inspect(std::vector<Finding>& findings) {
  base::NoProgress progress;
  TRY(git_version(fs_, progress));
  const auto there = TRY(live_names());
  if (!there.empty() && request_.data == InTheWay::kStops)
    findings.push_back({"data", FindingStatus::kStop, place_.subject,
                        "a repository is in the way: " + live(there.front()),
                        "--replace puts the bundle's in its place, and keeps it as previous"});
  return {};
}

Result<void> GitRestore::sync() {
  for (const std::string& directory : {env::parent_of(place_.path), place_.path}) {
    const auto info = TRY(fs_.info(directory));
    if (info && info->type == env::FileType::kDirectory) TRY(fs_.sync_directory(directory));
  }
  return {};
}

// What of a directory may stand in a repository: files, directories and links, with their modes.
Result<void> GitRestore::copy_tree(const std::string& from, const std::string& to) {
  const TreeFilter all;
  TreeWalk walk(fs_, from, all);
  std::string buffer(kPieceBytes, '\0');
  while (const auto entry = TRY(walk.next())) {
    const std::string target = entry->path.empty() ? to : env::join(to, entry->path);
    const std::string source = entry->path.empty() ? from : env::join(from, entry->path);
    switch (entry->info.type) {
      case env::FileType::kDirectory:
        if (!TRY(fs_.info(target))) TRY(fs_.make_directory(target, 0700));
        TRY(fs_.set_mode(target, entry->info.mode | 0700));
        break;
      case env::FileType::kSymlink:
        TRY(fs_.make_symbolic_link(TRY(fs_.read_symbolic_link(source)), target));
        break;
      case env::FileType::kFile: {
        const auto in = TRY(fs_.open(source, env::OpenMode::kRead));
        TRY(fs_.remove(target));
        const auto out = TRY(fs_.open(target, env::OpenMode::kCreateNew));
        for (std::uint64_t at = 0;;) {
          const std::size_t n = TRY(in->read_at(at, buffer));
          TRY(out->write_at(at, std::string_view(buffer.data(), n)));
          at += n;
          if (n < buffer.size()) break;
        }
        TRY(fs_.set_mode(target, entry->info.mode & 0777));
        break;
      }
      case env::FileType::kOther:
        break;
    }
  }
  return {};
}

// An empty one, with hooks and configuration of the live one, or of the template. It is the owner's from the beginning,
// and all within is done with the owner's rights: links that the service has put there lead nowhere else.
Result<void> GitRestore::make_repository(const std::string& name, const std::string& path, base::Progress& progress) {
  const bool has_live = TRY(is_repository(fs_, live(name)));
  const auto before = TRY(fs_.info(live(name)));
  {
    const auto who = TRY(who_names_in(fs_, env::parent_of(path), place_.owner));
    const env::AsFileUser as(who);
    TRY(fs_.make_directory(path, has_live ? before->mode & 0777 : kRepositoryMode));
    if (place_.owner && !who) TRY(fs_.set_owner(path, place_.owner->uid, place_.owner->gid));
  }
  const env::AsFileUser as(place_.owner);
  TRY_IN(place_.subject, run_git(fs_, path, {"init", "--bare", "--quiet", "--template=", path}, progress));
  if (has_live) {
    for (const char* kept : {"config", "hooks", "info"}) {
      const std::string from = env::join(live(name), kept);
      const auto info = TRY(fs_.info(from));
      if (!info) continue;
      if (info->type == env::FileType::kDirectory) {
        TRY(copy_tree(from, env::join(path, kept)));
      } else if (info->type == env::FileType::kFile) {
        TRY(env::write_file_atomically(fs_, env::join(path, kept), TRY(env::read_file(fs_, from, kFactsBytesMax)),
                                       info->mode & 0777));
      }
    }
  } else if (!place_.hooks_template.empty()) {
    TRY_IN(place_.subject + ": template", copy_tree(place_.hooks_template, env::join(path, "hooks")));
  }
  return {};
}

// "# v2 git bundle", or v3 with "@object-format=sha1"; "-<id>" is a history that is not in it; "<id> <ref>"
// (gitformat-bundle(5)).
Result<void> GitRestore::read_header_line(const std::string& path, std::string_view line, Staged& staged) {
  if (line.starts_with('-')) return no_part(place_.subject, path, "wants history that it does not have");
  if (line.starts_with('@')) {
    if (line == "@object-format=sha1" || line == "@object-format=sha256") return {};
    return no_part(place_.subject, path, "wants what this program does not know: " + base::escaped(line, 60));
  }
  const std::size_t space = line.find(' ');
  const std::string_view id = line.substr(0, space);
  if (space == std::string_view::npos || !is_object_id(id))
    return no_part(place_.subject, path, "its header has a line that is none of a bundle");
  const std::string name(line.substr(space + 1));
  if (name == "HEAD") return {};
  if (!is_ref_name(name))
    return no_part(place_.subject, path, "has a ref that git does not take: " + base::escaped(name, 80));
  if (!staged.refs.emplace(name, id).second) return no_part(place_.subject, path, "has a ref twice");
  return {};
}

// Gives what was read of the pack that follows.
Result<std::string> GitRestore::read_header(const std::string& path, PartSource& files, Staged& staged) {
  std::string text;
  std::string buffer(kPieceBytes, '\0');
  bool first = true;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) {
      const std::size_t n = TRY(files.read(buffer));
      if (n == 0 || text.size() > kHeaderBytesMax) return no_part(place_.subject, path, "is no bundle of git");
      text.append(buffer.data(), n);
      continue;
    }
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    if (std::exchange(first, false)) {
      if (line != "# v2 git bundle" && line != "# v3 git bundle")
        return no_part(place_.subject, path, "is no bundle of git");
    } else if (line.empty()) {
      return text.substr(at);
    } else {
      TRY(read_header_line(path, line, staged));
    }
  }
}

Result<void> GitRestore::unpack(const std::string& name, const std::string& path, PartSource& files, Staged& staged,
                                base::Progress& progress) {
  const std::string entry = bundle::encoded_name(name) + std::string(kBundleSuffix);
  std::string piece = TRY(read_header(entry, files, staged));
  const bool is_sha256 = std::ranges::any_of(staged.refs, [](const auto& ref) { return ref.second.size() == 64; });
  if (is_sha256)
    return no_part(place_.subject, entry, "has object ids of SHA-256, which this version does not restore");
  const auto git = TRY(env::ChildProcess::start(
      TRY(git_options(fs_, path, {"index-pack", "--stdin", "--fsck-objects", "--strict=" + fsck_severities()}))));
  git->limit_waits(kPackTimeMax, &progress);
  Result<void> fed = git->input().write(piece);
  piece.resize(kPieceBytes);
  while (fed) {
    const std::size_t n = TRY(files.read(piece));
    if (n == 0) break;
    fed = git->input().write(std::string_view(piece.data(), n));
  }
  git->close_input();
  if (!fed && fed.error().cause == Cause::kCancelled) return fed;
  // The pack's name, which nobody needs; git must be able to say it.
  while (TRY(git->output().read(piece)) > 0) {
  }
  const env::ChildExit exit = TRY(git->wait());
  if (exit.ok()) return {};
  return fail(ErrorCode::kVerification, Cause::kMalformed,
              place_.subject + ": git does not take what " + base::escaped(entry, 200) +
                  " holds: " + base::escaped(git->said(), 400));
}

// HEAD, description and refs.
Result<void> GitRestore::settle(const std::string& name, const std::string& path, PartSource& files, Staged& staged) {
  const std::string entry = bundle::encoded_name(name) + std::string(kFactsSuffix);
  std::string text;
  std::string buffer(kPieceBytes, '\0');
  while (const std::size_t n = TRY(files.read(buffer))) {
    text.append(buffer.data(), n);
    if (text.size() > kFactsBytesMax) return no_part(place_.subject, entry, "is too large");
  }
  const auto facts = codec::parse_shape_text<RepositoryFacts>(text, codec::Unknown::kRefused);
  if (!facts) return no_part(place_.subject, entry, facts.error().message);
  const bool detached = is_object_id(facts->head);
  if (!detached && !is_ref_name(facts->head)) return no_part(place_.subject, entry, "its head names nothing");
  std::string refs;
  for (const auto& [ref, id] : staged.refs) {
    const bool is_symbolic =
        std::ranges::any_of(facts->symbolic_refs, [&ref](const SymbolicRef& one) { return one.name == ref; });
    if (!is_symbolic) refs += id + " " + ref + "\n";
  }
  TRY(env::write_file_atomically(fs_, env::join(path, "packed-refs"), refs, 0644));
  TRY(env::write_file_atomically(fs_, env::join(path, "HEAD"), (detached ? "" : "ref: ") + facts->head + "\n", 0644));
  for (const SymbolicRef& ref : facts->symbolic_refs) {
    if (!is_ref_name(ref.name) || !is_ref_name(ref.target))
      return no_part(place_.subject, entry,
                     "has a symbolic ref that git does not take: " + base::escaped(ref.name, 80));
    const std::string file = env::join(path, ref.name);
    TRY(env::make_directories(fs_, env::parent_of(file), 0755));
    TRY(env::write_file_atomically(fs_, file, "ref: " + ref.target + "\n", 0644));
  }
  if (!facts->description.empty())
    TRY(env::write_file_atomically(fs_, env::join(path, "description"), facts->description, 0644));
  staged.has_facts = true;
  return {};
}

Result<std::string> GitRestore::stage(PartSource& files, base::Progress& progress) {
  TRY(discard({}));
  std::map<std::string, Staged> repositories;
  while (const auto entry = TRY(files.next())) {
    const std::string_view path = entry->path;
    const bool is_bundle = path.ends_with(kBundleSuffix);
    const bool is_facts = path.ends_with(kFactsSuffix);
    const auto name = is_bundle || is_facts ? bundle::decoded_name(path.substr(0, path.rfind('.'))) : std::nullopt;
    if (!name || entry->type != codec::TarType::kFile || !is_repository_name(*name))
      return no_part(place_.subject, entry->path, "is no file of a repository");
    if (repositories.contains("") != name->empty() && !repositories.empty())
      return no_part(place_.subject, entry->path, "is beside a repository that is the surface itself");
    progress.update("unpacking " + place_.subject, repositories.size(), 0, "repositories");
    const std::string target = other(*name);
    Staged& staged = repositories[*name];
    if (!TRY(fs_.info(target))) {
      TRY(make_directories_for(fs_, env::parent_of(target), kParentMode, place_.owner));
      TRY(make_repository(*name, target, progress));
    }
    const env::AsFileUser as(place_.owner);
    TRY(is_bundle ? unpack(*name, target, files, staged, progress) : settle(*name, target, files, staged));
  }
  std::string mark;
  for (const auto& [name, staged] : repositories) {
    if (!staged.has_facts) return no_part(place_.subject, bundle::encoded_name(name), "has no .json");
    // "a" and "a/b" cannot both be repositories.
    const auto below = repositories.lower_bound(name + "/");
    if (!name.empty() && below != repositories.end() && below->first.starts_with(name + "/"))
      return no_part(place_.subject, bundle::encoded_name(below->first), "lies within another repository");
    TRY(fs_.sync_all(env::parent_of(other(name))));
    mark += (mark.empty() ? "" : " ") + std::to_string(TRY(fs_.info(other(name)))->inode) + ":" +
            bundle::encoded_name(name);
  }
  TRY(sync());
  return mark.empty() ? std::string("none") : mark;
}

Result<GitRestore::Marks> GitRestore::read_mark(std::string_view mark) const {
  Marks marks;
  if (mark == "none") return marks;
  for (const std::string& word : base::split(mark, ' ')) {
    std::uint64_t inode = 0;
    const std::size_t colon = word.find(':');
    const auto [end, error] = std::from_chars(word.data(), word.data() + std::min(colon, word.size()), inode);
    const auto name = colon == std::string::npos ? std::nullopt : bundle::decoded_name(word.substr(colon + 1));
    if (error != std::errc() || end != word.data() + colon || !name || !is_repository_name(*name))
      return fail(place_.subject + ": \"" + base::escaped(mark, 80) + "\" is no mark of staged repositories");
    marks.emplace(*name, inode);
  }
  return marks;
}

Result<bool> GitRestore::is_inode(const std::string& path, std::uint64_t inode) {
  const auto info = TRY(fs_.info(path));
  return info && info->inode == inode;
}

// Names whose staged or previous repository there is.
Result<std::vector<std::string>> GitRestore::others() {
  std::vector<std::string> names;
  if (TRY(fs_.info(other("")))) names.emplace_back();
  const auto info = TRY(fs_.info(place_.path));
  if (!info || info->type != env::FileType::kDirectory) return names;
  for (const std::string& found : TRY(fs_.list(place_.path))) {
    if (!found.starts_with(prefix_)) continue;
    const auto name = bundle::decoded_name(found.substr(prefix_.size()));
    if (name && !name->empty() && is_repository_name(*name)) names.push_back(*name);
  }
  return names;
}

Result<void> GitRestore::swap(std::string_view mark) {
  const Marks marks = TRY(read_mark(mark));
  const env::AsFileUser as(TRY(who_names()));
  for (const auto& [name, inode] : marks) {
    if (TRY(is_inode(live(name), inode))) continue;
    if (!TRY(is_inode(other(name), inode)))
      return fail(place_.subject + ": what was staged is not there any more: " + other(name));
    if (TRY(fs_.info(live(name)))) {
      TRY(fs_.exchange(live(name), other(name)));
    } else {
      TRY(make_directories_for(fs_, env::parent_of(live(name)), kParentMode, place_.owner));
      TRY(fs_.rename_to_new(other(name), live(name)));
    }
    TRY(fs_.sync_directory(env::parent_of(live(name))));
  }
  // What the bundle does not have goes aside.
  for (const std::string& name : TRY(live_names())) {
    if (marks.contains(name) || marks.contains("") || TRY(fs_.info(other(name)))) continue;
    TRY(fs_.rename_to_new(live(name), other(name)));
    TRY(fs_.sync_directory(env::parent_of(live(name))));
  }
  return sync();
}

Result<void> GitRestore::swap_back(std::string_view mark) {
  const Marks marks = TRY(read_mark(mark));
  const env::AsFileUser as(TRY(who_names()));
  for (const auto& [name, inode] : marks) {
    const bool is_live = TRY(is_inode(live(name), inode));
    const bool has_other = TRY(fs_.info(other(name))).has_value();
    if (is_live && has_other) {
      TRY(fs_.exchange(live(name), other(name)));
    } else if (is_live) {
      TRY(fs_.rename_to_new(live(name), other(name)));
    } else if (has_other && !TRY(is_inode(other(name), inode))) {
      // The service has another one in its place since.
      TRY(remove_tree_of(fs_, live(name), place_.owner));
      TRY(fs_.rename_to_new(other(name), live(name)));
    } else {
      continue;
    }
    TRY(fs_.sync_directory(env::parent_of(live(name))));
  }
  for (const std::string& name : TRY(others())) {
    if (marks.contains(name)) continue;
    TRY(remove_tree_of(fs_, live(name), place_.owner));
    TRY(fs_.rename_to_new(other(name), live(name)));
  }
  return sync();
}

Result<std::vector<Count>> GitRestore::count(const std::vector<std::string>& paths, base::Progress& progress) {
  std::uint64_t refs = 0;
  std::uint64_t objects = 0;
  for (const std::string& path : paths) {
    refs += TRY(read_repository(fs_, path)).refs.size();
    // "count: 3", "in-pack: 12"
    for (const std::string& line : base::split(TRY(run_git(fs_, path, {"count-objects", "-v"}, progress)), '\n')) {
      for (const std::string_view what : {"count: ", "in-pack: "}) {
        if (!line.starts_with(what)) continue;
        std::uint64_t number = 0;
        std::from_chars(line.data() + what.size(), line.data() + line.size(), number);
        objects += number;
      }
    }
  }
  return std::vector<Count>{{"repositories", paths.size()}, {"refs", refs}, {"objects", objects}};
}

Result<std::vector<StagedThing>> GitRestore::staged_at(std::string_view mark) {
  std::vector<StagedThing> things;
  if (mark.empty()) return things;
  for (const auto& [name, inode] : TRY(read_mark(mark))) things.push_back({name, other(name)});
  return things;
}

Result<std::vector<Count>> GitRestore::check(std::string_view mark, base::Progress& progress) {
  std::vector<std::string> paths;
  for (const auto& [name, inode] : TRY(read_mark(mark))) {
    const std::string path = other(name);
    if (!TRY(is_inode(path, inode))) return fail(place_.subject + ": what was staged is not there any more: " + path);
    progress.update("checking " + place_.subject, paths.size(), 0, "repositories");
    const auto sound = run_git(fs_, path, {"fsck", "--strict", "--no-dangling", "--no-progress", "--full"}, progress);
    if (!sound) {
      if (sound.error().cause == Cause::kCancelled) return std::unexpected(sound.error());
      return fail(ErrorCode::kVerification, place_.subject + ": git fsck does not take the repository " +
                                                base::escaped(name, 100) + ": " + sound.error().message);
    }
    paths.push_back(path);
  }
  return count(paths, progress);
}

Result<std::vector<Count>> GitRestore::count_live() {
  std::vector<std::string> paths;
  for (const std::string& name : TRY(live_names())) paths.push_back(live(name));
  base::NoProgress progress;
  return count(paths, progress);
}

Result<bool> GitRestore::has_other(std::string_view /*mark*/) {
  return !TRY(others()).empty();
}

Result<void> GitRestore::discard(std::string_view /*mark*/) {
  for (const std::string& name : TRY(others())) TRY(remove_tree_of(fs_, other(name), place_.owner));
  return sync();
}

}  // namespace

std::unique_ptr<RestorePart> git_restore(const Surroundings& surroundings, Place place, RestoreRequest request) {
  return std::make_unique<GitRestore>(surroundings, std::move(place), std::move(request));
}

}  // namespace spl::surface
