// An archive from an https server, by the program curl: decisions/D-18 says why. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"

namespace spl::service {

inline constexpr std::uint64_t kArchiveBytesMax = 16ull << 30;

struct DownloadLimits {
  std::uint64_t bytes_max = kArchiveBytesMax;
};

// Writes what `url` gives to the new file at `path`, and checks it against the digest; nothing is left there after an
// error. The server's certificate is checked, also after a redirect, which may lead to https alone. The variables
// SSL_CERT_FILE, SSL_CERT_DIR, CURL_CA_BUNDLE and those of proxies are the caller's.
// Code kVerification where the digest is another one, kUnavailable where the server or curl is.
Result<void> download(env::Env env, const std::string& url, const Digest& sha256, const std::string& path,
                      base::Progress& progress, const DownloadLimits& limits = {});

}  // namespace spl::service
