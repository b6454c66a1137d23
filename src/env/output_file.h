// A file that appears under its name only when it is whole and durable. Until then it has none, so that a process that
// is killed leaves nothing; where the file system has no such files it lies beside it under a name of its own, and goes
// when nobody commits it. It is the caller's, also while the process acts for another user (acting_user.h). One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "base/stream.h"
#include "env/env.h"

namespace spl::env {

// What becomes of a file that stands under the name already.
enum class Existing : bool {
  kKept,  // code kRefused and cause kFileExists, also where it came while this one was written
  kReplaced
};

// Asked of the first octets of a file that others can read, because its file system has no modes: whether they may.
using MayBeSeen = std::function<bool(std::string_view first)>;

class OutputFile final : public Sink {
 public:
  // Mode 0600; where the file system cannot say so, only what `may_be_seen` is written (else code kRefused, at the
  // first octets). What is at `path` must be a regular file, if anything (code kUsage); a file is replaced in one step.
  // `progress` is asked whether to go on, and outlives the file. Errors name `path`.
  static Result<std::unique_ptr<OutputFile>> create(Env env, const std::string& path, base::Progress& progress,
                                                    Existing existing = Existing::kReplaced,
                                                    MayBeSeen may_be_seen = {});
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() override;

  Result<void> write(std::string_view octets) override;
  // Durable under its name when it returns.
  Result<void> commit();
  [[nodiscard]] std::uint64_t bytes_written() const { return size_; }
  [[nodiscard]] bool others_can_read() const { return others_can_read_; }

 private:
  OutputFile(Env env, std::string path, base::Progress& progress, Existing existing, MayBeSeen may_be_seen)
      : env_(env),
        path_(std::move(path)),
        progress_(progress),
        existing_(existing),
        may_be_seen_(std::move(may_be_seen)) {}
  Result<void> open();
  Result<void> put_in_place();

  const Env env_;
  const std::string path_;
  base::Progress& progress_;
  const Existing existing_;
  const MayBeSeen may_be_seen_;
  bool others_can_read_ = false;
  std::unique_ptr<UnnamedFile> unnamed_;  // one of these two
  std::unique_ptr<File> named_;
  std::string temporary_;  // where a name beside `path_` stands; else ""
  std::uint64_t size_ = 0;
};

// "<directory>/.<name>.<16 random digits>.tmp", for what is to become <directory>/<name>.
std::string temporary_beside(Env env, const std::string& path);
// An error "cannot <doing> <path>: .." where the directory in which `path` is to be made is not there.
Result<void> check_parent(Env env, const std::string& path, std::string_view doing);

}  // namespace spl::env
