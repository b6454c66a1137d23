// The panel as it was built, compiled into the program (cmake/panel.cmake). Any thread.
#pragma once

#include <string_view>

namespace spl::api {

struct PanelFile {
  std::string_view name;  // "index.html", "assets/index-4f1c22ab.js"
  std::string_view content;
};

// Null where there is none; all of them where the program was built without the panel.
const PanelFile* find_panel_file(std::string_view name);

}  // namespace spl::api
