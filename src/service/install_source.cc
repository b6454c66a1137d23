#include "service/install_source.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "service/toml_table.h"

namespace spl::service {
namespace {

constexpr std::size_t kPackageNameBytesMax = 128;
constexpr std::size_t kPackagesMax = 32;
constexpr std::size_t kVersionBytesMax = 64;
constexpr std::size_t kUrlBytesMax = 2048;
constexpr std::string_view kAptScheme = "apt:";

// As Debian Policy 5.6.1 has it. One that ends with - is what apt-get would remove.
bool is_package_name(std::string_view name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return name.size() >= 2 && name.size() <= kPackageNameBytesMax && is_plain(name.front()) && name.back() != '-' &&
         std::ranges::all_of(name, [&](char c) { return is_plain(c) || c == '+' || c == '-' || c == '.'; });
}

// A directory's name, and no hidden one: those are installations that have not ended.
bool is_version_name(std::string_view version) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '+' || c == '_' || c == '~';
  };
  return !version.empty() && version.size() <= kVersionBytesMax && version.front() != '.' && version.front() != '-' &&
         std::ranges::all_of(version, is_allowed);
}

Result<void> check_archive_url(const TomlTable& table, std::string_view url) {
  const bool is_plain = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  const std::string_view authority = url.substr(0, url.find_first_of("/?#", 8));
  if (!is_plain || authority.size() == 8 || url.size() > kUrlBytesMax) return table.wrong("source", "is no URL");
  // A program would be given it as its argument, which others can see.
  if (authority.find('@') != std::string_view::npos)
    return table.wrong("source", "has a user or a password in it, which everybody could see");
  return {};
}

}  // namespace

Result<InstallDeclaration> parse_install(TomlTable table, std::string_view version) {
  InstallDeclaration install;
  install.source = TRY(table.required_text("source"));
  const auto sha256 = TRY(table.text("sha256"));
  if (install.source.starts_with("https://")) {
    TRY(check_archive_url(table, install.source));
    if (!sha256 || !base::parse_hex_digest(*sha256, install.sha256))
      return wrong_at(table.place(), "install.sha256 is not 64 lowercase hexadecimal digits: an archive wants it");
    if (!is_version_name(version))
      return table.wrong("source", "is an archive, which wants a version of letters, digits and . - + _ ~");
  } else if (install.source.starts_with(kAptScheme)) {
    install.package = install.source.substr(kAptScheme.size());
    const std::vector<std::string> names = base::split(install.package, ' ');
    if (names.size() > kPackagesMax) return table.wrong("source", "names too many packages");
    if (names.empty() || !std::ranges::all_of(names, is_package_name))
      return table.wrong("source", "names no package of Debian");
    if (sha256) return table.wrong("sha256", "is for an archive alone: apt-get checks its packages itself");
  } else {
    return table.wrong("source", "begins with neither apt: nor https://");
  }
  TRY(table.end());
  return install;
}

}  // namespace spl::service
