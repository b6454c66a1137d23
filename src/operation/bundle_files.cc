#include "operation/bundle_files.h"

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

}  // namespace spl::operation
