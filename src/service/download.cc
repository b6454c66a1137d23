#include "service/download.h"

#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "base/encoding.h"
#include "crypto/sha256.h"
#include "env/child_process.h"

namespace spl::service {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongest = 24h;
constexpr std::size_t kPieceBytes = 256u << 10;

// What of the caller's environment a download heeds.
constexpr std::array kVariables{"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "https_proxy", "HTTPS_PROXY",
                                "all_proxy",     "ALL_PROXY",    "no_proxy",       "NO_PROXY"};

env::ChildOptions curl(env::Env env, const std::string& url, std::uint64_t bytes_max) {
  env::ChildOptions options;
  options.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  for (const char* name : kVariables) {
    const auto value = env.variables == nullptr ? std::nullopt : env.variables->get(name);
    if (value) options.environment.push_back(std::string(name) + "=" + *value);
  }
  // A minute in which less than a byte a second comes is an end; --disable: no configuration file.
  options.arguments = {"curl",
                       "--disable",
                       "--silent",
                       "--show-error",
                       "--fail",
                       "--location",
                       "--max-redirs",
                       "5",
                       "--proto",
                       "=https",
                       "--proto-redir",
                       "=https",
                       "--tlsv1.2",
                       "--globoff",
                       "--connect-timeout",
                       "30",
                       "--speed-limit",
                       "1",
                       "--speed-time",
                       "60",
                       "--max-filesize",
                       std::to_string(bytes_max),
                       "--output",
                       "-",
                       "--url",
                       url};
  return options;
}

// By curl's exit codes, curl(1).
std::unexpected<Error> failed(const std::string& url, const env::ChildExit& exit, const std::string& said) {
  const std::string what = "cannot download " + url + ": ";
  const std::string why = said.empty() ? "curl " + exit.text() : base::escaped(said, 500);
  switch (exit.code) {
    case 1:
      return fail(ErrorCode::kRefused, what + "it leads away from https", "name the archive's own address");
    case 5:
    case 6:
    case 7:
    case 28:
      return fail(ErrorCode::kUnavailable, what + why, "see that the machine has a network, and try again");
    case 18:
      return fail(ErrorCode::kUnavailable, what + "it was cut off", "try again");
    case 22:
      return fail(ErrorCode::kUnavailable, what + why, "see that the declaration names what the server has");
    case 47:
      return fail(ErrorCode::kUnavailable, what + "it is redirected more than five times");
    case 60:
    case 77:
      return fail(ErrorCode::kRefused, what + why,
                  "a server of one's own wants its authority's certificate in SSL_CERT_FILE");
    case 63:
      return fail(ErrorCode::kRefused, Cause::kTooLarge, what + "it is too large");
    default:
      return fail(ErrorCode::kUnavailable, what + why);
  }
}

Result<void> download_into(env::Env env, env::File& file, const std::string& url, const Digest& sha256,
                           base::Progress& progress, const DownloadLimits& limits) {
  auto child = env::ChildProcess::start(curl(env, url, limits.bytes_max));
  if (!child) {
    Error error = std::move(child).error();
    if (error.code == ErrorCode::kUnavailable) error.hint = "archives are downloaded by curl: apt-get install curl";
    return std::unexpected(std::move(error));
  }
  (*child)->limit_waits(kLongest, &progress);
  (*child)->close_input();
  crypto::Sha256 hash;
  std::uint64_t done = 0;
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  for (;;) {
    const std::size_t bytes = TRY((*child)->output().read({piece.get(), kPieceBytes}));
    if (bytes == 0) break;
    if (bytes > limits.bytes_max - done)
      return fail(ErrorCode::kRefused, Cause::kTooLarge,
                  "cannot download " + url + ": it is over " + std::to_string(limits.bytes_max) + " bytes");
    const std::string_view octets(piece.get(), bytes);
    TRY(file.write_at(done, octets));
    hash.update(octets);
    done += bytes;
    progress.update("downloading", done, 0, "bytes");
  }
  const env::ChildExit exit = TRY((*child)->wait());
  if (!exit.ok()) return failed(url, exit, (*child)->said());
  const Digest found = hash.finish();
  if (found != sha256)
    return fail(ErrorCode::kVerification,
                "the archive from " + url + " is not the declared one: its sha256 is " + base::to_hex(found.view()),
                "it was changed on the server or on the way, or the declaration is wrong: nothing of it was unpacked");
  return {};
}

}  // namespace

Result<void> download(env::Env env, const std::string& url, const Digest& sha256, const std::string& path,
                      base::Progress& progress, const DownloadLimits& limits) {
  const auto file = TRY(env.fs.open(path, env::OpenMode::kCreateNew));
  auto done = download_into(env, *file, url, sha256, progress, limits);
  if (!done) (void)env.fs.remove(path);
  return done;
}

}  // namespace spl::service
