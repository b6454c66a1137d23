// The owner's door: what the command line asks of the daemon of its home. At the Unix socket only.
#include "api/owner_door.h"
#include "api/routes.h"
#include "operation/local_operations.h"

namespace spl::api {
namespace {

// A daemon's own operation, asked for with one JSON document and answered with one.
template <auto Operation>
Result<void> through_door(Call& call) {
  using Shapes = DoorShapes<decltype(Operation)>;
  TRY(call.exchange.only_known_parameters());
  operation::LocalOperations operations(call.served.instance, std::string(job::kByConsole));
  const auto answer = [&] {
    if constexpr (std::is_void_v<typename Shapes::Request>) {
      return call.served.gate.change_power([&] { return (operations.*Operation)(); });
    } else {
      const auto body = call.exchange.body();
      auto request = body ? codec::parse_shape_text<typename Shapes::Request>(*body, codec::Unknown::kRefused)
                          : std::unexpected(body.error());
      call.exchange.body_buffer().wipe();
      using Answer = Result<typename Shapes::Answer>;
      if (!request) return Answer(std::unexpected(std::move(request).error().in("body")));
      return call.served.gate.change_power([&] {
        if constexpr (Shapes::kTellsProgress) {
          return (operations.*Operation)(*request, call.exchange.progress());
        } else {
          return (operations.*Operation)(*request);
        }
      });
    }
  }();
  if (!answer) return std::unexpected(answer.error());
  const WipedText text(codec::shape_text(*answer));
  return call.exchange.send(kDoorPlace<Operation>.status, kJsonType, text.text);
}

template <auto Operation>
void add(std::vector<Route>& table) {
  using Shapes = DoorShapes<decltype(Operation)>;
  Route route{"POST", kDoorPlace<Operation>.path, Access::kOwner, through_door<Operation>};
  route.about.summary = kDoorPlace<Operation>.summary;
  route.about.status = kDoorPlace<Operation>.status;
  route.about.answer = codec::schema_of<typename Shapes::Answer>;
  if constexpr (!std::is_void_v<typename Shapes::Request>)
    route.about.request = codec::schema_of<typename Shapes::Request>;
  table.push_back(route);
}

}  // namespace

void add_owner_routes(std::vector<Route>& table) {
  add<&Operations::emit>(table);
  add<&Operations::generate_identity>(table);
  add<&Operations::endorse>(table);
  add<&Operations::cancel_move>(table);
  add<&Operations::create_account>(table);
  add<&Operations::revoke_account>(table);
  add<&Operations::create_token>(table);
  add<&Operations::revoke_token>(table);
  add<&Operations::grant_consent>(table);
  add<&Operations::revoke_consent>(table);
  add<&Operations::add_adapter>(table);
  add<&Operations::remove_adapter>(table);
  add<&Operations::add_rule>(table);
  add<&Operations::remove_rule>(table);
  add<&Operations::set_permissions>(table);
  add<&Operations::pair>(table);
  add<&Operations::pause_pair>(table);
  add<&Operations::resume_pair>(table);
  add<&Operations::revoke_pair>(table);
  add<&Operations::refresh_pair>(table);
  add<&Operations::sync>(table);
  add<&Operations::retire_identity>(table);
  add<&Operations::approve_request>(table);
  add<&Operations::reject_request>(table);
  add<&Operations::command_services>(table);
  add<&Operations::install_services>(table);
  add<&Operations::add_context>(table);
  add<&Operations::remove_context>(table);
  add<&Operations::rename_context>(table);
  add<&Operations::set_secret>(table);
  add<&Operations::delete_secret>(table);
  add<&Operations::swap_previous_back>(table);
  add<&Operations::discard_previous>(table);
  add<&Operations::remove_service>(table);
  add<&Operations::cancel_job>(table);
  add<&Operations::delete_backup>(table);
  add<&Operations::prune_backups>(table);
  add<&Operations::set_schedule>(table);
  add<&Operations::remove_schedule>(table);
  add<&Operations::run_schedule>(table);
  add<&Operations::read_schedule>(table);
  add<&Operations::command_router>(table);
  add<&Operations::make_owner_link>(table);
  add<&Operations::set_owner_password>(table);
  add<&Operations::end_sessions>(table);
  add<&Operations::reset_owner>(table);
  add<&Operations::create_tenant>(table);
  add<&Operations::start_tenant>(table);
  add<&Operations::stop_tenant>(table);
  add<&Operations::link_tenant>(table);
  add<&Operations::remove_tenant>(table);
}

}  // namespace spl::api
