// The certificates that the router shows: of the machine's own authority, of an ACME authority by Debian's dehydrated,
// or files that somebody else keeps. Any thread; one at a time that changes something.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/certificate.h"
#include "env/env.h"
#include "router/plan.h"

namespace spl::router {

inline constexpr std::chrono::days kLeafLifetime{90};
// What is left when the next one is made; of what lasts for less than three times as long a third.
inline constexpr std::chrono::days kLeafRenewal{30};
inline constexpr std::chrono::days kAuthorityLifetime{3650};

// The machine's own: makes the authority where there is none, and the certificate where there is none, its end is near
// or its names are others. An authority that may not vouch for one of the names is made anew: those who trusted the one
// before have to trust it again. True where the certificate is another one.
Result<bool> keep_own_certificate(env::Env env, const RouterPlan& plan);
// The same by ACME (RFC 8555, HTTP-01): nginx serves already. Code kUnavailable without dehydrated, and where the
// authority does not give one: what it says is in the message.
Result<bool> keep_acme_certificate(env::Env env, const RouterPlan& plan, const home::RouterConfig& config,
                                   base::Progress& progress);
// Code kUsage where they cannot be read or do not fit.
Result<void> check_certificate_files(env::Env env, const RouterPlan& plan);

// Of what is shown; nothing where there is none yet.
Result<std::optional<crypto::CertificateFacts>> shown_certificate(env::Env env, const RouterPlan& plan);
// The certificate of the machine's own authority, PEM; nothing where there is none.
Result<std::optional<std::string>> own_authority(env::Env env, const home::HomePaths& paths);

}  // namespace spl::router
