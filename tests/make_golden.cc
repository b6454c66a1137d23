// Makes the golden bundles of the present version, and what tests/golden_test.cc expects of them. A person runs it once
// for each version of the format and commits what it wrote; a golden bundle is never made anew, since it stands for the
// programs that are out there.
//
//   make_golden DIRECTORY      DIRECTORY/key.txt is there already
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "golden.h"

namespace spl {
namespace {

std::string directory;

void write(const std::string& name, std::string_view content) {
  std::ofstream out(directory + "/" + name, std::ios::binary);
  out << content;
  ASSERT_TRUE(out.flush()) << name;
}

TEST(MakeGolden, WritesAllOfThem) {
  testing::Machine machine(testing::kGoldenSeed);
  const auto source = machine.make("source");
  testing::fill_golden(*source);
  for (const testing::GoldenWay& way : testing::golden_ways()) {
    auto options = testing::golden_options(way, directory);
    ASSERT_TRUE(options) << options.error().message;
    const auto bundle = testing::export_text(*source, std::move(*options));
    ASSERT_TRUE(bundle) << bundle.error().message;
    write(way.file, *bundle);
    const testing::GoldenKeys keys(directory);
    const auto verified = testing::verify_bundle(*bundle, keys.reader_options());
    ASSERT_TRUE(verified) << verified.error().message;
    write(std::string(way.file) + ".manifest.json", verified->text);
  }
  write("v1.expected.txt", testing::golden_text(*testing::contents_of(*source)));
  const auto target = machine.open("target");
  std::ifstream in(directory + "/" + testing::golden_ways()[0].file, std::ios::binary);
  const std::string first((std::istreambuf_iterator<char>(in)), {});
  const auto imported = testing::import_text(*target, first);
  ASSERT_TRUE(imported) << imported.error().message;
  const auto again = testing::reexport_manifest(*target);
  ASSERT_TRUE(again) << again.error().message;
  write("v1.reexport.manifest.json", *again);
}

}  // namespace
}  // namespace spl

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_golden DIRECTORY\n");
    return 2;
  }
  spl::directory = argv[1];
  return RUN_ALL_TESTS();
}
