#include "operation/recipients.h"

#include <algorithm>

#include "base/encoding.h"

namespace spl::operation {
namespace {

using schedule::ScheduleStore;

Result<bool> is_of_config(instance::Instance& instance, const std::string& recipient) {
  const std::vector<std::string> named = TRY(instance.config()).recipients;
  return std::ranges::find(named, recipient) != named.end();
}

}  // namespace

Result<std::vector<Recipient>> list_recipients(instance::Instance& instance) {
  std::vector<Recipient> all;
  const std::vector<std::string> named = TRY(instance.config()).recipients;
  // Since when it stands there nobody knows: as long as anybody remembers.
  const std::string always = env::rfc3339({});
  for (const std::string& recipient : named) all.push_back({recipient, "config.toml", always, always});
  const auto store = TRY(ScheduleStore::open_if_there(instance.env(), instance.paths()));
  if (!store) return all;
  std::vector<Recipient> kept = TRY(store->recipients());
  std::erase_if(kept,
                [&named](const Recipient& one) { return std::ranges::find(named, one.recipient) != named.end(); });
  std::ranges::move(kept, std::back_inserter(all));
  return all;
}

Result<void> add_recipient(instance::Instance& instance, const NewRecipient& recipient) {
  const auto store = TRY(ScheduleStore::open(instance.env(), instance.paths()));
  return store->add_recipient(recipient.recipient, recipient.label);
}

Result<void> confirm_recipient(instance::Instance& instance, const std::string& recipient) {
  if (TRY(is_of_config(instance, recipient))) return {};
  return TRY(ScheduleStore::open(instance.env(), instance.paths()))->confirm_recipient(recipient);
}

Result<void> remove_recipient(instance::Instance& instance, const std::string& recipient) {
  if (TRY(is_of_config(instance, recipient)))
    return fail(ErrorCode::kRefused, "config.toml names this recipient", "take it out of config.toml");
  return TRY(ScheduleStore::open(instance.env(), instance.paths()))->remove_recipient(recipient);
}

Result<void> check_confirmed(instance::Instance& instance, const std::vector<std::string>& recipients) {
  const std::vector<Recipient> known = TRY(list_recipients(instance));
  for (const std::string& recipient : recipients) {
    const auto at = std::ranges::find(known, recipient, &Recipient::recipient);
    if (at != known.end() && at->confirmed_at) continue;
    return fail(ErrorCode::kRefused, "the backup key " + base::escaped(recipient, 80) + " is not confirmed",
                "show first that its key file is there: drop it on the page of backup keys");
  }
  return {};
}

}  // namespace spl::operation
