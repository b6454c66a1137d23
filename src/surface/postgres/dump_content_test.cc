// Dumps of one content and of another, from a real server.
#include "surface/postgres/dump_content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "surface/postgres/postgres_test_util.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

class DumpContentTest : public PostgresDriverOf<OneDatabase<Split::kDatabase>> {
 protected:
  Result<Digest> content_of(SpooledPart files) {
    const auto entry = must(files.next());
    PartContent content(files);
    return DumpContent(fixture_.surroundings().env, fixture_.surroundings().spool, progress_).digest(content, "a.spl");
  }
  Digest content() { return must(content_of(taken(place_))); }
  void change(const std::string& sql) {
    must(fixture_.server().as_notes("db_0").run("SET search_path = public; SET check_function_bodies = off; " + sql));
  }
  std::string first_row() {
    return must(fixture_.server().as_notes("db_0").query("SELECT n FROM public.child LIMIT 1")).text(0, 0);
  }

  const Place place_ = fixture_.place(0);
};

TEST_F(DumpContentTest, RowsInAnotherOrderAreTheSame) {
  fixture_.fill(place_, 1);
  change("INSERT INTO child(n, parent) SELECT 1000, 1 FROM generate_series(1, 3)");
  const Digest before = content();
  const std::string first = first_row();
  change("UPDATE child SET n = n WHERE n < 10; UPDATE h SET h = h");
  ASSERT_NE(first_row(), first) << "this is no test where the rows lie as they did";
  EXPECT_EQ(content(), before);
}

TEST_F(DumpContentTest, WhatIsRestoredIsTheSame) {
  fixture_.fill(place_, 1);
  change("GRANT SELECT ON child TO reader");
  SpooledPart files = taken(place_);
  const auto back = restore(fixture_.place(1), Trust::kOwn, engine_of(place_));
  must(back->swap(must(back->stage(files, progress_))));
  EXPECT_EQ(must(content_of(taken(fixture_.place(1)))), content());
}

TEST_F(DumpContentTest, AnyChangeIsADifference) {
  fixture_.fill(place_, 1);
  const auto function = [](const std::string& body) {
    return "CREATE OR REPLACE FUNCTION looks(i integer) RETURNS integer LANGUAGE plpgsql AS $f$" + body + "$f$";
  };
  std::set<Digest> seen{content()};
  for (const std::string& sql : {
           std::string("UPDATE child SET j = '{}' WHERE n = 3"),
           std::string("INSERT INTO h VALUES ('a=>1')"),  // a second time
           std::string("DELETE FROM h"),
           std::string("ALTER TABLE child ALTER n SET DEFAULT 7"),
           std::string("SELECT setval('\"Counts\"', 77)"),
           std::string("SELECT lo_put(4711, 0, '\\x03')"),
           function("\nCOPY t (a) FROM stdin;\nb\na\n\\.\n"),
           function("\nCOPY t (a) FROM stdin;\na\nb\n\\.\n"),
           function("\n-- one\nSET x = 1\n\n"),
           function("\n-- two\nSET x = 1\n\n"),
           function("\n-- two\nSET x = 2\n\n"),
           function("\n-- two\nSET x = 2\n"),
           // The same rows, in tables that change places.
           std::string("CREATE TABLE one(a text); CREATE TABLE two(a text); INSERT INTO one VALUES ('x')"),
           std::string("DELETE FROM one; INSERT INTO two VALUES ('x')"),
           // A line longer than what is taken at once, and another end of it.
           std::string("INSERT INTO two VALUES (repeat('x', 300000) || 'a')"),
           std::string("UPDATE two SET a = repeat('x', 300000) || 'b' WHERE a <> 'x'"),
       }) {
    change(sql);
    EXPECT_TRUE(seen.insert(content()).second) << sql;
  }
}

TEST_F(DumpContentTest, WhatIsNoArchiveIsAnError) {
  fixture_.fill(place_, 1);
  SpooledPart files = taken(place_);
  const std::string archive = archive_of(files);
  const std::size_t in_data = archive.find("row 50\\n");
  ASSERT_NE(in_data, std::string::npos);
  for (const std::string& hostile : {std::string(), std::string("no archive"), std::string("PGDMP"),
                                     archive.substr(0, 3000), archive.substr(0, in_data)}) {
    const auto refused = content_of(part_of(hostile));
    ASSERT_FALSE(refused) << hostile.size();
    EXPECT_EQ(refused.error().code, ErrorCode::kVerification) << refused.error().message;
    EXPECT_THAT(refused.error().message, HasSubstr("a.spl: pg_restore"));
  }
}

}  // namespace
}  // namespace spl::surface
