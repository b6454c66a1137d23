#include "operation/bundle_files.h"

#include "base/encoding.h"
#include "substrate/accounts.h"

namespace spl::operation {

Result<std::optional<bundle::BundleEntry>> next_file(bundle::BundleReader& reader) {
  auto entry = TRY(reader.next());
  if (entry && entry->kind == bundle::EntryKind::kTokens) {
    const auto tokens = substrate::parse_tokens(entry->content);
    if (!tokens) return bundle::malformed(entry->path, tokens.error().message);
  }
  return entry;
}

std::unexpected<Error> no_such_file(std::string_view prefix) {
  return fail(Cause::kNotFound, "the bundle has no file whose path begins with \"" + base::escaped(prefix, 512) + "\"",
              "spl bundle list shows the paths");
}

}  // namespace spl::operation
