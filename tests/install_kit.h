// For tests of what installs: an https server with archives on it, good ones and others.
#pragma once

#include <memory>
#include <string>

#include "env/child_process.h"
#include "services_kit.h"

namespace spl::cli_test {

class InstallKit : public ServicesKit {
 protected:
  // A server on this machine whose certificate the variables of environment_ trust from then on.
  //   /files/NAME     the file NAME of the directory "www"
  //   /cut/NAME       its first half, with the length of the whole
  //   /endless        octets without an end
  //   /moved/NAME     to /files/NAME
  //   /to-http/NAME   to the same by http, where it is, too
  void serve();
  [[nodiscard]] std::string url(const std::string& where) const { return server_ + where; }
  // How many requests it has had.
  int requests();
  // An archive "www/NAME", compressed as its name says, that holds the program bin/notes, which sleeps; its digest.
  std::string make_archive(const std::string& name);
  // The digest of "www/NAME".
  std::string digest_of(const std::string& name);
  // "notes", version 1.4.0, from there, whose command is the program of make_archive's archive.
  void declare_archive(const std::string& home, const std::string& where, const std::string& sha256,
                       const std::string& more = {});
  // A .tar "www/NAME" of entries that Python's tarfile adds: a line of Python for each, with `add(name, text="",
  // **more)`.
  std::string make_tar(const std::string& name, const std::string& python);
  Ran install(const std::string& home, const Words& more = {});

 private:
  std::unique_ptr<env::ChildProcess> process_;
  std::string server_;
};

}  // namespace spl::cli_test
