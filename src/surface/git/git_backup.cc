#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "bundle/part_files.h"
#include "env/acting_user.h"
#include "surface/git/git.h"
#include "surface/git/git_program.h"
#include "surface/git/repository.h"
#include "surface/tree_walk.h"

namespace spl::surface {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::chrono::hours kBundleTimeMax{24};

struct Repository {
  std::string name;
  std::string encoded;
  RepositoryMoment moment;
};

class GitBackup final : public BackupPart {
 public:
  GitBackup(const Surroundings& surroundings, Place place)
      : surroundings_(surroundings), fs_(surroundings.env.fs), place_(std::move(place)) {}

  Result<BackupPlan> plan(base::Progress& progress) override;
  Result<void> prepare(base::Progress& /*progress*/) override { return {}; }
  Result<Consistency> open(Writers writers, nanoseconds deadline) override;
  Result<void> stream(PartSink& out, base::Progress& progress) override;

 private:
  [[nodiscard]] std::string path_of(const Repository& repository) const {
    return repository.name.empty() ? place_.path : env::join(place_.path, repository.name);
  }
  Result<void> stream_bundle(const Repository& repository, PartSink& out, base::Progress& progress);

  // Whose rights the files are read with: a link that the service's user has put there leads nowhere else.
  Result<std::optional<env::UserIds>> reader() { return who_names_in(fs_, place_.path, place_.owner); }

  const Surroundings& surroundings_;
  env::FileSystem& fs_;
  const Place place_;
  std::vector<Repository> repositories_;
};

// The sizes of packs and loose objects, at the first level below objects/.
Result<std::uint64_t> bytes_of(env::FileSystem& fs, const std::string& repository) {
  std::uint64_t sum = 0;
  const std::string objects = env::join(repository, "objects");
  for (const std::string& name : TRY(fs.list(objects))) {
    const std::string directory = env::join(objects, name);
    const auto info = TRY(fs.info(directory));
    if (!info || info->type != env::FileType::kDirectory) continue;
    auto names = fs.list(directory);
    if (!names) continue;
    for (const std::string& file : *names) {
      if (const auto found = TRY(fs.info(env::join(directory, file)))) sum += found->size_bytes;
    }
  }
  return sum;
}

Result<BackupPlan> GitBackup::plan(base::Progress& progress) {
  BackupPlan plan;
  plan.engine = TRY(git_version(fs_, progress));
  plan.method = "refs and what they name";
  repositories_.clear();
  const env::AsFileUser as(TRY(reader()));
  for (const std::string& name : TRY(find_repositories(fs_, place_.path, place_.inner))) {
    if (progress.cancelled()) return base::fail_cancelled("nothing was read");
    Repository repository{name, bundle::encoded_name(name), {}};
    if (!bundle::decoded_name(repository.encoded))
      return fail(
          place_.subject + ": the name of the repository " + base::escaped(name, 300) + " is too long for a bundle",
          "give it a shorter name");
    // Whatever cannot work is found now.
    TRY_IN(place_.subject, read_repository(fs_, path_of(repository)));
    plan.bytes += TRY(bytes_of(fs_, path_of(repository)));
    ++plan.files;
    repositories_.push_back(std::move(repository));
  }
  return plan;
}

Result<Consistency> GitBackup::open(Writers writers, nanoseconds deadline) {
  const env::AsFileUser as(TRY(reader()));
  for (Repository& repository : repositories_) {
    if (surroundings_.env.clock.since_boot() > deadline)
      return fail(Cause::kTimeout, place_.subject + ": the refs were not read within the pause",
                  "give its service a longer [quiesce] timeout_ms");
    repository.moment = TRY_IN(place_.subject, read_repository(fs_, path_of(repository)));
  }
  return writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kFilesystem;
}

// The beginning of a bundle (gitformat-bundle(5)); what follows is a pack of all that the refs name.
std::string bundle_header(const RepositoryMoment& moment) {
  const std::string& head = moment.facts.head;
  const auto branch = moment.refs.find(head);
  const std::string head_id = branch != moment.refs.end() ? branch->second : is_object_id(head) ? head : "";
  const bool is_sha256 =
      std::ranges::any_of(moment.refs, [](const auto& ref) { return ref.second.size() == 64; }) || head_id.size() == 64;
  std::string text = is_sha256 ? "# v3 git bundle\n@object-format=sha256\n" : "# v2 git bundle\n";
  for (const auto& [name, id] : moment.refs) text += id + " " + name + "\n";
  if (!head_id.empty()) text += head_id + " HEAD\n";
  return text + "\n";
}

// The ids of the moment, for git: what the refs have become meanwhile does not matter.
std::string tips_of(const RepositoryMoment& moment) {
  std::string text;
  for (const auto& [name, id] : moment.refs) text += id + "\n";
  if (is_object_id(moment.facts.head)) text += moment.facts.head + "\n";
  return text;
}

class SpoolSink final : public base::Sink {
 public:
  explicit SpoolSink(spool::Spool& spool) : spool_(spool) {}
  Result<void> write(std::string_view octets) override { return spool_.append(octets); }

 private:
  spool::Spool& spool_;
};

// git runs in the repository itself and as its owner, who may have put there whatever leads to objects of others.
Result<void> GitBackup::stream_bundle(const Repository& repository, PartSink& out, base::Progress& progress) {
  spool::Spool waiting = TRY(spool::Spool::make(surroundings_.env, surroundings_.spool));
  TRY(waiting.append(bundle_header(repository.moment)));
  env::ChildOptions options = TRY(
      git_options(fs_, path_of(repository), {"pack-objects", "--revs", "--stdout", "--delta-base-offset", "--quiet"}));
  // Grafts hide what is behind them.
  options.environment.emplace_back("GIT_GRAFT_FILE=/dev/null");
  const auto git = TRY(env::ChildProcess::start(options));
  git->limit_waits(kBundleTimeMax, &progress);
  const std::string ids = tips_of(repository.moment);
  base::StringSource tips(ids);
  SpoolSink pack(waiting);
  TRY(git->exchange(tips, pack));
  const env::ChildExit exit = TRY(git->wait());
  if (!exit.ok())
    return fail(place_.subject + ": git pack-objects of " + base::escaped(path_of(repository), 200) + " " +
                    exit.text() + ": " + base::escaped(git->said(), 400),
                "see what git fsck says of it; objects that are pruned during a backup fail it, too");
  std::string buffer(kPieceBytes, '\0');
  codec::TarEntry entry;
  entry.path = repository.encoded + ".bundle";
  entry.size_bytes = waiting.size_bytes();
  TRY(out.begin(entry));
  for (std::uint64_t at = 0; at < entry.size_bytes;) {
    const std::size_t n = TRY(waiting.read_at(at, buffer));
    TRY(out.write(std::string_view(buffer.data(), n)));
    at += n;
  }
  return {};
}

Result<void> GitBackup::stream(PartSink& out, base::Progress& progress) {
  struct File {
    std::string path;
    const Repository* repository;
    bool is_bundle;
  };
  std::vector<File> files;
  for (const Repository& repository : repositories_) {
    // git makes no bundle of nothing.
    if (!repository.moment.refs.empty() || is_object_id(repository.moment.facts.head))
      files.push_back({repository.encoded + ".bundle", &repository, true});
    files.push_back({repository.encoded + ".json", &repository, false});
  }
  std::ranges::sort(files, {}, &File::path);
  std::uint64_t done = 0;
  for (const File& file : files) {
    progress.update("packing repositories", done++, files.size(), "files");
    if (file.is_bundle) {
      TRY(stream_bundle(*file.repository, out, progress));
    } else {
      TRY(out.add(file.path, codec::shape_text(file.repository->moment.facts) + "\n"));
    }
  }
  return {};
}

}  // namespace

std::unique_ptr<BackupPart> git_backup(const Surroundings& surroundings, Place place) {
  return std::make_unique<GitBackup>(surroundings, std::move(place));
}

}  // namespace spl::surface
