#include "surface/postgres/archive_list.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/encoding.h"
#include "base/words.h"
#include "surface/postgres/archive_program.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 64u << 10;
constexpr std::size_t kListBytesMax = 256u << 20;
constexpr std::chrono::minutes kListTimeMax{10};
constexpr std::string_view kTooLong = "the dump's list of what is in it is too long";

// A file in memory that takes so much and no more, whoever writes to it. What was not written is zeros.
Result<env::Descriptor> make_list_file() {
  env::Descriptor file(::memfd_create("list", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.is_open() || ::ftruncate(file.number(), kListBytesMax) != 0 ||
      ::fcntl(file.number(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
    return base::fail_errno("cannot make a file in memory", errno);
  return file;
}

Result<std::string> read_whole(int file) {
  std::string text;
  std::string piece(kPieceBytes, '\0');
  while (text.size() < kListBytesMax) {
    const ssize_t n = ::pread(file, piece.data(), piece.size(), static_cast<off_t>(text.size()));
    if (n < 0) return base::fail_errno("cannot read a list of pg_restore", errno);
    const std::string_view octets(piece.data(), static_cast<std::size_t>(n));
    const std::size_t end = octets.find('\0');
    text += octets.substr(0, end);
    if (n == 0 || end != std::string_view::npos) break;
  }
  if (text.size() < kListBytesMax) return text;
  return fail(ErrorCode::kVerification, Cause::kTooLarge, std::string(kTooLong));
}

// Of a line without its numbers: "EXTENSION - hstore ", "COMMENT - EXTENSION hstore ", "SCHEMA - gis notes". Empty of
// what is a comment.
std::string_view entry_of(std::string_view line) {
  // "2; 3079 16385 EXTENSION - hstore "
  if (line.starts_with(";")) return {};
  for (int field = 0; field < 3; ++field) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return {};
    line.remove_prefix(space + 1);
  }
  return line;
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
  const env::Descriptor written = TRY(make_list_file());
  env::ChildOptions options = TRY(archive_program_options(program, {"--list", "--format=custom"}, kListTimeMax));
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
  char last = '\0';
  if (::pread(written.number(), &last, 1, kListBytesMax - 1) == 1 && last != '\0')
    return fail(ErrorCode::kVerification, Cause::kTooLarge, std::string(kTooLong));
  TRY(expect_archive_read(program, exit, child->said()));
  return read_whole(written.number());
}

std::vector<std::string> listed(std::string_view list, std::string_view kind) {
  const std::string begin = std::string(kind) + " - ";
  std::vector<std::string> found;
  for (const std::string& line : base::split(list, '\n')) {
    const std::string_view entry = entry_of(line);
    if (entry.starts_with(begin)) found.emplace_back(entry.substr(begin.size()));
  }
  return found;
}

bool is_listed_as(std::string_view line, std::string_view name) {
  std::string shown(name);
  // As pg_restore has it, so that a line is a line.
  std::ranges::replace_if(shown, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return line == shown || line.starts_with(shown + " ");
}

std::string list_without(std::string_view list, const std::vector<std::string>& extensions,
                         const std::vector<std::string>& schemas) {
  const auto is_passed_over = [&](std::string_view line) {
    const std::string_view entry = entry_of(line);
    const auto is = [&entry](const std::string& kind, const std::string& name) {
      return entry.starts_with(kind) && is_listed_as(entry.substr(kind.size()), name);
    };
    return std::ranges::any_of(
               extensions,
               [&](const std::string& name) { return is("EXTENSION - ", name) || is("COMMENT - EXTENSION ", name); }) ||
           std::ranges::any_of(schemas, [&](const std::string& name) { return is("SCHEMA - ", name); });
  };
  std::string kept;
  for (const std::string& line : base::split(list, '\n')) {
    if (!is_passed_over(line)) kept += line + "\n";
  }
  return kept;
}

}  // namespace spl::surface
