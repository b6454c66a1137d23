#include <algorithm>
#include <optional>

#include "base/encoding.h"
#include "bundle/part_files.h"
#include "surface/git/git.h"
#include "surface/git/git_program.h"
#include "surface/git/repository.h"

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
  Result<std::string> make_shadow(const Repository& repository, base::Progress& progress);
  Result<void> stream_bundle(const Repository& repository, PartSink& out, base::Progress& progress);

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
  for (Repository& repository : repositories_) {
    if (surroundings_.env.clock.since_boot() > deadline)
      return fail(Cause::kTimeout, place_.subject + ": the refs were not read within the pause",
                  "give its service a longer [quiesce] timeout_ms");
    repository.moment = TRY_IN(place_.subject, read_repository(fs_, path_of(repository)));
  }
  return writers == Writers::kPaused ? Consistency::kQuiesced : Consistency::kFilesystem;
}

// A repository that has the refs of the moment, and borrows the objects: what comes to the real one meanwhile is not
// seen, and nothing of its configuration is.
Result<std::string> GitBackup::make_shadow(const Repository& repository, base::Progress& progress) {
  std::string shadow = env::join(surroundings_.scratch_directory, "shadow");
  TRY(env::remove_tree(fs_, shadow));
  TRY(fs_.make_directory(shadow));
  const bool is_sha256 =
      std::ranges::any_of(repository.moment.refs, [](const auto& ref) { return ref.second.size() == 64; });
  TRY_IN(place_.subject, run_git(fs_, shadow,
                                 {"init", "--bare", "--quiet",
                                  "--template=", is_sha256 ? "--object-format=sha256" : "--object-format=sha1", shadow},
                                 progress));
  TRY(env::make_directories(fs_, shadow + "/objects/info"));
  TRY(env::write_file_atomically(fs_, shadow + "/objects/info/alternates", path_of(repository) + "/objects\n"));
  std::string refs;
  for (const auto& [name, id] : repository.moment.refs) refs += id + " " + name + "\n";
  TRY(env::write_file_atomically(fs_, shadow + "/packed-refs", refs));
  const std::string& head = repository.moment.facts.head;
  TRY(env::write_file_atomically(fs_, shadow + "/HEAD", (is_object_id(head) ? "" : "ref: ") + head + "\n"));
  return shadow;
}

Result<void> GitBackup::stream_bundle(const Repository& repository, PartSink& out, base::Progress& progress) {
  const std::string shadow = TRY(make_shadow(repository, progress));
  const auto git =
      TRY(env::ChildProcess::start(TRY(git_options(fs_, shadow, {"bundle", "create", "--quiet", "-", "--all"}))));
  git->limit_waits(kBundleTimeMax, &progress);
  git->close_input();
  spool::Spool waiting = TRY(spool::Spool::make(surroundings_.env, surroundings_.spool));
  std::string buffer(kPieceBytes, '\0');
  for (;;) {
    const std::size_t n = TRY(git->output().read(buffer));
    if (n == 0) break;
    TRY(waiting.append(std::string_view(buffer.data(), n)));
  }
  const env::ChildExit exit = TRY(git->wait());
  if (!exit.ok())
    return fail(place_.subject + ": git bundle of " + base::escaped(path_of(repository), 200) + " " + exit.text() +
                    ": " + base::escaped(git->said(), 400),
                "see what git fsck says of it; objects that are pruned during a backup fail it, too");
  TRY(env::remove_tree(fs_, shadow));
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
