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

constexpr std::size_t kHeldBytesMax = 8u << 20;  // of what waits, before it goes to a file

// One line for each difference, told as it is found.
Result<void> print_difference(Output& out, operation::Difference difference, const std::string& path) {
  constexpr std::array kSigns{"- ", "+ ", "! "};
  return out.line(kSigns.at(static_cast<std::size_t>(difference)) + path_line(path, out.out_is_terminal()));
}

// Each part and each service that differs, in a line.
Result<void> print_services(Output& out, const operation::DiffReport& report) {
  for (const operation::ComparedService& service : report.services) {
    if (service.status == "same") continue;
    const auto of = [](const std::string& text) { return text.empty() ? std::string("not there") : text; };
    TRY(out.line("service " + shown(service.service) + ": " + of(service.a) + " in the first, " + of(service.b) +
                 " in the second"));
  }
  for (const operation::ComparedPart& part : report.parts) {
    if (part.status == "same") continue;
    std::string line = shown(part.service) + "/" + shown(part.surface) +
                       (part.context.empty() ? "" : " of " + shown(part.context)) + ": " + std::to_string(part.added) +
                       " added, " + std::to_string(part.removed) + " removed, " + std::to_string(part.changed) +
                       " changed";
    if (part.touched > 0) line += ", " + std::to_string(part.touched) + " with another owner or time";
    TRY(out.line(line + " (" + part.items + ")"));
  }
  return {};
}

Result<void> print_report(Output& out, const operation::DiffReport& report, const bundle::Manifest& a,
                          const bundle::Manifest& b) {
  if (!out.text()) return out.document(codec::shape_json(report));
  TRY(print_services(out, report));
  if (report.same) {
    if (a.bundle_sha256 != b.bundle_sha256) return out.line("the same by content; their octets differ");
    return out.line("the same: bundle_sha256 " + base::to_hex(a.bundle_sha256.view()));
  }
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
  const spool::SpoolOptions spool{temporary_directory(), spool::Secrecy::kEncrypted, kHeldBytesMax};
  const operation::DiffReport report = TRY(operation::diff_bundles(session.env(), spool, {*a.reader, shown(path_a)},
                                                                   {*b.reader, shown(path_b)}, print, progress));
  TRY(print_report(out, report, a.reader->manifest(), b.reader->manifest()));
  return report.same ? 0 : static_cast<int>(ErrorCode::kDiffers);
}

}  // namespace

Command bundle_diff_command() {
  return {
      .name = "diff",
      .summary = "Say what of two bundles differs, both verified on the way",
      .details =
          "A line begins with - for what only the first bundle has, + for what only the second has, ! for "
          "what both have and is not the same. Of services each surface, by context, has a line with what was added, "
          "removed and changed: of git the refs and what they name count, not how it is packed; of PostgreSQL what "
          "pg_restore finds in the dump, rows in any order. The exit code is 0 where they are the same, else 7.",
      .positionals = {{.name = "A", .help = "a bundle", .names = Names::kFile},
                      {.name = "B", .help = "another bundle", .names = Names::kFile}},
      .examples = {"spl bundle diff before.spl after.spl"},
      .run = run_diff,
      .schema = codec::schema_of<operation::DiffReport>,
      .needs_home = false};
}

}  // namespace spl::cli
