// identity, authority.
#include "cli/command.h"
#include "cli/gateway.h"
#include "cli/session.h"
#include "instance/ingest.h"
#include "substrate/authority.h"

namespace spl::cli {
namespace {

using codec::Json;

constexpr std::size_t kIneffectiveListedMax = 10'000;

Result<void> print_identity(Output& out, const instance::IdentitySummary& identity) {
  if (!out.text())
    return out.document(Json::Object{{"did", identity.did},
                                     {"public_key_multibase", identity.public_key_multibase},
                                     {"created_at", identity.created_at}});
  TRY(out.line("did:        " + identity.did));
  TRY(out.line("public key: " + identity.public_key_multibase));
  return out.line("created at: " + shown(identity.created_at));
}

Result<int> run_generate(Session& session, const Arguments&) {
  Gateway gateway = TRY(open_gateway(session, instance::OpenFor::kCreating));
  TRY(print_identity(session.out(), TRY(generate_identity(gateway))));
  return 0;
}

Result<int> run_show(Session& session, const Arguments&) {
  const auto opened = TRY(session.open_for_reading());
  const auto identity = TRY(opened->identity_summary());
  if (!identity) return std::unexpected(opened->no_identity());
  TRY(print_identity(session.out(), *identity));
  return 0;
}

Result<int> run_verify(Session& session, const Arguments&) {
  const auto opened = TRY(session.open_for_reading());
  TRY(opened->verify_identity());
  const std::string did = opened->did().value_or("");
  if (session.out().text()) {
    TRY(session.out().line("the identity is sound: " + did));
  } else {
    TRY(session.out().document(Json::Object{{"did", did}, {"valid", true}}));
  }
  return 0;
}

Result<int> run_list(Session& session, const Arguments&) {
  const auto opened = TRY(session.open_for_reading());
  const auto reader = TRY(opened->store().reader());
  const auto found = TRY(substrate::ineffective_records(*reader, opened->did(), kIneffectiveListedMax));
  Output& out = session.out();
  ListOutput list(out);
  for (const substrate::IneffectiveRecord& record : found.records) {
    const std::string id = record.id.hex();
    if (out.text()) {
      TRY(list.item(id + "  " + record.act + "  " + shown(record.thread) + "  " + shown(record.actor) + "  (" +
                    record.reason + ")"));
    } else {
      TRY(list.item(Json(Json::Object{{"id", id},
                                      {"thread", record.thread},
                                      {"actor", record.actor},
                                      {"act", record.act},
                                      {"reason", record.reason}})
                        .text()));
    }
  }
  TRY(list.end());
  if (found.count > found.records.size())
    out.note("and " + std::to_string(found.count - found.records.size()) + " more that take no effect");
  return 0;
}

Result<int> run_endorse(Session& session, const Arguments& arguments) {
  std::vector<RecordId> ids;
  for (const std::string& text : arguments.all("ID")) {
    auto id = RecordId::parse(text);
    if (!id) return fail(ErrorCode::kUsage, "\"" + shown(text) + "\" is no record id", "an id is 64 lowercase digits");
    ids.push_back(*id);
  }
  Gateway gateway = TRY(open_gateway(session, instance::OpenFor::kWriting));
  auto endorsed = gateway.daemon ? gateway.daemon->endorse(ids) : instance::endorse(*gateway.instance, ids);
  if (!endorsed && endorsed.error().code == ErrorCode::kUsage && endorsed.error().hint.empty())
    endorsed.error().hint = "spl authority list shows the records that can be endorsed";
  const auto written = TRY(std::move(endorsed));
  Output& out = session.out();
  if (out.text()) {
    for (const RecordId& id : written) TRY(out.line(id.hex()));
    return 0;
  }
  const auto texts = [](const std::vector<RecordId>& items) {
    Json::Array array;
    for (const RecordId& id : items) array.emplace_back(id.hex());
    return array;
  };
  TRY(out.document(Json::Object{{"endorsed", texts(ids)}, {"records", texts(written)}}));
  return 0;
}

}  // namespace

std::vector<Command> identity_commands() {
  Command identity{.name = "identity",
                   .summary = "The key that the instance acts and signs with",
                   .examples = {"spl identity show"}};
  identity.commands = {
      {.name = "generate",
       .summary = "Make an identity, where there is none",
       .details = "An identity is made once: a second time is refused with exit code 3. No record is written.",
       .examples = {"spl identity generate"},
       .run = run_generate},
      {.name = "show",
       .summary = "Print DID and public key",
       .examples = {"spl identity show", "spl identity show -o json | jq -r .did"},
       .run = run_show},
      {.name = "verify",
       .summary = "Check key, document, DID and file modes against each other",
       .examples = {"spl identity verify"},
       .run = run_verify},
  };
  Command authority{.name = "authority",
                    .summary = "Records that came from elsewhere and take no effect until they are endorsed",
                    .details =
                        "A record on a reserved thread (pairs, consent, accounts, ...) takes effect only where "
                        "this instance signed or endorsed it.",
                    .examples = {"spl authority list"}};
  authority.commands = {
      {.name = "list",
       .summary = "List the records of reserved threads that take no effect, and why",
       .examples = {"spl authority list", "spl authority list -o json | jq -r '.[].id'"},
       .run = run_list},
      {.name = "endorse",
       .summary = "Sign records of reserved threads into effect",
       .positionals = {{.name = "ID", .help = "a record's id", .need = Positional::Need::kSome}},
       .examples = {"spl authority endorse 5f0c...e1"},
       .run = run_endorse},
  };
  return {std::move(identity), std::move(authority)};
}

}  // namespace spl::cli
