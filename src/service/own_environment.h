// The environment of the programs that manage services: the same whoever asks, so that a daemon and a command at a
// terminal see the same. Any thread.
#pragma once

#include <string>
#include <vector>

namespace spl::service {

// PATH, a language without translations, HOME of this process's user and its runtime directory.
std::vector<std::string> own_environment();
// "/run/user/1000": where what belongs to the sessions of this process's user lies.
std::string own_run_directory();

}  // namespace spl::service
