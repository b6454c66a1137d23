#include <algorithm>
#include <chrono>
#include <map>

#include "base/encoding.h"
#include "codec/mtree.h"
#include "env/clone_file.h"
#include "surface/files/entry_list.h"
#include "surface/files/files.h"
#include "surface/tree_snapshot.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::uint64_t kLookEvery = 256;  // entries: at the deadline, and at Progress::cancelled()
constexpr std::size_t kNamedMax = 20;      // in warnings
// What was written within this time may be written again without another time.
constexpr seconds kYoung{2};

bool is_carried(env::FileType type) {
  return type != env::FileType::kOther;
}

bool is_same_file(const env::FileInfo& one, const env::FileInfo& other) {
  return one.type == other.type && one.inode == other.inode && one.device == other.device &&
         one.size_bytes == other.size_bytes && one.modified == other.modified && one.changed == other.changed;
}

nanoseconds since_epoch(env::FileTime time) {
  return seconds(time.seconds) + nanoseconds(time.nanoseconds);
}

// A part of something that stays as it is: a spool, clones, a file of a snapshot.
template <class From>
class Piece final : public base::Source {
 public:
  Piece(From& from, std::uint64_t at, std::uint64_t bytes) : from_(from), at_(at), left_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n =
        TRY(from_.read_at(at_, out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)))));
    at_ += n;
    left_ -= n;
    return n;
  }

 private:
  From& from_;
  std::uint64_t at_;
  std::uint64_t left_;
};

codec::TarType tar_type(env::FileType type) {
  if (type == env::FileType::kDirectory) return codec::TarType::kDirectory;
  return type == env::FileType::kSymlink ? codec::TarType::kSymlink : codec::TarType::kFile;
}

// Where another device begins in a tree: the root, and what is found below it, in the order of a walk.
class Boundaries {
 public:
  void note(const WalkedEntry& directory) {
    const std::pair<std::string, std::uint64_t>* nearest = nullptr;
    for (const auto& one : found_) {
      const bool is_around = one.first.empty() || is_at_or_below(directory.path, one.first);
      if (is_around && (nearest == nullptr || one.first.size() > nearest->first.size())) nearest = &one;
    }
    if (nearest == nullptr || nearest->second != directory.info.device)
      found_.emplace_back(directory.path, directory.info.device);
  }
  [[nodiscard]] std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const auto& [path, device] : found_) paths.push_back(path);
    return paths;
  }

 private:
  std::vector<std::pair<std::string, std::uint64_t>> found_;
};

class FilesBackup final : public BackupPart {
 public:
  FilesBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings),
        fs_(surroundings.env.fs),
        place_(std::move(place)),
        filter_(TreeFilter::of(place_.path, place_.exclude, place_.inner)) {}

  Result<BackupPlan> plan(base::Progress& progress) override;
  Result<void> prepare(base::Progress& progress) override;
  Result<Consistency> open(Writers writers, nanoseconds deadline) override;
  Result<void> stream(PartSink& out, base::Progress& progress) override;

 private:
  // When what is read must end: before the pause at any time, but for a cancel; within it by the deadline.
  struct Until {
    base::Progress* progress = nullptr;
    nanoseconds deadline = nanoseconds::max();
  };
  Result<void> go_on(const Until& until) const;
  Result<std::optional<ListedEntry>> take(const TreeWalk& walk, const WalkedEntry& walked, const Until& until);
  Result<bool> take_content(ListedEntry& entry, const TreeWalk& walk, const Until& until);
  Result<void> read_content(ListedEntry& entry, env::File& file, const Until& until);
  static Result<bool> take_about(ListedEntry& entry, const TreeWalk& walk);
  Result<void> list_snapshot(base::Progress& progress);
  Result<void> stream_content(PartSink& out, const ListedEntry& entry);
  Result<void> number_shared_files();
  Result<void> write_attributes(PartSink& out);
  Result<void> write_mtree(PartSink& out);
  [[nodiscard]] codec::MtreeEntry line_of(const ListedEntry& entry) const;
  [[nodiscard]] spool::SpoolOptions spool_options() const { return surroundings_.spool; }

  const Surroundings& surroundings_;
  env::FileSystem& fs_;
  const Place place_;
  const TreeFilter filter_;
  std::unique_ptr<TreeSnapshot> snapshot_;  // null: what is there is read ahead
  TreeView view_;                           // of the snapshot
  std::optional<env::CloneFile> clones_;    // where what is read ahead shares the tree's blocks
  std::optional<spool::Spool> contents_;    // else, or of what cannot
  std::optional<EntryList> ahead_;          // as prepare() has found them
  std::optional<EntryList> taken_;          // as they are at the moment
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> shared_;  // device and inode to its number
  bool has_attributes_ = false;
  std::uint64_t bytes_ = 0;  // about, as plan() has found them
  std::string buffer_;
};

Result<BackupPlan> FilesBackup::plan(base::Progress& progress) {
  BackupPlan plan;
  TreeWalk walk(fs_, place_.path, filter_);
  std::uint64_t passed_over = 0;
  std::string names;
  Boundaries boundaries;
  env::DirectoryId root;
  while (const auto entry = TRY(walk.next())) {
    if (entry->path.empty()) root = {entry->info.device, entry->info.inode};
    ++plan.files;
    if (plan.files % kLookEvery == 0 && progress.cancelled()) return base::fail_cancelled("nothing was read");
    if (entry->info.type == env::FileType::kFile) plan.bytes += entry->info.size_bytes;
    if (entry->info.type == env::FileType::kDirectory) boundaries.note(*entry);
    if (is_carried(entry->info.type)) continue;
    if (passed_over++ < kNamedMax) names += (names.empty() ? "" : ", ") + base::escaped(entry->path);
  }
  if (passed_over > 0)
    plan.warnings.push_back("of " + place_.subject + " cannot be carried: " + std::to_string(passed_over) +
                            (passed_over == 1 ? " FIFO, socket or device: " : " FIFOs, sockets and devices: ") + names +
                            (passed_over > kNamedMax ? ", ..." : ""));
  auto found = TRY(TreeSnapshot::find(surroundings_, {place_.path, root}, filter_, boundaries.paths()));
  bytes_ = plan.bytes;
  snapshot_ = std::move(found.snapshot);
  if (!snapshot_) clones_ = env::CloneFile::make(place_.path);
  plan.method = snapshot_ ? snapshot_->method()
                : clones_ ? "cloned ahead, compared in the pause"
                          : "read ahead, compared in the pause";
  if (!snapshot_ && !found.why_not.empty()) plan.method += ": " + found.why_not;
  return plan;
}

Result<void> FilesBackup::go_on(const Until& until) const {
  if (until.progress != nullptr && until.progress->cancelled()) return base::fail_cancelled("nothing was paused");
  if (until.deadline == nanoseconds::max() || surroundings_.env.clock.since_boot() <= until.deadline) return {};
  return fail(Cause::kTimeout, place_.subject + " was not read again within the pause",
              "give its service a longer [quiesce] timeout_ms");
}

// False where the file went.
Result<bool> FilesBackup::take_content(ListedEntry& entry, const TreeWalk& walk, const Until& until) {
  const auto file = TRY(walk.directory().open(walk.name()));
  if (!file) return false;
  if (clones_) {
    TRY(go_on(until));
    const auto piece = clones_->append(*file);
    if (piece.state == env::CloneFile::State::kCloned) {
      entry.is_cloned = true;
      entry.content_at = piece.at;
      entry.content_bytes = piece.bytes;
      return true;
    }
  }
  TRY(read_content(entry, *file, until));
  return true;
}

// Appends the content to the spool, as much of it as there was when it was looked at: a file that grows meanwhile,
// maybe for ever, is another one then, and is read again in the pause.
Result<void> FilesBackup::read_content(ListedEntry& entry, env::File& file, const Until& until) {
  entry.content_at = contents_->size_bytes();
  entry.content_bytes = 0;
  // A page that a process has mapped and made dirty is changed again without another time, until the kernel begins to
  // write it out.
  if (until.progress != nullptr) file.begin_writing_out();
  buffer_.resize(kPieceBytes);
  while (entry.content_bytes < entry.info.size_bytes) {
    TRY(go_on(until));
    const std::uint64_t left = entry.info.size_bytes - entry.content_bytes;
    const auto piece = std::span(buffer_).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, kPieceBytes)));
    const std::size_t n = TRY(file.read_at(entry.content_bytes, piece));
    TRY(contents_->append(std::string_view(piece.data(), n)));
    entry.content_bytes += n;
    if (n < piece.size()) break;
  }
  return {};
}

// What stands about a file, link or directory beside its content. False where it went.
Result<bool> FilesBackup::take_about(ListedEntry& entry, const TreeWalk& walk) {
  if (entry.info.type == env::FileType::kSymlink) {
    auto target = TRY(walk.directory().link_target(walk.name()));
    if (!target) return false;
    entry.target = std::move(*target);
    return true;
  }
  auto attributes = TRY(walk.directory().attributes(walk.name()));
  if (!attributes) return false;
  entry.attributes = std::move(*attributes);
  return true;
}

// Nothing of what went meanwhile, or cannot be carried. `walked` is the entry that the walk is at.
Result<std::optional<ListedEntry>> FilesBackup::take(const TreeWalk& walk, const WalkedEntry& walked,
                                                     const Until& until) {
  ListedEntry entry{walked.path, walked.info, {}, {}};
  const nanoseconds now = surroundings_.env.clock.now().time_since_epoch();
  if (!is_carried(walked.info.type)) return std::nullopt;
  if (walked.info.type == env::FileType::kFile && !TRY(take_content(entry, walk, until))) return std::nullopt;
  if (!TRY(take_about(entry, walk))) return std::nullopt;
  const nanoseconds newest = std::max(since_epoch(walked.info.modified), since_epoch(walked.info.changed));
  const bool is_whole = walked.info.type != env::FileType::kFile || entry.content_bytes == walked.info.size_bytes;
  entry.is_settled = is_whole && newest + kYoung <= now;
  return entry;
}

Result<void> FilesBackup::prepare(base::Progress& progress) {
  if (snapshot_) {
    const auto prepared = snapshot_->prepare();
    if (prepared) return {};
    surroundings_.env.log.write(env::LogLevel::kWarn, "no snapshot",
                                {{"part", place_.subject}, {"error", prepared.error().message}});
    snapshot_.reset();
    clones_ = env::CloneFile::make(place_.path);
  }
  contents_ = TRY(spool::Spool::make(surroundings_.env, spool_options()));
  ahead_ = TRY(EntryList::make(surroundings_.env, spool_options()));
  const Until until{.progress = &progress};
  TreeWalk walk(fs_, place_.path, filter_);
  while (const auto walked = TRY(walk.next())) {
    if (ahead_->size() % kLookEvery == 0) {
      progress.update("reading files", contents_->size_bytes(), 0, "bytes");
      TRY(go_on(until));
    }
    if (const auto entry = TRY(take(walk, *walked, until))) TRY(ahead_->append(*entry));
  }
  return {};
}

Result<Consistency> FilesBackup::open(Writers writers, nanoseconds deadline) {
  if (snapshot_) {
    TRY(snapshot_->make());
    TRY(go_on({.deadline = deadline}));
    if (writers == Writers::kPaused) return Consistency::kQuiesced;
    return snapshot_->is_one_volume() ? Consistency::kFilesystem : Consistency::kCrash;
  }
  taken_ = TRY(EntryList::make(surroundings_.env, spool_options()));
  const Until until{.progress = nullptr, .deadline = deadline};
  TRY(ahead_->rewind());
  auto before = TRY(ahead_->next());
  TreeWalk walk(fs_, place_.path, filter_);
  for (std::uint64_t looked = 1;; ++looked) {
    const auto walked = TRY(walk.next());
    if (!walked) break;
    if (looked % kLookEvery == 0) TRY(go_on(until));
    while (before && before->path < walked->path) before = TRY(ahead_->next());
    const bool is_known =
        before && before->path == walked->path && before->is_settled && is_same_file(before->info, walked->info);
    if (is_known) {
      before->info = walked->info;
      TRY(taken_->append(*before));
    } else if (const auto entry = TRY(take(walk, *walked, until))) {
      TRY(taken_->append(*entry));
    }
  }
  return writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kCrash;
}

// What the snapshot has. Nothing in it changes any more.
Result<void> FilesBackup::list_snapshot(base::Progress& progress) {
  view_ = TRY(snapshot_->view());
  taken_ = TRY(EntryList::make(surroundings_.env, spool_options()));
  const Until until{.progress = &progress};
  TreeWalk walk(fs_, view_, filter_);
  while (const auto walked = TRY(walk.next())) {
    if (taken_->size() % kLookEvery == 0) TRY(go_on(until));
    if (snapshot_->is_left_out(view_, *walked))
      return fail(place_.subject + ": " + base::escaped(env::join(place_.path, walked->path)) +
                      " is a subvolume that came while the backup began, and is in no snapshot",
                  "back up again");
    ListedEntry entry{walked->path, walked->info, {}, {}};
    if (!is_carried(walked->info.type) || !TRY(take_about(entry, walk))) continue;
    if (walked->info.type == env::FileType::kFile) entry.content_bytes = walked->info.size_bytes;
    TRY(taken_->append(entry));
  }
  return {};
}

Result<void> FilesBackup::stream_content(PartSink& out, const ListedEntry& entry) {
  const codec::TarEntry header = codec::tar_entry_of(line_of(entry), "tree/", entry.content_bytes);
  if (snapshot_ && entry.info.type == env::FileType::kFile) {
    const auto file = TRY(fs_.open(view_.path_of(entry.path), env::OpenMode::kRead));
    Piece content(*file, 0, entry.content_bytes);
    return out.add(header, content);
  }
  if (entry.is_cloned) {
    Piece content(*clones_, entry.content_at, entry.content_bytes);
    return out.add(header, content);
  }
  base::StringSource nothing("");
  if (!contents_) return out.add(header, nothing);
  Piece content(*contents_, entry.content_at, entry.content_bytes);
  return out.add(header, content);
}

// Files of which the tree has more than one name get a number, in the order in which they come.
Result<void> FilesBackup::number_shared_files() {
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> names;
  TRY(taken_->rewind());
  while (const auto entry = TRY(taken_->next())) {
    has_attributes_ = has_attributes_ || !entry->attributes.empty();
    if (entry->info.type == env::FileType::kFile && entry->info.links > 1)
      ++names[{entry->info.device, entry->info.inode}];
  }
  TRY(taken_->rewind());
  while (const auto entry = TRY(taken_->next())) {
    if (entry->info.type != env::FileType::kFile || entry->info.links < 2) continue;
    const std::pair key{entry->info.device, entry->info.inode};
    if (names.at(key) > 1) shared_.emplace(key, shared_.size() + 1);
  }
  return {};
}

codec::MtreeEntry FilesBackup::line_of(const ListedEntry& entry) const {
  codec::MtreeEntry line;
  line.path = entry.path;
  line.type = tar_type(entry.info.type);
  line.mode = entry.info.mode;
  line.uid = entry.info.uid;
  line.gid = entry.info.gid;
  line.modified_s = entry.info.modified.seconds;
  line.modified_ns = entry.info.modified.nanoseconds;
  line.link = entry.target;
  const auto shared = shared_.find({entry.info.device, entry.info.inode});
  if (line.type == codec::TarType::kFile && shared != shared_.end()) line.inode = shared->second;
  return line;
}

// A list is written into a spool first: a header says its size.
class ListFile {
 public:
  static Result<ListFile> make(const Surroundings& surroundings) {
    return ListFile(TRY(spool::Spool::make(surroundings.env, surroundings.spool)));
  }
  std::string& line() { return line_; }
  Result<void> append_when_long() { return line_.size() < kPieceBytes ? Result<void>() : flush(); }
  Result<void> write_to(PartSink& out, std::string path) {
    TRY(flush());
    codec::TarEntry entry;
    entry.path = std::move(path);
    entry.size_bytes = spool_.size_bytes();
    Piece content(spool_, 0, entry.size_bytes);
    return out.add(entry, content);
  }

 private:
  explicit ListFile(spool::Spool spool) : spool_(std::move(spool)) {}
  Result<void> flush() {
    TRY(spool_.append(line_));
    line_.clear();
    return {};
  }
  spool::Spool spool_;
  std::string line_;
};

Result<void> FilesBackup::write_attributes(PartSink& out) {
  if (!has_attributes_) return {};
  ListFile list = TRY(ListFile::make(surroundings_));
  TRY(taken_->rewind());
  while (const auto entry = TRY(taken_->next())) {
    if (entry->attributes.empty()) continue;
    codec::TreeAttributes attributes{entry->path, {}};
    for (const env::ExtendedAttribute& one : entry->attributes) attributes.attributes.emplace_back(one.name, one.value);
    codec::append_attributes_line(list.line(), attributes);
    TRY(list.append_when_long());
  }
  return list.write_to(out, "tree.attrs.ndjson");
}

Result<void> FilesBackup::write_mtree(PartSink& out) {
  ListFile list = TRY(ListFile::make(surroundings_));
  list.line() = codec::kMtreeFirstLine;
  TRY(taken_->rewind());
  while (const auto entry = TRY(taken_->next())) {
    codec::append_mtree_line(list.line(), line_of(*entry));
    TRY(list.append_when_long());
  }
  return list.write_to(out, "tree.mtree");
}

Result<void> FilesBackup::stream(PartSink& out, base::Progress& progress) {
  if (snapshot_) TRY(list_snapshot(progress));
  TRY(number_shared_files());
  TRY(write_attributes(out));
  TRY(write_mtree(out));
  TRY(taken_->rewind());
  std::uint64_t bytes = 0;
  while (const auto entry = TRY(taken_->next())) {
    if (entry->path.empty()) continue;
    if (progress.cancelled()) return base::fail_cancelled("no bundle was made");
    TRY(stream_content(out, *entry));
    bytes += entry->content_bytes;
    progress.update("writing files", bytes, bytes_, "bytes");
  }
  return {};
}

}  // namespace

std::unique_ptr<BackupPart> files_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<FilesBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
