// An instance that leaves with --move: it takes no more writes, unless the move is taken back.
#include "instance/move.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "instance/access.h"
#include "portability_fixture.h"

namespace spl {
namespace {

using operation::ExportOptions;
using operation::ImportOptions;
using testing::error_of;
using testing::export_text;
using ::testing::HasSubstr;
using testing::import_text;

class Move : public testing::Portability {
 protected:
  static ExportOptions leaving() {
    ExportOptions options;
    options.move = true;
    return options;
  }
};

TEST_F(Move, LeavesAnInstanceThatIsReadAndTakesNoWrites) {
  const auto source = with_records("source", "th_mine", 2);
  const auto bundle = export_text(*source, leaving());
  ASSERT_TRUE(bundle) << error_of(bundle);
  EXPECT_TRUE(source->status()->moved_at);
  EXPECT_EQ(source->status()->counts.records, 2U);

  instance::Emission emission;
  emission.text = "too late";
  base::StringSource lines("");
  base::NoProgress progress;
  ImportOptions force;
  force.force_overwrite = true;
  const auto refusals = {
      instance::emit(*source, emission).error(),
      instance::put_records(*source, testing::many_records("th_mine", 3)).error(),
      instance::put_ndjson(*source, lines, progress).error(),
      instance::create_account(*source, {"reader", {"records:read"}, {}, true}).error(),
      instance::create_token(*source, {"reader", "prod", {}, {}}).error(),
      import_text(*source, *bundle, force).error(),
  };
  for (const Error& error : refusals) {
    EXPECT_EQ(error.code, ErrorCode::kRefused) << error.message;
    EXPECT_THAT(error.message, HasSubstr("this instance has moved"));
    EXPECT_THAT(error.hint, HasSubstr("spl move cancel"));
  }
  EXPECT_EQ(source->status()->counts.records, 2U);
  EXPECT_TRUE(import_text(*source, *bundle)) << "a verification writes nothing";
  EXPECT_TRUE(export_text(*source, leaving())) << "it may be exported again";

  // Where it has gone it is at home.
  const auto target = machine_.open("target");
  ASSERT_TRUE(import_text(*target, *bundle));
  EXPECT_TRUE(instance::emit(*target, emission));

  ASSERT_TRUE(instance::cancel_move(*source));
  EXPECT_TRUE(instance::emit(*source, emission));
  const auto again = instance::cancel_move(*source);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST_F(Move, DoesNotHappenWhereRecordsCameMeanwhile) {
  const auto source = with_records("source", "th_mine", 2);
  base::NoProgress progress;
  const auto prepared = operation::prepare_export(*source, leaving(), progress);
  ASSERT_TRUE(prepared) << error_of(prepared);
  ASSERT_TRUE(instance::put_records(*source, testing::many_records("th_mine", 3)));
  base::StringSink out;
  ASSERT_TRUE((*prepared)->write(out));
  const auto committed = (*prepared)->note_durable();
  ASSERT_FALSE(committed);
  EXPECT_THAT(committed.error().message, HasSubstr("the instance has not moved: records came"));
  EXPECT_FALSE(source->status()->moved_at);
  EXPECT_TRUE(instance::put_records(*source, testing::many_records("th_mine", 4)));
}

TEST_F(Move, GoesWithTheIdentity) {
  const auto source = with_records("source", "th_mine", 1);
  ExportOptions options = leaving();
  options.no_identity = true;
  EXPECT_EQ(export_text(*source, std::move(options)).error().code, ErrorCode::kUsage);
  EXPECT_FALSE(source->status()->moved_at);
}

}  // namespace
}  // namespace spl
