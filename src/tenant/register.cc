#include "tenant/register.h"

#include <algorithm>

namespace spl::tenant {
namespace {

constexpr std::size_t kNoteBytesMax = 256u << 10;
constexpr std::string_view kSuffix = ".json";
constexpr std::uint32_t kDirectoryMode = 0711;  // without users of their own tenants have their homes in it, too

}  // namespace

bool is_tenant_name(std::string_view name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= kNameBytesMax && is_letter(name.front()) && name.back() != '-' &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::string user_directory_of(const TenantNote& note) {
  return env::join(kTenantsDirectory, note.name + ".user");
}

std::string Register::home_of(const TenantNote& note) const {
  return env::join(note.user.empty() ? directory_ : kTenantsDirectory, note.name);
}

Result<std::unique_ptr<env::Lock>> Register::try_lock() {
  if (!TRY(env_.fs.info(directory_))) TRY(env::make_directories(env_.fs, directory_, kDirectoryMode));
  return env_.fs.try_lock(env::join(directory_, ".lock"));
}

Result<std::vector<TenantNote>> Register::all() const {
  std::vector<TenantNote> notes;
  if (!TRY(env_.fs.info(directory_))) return notes;
  for (const std::string& file : TRY(env_.fs.list(directory_))) {
    if (!file.ends_with(kSuffix)) continue;
    const std::string name = file.substr(0, file.size() - kSuffix.size());
    if (!is_tenant_name(name)) continue;
    if (auto note = TRY(find(name))) notes.push_back(std::move(*note));
  }
  return notes;
}

Result<std::optional<TenantNote>> Register::find(const std::string& name) const {
  if (!is_tenant_name(name) || !TRY(env_.fs.info(file_of(name)))) return std::optional<TenantNote>();
  const std::string text = TRY(env::read_file(env_.fs, file_of(name), kNoteBytesMax));
  auto note = TRY_IN(file_of(name), codec::parse_shape_text<TenantNote>(text, codec::Unknown::kIgnored));
  if (note.name != name) return fail(file_of(name) + " is the note of another tenant", "bring back what was there");
  return std::optional(std::move(note));
}

Result<void> Register::write(const TenantNote& note) {
  return env::write_file_atomically(env_.fs, file_of(note.name), codec::shape_text(note) + "\n");
}

Result<void> Register::forget(const std::string& name) {
  TRY(env_.fs.remove(file_of(name)));
  return env_.fs.sync_directory(directory_);
}

}  // namespace spl::tenant
