#include "env/output_file.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/limits.h"
#include "env/acting_user.h"

namespace spl::env {
namespace {

constexpr std::size_t kPathBytesShown = 512;
constexpr std::uint32_t kOthersRead = 0044;

std::string shown(const std::string& path) {
  return base::escaped(path, kPathBytesShown);
}

// The error of another path or of none, told of the one that was asked for.
std::unexpected<Error> cannot_write(const std::string& path, Error error) {
  return base::told_of("cannot write " + shown(path), std::move(error));
}

std::unexpected<Error> is_there(const std::string& path) {
  return fail(ErrorCode::kRefused, Cause::kFileExists, shown(path) + " is there already",
              "choose another name, or replace it with --force");
}

}  // namespace

std::string temporary_beside(Env env, const std::string& path) {
  constexpr std::string_view kEnd = ".tmp";
  std::array<char, 8> random{};
  env.random.fill(random);
  const std::string tail = "." + base::to_hex({random.data(), random.size()}) + std::string(kEnd);
  std::string name = path.substr(path.rfind('/') + 1);
  name.resize(std::min(name.size(), base::kNameBytesMax - 1 - tail.size()));
  return join(parent_of(path), "." + name + tail);
}

Result<void> check_parent(Env env, const std::string& path, std::string_view doing) {
  const std::string directory = parent_of(path);
  const auto there = TRY(env.fs.info(directory));
  const std::string what = "cannot " + std::string(doing) + " " + shown(path) + ": ";
  if (!there) return fail(what + "the directory " + shown(directory) + " does not exist", "make it, or name another");
  if (there->type != FileType::kDirectory && there->type != FileType::kSymlink)
    return fail(what + shown(directory) + " is not a directory", "name another");
  return {};
}

Result<std::unique_ptr<OutputFile>> OutputFile::create(Env env, const std::string& path, base::Progress& progress,
                                                       Existing existing, MayBeSeen may_be_seen) {
  const AsOneself as_oneself;
  if (path.empty() || path.ends_with('/'))
    return fail(ErrorCode::kUsage, "\"" + shown(path) + "\" is no name for a file",
                "end it with a name, such as my.spl");
  const auto there = TRY(env.fs.info(path));
  if (there && there->type == FileType::kDirectory)
    return fail(ErrorCode::kUsage, shown(path) + " is a directory", "name a file in it");
  if (there && there->type == FileType::kSymlink)
    return fail(ErrorCode::kUsage, shown(path) + " is a symbolic link", "name what it leads to");
  if (there && there->type != FileType::kFile)
    return fail(ErrorCode::kUsage, shown(path) + " is not a regular file", "--out - writes to standard output");
  if (there && existing == Existing::kKept) return is_there(path);
  TRY(check_parent(env, path, "write"));
  std::unique_ptr<OutputFile> file(new OutputFile(env, path, progress, existing, std::move(may_be_seen)));
  if (auto opened = file->open(); !opened) return cannot_write(path, opened.error());
  return file;
}

Result<void> OutputFile::open() {
  unnamed_ = TRY(env_.fs.open_nameable(parent_of(path_), 0600));
  if (unnamed_) return {};
  std::string temporary = temporary_beside(env_, path_);
  named_ = TRY(env_.fs.open(temporary, OpenMode::kCreateNewAnyMode, 0600));
  temporary_ = std::move(temporary);
  const auto made = TRY(env_.fs.info(temporary_));
  others_can_read_ = made && (made->mode & kOthersRead) != 0;
  return {};
}

OutputFile::~OutputFile() {
  if (temporary_.empty()) return;
  const AsOneself as_oneself;
  (void)env_.fs.remove(temporary_);
}

Result<void> OutputFile::write(std::string_view octets) {
  if (progress_.cancelled()) return base::fail_cancelled(shown(path_) + " was not written");
  if (size_ == 0 && others_can_read_ && !octets.empty() && !(may_be_seen_ && may_be_seen_(octets)))
    return fail(ErrorCode::kRefused, "others could read " + shown(path_) + ": its file system has no modes",
                "encrypt it with --recipient or --passphrase, or choose another place");
  File& file = unnamed_ ? *unnamed_ : *named_;
  if (auto written = file.write_at(size_, octets); !written) return cannot_write(path_, written.error());
  size_ += octets.size();
  progress_.update("writing", size_, 0, "bytes");
  return {};
}

Result<void> OutputFile::commit() {
  File& file = unnamed_ ? *unnamed_ : *named_;
  if (auto synced = file.sync(); !synced) return cannot_write(path_, synced.error());
  if (progress_.cancelled()) return base::fail_cancelled(shown(path_) + " was not written");
  const AsOneself as_oneself;
  auto placed = put_in_place();
  if (!placed && placed.error().code == ErrorCode::kRefused) return placed;
  if (!placed) return cannot_write(path_, placed.error());
  return env_.fs.sync_directory(parent_of(path_));
}

// Nothing is ever seen under the name but a whole file. What is there can only be replaced by one that has a name
// already: a process that is killed just between the two calls leaves that.
Result<void> OutputFile::put_in_place() {
  const bool taken = TRY(env_.fs.info(path_)).has_value();
  if (taken && existing_ == Existing::kKept) return is_there(path_);
  if (unnamed_) {
    if (!taken && unnamed_->give_name(path_)) return {};
    if (existing_ == Existing::kKept && TRY(env_.fs.info(path_))) return is_there(path_);
    std::string temporary = temporary_beside(env_, path_);
    TRY(unnamed_->give_name(temporary));
    temporary_ = std::move(temporary);
  }
  if (existing_ == Existing::kKept) {
    const auto placed = env_.fs.rename_to_new(temporary_, path_);
    if (placed) temporary_.clear();
    if (placed) return {};
    if (placed.error().cause == Cause::kFileExists) return is_there(path_);
    // Not every file system knows it.
  }
  TRY(env_.fs.rename(temporary_, path_));
  temporary_.clear();
  return {};
}

}  // namespace spl::env
