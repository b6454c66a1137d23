#include "operation/bundle_extract.h"

#include "base/encoding.h"
#include "env/output_file.h"
#include "operation/bundle_files.h"

namespace spl::operation {
namespace {

constexpr std::uint64_t kProgressEvery = 1024;  // files
constexpr std::size_t kReadBytes = 1u << 20;

std::string shown(std::string_view path) {
  return base::escaped(path, 512);
}

// A new directory that goes with all that is in it unless it is kept. What stands in it was made by its owner alone.
class Staging {
 public:
  static Result<std::unique_ptr<Staging>> make(env::Env env, const std::string& target) {
    TRY(env::check_parent(env, target, "make"));
    std::string path = env::temporary_beside(env, target);
    if (auto made = env.fs.make_directory(path, 0700); !made)
      return base::told_of("cannot make " + shown(target), made.error());
    return std::unique_ptr<Staging>(new Staging(env, std::move(path), target));
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    if (!kept_) (void)env::remove_tree(env_.fs, path_);
  }

  // Makes the directories that lead to a bundle's path: it was checked to lead nowhere else.
  Result<void> make_parents(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::string_view parent = slash == std::string_view::npos ? "" : path.substr(0, slash);
    if (parent == made_) return {};
    for (std::size_t at = parent.find('/');; at = parent.find('/', at + 1)) {
      TRY(make_directory(parent.substr(0, at)));
      if (at == std::string_view::npos) break;
    }
    made_ = parent;
    return {};
  }
  Result<void> make_directory(std::string_view path) {
    if (path.empty()) return {};
    const std::string whole = env::join(path_, path);
    const auto there = TRY(env_.fs.info(whole));
    if (!there) return told("make directory", path, env_.fs.make_directory(whole, 0700));
    if (there->type == env::FileType::kDirectory) return {};
    return fail(Cause::kFileExists, "cannot make directory " + name_of(path) + ": a file stands there");
  }
  Result<std::unique_ptr<env::File>> make_file(std::string_view path) {
    TRY(make_parents(path));
    return told("open", path, env_.fs.open(env::join(path_, path), env::OpenMode::kCreateNew, 0600));
  }
  Result<void> write(env::File& file, std::string_view path, std::uint64_t at, std::string_view octets) {
    return told("write", path, file.write_at(at, octets));
  }
  // An empty directory at `target` gives way. The name is not durable before what it names.
  Result<void> keep_as(const std::string& target) {
    TRY(env_.fs.sync_all(path_));
    TRY(env_.fs.rename(path_, target));
    kept_ = true;
    return env_.fs.sync_directory(env::parent_of(target));
  }

 private:
  Staging(env::Env env, std::string path, std::string target)
      : env_(env), path_(std::move(path)), target_(std::move(target)) {}
  // What was asked for, not the directory where it is made.
  [[nodiscard]] std::string name_of(std::string_view path) const { return shown(env::join(target_, path)); }
  template <class T>
  Result<T> told(std::string_view doing, std::string_view path, Result<T> result) const {
    if (result) return result;
    return base::told_of("cannot " + std::string(doing) + " " + name_of(path), std::move(result).error());
  }

  const env::Env env_;
  const std::string path_;
  const std::string target_;
  std::string made_;
  bool kept_ = false;
};

class Extraction {
 public:
  Extraction(bundle::BundleReader& reader, Staging& staging, base::Progress& progress)
      : reader_(reader), staging_(staging), progress_(progress) {}

  Result<void> write(std::string_view path, std::string_view content) {
    const auto file = TRY(staging_.make_file(path));
    TRY(staging_.write(*file, path, 0, content));
    return count(content.size());
  }

  Result<void> take(const bundle::BundleEntry& entry) {
    if (entry.kind != bundle::EntryKind::kServiceFile) return write(entry.path, entry.content);
    switch (entry.header->type) {
      case codec::TarType::kDirectory:
        TRY(staging_.make_parents(entry.path));
        return staging_.make_directory(entry.path);
      case codec::TarType::kSymlink:
        // Nothing that is extracted can lead out of the directory.
        ++totals_.links_skipped;
        return {};
      case codec::TarType::kFile:
        break;
    }
    return copy(entry.path);
  }
  [[nodiscard]] const Extracted& totals() const { return totals_; }

 private:
  Result<void> copy(std::string_view path) {
    const auto file = TRY(staging_.make_file(path));
    std::uint64_t size = 0;
    buffer_.resize(kReadBytes);
    while (const std::size_t n = TRY(reader_.read_content(buffer_))) {
      TRY(staging_.write(*file, path, size, std::string_view(buffer_).substr(0, n)));
      size += n;
      if (progress_.cancelled()) return base::fail_cancelled("nothing was extracted");
    }
    return count(size);
  }

  Result<void> count(std::uint64_t bytes) {
    ++totals_.files;
    totals_.bytes += bytes;
    if (totals_.files % kProgressEvery != 0) return {};
    progress_.update("extracting", totals_.files, 0, "files");
    return progress_.cancelled() ? base::fail_cancelled("nothing was extracted") : Result<void>();
  }

  bundle::BundleReader& reader_;
  Staging& staging_;
  base::Progress& progress_;
  Extracted totals_;
  std::string buffer_;
};

Result<void> extract_files(bundle::BundleReader& reader, const std::string& prefix, Extraction& extraction) {
  if (bundle::kManifestPath.starts_with(prefix)) TRY(extraction.write(bundle::kManifestPath, reader.manifest_text()));
  if (bundle::kSignaturePath.starts_with(prefix))
    TRY(extraction.write(bundle::kSignaturePath, reader.signature().view()));
  while (const auto entry = TRY(next_file(reader))) {
    if (entry->path.starts_with(prefix)) TRY(extraction.take(*entry));
  }
  return {};
}

}  // namespace

Result<Extracted> extract_bundle(env::Env env, bundle::BundleReader& reader, const std::string& prefix,
                                 const std::string& target, base::Progress& progress) {
  const auto staging = TRY(Staging::make(env, target));
  Extraction extraction(reader, *staging, progress);
  TRY(extract_files(reader, prefix, extraction));
  const Extracted& totals = extraction.totals();
  if (totals.files + totals.links_skipped == 0) return no_such_file(prefix);
  TRY(staging->keep_as(target));
  return totals;
}

}  // namespace spl::operation
