#include "operation/uploads.h"

#include <array>
#include <memory>
#include <vector>

#include "base/encoding.h"
#include "base/rfc3339.h"

namespace spl::operation {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kNoteBytesMax = 64u << 10;
constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::size_t kNameBytesMax = 255;
constexpr std::string_view kNoteSuffix = ".json";
constexpr std::string_view kPartSuffix = ".part";

std::unexpected<Error> none(const std::string& id) {
  return fail(Cause::kNotFound, "there is no upload " + base::escaped(id, 40), "begin it again");
}

bool is_id(const std::string& id) {
  return id.size() == 2 * kIdBytes && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Uploads::Uploads(env::Env env, const home::HomePaths& paths)
    : env_(env), directory_(env::join(paths.root, "uploads")) {}

Result<Upload> Uploads::read(const std::string& id) {
  if (!is_id(id)) return none(id);
  const auto info = TRY(env_.fs.info(file_of(id)));
  if (!info || !TRY(env_.fs.info(note_of(id)))) return none(id);
  Upload upload = TRY(codec::parse_shape_text<Upload>(TRY(env::read_file(env_.fs, note_of(id), kNoteBytesMax)),
                                                      codec::Unknown::kIgnored));
  upload.offset = std::min(info->size_bytes, upload.length);
  return upload;
}

// Those that are left, once the old ones are gone.
Result<std::vector<Upload>> Uploads::clear_old() {
  std::vector<Upload> left;
  if (!TRY(env_.fs.info(directory_))) return left;
  const std::string now = env::rfc3339(env_.clock.now());
  for (const std::string& name : TRY(env_.fs.list(directory_))) {
    // A daemon that was killed between the two files has left the first.
    if (name.ends_with(kPartSuffix)) {
      const std::string id = name.substr(0, name.size() - kPartSuffix.size());
      if (is_id(id) && !TRY(env_.fs.info(note_of(id)))) TRY(env_.fs.remove(file_of(id)));
    }
    if (!name.ends_with(kNoteSuffix)) continue;
    const std::string id = name.substr(0, name.size() - kNoteSuffix.size());
    auto upload = read(id);
    if (upload && (upload->expires_at > now || busy_.contains(id))) {
      left.push_back(std::move(*upload));
      continue;
    }
    TRY(env_.fs.remove(file_of(id)));
    TRY(env_.fs.remove(note_of(id)));
  }
  return left;
}

Result<Upload> Uploads::begin(const std::string& filename, std::uint64_t length) {
  if (length > kUploadBytesMax) return fail(ErrorCode::kUsage, Cause::kTooLarge, "an upload is at most 1 TiB long");
  const std::scoped_lock lock(mutex_);
  std::uint64_t promised = 0;
  std::size_t unfinished = 0;
  for (const Upload& other : TRY(clear_old())) {
    if (other.offset == other.length) continue;
    ++unfinished;
    promised += other.length - other.offset;
  }
  if (unfinished >= kUploadsMax)
    return fail(ErrorCode::kUnavailable, Cause::kBusy, "two uploads are not whole yet", "finish one, or end it");
  TRY(env::make_directories(env_.fs, directory_));
  const std::uint64_t free = TRY(env_.fs.free_bytes(directory_));
  if (free < promised + kUploadRoomLeft || length > free - promised - kUploadRoomLeft)
    return fail(Cause::kNoSpace,
                "there is no room for an upload of " + std::to_string(length) + " bytes: " + std::to_string(free) +
                    " are free" +
                    (promised > 0 ? ", and " + std::to_string(promised) + " are promised to another" : ""),
                "make room on the disk of the home");
  std::array<char, kIdBytes> octets{};
  env_.random.fill(octets);
  Upload upload;
  upload.id = base::to_hex({octets.data(), octets.size()});
  upload.filename = base::escaped(filename, kNameBytesMax);
  upload.length = length;
  upload.expires_at = env::rfc3339(env_.clock.now() + kUploadKept);
  TRY(TRY(env_.fs.open(file_of(upload.id), env::OpenMode::kCreateNew))->sync());
  TRY(env::write_file_atomically(env_.fs, note_of(upload.id), codec::shape_text(upload)));
  return upload;
}

Result<Upload> Uploads::find(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  TRY(clear_old());
  return read(id);
}

Result<Upload> Uploads::append(const std::string& id, std::uint64_t offset, Source& in, base::Progress& progress) {
  {
    const std::scoped_lock lock(mutex_);
    TRY(read(id));
    if (!busy_.insert(id).second)
      return fail(ErrorCode::kUnavailable, Cause::kLocked, "another piece of this upload comes just now",
                  "wait for it");
  }
  struct Free {
    Uploads& uploads;
    const std::string& id;
    ~Free() {
      const std::scoped_lock lock(uploads.mutex_);
      uploads.busy_.erase(id);
    }
  } const free{*this, id};
  Upload upload = TRY(read(id));
  if (upload.offset != offset)
    return fail(ErrorCode::kRefused,
                "the upload is at " + std::to_string(upload.offset) + ", not at " + std::to_string(offset),
                "HEAD says where to go on");
  const auto file = TRY(env_.fs.open(file_of(id), env::OpenMode::kReadWrite));
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  const auto take = [&]() -> Result<void> {
    for (;;) {
      const std::size_t n = TRY(in.read({piece.get(), kPieceBytes}));
      if (n == 0) return {};
      if (n > upload.length - upload.offset)
        return fail(ErrorCode::kUsage, Cause::kTooLarge, "more comes than was announced");
      TRY(file->write_at(upload.offset, {piece.get(), n}));
      upload.offset += n;
      if (progress.cancelled()) return base::fail_cancelled("what has come is kept");
    }
  };
  const auto taken = take();
  // What a client is told is here stays here.
  TRY(file->sync());
  TRY(taken);
  return upload;
}

Result<void> Uploads::remove(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  TRY(read(id));
  if (busy_.contains(id))
    return fail(ErrorCode::kUnavailable, Cause::kLocked, "a piece of this upload comes just now", "wait for it");
  TRY(env_.fs.remove(file_of(id)));
  return env_.fs.remove(note_of(id));
}

Result<std::string> Uploads::whole_file(const std::string& id) {
  const Upload upload = TRY(find(id));
  if (upload.offset == upload.length) return file_of(id);
  return fail(
      ErrorCode::kRefused,
      "the upload is not whole: " + std::to_string(upload.offset) + " of " + std::to_string(upload.length) + " bytes",
      "send the rest of it");
}

}  // namespace spl::operation
