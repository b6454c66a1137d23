#include "surface/postgres/archive_list.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "base/words.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kListBytesMax = 256u << 20;
constexpr std::chrono::minutes kListTimeMax{10};

Result<std::string> read_whole(int file) {
  std::string text;
  std::string piece(kPieceBytes, '\0');
  while (text.size() < kListBytesMax) {
    const ssize_t n = ::pread(file, piece.data(), piece.size(), static_cast<off_t>(text.size()));
    if (n < 0) return base::fail_errno("cannot read a list of pg_restore", errno);
    if (n == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  return fail(ErrorCode::kVerification, Cause::kTooLarge, "the dump's list of what is in it is too large");
}

}  // namespace

Result<std::size_t> SpoolThen::read(std::span<char> out) {
  if (at_ == head_.size_bytes()) return rest_.read(out);
  const std::size_t n = TRY(head_.read_at(at_, out));
  at_ += n;
  return n;
}

Result<std::string> list_archive(const DumpProgram& program, Source& content, spool::Spool& head,
                                 base::Progress& progress) {
  // It stops reading when it begins to write: not into a pipe, then, which nobody reads meanwhile.
  const env::Descriptor written(::memfd_create("list", MFD_CLOEXEC));
  if (!written.is_open()) return base::fail_errno("cannot make a file in memory", errno);
  env::ChildOptions options = dump_program_options(program, {"--list", "--format=custom"}, nullptr);
  options.output = written.number();
  const auto child = TRY(env::ChildProcess::start(options));
  child->limit_waits(kListTimeMax, &progress);
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    const std::size_t n = TRY(content.read(piece));
    if (n == 0) break;
    const std::string_view octets(piece.data(), n);
    TRY(head.append(octets));
    const auto taken = child->input().write(octets);
    if (taken) continue;
    if (taken.error().cause == Cause::kCancelled || taken.error().cause == Cause::kTimeout)
      return std::unexpected(taken.error());
    break;  // it has seen what it wants to see
  }
  const env::ChildExit exit = TRY(child->wait());
  if (!exit.ok())
    return fail(ErrorCode::kVerification, Cause::kMalformed,
                "pg_restore " + exit.text() + ": " + base::escaped(child->said(), 400));
  return read_whole(written.number());
}

std::string list_without(std::string_view list, const std::vector<std::string>& extensions,
                         const std::vector<std::string>& schemas) {
  // "2; 3079 16385 EXTENSION - hstore ", "3451; 0 0 COMMENT - EXTENSION hstore ", "6; 2615 16398 SCHEMA - gis notes"
  const auto is_passed_over = [&](std::string_view line) {
    for (int field = 0; field < 3; ++field) {
      const std::size_t space = line.find(' ');
      if (space == std::string_view::npos) return false;
      line.remove_prefix(space + 1);
    }
    const auto is = [&line](const std::string& what) { return line == what || line.starts_with(what + " "); };
    return std::ranges::any_of(extensions,
                               [&is](const std::string& name) {
                                 return is("EXTENSION - " + name) || is("COMMENT - EXTENSION " + name);
                               }) ||
           std::ranges::any_of(schemas, [&is](const std::string& name) { return is("SCHEMA - " + name); });
  };
  std::string kept;
  for (const std::string& line : base::split(list, '\n')) {
    if (!is_passed_over(line)) kept += line + "\n";
  }
  return kept;
}

}  // namespace spl::surface
