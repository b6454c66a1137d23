// For whom backups can be encrypted: the recipients of config.toml, and those whose keys the owner has made in a
// browser. Each on an instance that is open in this process; any thread. docs/formats/door.md, "Backups"
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "codec/shape.h"
#include "instance/instance.h"
#include "schedule/schedule_store.h"

namespace spl::operation {

using Recipient = schedule::StoredRecipient;

struct NewRecipient {
  std::string recipient;
  std::string label;

  static constexpr auto shape() {
    return codec::shape(codec::member("recipient", &NewRecipient::recipient, "age's, public"),
                        codec::member("label", &NewRecipient::label, "for people", codec::Presence::kOmitted));
  }
};

// Those of config.toml first: they are confirmed.
Result<std::vector<Recipient>> list_recipients(instance::Instance& instance);
// Not confirmed. One that is there gets the label.
Result<void> add_recipient(instance::Instance& instance, const NewRecipient& recipient);
// Its key was shown to be there. Cause kNotFound.
Result<void> confirm_recipient(instance::Instance& instance, const std::string& recipient);
// Code kRefused where config.toml names it, or a schedule encrypts for it.
Result<void> remove_recipient(instance::Instance& instance, const std::string& recipient);
// Code kRefused where one of them is none, or is not confirmed: backups that nobody can open are none.
Result<void> check_confirmed(instance::Instance& instance, const std::vector<std::string>& recipients);

}  // namespace spl::operation
