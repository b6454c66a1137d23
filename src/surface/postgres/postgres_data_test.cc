// Databases and schemas of contexts that go, get another name, or are nobody's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surface/postgres/postgres_test_util.h"

namespace spl::surface {
namespace {

using ::testing::ElementsAre;

template <class Fixture>
class PostgresDataOf : public PostgresDriverOf<Fixture> {};
using Fixtures = ::testing::Types<OneDatabase<Split::kDatabase>, OneSchema>;
TYPED_TEST_SUITE(PostgresDataOf, Fixtures);

TYPED_TEST(PostgresDataOf, GetsAnotherNameAndGoes) {
  auto& fixture = this->fixture_;
  const auto data = [&fixture](int n) { return must(postgres_data(fixture.surroundings().env, fixture.place(n))); };
  EXPECT_FALSE(must(data(0)->is_there()));
  fixture.fill(fixture.place(0), 1);
  const std::string state = fixture.state(fixture.place(0));
  EXPECT_TRUE(must(data(0)->is_there()));
  for (int i = 0; i < 2; ++i) {
    must(data(0)->move_to(fixture.place(1), TakenName::kStops, this->progress_));
    EXPECT_EQ(fixture.state(fixture.place(1)), state);
    EXPECT_FALSE(must(data(0)->is_there()));
  }
  // Something has come up in its place meanwhile.
  fixture.fill(fixture.place(0), 2);
  const auto stopped = data(1)->move_to(fixture.place(0), TakenName::kStops, this->progress_);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().cause, Cause::kFileExists);
  EXPECT_EQ(fixture.state(fixture.place(1)), state);
  EXPECT_EQ(must(data(1)->move_to(fixture.place(0), TakenName::kStaysBehind, this->progress_)), 1U);
  EXPECT_EQ(fixture.state(fixture.place(1)), state);
  EXPECT_NE(fixture.state(fixture.place(0)), state);
  for (int i = 0; i < 2; ++i) {
    must(data(0)->remove());
    EXPECT_EQ(fixture.state(fixture.place(0)), "");
  }
}

TYPED_TEST(PostgresDataOf, ASessionIsNotInTheWay) {
  auto& fixture = this->fixture_;
  fixture.fill(fixture.place(0), 1);
  const std::string state = fixture.state(fixture.place(0));
  auto client = fixture.server().as_notes(fixture.place(0).database.value_or("app"));
  must(client.run("BEGIN; SELECT 1"));
  must(must(postgres_data(fixture.surroundings().env, fixture.place(0)))
           ->move_to(fixture.place(1), TakenName::kStops, this->progress_));
  EXPECT_EQ(fixture.state(fixture.place(1)), state);
}

TEST(PostgresNames, WhatMatchesASplitIsNamed) {
  OneSchema fixture;
  must(
      fixture.server().as_notes("app").run("CREATE SCHEMA ctx_geo; CREATE SCHEMA ctx_acme; CREATE SCHEMA ctx_taken; "
                                           "CREATE SCHEMA other; CREATE SCHEMA \"ctx_No Name\""));
  base::NoProgress progress;
  SplitLook look{.place = fixture.place(0), .pattern = "ctx_{context}", .others = {}};
  look.others.push_back(fixture.place(0));
  look.others.back().schema = "ctx_taken";
  EXPECT_THAT(must(postgres_split_names(fixture.surroundings().env, look, progress)).names,
              ElementsAre("ctx_acme", "ctx_geo"));
  look.place.url = SecretBytes(fixture.server().url("not_there"));
  EXPECT_THAT(must(postgres_split_names(fixture.surroundings().env, look, progress)).names, ElementsAre());
}

TEST(PostgresNames, DatabasesThatMatchASplitAreNamed) {
  OneDatabase<Split::kDatabase> fixture;
  fixture.make_database("db_0");
  fixture.make_database("db_1");
  base::NoProgress progress;
  SplitLook look{.place = fixture.place(0), .pattern = "db_{context}", .others = {}};
  EXPECT_THAT(must(postgres_split_names(fixture.surroundings().env, look, progress)).names,
              ElementsAre("db_0", "db_1"));
  look.others.push_back(fixture.place(1));
  EXPECT_THAT(must(postgres_split_names(fixture.surroundings().env, look, progress)).names, ElementsAre("db_0"));
}

TEST(PostgresNames, AWholeDatabaseHasNoOtherName) {
  OneDatabase<Split::kNone> fixture;
  EXPECT_EQ(postgres_data(fixture.surroundings().env, fixture.place(0)).error().cause, Cause::kNotImplemented);
}

}  // namespace
}  // namespace spl::surface
