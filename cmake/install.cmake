# What `cmake --install build/release --prefix DIR` puts where; script/package makes the Debian package of the same.
include(GNUInstallDirs)

install(TARGETS spl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# As they lie here, for the links in them.
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
if(EXISTS ${CMAKE_SOURCE_DIR}/catalog)
  install(DIRECTORY catalog DESTINATION ${CMAKE_INSTALL_DATADIR}/spl FILES_MATCHING PATTERN "*.toml")
endif()

# What the program itself prints, and what names its place, is made when it is installed: it cannot be older than the
# program, and the place is known only then.
set(SPL_INSTALLED_TEXTS
    "set(SPL_PROGRAM \"$<TARGET_FILE:spl>\")
     set(SPL_PACKAGING \"${CMAKE_SOURCE_DIR}/packaging\")
     set(SPL_BINDIR \"${CMAKE_INSTALL_BINDIR}\")
     set(SPL_DATADIR \"${CMAKE_INSTALL_DATADIR}\")
     set(SPL_MANDIR \"${CMAKE_INSTALL_MANDIR}\")")
install(CODE "${SPL_INSTALLED_TEXTS}")
install(SCRIPT cmake/install_texts.cmake)
