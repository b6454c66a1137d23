#include "surface/postgres/dump_content.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/sha256.h"
#include "env/child_process.h"
#include "spool/sorted_runs.h"
#include "surface/postgres/archive_list.h"
#include "surface/postgres/archive_program.h"

namespace spl::surface {
namespace {

constexpr std::size_t kHeadBytes = 128;            // of a line: enough for those that are known by their text
constexpr std::size_t kRowsHeldBytes = 32u << 20;  // digests
constexpr std::chrono::hours kTimeMax{24};
constexpr std::string_view kRowsFollow = " FROM stdin;";
constexpr std::string_view kRowsEnd = "\\.";
constexpr std::string_view kRestrict = "\\restrict ";
constexpr std::string_view kUnrestrict = "\\unrestrict ";

// Rows are looked for where nothing but data is: a function's body may have lines that look like theirs.
enum class Sections : std::uint8_t { kSchema, kData };

// Takes the text that pg_restore writes. A line counts by its digest, so that one of any length is taken piece by
// piece.
class DumpText final : public Sink {
 public:
  DumpText(env::Env env, const spool::SpoolOptions& spool, Sections sections)
      : env_(env), spool_(spool), sections_(sections) {}

  Result<void> write(std::string_view octets) override {
    for (;;) {
      const std::size_t end = octets.find('\n');
      take(octets.substr(0, end));
      if (end == std::string_view::npos) return {};
      TRY(finish_line());
      octets.remove_prefix(end + 1);
    }
  }
  // Of all that came.
  Result<Digest> finish() {
    if (line_bytes_ > 0) TRY(finish_line());
    if (rows_) TRY(finish_rows());
    return whole_.finish();
  }

 private:
  void take(std::string_view piece) {
    line_.update(piece);
    line_bytes_ += piece.size();
    head_ += piece.substr(0, kHeadBytes - head_.size());
    tail_ += piece.substr(piece.size() - std::min(piece.size(), kRowsFollow.size()));
    if (tail_.size() > kRowsFollow.size()) tail_.erase(0, tail_.size() - kRowsFollow.size());
  }

  Result<void> finish_line() {
    const Digest digest = line_.finish();
    const bool ends_rows = line_bytes_ == kRowsEnd.size() && head_ == kRowsEnd;
    if (rows_ && !ends_rows) {
      TRY(rows_->add(digest.view(), {}));
    } else {
      if (rows_) TRY(finish_rows());
      if (!is_passed_over()) whole_.update(digest.view());
      if (sections_ == Sections::kData && tail_ == kRowsFollow)
        rows_ = TRY(spool::SortedRuns::make(env_, spool_, kRowsHeldBytes));
    }
    line_bytes_ = 0;
    head_.clear();
    tail_.clear();
    return {};
  }

  Result<void> finish_rows() {
    TRY(rows_->rewind());
    std::string_view row;
    std::string_view nothing;
    while (TRY(rows_->next(row, nothing))) whole_.update(row);
    rows_.reset();
    return {};
  }

  // The head says which versions made the dump, and gives the text a key that is another one each time.
  bool is_passed_over() {
    if (in_head_ && head_.starts_with(kRestrict)) {
      key_ = head_.substr(kRestrict.size());
      return true;
    }
    in_head_ = in_head_ && (head_.empty() || head_.starts_with("--"));
    return in_head_ || (!key_.empty() && head_.starts_with(kUnrestrict) && head_.substr(kUnrestrict.size()) == key_);
  }

  const env::Env env_;
  const spool::SpoolOptions& spool_;
  const Sections sections_;
  crypto::Sha256 whole_;
  crypto::Sha256 line_;
  std::uint64_t line_bytes_ = 0;
  std::string head_;  // of the line
  std::string tail_;
  bool in_head_ = true;  // of the text
  std::string key_;
  std::optional<spool::SortedRuns> rows_ = {};
};

// Keeps what is read through it.
class KeptSource final : public Source {
 public:
  KeptSource(Source& from, spool::Spool& kept) : from_(from), kept_(kept) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = TRY(from_.read(out));
    TRY(kept_.append({out.data(), n}));
    return n;
  }

 private:
  Source& from_;
  spool::Spool& kept_;
};

// What pg_restore says of these sections of the archive, into `text`.
Result<void> write_sections(const DumpProgram& program, const std::vector<std::string>& sections, Source& archive,
                            DumpText& text, std::string_view name, base::Progress& progress) {
  std::vector<std::string> words{"--format=custom", "--file=-"};
  words.insert(words.end(), sections.begin(), sections.end());
  words.insert(words.end(), words_for_what_stays().begin(), words_for_what_stays().end());
  const env::ChildOptions options = TRY(archive_program_options(program, std::move(words), kTimeMax));
  const auto child = TRY(env::ChildProcess::start(options));
  child->limit_waits(kTimeMax, &progress);
  TRY(child->exchange(archive, text));
  const env::ChildExit exit = TRY(child->wait());
  TRY_IN(name, expect_archive_read(program, exit, child->said()));
  return {};
}

}  // namespace

Result<const DumpProgram*> DumpContent::program() {
  if (!program_) program_.emplace(TRY(find_newest_dump_program(env_.fs, "pg_restore", progress_)));
  return &*program_;
}

Result<Digest> DumpContent::digest(Source& dump, std::string_view name) {
  const DumpProgram& restore = *TRY(program());
  // What is not data stands in the archive's head, which is read twice.
  spool::Spool head = TRY(spool::Spool::make(env_, spool_));
  KeptSource kept(dump, head);
  DumpText schema(env_, spool_, Sections::kSchema);
  TRY(write_sections(restore, {"--section=pre-data", "--section=post-data"}, kept, schema, name, progress_));
  SpoolThen whole(head, dump);
  DumpText data(env_, spool_, Sections::kData);
  TRY(write_sections(restore, {"--section=data"}, whole, data, name, progress_));
  crypto::Sha256 both;
  both.update(TRY(schema.finish()).view());
  both.update(TRY(data.finish()).view());
  return both.finish();
}

}  // namespace spl::surface
