#include "cli/bundle_extract.h"

#include <filesystem>

#include "base/encoding.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/output_file.h"
#include "cli/own_files.h"
#include "cli/progress.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using codec::Json;

constexpr std::uint64_t kProgressEvery = 1024;  // files
constexpr std::size_t kReadBytes = 1u << 20;

// The same error of what was asked for, not of the directory where it is made.
std::unexpected<Error> told_of(const std::string& target, const std::string& staged, Error error) {
  const std::string from = base::escaped(staged);
  for (std::size_t at = 0; (at = error.message.find(from, at)) != std::string::npos; at += shown(target).size())
    error.message.replace(at, from.size(), shown(target));
  return std::unexpected(std::move(error));
}

// A new directory that goes with all that is in it unless it is kept. What stands in it was made by its owner alone.
class Staging {
 public:
  static Result<std::unique_ptr<Staging>> make(env::Env env, const std::string& target) {
    TRY(check_parent(env, target, "make"));
    std::string path = temporary_beside(env, target);
    if (auto made = env.fs.make_directory(path, 0700); !made) return told_of(target, path, made.error());
    return std::unique_ptr<Staging>(new Staging(env, std::move(path)));
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
    if (!there) return env_.fs.make_directory(whole, 0700);
    if (there->type == env::FileType::kDirectory) return {};
    return fail("cannot make directory " + shown(whole) + ": a file stands there");
  }
  Result<std::unique_ptr<env::File>> make_file(std::string_view path) {
    TRY(make_parents(path));
    return env_.fs.open(env::join(path_, path), env::OpenMode::kCreateNew, 0600);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  // An empty directory at `target` gives way. The name is not durable before what it names.
  Result<void> keep_as(const std::string& target) {
    TRY(env_.fs.sync_all(path_));
    TRY(env_.fs.rename(path_, target));
    kept_ = true;
    return env_.fs.sync_directory(env::parent_of(target));
  }

 private:
  Staging(env::Env env, std::string path) : env_(env), path_(std::move(path)) {}
  const env::Env env_;
  const std::string path_;
  std::string made_;
  bool kept_ = false;
};

class Extraction {
 public:
  Extraction(bundle::BundleReader& reader, Staging& staging, instance::Progress& progress)
      : reader_(reader), staging_(staging), progress_(progress) {}

  Result<void> write(std::string_view path, std::string_view content) {
    const auto file = TRY(staging_.make_file(path));
    TRY(file->write_at(0, content));
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
      TRY(file->write_at(size, std::string_view(buffer_).substr(0, n)));
      size += n;
      if (progress_.cancelled()) return fail("interrupted: nothing was extracted");
    }
    return count(size);
  }

  Result<void> count(std::uint64_t bytes) {
    ++totals_.files;
    totals_.bytes += bytes;
    if (totals_.files % kProgressEvery != 0) return {};
    progress_.update("extracting", totals_.files, 0, "files");
    return progress_.cancelled() ? fail("interrupted: nothing was extracted") : Result<void>();
  }

  bundle::BundleReader& reader_;
  Staging& staging_;
  instance::Progress& progress_;
  Extracted totals_;
  std::string buffer_;
};

// Absolute, without a slash at the end; an error where something stands there already.
Result<std::string> checked_target(env::Env env, const std::string& given) {
  if (given.empty()) return fail(ErrorCode::kUsage, "--to is empty", "name the directory to be made");
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(given, error).lexically_normal();
  if (error) return fail("--to " + shown(given) + ": " + error.message(), "give the whole path");
  if (!path.has_filename()) path = path.parent_path();
  const auto there = TRY(env.fs.info(path.string()));
  const std::unexpected<Error> taken =
      fail(ErrorCode::kUsage, shown(given) + " is there already", "name a directory that is not there, or is empty");
  if (there && there->type != env::FileType::kDirectory) return taken;
  if (there && !TRY(env.fs.list(path.string())).empty()) return taken;
  return path.string();
}

Result<void> extract_files(bundle::BundleReader& reader, const std::string& prefix, Extraction& extraction) {
  if (bundle::kManifestPath.starts_with(prefix)) TRY(extraction.write(bundle::kManifestPath, reader.manifest_text()));
  if (bundle::kSignaturePath.starts_with(prefix))
    TRY(extraction.write(bundle::kSignaturePath, reader.signature().view()));
  while (const auto entry = TRY(next_file(reader))) {
    if (entry->path.starts_with(prefix)) TRY(extraction.take(*entry));
  }
  return {};
}

Result<int> run_extract(Session& session, const Arguments& arguments) {
  const auto to = arguments.value("--to");
  if (!to) return fail(ErrorCode::kUsage, "bundle extract: --to is missing", "name the directory to be made");
  const std::string target = TRY(checked_target(session.env(), *to));
  TRY(check_not_own(session, target, "bundle extract"));
  const std::string& prefix = arguments.at("PREFIX");
  const Keys keys = TRY(read_keys(arguments));
  ShownProgress progress(session);
  const BundleFile opened = TRY(open_bundle(arguments.at("FILE"), keys, &progress.interrupt(), Session::workers()));
  progress.follow(*opened.file);
  const Extracted totals = TRY(extract_bundle(session.env(), *opened.reader, prefix, target, progress));
  progress.finish();
  Output& out = session.out();
  if (totals.links_skipped > 0) out.note(counted(totals.links_skipped, "symbolic link") + " left out");
  if (out.text()) {
    TRY(out.line("extracted " + counted(totals.files, "file") + ", " + human_bytes(totals.bytes) + ", to " +
                 shown(target)));
  } else {
    TRY(out.document(Json::Object{{"to", base::path_text(target)},
                                  {"files", totals.files},
                                  {"bytes", totals.bytes},
                                  {"links_skipped", totals.links_skipped}}));
  }
  return 0;
}

}  // namespace

Result<Extracted> extract_bundle(env::Env env, bundle::BundleReader& reader, const std::string& prefix,
                                 const std::string& target, instance::Progress& progress) {
  const auto staging = TRY(Staging::make(env, target));
  Extraction extraction(reader, *staging, progress);
  if (auto extracted = extract_files(reader, prefix, extraction); !extracted)
    return told_of(target, staging->path(), extracted.error());
  const Extracted& totals = extraction.totals();
  if (totals.files + totals.links_skipped == 0)
    return fail("the bundle has no file whose path begins with \"" + shown(prefix) + "\"",
                "spl bundle list shows the paths");
  TRY(staging->keep_as(target));
  return totals;
}

Command bundle_extract_command() {
  return {.name = "extract",
          .summary = "Write files of a bundle into a new directory",
          .details =
              "The whole bundle is verified; the directory appears only then. All files get mode 0600, "
              "directories 0700; symbolic links are left out.",
          .options = {{.name = "--to",
                       .value = "DIR",
                       .help = "the directory to make; it may be there if it is empty",
                       .names = Names::kDirectory}},
          .positionals = {{.name = "FILE", .help = "the bundle", .names = Names::kFile},
                          {.name = "PREFIX", .help = "what paths begin with that are wanted; \"\" is all"}},
          .examples = {"spl bundle extract my.spl records/ --to my-records",
                       "spl bundle extract my.spl identity/did_document.json --to my-did"},
          .run = run_extract,
          .needs_home = false};
}

}  // namespace spl::cli
