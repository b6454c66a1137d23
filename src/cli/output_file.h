// A file that appears under its name only when it is whole and durable; until then it lies beside it under a name of
// its own, and goes when nobody commits it. One thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/stream.h"
#include "env/env.h"
#include "instance/progress.h"

namespace spl::cli {

class OutputFile final : public Sink {
 public:
  // Mode 0600. What is at `path` must be a regular file, if anything (code kUsage), and is replaced in one step.
  // `progress` is asked whether to go on, and outlives the file.
  static Result<std::unique_ptr<OutputFile>> create(env::Env env, const std::string& path,
                                                    instance::Progress& progress);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() override;

  Result<void> write(std::string_view octets) override;
  // Durable under its name when it returns.
  Result<void> commit();
  [[nodiscard]] std::uint64_t bytes_written() const { return size_; }

 private:
  OutputFile(env::Env env, std::string path, std::string temporary, std::unique_ptr<env::File> file,
             instance::Progress& progress)
      : env_(env),
        path_(std::move(path)),
        temporary_(std::move(temporary)),
        file_(std::move(file)),
        progress_(progress) {}

  const env::Env env_;
  const std::string path_;
  const std::string temporary_;
  std::unique_ptr<env::File> file_;
  instance::Progress& progress_;
  std::uint64_t size_ = 0;
  bool committed_ = false;
};

// "<directory>/.<name>.<16 random digits>.tmp", for what is to become <directory>/<name>.
std::string temporary_beside(env::Env env, const std::string& path);

}  // namespace spl::cli
