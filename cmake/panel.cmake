# The panel's files as C++: what script/panel has made of panel/ in panel/dist. Without that the program has the pages
# that need no script alone.
set(panel_source ${CMAKE_BINARY_DIR}/generated/panel_files.cc)
file(GLOB_RECURSE panel_built CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/panel/dist/*)
file(GLOB panel_plain CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/panel/plain/*.html)
add_custom_command(
  OUTPUT ${panel_source}
  COMMAND ${CMAKE_COMMAND} -DDIRECTORY=${CMAKE_SOURCE_DIR}/panel -DOUT=${panel_source}
          -P ${CMAKE_SOURCE_DIR}/cmake/panel_files.cmake
  DEPENDS ${panel_built} ${panel_plain} ${CMAKE_SOURCE_DIR}/cmake/panel_files.cmake
  COMMENT "Compiling the panel in")
