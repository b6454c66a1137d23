// What an archive of pg_dump lists, and a list with which pg_restore passes some of it over. One thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/stream.h"
#include "spool/spool.h"
#include "surface/part.h"
#include "surface/postgres/dump_program.h"

namespace spl::surface {

// The list of an archive that `content` begins to give. What was read of it is in `head` then, the rest still to come.
// Code kVerification where it is no archive, or lists too much. Read by a program with limits, and where this process
// is root by one that is nobody.
Result<std::string> list_archive(const DumpProgram& program, Source& content, spool::Spool& head,
                                 base::Progress& progress);
// What the list's lines of a kind ("SCHEMA") say after it: "name owner". Both may have spaces.
std::vector<std::string> listed(std::string_view list, std::string_view kind);
// Whether that is of this name.
bool is_listed_as(std::string_view line, std::string_view name);
// The list without these extensions and schemas, which are there already, and without comments on the extensions.
std::string list_without(std::string_view list, const std::vector<std::string>& extensions,
                         const std::vector<std::string>& schemas);

// First what lies in a spool, then what `rest` gives.
class SpoolThen final : public Source {
 public:
  SpoolThen(spool::Spool& head, Source& rest) : head_(head), rest_(rest) {}
  Result<std::size_t> read(std::span<char> out) override;

 private:
  spool::Spool& head_;
  Source& rest_;
  std::uint64_t at_ = 0;
};

}  // namespace spl::surface
