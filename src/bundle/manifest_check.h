// What the members of a manifest say about each other (docs/formats/bundle.md, "manifest.json"). Internal to
// parse_manifest. Pure; any thread.
#pragma once

#include "base/result.h"
#include "bundle/manifest.h"

namespace spl::bundle {

// Fails with the rule alone, code kVerification, where services, contexts, sections, scope and counts do not agree.
Result<void> check_agreement(const Manifest& manifest);

}  // namespace spl::bundle
