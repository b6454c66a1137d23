// Software that comes as an archive: downloaded, checked and unpacked below <home>/software/<service>/<version>, which
// appears when all of it is there and durable. Who holds the home's lock may call this; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/progress.h"
#include "base/result.h"
#include "env/env.h"
#include "home/home.h"
#include "service/declaration.h"
#include "service/download.h"

namespace spl::service {

struct UnpackLimits {
  std::uint64_t entries_max = 200'000;
  std::uint64_t bytes_max = 64ull << 30;  // of content
};

// What the archive at `path`, a tar as it is or compressed by zstd, gzip or xz, has, into the empty directory
// `directory`. Files have mode 0644 or 0755, directories 0755, and all are this user's. Refused (code kVerification,
// with the entry's name): what foreign_tar.h refuses; an entry below a link; one that is there twice; a link that
// leads out of the directory. `directory` is to be removed after an error.
Result<void> unpack_archive(env::Env env, const std::string& path, const std::string& directory,
                            base::Progress& progress, const UnpackLimits& limits = {});

// <home>/software/<service>/<version>.
std::string software_directory(const home::HomePaths& paths, const Declaration& service);

// Whether the archive that is declared is there. Code kRefused where another one is, under the same version.
Result<bool> has_software(env::Env env, const home::HomePaths& paths, const Declaration& service);

// Downloads and unpacks it. Nothing is left of it after an error; what an earlier run left that was killed goes first.
Result<void> install_software(env::Env env, const home::HomePaths& paths, const Declaration& service,
                              base::Progress& progress);

}  // namespace spl::service
