#include "service/software.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "base/encoding.h"
#include "base/words.h"
#include "codec/foreign_tar.h"
#include "codec/zstd.h"
#include "env/child_process.h"

namespace spl::service {
namespace {

using codec::ForeignEntry;
using codec::ForeignType;
using namespace std::chrono_literals;

constexpr std::uint32_t kPassedMode = 0711;
constexpr std::uint32_t kSeenMode = 0755;
constexpr std::uint32_t kFileMode = 0644;
constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kMagicBytes = 6;
constexpr std::size_t kMarkBytesMax = 256;
constexpr auto kUnpackLongest = 2h;
constexpr std::uint64_t kUnpackerMemoryMax = 2ull << 30;
constexpr std::string_view kUnfinished = ".new-";   // before a random name
constexpr std::string_view kMark = ".spl-archive";  // holds the digest of the archive that the directory has

class FileSource final : public Source {
 public:
  explicit FileSource(env::File& file) : file_(file) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t bytes = TRY(file_.read_at(offset_, out));
    offset_ += bytes;
    return bytes;
  }

 private:
  env::File& file_;
  std::uint64_t offset_ = 0;
};

std::unexpected<Error> refuse_entry(const std::string& path, std::string_view rule) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, base::escaped(path, 400) + ": " + std::string(rule));
}

// Where a symbolic link leads: up first, then down, and never further up than the directory. What it passes on the way
// down are real directories, or links that keep to the same.
std::string_view link_fault(const std::string& path, const std::string& link) {
  if (link.starts_with('/')) return "the link leads out of the directory";
  auto depth = std::ranges::count(path, '/');
  bool goes_down = false;
  for (const std::string& step : base::split(link, '/')) {
    if (step.empty() || step == ".") continue;
    if (step != "..") {
      goes_down = true;
      continue;
    }
    if (goes_down) return "the link goes up again after it went down";
    if (--depth < 0) return "the link leads out of the directory";
  }
  return {};
}

// Makes entries, one after the other, in a directory that is nobody else's.
class Unpacking {
 public:
  Unpacking(env::Env env, std::string directory, base::Progress& progress, const UnpackLimits& limits)
      : env_(env), directory_(std::move(directory)), progress_(progress), limits_(limits) {}

  Result<void> take(codec::ForeignTarReader& tar, const ForeignEntry& entry) {
    if (progress_.cancelled()) return base::fail_cancelled("the archive was not unpacked");
    if (entry.path.empty()) return {};
    if (++entries_ > limits_.entries_max)
      return fail(ErrorCode::kVerification, Cause::kTooLarge,
                  "it has more than " + std::to_string(limits_.entries_max) + " entries");
    if (entry.path == kMark) return refuse_entry(entry.path, "that name is spl's own");
    TRY(make_parents(entry.path));
    const auto before = made_.find(entry.path);
    if (before != made_.end()) {
      const bool is_again = before->second == ForeignType::kDirectory && entry.type == ForeignType::kDirectory;
      if (!is_again) return refuse_entry(entry.path, "it is there twice");
      return {};
    }
    TRY(make(tar, entry));
    made_.emplace(entry.path, entry.type);
    return {};
  }

  [[nodiscard]] bool is_empty() const { return made_.empty(); }

 private:
  [[nodiscard]] std::string place_of(const std::string& path) const { return env::join(directory_, path); }

  Result<void> make_parents(const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const std::string parent = path.substr(0, slash);
      const auto before = made_.find(parent);
      if (before == made_.end()) {
        TRY(make_directory(parent));
        made_.emplace(parent, ForeignType::kDirectory);
      } else if (before->second != ForeignType::kDirectory) {
        return refuse_entry(path, "what stands before it is no directory");
      }
    }
    return {};
  }

  Result<void> make_directory(const std::string& path) { return env_.fs.make_directory(place_of(path), kSeenMode); }

  Result<void> make(codec::ForeignTarReader& tar, const ForeignEntry& entry) {
    switch (entry.type) {
      case ForeignType::kDirectory:
        return make_directory(entry.path);
      case ForeignType::kSymlink: {
        if (const auto fault = link_fault(entry.path, entry.link); !fault.empty())
          return refuse_entry(entry.path, fault);
        return env_.fs.make_symbolic_link(entry.link, place_of(entry.path));
      }
      case ForeignType::kHardLink: {
        const auto existing = made_.find(entry.link);
        if (existing == made_.end() || (existing->second != ForeignType::kFile))
          return refuse_entry(entry.path, "it is a hard link to no file before it");
        return env_.fs.make_hard_link(place_of(entry.link), place_of(entry.path));
      }
      case ForeignType::kFile:
        return make_file(tar, entry);
    }
    return {};
  }

  Result<void> make_file(codec::ForeignTarReader& tar, const ForeignEntry& entry) {
    const auto file = TRY(env_.fs.open(place_of(entry.path), env::OpenMode::kCreateNew));
    std::uint64_t written = 0;
    for (;;) {
      const std::size_t bytes = TRY(tar.read({piece_.get(), kPieceBytes}));
      if (bytes == 0) break;
      if (bytes > limits_.bytes_max - bytes_)
        return fail(ErrorCode::kVerification, Cause::kTooLarge,
                    "it has more than " + std::to_string(limits_.bytes_max) + " bytes");
      TRY(file->write_at(written, {piece_.get(), bytes}));
      written += bytes;
      bytes_ += bytes;
      progress_.update("unpacking", bytes_, 0, "bytes");
      if (progress_.cancelled()) return base::fail_cancelled("the archive was not unpacked");
    }
    return env_.fs.set_mode(place_of(entry.path), entry.is_executable ? kSeenMode : kFileMode);
  }

  const env::Env env_;
  const std::string directory_;
  base::Progress& progress_;
  const UnpackLimits limits_;
  const std::unique_ptr<char[]> piece_ = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  std::map<std::string, ForeignType, std::less<>> made_;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

Result<void> unpack_from(env::Env env, Source& in, const std::string& directory, base::Progress& progress,
                         const UnpackLimits& limits) {
  codec::ForeignTarReader tar(in);
  Unpacking unpacking(env, directory, progress, limits);
  while (const auto entry = TRY(tar.next())) TRY(unpacking.take(tar, *entry));
  if (unpacking.is_empty()) return fail(ErrorCode::kVerification, Cause::kMalformed, "there is nothing in it");
  return {};
}

// By a program of its own, which an archive that harms it can harm alone.
Result<void> unpack_by(const std::vector<std::string>& program, env::Env env, const std::string& directory,
                       base::Progress& progress, const UnpackLimits& limits) {
  const env::ChildOptions options{.arguments = program,
                                  .environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"},
                                  .address_space_bytes_max = kUnpackerMemoryMax};
  const auto child = TRY(env::ChildProcess::start(options));
  child->limit_waits(kUnpackLongest, &progress);
  child->close_input();
  TRY(unpack_from(env, child->output(), directory, progress, limits));
  const env::ChildExit exit = TRY(child->wait());
  if (!exit.ok())
    return fail(ErrorCode::kVerification, Cause::kMalformed,
                program.front() + " " + exit.text() + ": " + base::escaped(child->said(), 300));
  return {};
}

// Those of runs that were killed. Whoever holds the home's lock is the only one at work.
Result<void> remove_unfinished(env::Env env, const std::string& directory) {
  for (const std::string& name : TRY(env.fs.list(directory))) {
    if (name.starts_with(kUnfinished)) TRY(env::remove_tree(env.fs, env::join(directory, name)));
  }
  return {};
}

Result<void> install_into(env::Env env, const Declaration& service, const std::string& scratch,
                          const std::string& directory, base::Progress& progress) {
  const std::string archive = env::join(scratch, "archive");
  const std::string unpacked = env::join(scratch, "unpacked");
  TRY(download(env, service.install->source, service.install->sha256, archive, progress));
  progress.step("unpacking " + service.install->source);
  TRY(env.fs.make_directory(unpacked, kSeenMode));
  TRY_IN("the archive from " + service.install->source, unpack_archive(env, archive, unpacked, progress));
  TRY(env::write_file_atomically(env.fs, env::join(unpacked, kMark),
                                 base::to_hex(service.install->sha256.view()) + "\n", kFileMode));
  TRY(env.fs.sync_all(unpacked));
  TRY(env.fs.rename_to_new(unpacked, directory));
  return env.fs.sync_directory(env::parent_of(directory));
}

}  // namespace

Result<void> unpack_archive(env::Env env, const std::string& path, const std::string& directory,
                            base::Progress& progress, const UnpackLimits& limits) {
  const auto file = TRY(env.fs.open(path, env::OpenMode::kRead));
  std::string magic(kMagicBytes, '\0');
  magic.resize(TRY(file->read_at(0, magic)));
  if (magic.starts_with("\x1f\x8b")) return unpack_by({"gzip", "-dc", "--", path}, env, directory, progress, limits);
  if (magic.starts_with("\xfd"
                        "7zXZ"))
    return unpack_by({"xz", "-dc", "--memlimit-decompress=1GiB", "--", path}, env, directory, progress, limits);
  FileSource octets(*file);
  if (!codec::looks_like_zstd(magic)) return unpack_from(env, octets, directory, progress, limits);
  codec::ZstdSource plain(octets);
  return unpack_from(env, plain, directory, progress, limits);
}

std::string software_directory(const home::HomePaths& paths, const Declaration& service) {
  return env::join(paths.software(), service.name + "/" + service.version);
}

Result<bool> has_software(env::Env env, const home::HomePaths& paths, const Declaration& service) {
  const std::string directory = software_directory(paths, service);
  if (!TRY(env.fs.info(directory))) return false;
  const std::string mark = env::join(directory, kMark);
  const std::string wanted = base::to_hex(service.install->sha256.view()) + "\n";
  if (TRY(env.fs.info(mark)) && TRY(env::read_file(env.fs, mark, kMarkBytesMax)) == wanted) return true;
  return fail(ErrorCode::kRefused, Cause::kFileExists,
              directory + " is there, and not from the archive that " + service.at.file + " declares",
              "give the declaration another version, or remove the directory");
}

Result<void> install_software(env::Env env, const home::HomePaths& paths, const Declaration& service,
                              base::Progress& progress) {
  const std::string directory = software_directory(paths, service);
  const std::string parent = env::parent_of(directory);
  TRY(env::make_directories(env.fs, parent, kPassedMode));
  TRY(remove_unfinished(env, parent));
  std::string random(8, '\0');
  env.random.fill(random);
  const std::string scratch = env::join(parent, std::string(kUnfinished) + base::to_hex(random));
  TRY(env.fs.make_directory(scratch));
  auto installed = install_into(env, service, scratch, directory, progress);
  auto removed = env::remove_tree(env.fs, scratch);
  if (!installed) {
    (void)env.fs.remove(parent);  // where nothing else is in it
    return std::unexpected(std::move(installed).error().in("service " + service.name));
  }
  return removed;
}

}  // namespace spl::service
