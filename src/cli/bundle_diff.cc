// bundle diff.
#include "operation/bundle_diff.h"

#include <array>

#include "base/encoding.h"
#include "cli/bundle_file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "codec/shape.h"

namespace spl::cli {
namespace {

// One line for each difference, told as it is found.
Result<void> print_difference(Output& out, operation::Difference difference, const std::string& path) {
  constexpr std::array kSigns{"- ", "+ ", "! "};
  return out.line(kSigns.at(static_cast<std::size_t>(difference)) + path_line(path, out.out_is_terminal()));
}

Result<void> print_report(Output& out, const operation::DiffReport& report, const bundle::Manifest& manifest) {
  if (!out.text()) return out.document(codec::shape_json(report));
  if (report.same) return out.line("the same: bundle_sha256 " + base::to_hex(manifest.bundle_sha256.view()));
  return out.line(std::to_string(report.counts.only_a) + " only in the first, " + std::to_string(report.counts.only_b) +
                  " only in the second, " + std::to_string(report.counts.differ) + " differ");
}

Result<int> run_diff(Session& session, const Arguments& arguments) {
  const std::string& path_a = arguments.at("A");
  const std::string& path_b = arguments.at("B");
  if (path_a == "-" && path_b == "-")
    return fail(ErrorCode::kUsage, "both bundles cannot come from standard input", "name a file for one of them");
  const Keys keys = TRY(read_keys(session, arguments));
  ShownProgress& progress = session.progress();
  const BundleFile a = TRY_IN(shown(path_a), open_bundle(path_a, keys, progress.interrupt(), Session::workers()));
  const BundleFile b = TRY_IN(shown(path_b), open_bundle(path_b, keys, progress.interrupt(), Session::workers()));
  progress.follow(*a.file);
  Output& out = session.out();
  const operation::DifferenceSink print = [&](operation::Difference difference, const std::string& path) {
    return out.text() ? print_difference(out, difference, path) : Result<void>();
  };
  const operation::DiffReport report =
      TRY(operation::diff_bundles({*a.reader, shown(path_a)}, {*b.reader, shown(path_b)}, print, progress));
  TRY(print_report(out, report, a.reader->manifest()));
  return report.same ? 0 : static_cast<int>(ErrorCode::kDiffers);
}

}  // namespace

Command bundle_diff_command() {
  return {.name = "diff",
          .summary = "Say which files of two bundles differ, both verified on the way",
          .details =
              "A line begins with - for what only the first bundle has, + for what only the second has, ! for "
              "what both have and is not the same. The exit code is 0 where they are the same, else 7.",
          .positionals = {{.name = "A", .help = "a bundle", .names = Names::kFile},
                          {.name = "B", .help = "another bundle", .names = Names::kFile}},
          .examples = {"spl bundle diff before.spl after.spl"},
          .run = run_diff,
          .schema = codec::schema_of<operation::DiffReport>,
          .needs_home = false};
}

}  // namespace spl::cli
