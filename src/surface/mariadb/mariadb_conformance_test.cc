#include "surface/conformance.h"
#include "surface/mariadb/mariadb_test_util.h"

namespace spl::surface {

using MariadbByUrl = OneMariadbDatabase<NamedBy::kUrl>;
using MariadbBySplit = OneMariadbDatabase<NamedBy::kSplit>;
INSTANTIATE_TYPED_TEST_SUITE_P(Mariadb, DriverConformance, MariadbByUrl);
INSTANTIATE_TYPED_TEST_SUITE_P(MariadbSplit, DriverConformance, MariadbBySplit);

}  // namespace spl::surface
