// What a browser is shown below /-/ : pages that need no script, made here, and the panel, which was compiled in. The
// connection's thread. docs/formats/door.md
#pragma once

#include <string_view>

#include "api/routes.h"
#include "base/result.h"

namespace spl::api {

// Whether it is a page that is asked for, and not the API.
bool is_page(const Exchange& exchange);
// Serves it, or sends the browser to where it is to go: an unclaimed door has one page.
Result<void> serve_page(Call& call);

// The same form again, with what was wrong with what was sent: where a browser without script has sent one.
enum class FormPage : std::uint8_t {
  kClaim,
  kEnter,  // by a link that claims
  kLink,   // by one that signs in
  kSignIn
};
Result<void> send_form(Exchange& exchange, FormPage page, int status, std::string_view complaint);
// Where a browser without script goes next.
Result<void> send_to(Exchange& exchange, std::string_view place);
// What every answer to a browser forbids it.
void add_page_fields(Exchange& exchange);

}  // namespace spl::api
