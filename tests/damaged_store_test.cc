// A store that is damaged gives no bundle, and what keeps it from that is found by its own check. Each damage is such
// as a flipped bit, a lost page or a database file put back beside a newer write-ahead log leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "operation/doctor.h"
#include "portability_fixture.h"

namespace spl {
namespace {

using testing::error_of;
using testing::export_text;
using ::testing::HasSubstr;

struct Damage {
  const char* name;
  const char* sql;
};
void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.name;
}

class DamagedStore : public testing::Portability, public ::testing::WithParamInterface<Damage> {};

TEST_P(DamagedStore, GivesNoBundleAndIsFoundByTheDoctor) {
  const auto source = with_records("source", "th_mine", 5);
  ASSERT_TRUE(instance::put_records(*source, testing::many_records("th_other", 3)));
  ASSERT_TRUE(export_text(*source));
  {
    auto store = db::Connection::open(machine_.path("source/hub.db"), db::OpenAs::kReadWrite).value();
    const auto done = store.execute(GetParam().sql);
    ASSERT_TRUE(done) << error_of(done);
  }
  const auto text = export_text(*source);
  ASSERT_FALSE(text) << "a bundle of a damaged store; it verifies: " << testing::verify_bundle(*text).has_value();
  EXPECT_EQ(text.error().code, ErrorCode::kFailed);
  EXPECT_EQ(text.error().hint, "run spl doctor") << text.error().message;

  base::NoProgress progress;
  const auto findings = operation::examine(*source, progress);
  ASSERT_TRUE(findings) << error_of(findings);
  EXPECT_THAT(*findings,
              ::testing::Contains(::testing::Field(&operation::Finding::status, operation::FindingStatus::kStop)));
}

INSTANTIATE_TEST_SUITE_P(
    Of, DamagedStore,
    ::testing::Values(
        Damage{"ASumThatIsTooHigh", "UPDATE threads SET records=records+1 WHERE thread='th_mine'"},
        Damage{"ALostThread", "DELETE FROM threads WHERE thread='th_mine'"},
        Damage{"AThreadTooMany",
               "INSERT INTO threads(thread, directory, records, last_sequence, flags) "
               "VALUES('x', 'x', 0, 0, 0)"},
        Damage{"ALostThreadWithTheSumsOfAnother",
               "DELETE FROM threads WHERE thread='th_other'; "
               "UPDATE threads SET records=8"},
        Damage{"ALostRecord", "DELETE FROM record_log WHERE sequence=3"},
        Damage{"ARecordInAnotherThread",
               "UPDATE record_log SET thread_no=(SELECT thread_no FROM threads WHERE thread='th_other') "
               "WHERE sequence=1; UPDATE threads SET records=4"},
        Damage{"ADirectoryThatIsNotTheThreads", "UPDATE threads SET directory='th_mina' WHERE thread='th_mine'"},
        Damage{"AJudgeThatIsNoText", "UPDATE record_log SET judged_by=CAST(x'ff' AS TEXT) WHERE sequence=2"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace spl
