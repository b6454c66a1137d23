// Fetches all that a peer has, as spl sync asks for it, and drops it: fetch_pages HOME URL DID. Prints one JSON object.
#include <chrono>
#include <cstdio>
#include <string>

#include "base/progress.h"
#include "codec/json.h"
#include "env/posix_env.h"
#include "env/posix_file_system.h"
#include "federation/seal.h"
#include "federation/source.h"
#include "federation/whereabouts.h"
#include "http/client.h"
#include "http/target.h"
#include "instance/instance.h"

namespace spl {
namespace {

Result<void> fetch(const std::string& home, const std::string& url, const std::string& did) {
  env::PosixFileSystem fs;
  env::SystemClock clock;
  env::SystemRandom random;
  env::NullLog log;
  const env::Env env{fs, clock, random, log};
  instance::InstanceOptions options;
  options.home = home;
  const auto instance = TRY(instance::Instance::open(env, options, instance::OpenFor::kReading));
  const auto identity = instance->identity();
  if (!identity) return fail("the home has no identity");
  const auto tls = TRY(http::TlsContext::for_client(""));
  base::NoProgress none;
  const auto client = TRY(http::Client::connect(env, TRY(http::Url::parse(url)), *tls, none));
  std::string cursor = "0";
  std::size_t bytes = 0;
  std::size_t pages = 0;
  const auto begun = std::chrono::steady_clock::now();
  for (bool has_more = true; has_more; ++pages) {
    const std::string target = std::string(federation::kChangesPath) + "?since=" + http::percent_encode(cursor) +
                               "&limit=" + std::to_string(federation::kSyncRecordsMax);
    const auto sealed = federation::seal_request({"GET", target, ""}, *identity, did, env);
    const auto answer = TRY(client->ask("GET", target, sealed.fields, "", federation::kSyncAnswerBytesMax));
    if (answer.status != 200) return fail("the peer answered " + answer.content);
    bytes += answer.content.size();
    // The end of a page says where the next one begins; the rest is dropped.
    const std::size_t at = answer.content.rfind(",\"next_cursor\":");
    if (at == std::string::npos) return fail("the answer is no page");
    const auto rest = TRY(codec::Json::parse("{" + answer.content.substr(at + 1)));
    cursor = *rest.find("next_cursor")->string();
    has_more = *rest.find("has_more")->boolean();
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begun;
  std::printf("{\"seconds\":%.6f,\"bytes\":%zu,\"pages\":%zu}\n", seconds.count(), bytes, pages);
  return {};
}

}  // namespace
}  // namespace spl

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto done = spl::fetch(argv[1], argv[2], argv[3]);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
