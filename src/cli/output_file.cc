#include "cli/output_file.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/limits.h"
#include "cli/session.h"

namespace spl::cli {

std::string temporary_beside(env::Env env, const std::string& path) {
  constexpr std::string_view kEnd = ".tmp";
  std::array<char, 8> random{};
  env.random.fill(random);
  const std::string tail = "." + base::to_hex({random.data(), random.size()}) + std::string(kEnd);
  std::string name = path.substr(path.rfind('/') + 1);
  name.resize(std::min(name.size(), base::kNameBytesMax - 1 - tail.size()));
  return env::join(env::parent_of(path), "." + name + tail);
}

Result<std::unique_ptr<OutputFile>> OutputFile::create(env::Env env, const std::string& path,
                                                       instance::Progress& progress) {
  if (path.empty() || path.ends_with('/'))
    return fail(ErrorCode::kUsage, "\"" + shown(path) + "\" is no name for a file");
  const auto there = TRY(env.fs.info(path));
  if (there && there->type == env::FileType::kDirectory)
    return fail(ErrorCode::kUsage, shown(path) + " is a directory", "name a file in it");
  if (there && there->type != env::FileType::kFile)
    return fail(ErrorCode::kUsage, shown(path) + " is not a regular file", "--out - writes to standard output");
  std::string temporary = temporary_beside(env, path);
  auto file = TRY(env.fs.open(temporary, env::OpenMode::kCreateNew, 0600));
  return std::unique_ptr<OutputFile>(new OutputFile(env, path, std::move(temporary), std::move(file), progress));
}

OutputFile::~OutputFile() {
  file_.reset();
  if (!committed_) (void)env_.fs.remove(temporary_);
}

Result<void> OutputFile::write(std::string_view octets) {
  if (progress_.cancelled()) return fail("interrupted: " + shown(path_) + " was not written");
  TRY(file_->write_at(size_, octets));
  size_ += octets.size();
  progress_.update("writing", size_, 0, "bytes");
  return {};
}

Result<void> OutputFile::commit() {
  TRY(file_->sync());
  if (progress_.cancelled()) return fail("interrupted: " + shown(path_) + " was not written");
  TRY(env_.fs.rename(temporary_, path_));
  committed_ = true;
  return env_.fs.sync_directory(env::parent_of(path_));
}

}  // namespace spl::cli
