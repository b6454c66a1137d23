# Installs man pages, completions, the units of systemd and runit's script. Run by cmake --install, with SPL_PROGRAM,
# SPL_PACKAGING and the folders below the prefix.

cmake_policy(VERSION 3.25)
# spl_said(OUT WORD...): what the program prints.
function(spl_said out)
  execute_process(COMMAND ${CMAKE_COMMAND} -E env --unset=SYNCROPEL_HOME LC_ALL=C.UTF-8 ${SPL_PROGRAM} ${ARGN}
                  OUTPUT_VARIABLE said RESULT_VARIABLE failed)
  if(failed OR said STREQUAL "")
    message(FATAL_ERROR "spl ${ARGN} fails: ${failed}")
  endif()
  set(${out} "${said}" PARENT_SCOPE)
endfunction()

set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")

# spl_place(TEXT FILE [EXECUTABLE]): FILE is below the prefix.
function(spl_place text file)
  message(STATUS "Installing: ${root}/${file}")
  file(WRITE "${root}/${file}" "${text}")
  set(modes OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  if("EXECUTABLE" IN_LIST ARGN)
    list(APPEND modes OWNER_EXECUTE GROUP_EXECUTE WORLD_EXECUTE)
  endif()
  file(CHMOD "${root}/${file}" PERMISSIONS ${modes})
endfunction()

# A page for the program, and one for each of its commands with all below it. What completion offers is what there is.
spl_said(page man)
spl_place("${page}" ${SPL_MANDIR}/man1/spl.1)
spl_said(offered __complete fish "")
string(REGEX MATCHALL "(^|\n)[a-z][a-z-]*" commands "${offered}")
foreach(command IN LISTS commands)
  string(STRIP "${command}" command)
  spl_said(page man ${command})
  spl_place("${page}" ${SPL_MANDIR}/man1/spl-${command}.1)
endforeach()

foreach(completion bash:bash-completion/completions/spl zsh:zsh/vendor-completions/_spl
                   fish:fish/vendor_completions.d/spl.fish)
  string(REPLACE ":" ";" completion ${completion})
  list(POP_FRONT completion shell)
  spl_said(script completion ${shell})
  spl_place("${script}" ${SPL_DATADIR}/${completion})
endforeach()

# These name where the program is.
function(spl_template source file)
  set(SPL_BINDIR ${CMAKE_INSTALL_PREFIX}/${SPL_BINDIR})
  set(SPL_DATADIR ${CMAKE_INSTALL_PREFIX}/${SPL_DATADIR})
  file(READ ${SPL_PACKAGING}/${source} text)
  string(CONFIGURE "${text}" text @ONLY)
  spl_place("${text}" ${file} ${ARGN})
endfunction()
foreach(unit spl.service spl-services.service)
  spl_template(systemd/${unit}.in lib/systemd/system/${unit})
endforeach()
spl_template(runit/run.in ${SPL_DATADIR}/spl/runit/run EXECUTABLE)
