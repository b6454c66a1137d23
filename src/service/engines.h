// Which services are engines: their own processes serve a declared database, of any service. And who shares one. Any
// thread.
#pragma once

#include <vector>

#include "base/result.h"
#include "service/service_set.h"
#include "surface/part.h"

namespace spl::service {

// By what the declarations say (ServiceSet::is_engine), and by who listens now where a database is reached: also what
// says nowhere that it binds that. In the order of the set. Where a secret of an address has no value, or nobody
// answers there, the declarations alone tell.
Result<std::vector<const Declaration*>> engines_of(const ServiceSet& set, const SecretLookup& secrets);

// The parts of all other surfaces of the kind, of every context: what may stand in the same engine and is not this
// surface's. Cause kNotFound where a secret of one has no value: then nobody can tell what is whose.
Result<std::vector<surface::Place>> other_places(const ServiceSet& set, const SurfaceDeclaration& surface,
                                                 const SecretLookup& secrets);

}  // namespace spl::service
