// identity, authority.
#include "cli/command.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

constexpr std::size_t kIneffectiveListedMax = 10'000;

Result<void> print_identity(Output& out, const instance::IdentitySummary& identity) {
  if (!out.text()) return out.document(codec::shape_json(identity));
  TRY(out.line("did:        " + identity.did));
  TRY(out.line("public key: " + identity.public_key_multibase));
  return out.line("created at: " + shown(identity.created_at));
}

Result<int> run_generate(Session& session, const Arguments&) {
  TRY(print_identity(session.out(), TRY(TRY(session.creating())->generate_identity())));
  return 0;
}

Result<int> run_show(Session& session, const Arguments&) {
  TRY(print_identity(session.out(), TRY(TRY(session.looking())->identity())));
  return 0;
}

Result<int> run_verify(Session& session, const Arguments&) {
  const auto verified = TRY(TRY(session.looking())->verify_identity());
  Output& out = session.out();
  TRY(out.text() ? out.line("the identity is sound: " + verified.did) : out.document(codec::shape_json(verified)));
  return 0;
}

Result<int> run_list(Session& session, const Arguments&) {
  const auto found = TRY(TRY(session.looking())->ineffective_records(kIneffectiveListedMax));
  Output& out = session.out();
  ListOutput list(out);
  for (const substrate::IneffectiveRecord& record : found.records) {
    if (out.text()) {
      TRY(list.item(record.id.hex() + "  " + record.act + "  " + shown(record.thread) + "  " + shown(record.actor) +
                    "  (" + record.reason + ")"));
    } else {
      TRY(list.item(codec::shape_json(record).text()));
    }
  }
  TRY(list.end());
  if (found.count > found.records.size())
    out.note("and " + std::to_string(found.count - found.records.size()) + " more that take no effect");
  return 0;
}

Result<int> run_endorse(Session& session, const Arguments& arguments) {
  for (const std::string& digits : arguments.all("ID")) TRY(operation::check_id_digits(digits));
  const auto home = TRY(session.changing());
  operation::Ids ids;
  for (const std::string& digits : arguments.all("ID")) ids.ids.push_back(TRY(home->resolve_id(digits)));
  const operation::Endorsed endorsed = TRY(home->endorse(ids));
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(endorsed)));
    return 0;
  }
  for (const RecordId& id : endorsed.records) TRY(out.line(id.hex()));
  return 0;
}

Result<int> run_retire(Session& session, const Arguments& arguments) {
  const operation::RetireQuestion question{arguments.value("--successor")};
  const auto retirement = TRY(TRY(session.changing())->retire_identity(question, session.progress()));
  Output& out = session.out();
  TRY(out.text() ? out.line("retired " + retirement.did +
                            (retirement.successor ? "; its successor is " + *retirement.successor : ""))
                 : out.document(codec::shape_json(retirement)));
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
       .run = run_generate,
       .schema = codec::schema_of<instance::IdentitySummary>},
      {.name = "show",
       .summary = "Print DID and public key",
       .examples = {"spl identity show", "spl identity show -o json | jq -r .did"},
       .run = run_show,
       .schema = codec::schema_of<instance::IdentitySummary>},
      {.name = "verify",
       .summary = "Check key, document, DID and file modes against each other",
       .examples = {"spl identity verify"},
       .run = run_verify,
       .schema = codec::schema_of<operation::VerifiedIdentity>},
  };
  identity.commands.push_back(
      {.name = "retire",
       .summary = "End the identity, for good: peers refuse it from then on",
       .details =
           "It cannot be taken back. Peers are told, and keep it for ever. A successor is followed only where it "
           "asks for a pair itself, and the peer's owner approves. Records stay, and can be exported.",
       .options = {{.name = "--successor", .value = "DID", .help = "the did:key that is to take its place"}},
       .examples = {"spl identity retire", "spl identity retire --successor did:key:z6Mk..."},
       .run = run_retire,
       .schema = codec::schema_of<federation::Retirement>});
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
       .run = run_list,
       .schema = codec::list_schema_of<substrate::IneffectiveRecord>},
      {.name = "endorse",
       .summary = "Sign records of reserved threads into effect",
       .positionals = {{.name = "ID",
                        .help = "a record's id, or the first 8 digits of it or more",
                        .need = Positional::Need::kSome,
                        .names = Names::kRecord}},
       .examples = {"spl authority endorse 5f0c...e1"},
       .run = run_endorse,
       .schema = codec::schema_of<operation::Endorsed>},
  };
  return {std::move(identity), std::move(authority)};
}

}  // namespace spl::cli
