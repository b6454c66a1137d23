# Writes OUT: the table of the files that were built in DIRECTORY (dist/), as api/panel_files.h has it.
file(GLOB_RECURSE built RELATIVE ${DIRECTORY}/dist ${DIRECTORY}/dist/*)
list(FILTER built EXCLUDE REGEX "^\\.|/\\.")
set(names ${built})
list(TRANSFORM built PREPEND ${DIRECTORY}/dist/ OUTPUT_VARIABLE paths)
# Without a build the pages that need no script are there all the same, without their look.
if(NOT built)
  file(GLOB names RELATIVE ${DIRECTORY} ${DIRECTORY}/plain/*.html)
  list(TRANSFORM names PREPEND ${DIRECTORY}/ OUTPUT_VARIABLE paths)
endif()

set(arrays "")
set(rows "")
set(index 0)
foreach(name path IN ZIP_LISTS names paths)
  file(READ ${path} octets HEX)
  file(SIZE ${path} size)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," octets "${octets}")
  string(APPEND arrays "constexpr unsigned char kFile${index}[] = {${octets}0};\n")
  string(APPEND rows "    {\"${name}\", text(kFile${index}, ${size})},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "// Generated.
#include \"api/panel_files.h\"

#include <algorithm>
#include <array>

namespace spl::api {
namespace {

${arrays}
std::string_view text(const unsigned char* octets, std::size_t size) {
  return {reinterpret_cast<const char*>(octets), size};
}
const std::array<PanelFile, ${index}>& files() {
  static const std::array<PanelFile, ${index}> kFiles{{
${rows}  }};
  return kFiles;
}

}  // namespace

const PanelFile* find_panel_file(std::string_view name) {
  const auto at = std::ranges::find(files(), name, &PanelFile::name);
  return at == files().end() ? nullptr : &*at;
}

}  // namespace spl::api
")
