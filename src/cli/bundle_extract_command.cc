// bundle extract.
#include <filesystem>

#include "base/encoding.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "codec/shape.h"
#include "operation/bundle_extract.h"
#include "operation/own_files.h"

namespace spl::cli {
namespace {

struct ExtractReport {
  std::string to;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t links_skipped = 0;

  static constexpr auto shape() {
    using E = ExtractReport;
    return codec::shape(codec::path_member("to", &E::to, "the directory"),
                        codec::member("files", &E::files, "files in it"),
                        codec::member("bytes", &E::bytes, "in these files"),
                        codec::member("links_skipped", &E::links_skipped, "symbolic links that were left out"));
  }
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

Result<int> run_extract(Session& session, const Arguments& arguments) {
  const auto to = arguments.value("--to");
  if (!to) return fail(ErrorCode::kUsage, "bundle extract: --to is missing", "name the directory to be made");
  const std::string target = TRY(checked_target(session.env(), *to));
  TRY(operation::check_not_own(session.env(), session.paths(), target, "bundle extract"));
  const std::string& prefix = arguments.at("PREFIX");
  const Keys keys = TRY(read_keys(session, arguments));
  ShownProgress& progress = session.progress();
  const BundleFile opened = TRY(open_bundle(arguments.at("FILE"), keys, progress.interrupt(), Session::workers()));
  progress.follow(*opened.file);
  const operation::Extracted totals =
      TRY(operation::extract_bundle(session.env(), *opened.reader, prefix, target, progress));
  Output& out = session.out();
  if (totals.links_skipped > 0) out.note(counted(totals.links_skipped, "symbolic link") + " left out");
  if (out.text()) {
    TRY(out.line("extracted " + counted(totals.files, "file") + ", " + human_bytes(totals.bytes) + ", to " +
                 shown(target)));
  } else {
    TRY(out.document(codec::shape_json(ExtractReport{target, totals.files, totals.bytes, totals.links_skipped})));
  }
  return 0;
}

}  // namespace

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
          .schema = codec::schema_of<ExtractReport>,
          .needs_home = false};
}

}  // namespace spl::cli
