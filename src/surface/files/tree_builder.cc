#include "surface/files/tree_builder.h"

#include <algorithm>
#include <ranges>

#include "base/encoding.h"
#include "base/words.h"
#include "crypto/sha256.h"

namespace spl::surface {
namespace {

constexpr std::size_t kPieceBytes = 256u << 10;
constexpr std::size_t kHoleBytes = 4096;  // zeros that need no room
// Smaller files are left to the sync at the end: a request to the disk for each would cost more than it spares.
constexpr std::uint64_t kWrittenOutBytesMin = 128u << 10;
constexpr std::size_t kAttributesLineBytesMax = 8u << 20;
constexpr std::string_view kTreePrefix = "tree/";

std::unexpected<Error> malformed(std::string_view path, std::string_view rule) {
  return fail(ErrorCode::kVerification, Cause::kMalformed, base::escaped(path) + ": " + std::string(rule));
}

// A spool from its beginning to its end.
class WholeSpool final : public base::Source {
 public:
  explicit WholeSpool(spool::Spool& spool) : spool_(spool) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = TRY(spool_.read_at(at_, out));
    at_ += n;
    return n;
  }

 private:
  spool::Spool& spool_;
  std::uint64_t at_ = 0;
};

Result<spool::Spool> spooled(const Surroundings& surroundings, PartSource& files) {
  auto spool = TRY(spool::Spool::make(surroundings.env, surroundings.spool));
  std::string piece(kPieceBytes, '\0');
  while (const std::size_t n = TRY(files.read(piece))) TRY(spool.append(std::string_view(piece).substr(0, n)));
  return spool;
}

// Whether a link's target, followed by names alone, stays below the root of the tree that the link is in.
bool stays_within(std::string_view link_path, std::string_view target) {
  if (target.starts_with('/')) return false;
  std::ptrdiff_t depth = std::ranges::count(link_path, '/');
  for (const std::string& component : base::split(target, '/')) {
    if (component == "..") {
      if (--depth < 0) return false;
    } else if (!component.empty() && component != ".") {
      ++depth;
    }
  }
  return true;
}

bool is_all_zeros(std::string_view octets) {
  return octets.find_first_not_of('\0') == std::string_view::npos;
}

// Writes `octets` at `at`, but for the blocks of zeros of a file that is empty there. Whether the last block was
// written.
Result<bool> write_sparse(env::File& file, std::uint64_t at, std::string_view octets) {
  bool is_written = false;
  while (!octets.empty()) {
    const std::size_t to_block = kHoleBytes - static_cast<std::size_t>(at % kHoleBytes);
    const std::string_view block = octets.substr(0, to_block);
    std::size_t size = block.size();
    is_written = !is_all_zeros(block);
    if (is_written) {
      // As much as comes without a hole in one piece.
      while (size < octets.size() && !is_all_zeros(octets.substr(size, kHoleBytes)))
        size += std::min(kHoleBytes, octets.size() - size);
      TRY(file.write_at(at, octets.substr(0, size)));
    }
    octets.remove_prefix(size);
    at += size;
  }
  return is_written;
}

bool may_be_set(const std::string& attribute) {
  return attribute.starts_with("user.") || attribute == "system.posix_acl_access" ||
         attribute == "system.posix_acl_default";
}

}  // namespace

Result<void> TreeBuilder::next_attributes() {
  ahead_.reset();
  if (!attributes_) return {};
  std::size_t newline = attributes_text_.find('\n');
  while (newline == std::string::npos) {
    const std::size_t held = attributes_text_.size();
    if (held > kAttributesLineBytesMax) return malformed("tree.attrs.ndjson", "a line is longer than one can be");
    attributes_text_.resize(held + kPieceBytes);
    const std::size_t n = TRY(attributes_->read_at(attributes_at_, std::span(attributes_text_).subspan(held)));
    attributes_at_ += n;
    attributes_text_.resize(held + n);
    if (n == 0 && held == 0) return {};
    if (n == 0) return malformed("tree.attrs.ndjson", "no newline ends it");
    newline = attributes_text_.find('\n', held);
  }
  auto parsed = codec::parse_attributes_line(std::string_view(attributes_text_).substr(0, newline));
  if (!parsed) return malformed("tree.attrs.ndjson", parsed.error().message);
  attributes_text_.erase(0, newline + 1);
  ahead_ = std::move(*parsed);
  return {};
}

Result<void> TreeBuilder::set_attributes(const codec::MtreeEntry& line, const std::string& path) {
  if (!ahead_ || ahead_->path != line.path) return {};
  for (const auto& [name, value] : ahead_->attributes) {
    if (may_be_set(name)) TRY(fs_.set_attribute(path, {name, value}));
  }
  return next_attributes();
}

Result<void> TreeBuilder::give(const codec::MtreeEntry& line, const std::string& path) {
  if (rules_.signer == Trust::kOwn) {
    const auto owned = fs_.set_owner(path, static_cast<std::uint32_t>(line.uid), static_cast<std::uint32_t>(line.gid));
    // Only root gives files away; what is not kept is the process's own.
    if (!owned && owned.error().cause != Cause::kDenied) return owned;
  } else if (rules_.owner) {
    TRY(fs_.set_owner(path, rules_.owner->uid, rules_.owner->gid));
  }
  return {};
}

// Owner, attributes, mode and time, in this order: each takes away something of what was before it. The root is given
// away last of all: until then nobody else enters it.
Result<void> TreeBuilder::settle(const codec::MtreeEntry& line, const std::string& path) {
  constexpr std::uint32_t kPermissions = 0777;
  if (line.path.empty()) {
    root_line_ = line;
  } else {
    TRY(give(line, path));
  }
  const env::FileTime modified{line.modified_s, line.modified_ns};
  if (line.type == codec::TarType::kSymlink) return fs_.set_modified(path, modified);
  TRY(set_attributes(line, path));
  const std::uint32_t mode = rules_.signer == Trust::kOwn ? line.mode : line.mode & kPermissions;
  if (line.type == codec::TarType::kDirectory) {
    directories_.push_back({path, mode, modified});
    return {};
  }
  TRY(fs_.set_mode(path, mode));
  return fs_.set_modified(path, modified);
}

Result<void> TreeBuilder::check_link(const codec::MtreeEntry& line) const {
  if (!rules_.of_context || stays_within(line.path, line.link)) return {};
  return fail(ErrorCode::kStop,
              "the link " + base::escaped(line.path) + " leaves its tree: it leads to " + base::escaped(line.link),
              "a context's tree is restored without such links only: remove it where the bundle was made");
}

Result<void> TreeBuilder::make_file(const codec::MtreeEntry& line, const std::string& path, PartSource& files) {
  crypto::Sha256 sha256;  // of what has more than one name
  {
    const auto file = TRY(fs_.open(path, env::OpenMode::kCreateNew));
    buffer_.resize(kPieceBytes);
    std::uint64_t at = 0;
    bool ends_in_hole = false;
    while (const std::size_t n = TRY(files.read(buffer_))) {
      const std::string_view octets = std::string_view(buffer_).substr(0, n);
      if (line.inode != 0) sha256.update(octets);
      ends_in_hole = !TRY(write_sparse(*file, at, octets));
      at += n;
    }
    if (ends_in_hole) TRY(file->truncate(at));
    if (at >= kWrittenOutBytesMin) file->begin_writing_out();
  }
  if (line.inode != 0) {
    const Digest digest = sha256.finish();
    const auto [first, is_first] = shared_.emplace(line.inode, First{path, digest});
    if (!is_first) {
      if (first->second.sha256 != digest)
        return malformed("tree/" + line.path, "has another content than the other names of its inode");
      TRY(fs_.remove(path));
      TRY(fs_.make_hard_link(first->second.path, path));
    }
  }
  return settle(line, path);
}

Result<void> TreeBuilder::make(const codec::MtreeEntry& line, PartSource& files) {
  if (line.path.empty()) return settle(line, root_);
  const auto header = TRY(files.next());
  if (!header) return malformed("tree.mtree", "has a line without an entry: " + base::escaped(line.path));
  if (const std::string_view fault = codec::mtree_mismatch(line, *header, kTreePrefix); !fault.empty())
    return malformed(header->path, fault);
  const std::string path = env::join(root_, line.path);
  switch (line.type) {
    case codec::TarType::kDirectory:
      TRY(fs_.make_directory(path));
      return settle(line, path);
    case codec::TarType::kSymlink:
      TRY(check_link(line));
      TRY(fs_.make_symbolic_link(line.link, path));
      return settle(line, path);
    case codec::TarType::kFile:
      break;
  }
  return make_file(line, path, files);
}

Result<void> TreeBuilder::build(PartSource& files, base::Progress& progress) {
  auto entry = TRY(files.next());
  if (entry && entry->path == "tree.attrs.ndjson") {
    attributes_ = TRY(spooled(surroundings_, files));
    entry = TRY(files.next());
  }
  if (!entry || entry->path != "tree.mtree") return malformed("tree.mtree", "missing");
  auto lines = TRY(spooled(surroundings_, files));
  WholeSpool lines_source(lines);
  codec::MtreeReader reader(lines_source);
  TRY(next_attributes());
  std::uint64_t made = 0;
  for (;;) {
    const auto line = reader.next();
    if (!line) return malformed("tree.mtree", line.error().message);
    if (!*line) break;
    TRY(make(**line, files));
    progress.update("staging files", ++made, 0, "files");
    if (progress.cancelled()) return base::fail_cancelled("nothing was restored");
  }
  if (const auto more = TRY(files.next())) return malformed(more->path, "tree.mtree has no line for it");
  if (ahead_) return malformed("tree.attrs.ndjson", "has attributes of an entry that tree.mtree does not have");
  // The deepest first: a directory that lets nobody in would keep those below it from being reached.
  for (const Directory& directory : std::views::reverse(directories_)) {
    if (directory.path == root_) continue;
    TRY(fs_.set_mode(directory.path, directory.mode));
    TRY(fs_.set_modified(directory.path, directory.modified));
  }
  TRY(give(root_line_, root_));
  if (!directories_.empty() && directories_.front().path == root_) {
    TRY(fs_.set_mode(root_, directories_.front().mode));
    TRY(fs_.set_modified(root_, directories_.front().modified));
  }
  return fs_.sync_all(root_);
}

}  // namespace spl::surface
