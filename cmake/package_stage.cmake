# Makes what is installed into what a Debian package holds. Run by CPack after the installation, before the package.
cmake_policy(VERSION 3.25)
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(docs ${root}/usr/share/doc/spl)
set(packaging ${CPACK_SPL_SOURCE_DIR}/packaging/debian)
set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

# spl_run(COMMAND...), ending the package where it fails.
function(spl_run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(MAKE_DIRECTORY ${docs})
file(COPY ${packaging}/copyright DESTINATION ${docs})
spl_run(${packaging}/changelog ${CPACK_SPL_SOURCE_DIR}/CHANGELOG.md ${version} ${CPACK_PACKAGE_CONTACT}
        OUTPUT_FILE ${docs}/changelog.Debian)
file(COPY ${CPACK_SPL_SOURCE_DIR}/CHANGELOG.md DESTINATION ${docs})
file(RENAME ${docs}/CHANGELOG.md ${docs}/changelog)
file(GLOB pages ${root}/usr/share/man/man1/*.1)
spl_run(gzip -9n ${docs}/changelog.Debian ${docs}/changelog ${pages})

file(MAKE_DIRECTORY ${root}/usr/share/lintian/overrides)
configure_file(${packaging}/lintian-overrides ${root}/usr/share/lintian/overrides/spl COPYONLY)

# The place of the keys of secrets: docs/formats/secrets.md.
file(MAKE_DIRECTORY ${root}/etc/spl/keys)
spl_run(chmod -R u=rwX,go=rX ${root})
spl_run(chmod 700 ${root}/etc/spl/keys)
