#include "surface/postgres/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surface/conformance.h"
#include "surface/postgres/postgres_test_util.h"

namespace spl::surface {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(PostgresWhole, DriverConformance, OneDatabase<Split::kNone>);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgresDatabase, DriverConformance, OneDatabase<Split::kDatabase>);
INSTANTIATE_TYPED_TEST_SUITE_P(PostgresSchema, DriverConformance, OneSchema);

}  // namespace
}  // namespace spl::surface
