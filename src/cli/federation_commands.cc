// federation, sync, aitl.
#include <algorithm>
#include <charconv>
#include <chrono>

#include "cli/command.h"
#include "cli/session.h"

namespace spl::cli {
namespace {

using federation::PairRequest;
using federation::PairSummary;
using federation::PeerSync;
using federation::SyncReport;
using substrate::PairState;

constexpr std::size_t kIdDigitsShown = 16;
constexpr std::chrono::seconds kWatchPause{5};       // between two rounds of spl sync --watch
constexpr std::chrono::seconds kWatchPauseMax{300};  // after rounds in which no peer could be had

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",") + shown(item);
  return text;
}

Result<std::uint64_t> seconds_of(std::string_view option, const std::string& text) {
  std::uint64_t seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || stop != text.data() + text.size() || seconds > 86'400)
    return fail(ErrorCode::kUsage, std::string(option) + " " + shown(text) + ": seconds are wanted, at most a day");
  return seconds;
}

std::string state_text(const PairSummary& pair) {
  return pair.two_copies ? "lives twice" : std::string(codec::enum_name(pair.state));
}

std::string pair_line(const PairSummary& pair) {
  return shown(pair.peer_did) + "  " + state_text(pair) + "  " +
         (pair.peer_base_url.empty() ? "no address" : shown(pair.peer_base_url)) + "  " + joined(pair.namespaces) +
         (pair.lag_seconds ? "  " + std::to_string(*pair.lag_seconds) + " s ago" : "") +
         (pair.refused > 0 ? "  " + std::to_string(pair.refused) + " refused" : "") +
         (pair.last_error ? "  " + shown(*pair.last_error) : "");
}

Result<void> show_pair(Output& out, const PairSummary& pair) {
  return out.text() ? out.line(pair_line(pair)) : out.document(codec::shape_json(pair));
}

Result<int> run_pair(Session& session, const Arguments& arguments) {
  federation::PairQuestion question;
  question.url = arguments.at("URL");
  question.namespaces = arguments.all("--namespace");
  question.insecure_localhost = arguments.has("--insecure-localhost");
  if (const auto wait = arguments.value("--wait")) question.wait_seconds = TRY(seconds_of("--wait", *wait));
  const PairSummary pair = TRY(TRY(session.changing())->pair(question, session.progress()));
  TRY(show_pair(session.out(), pair));
  if (pair.state == PairState::kEstablishing)
    session.out().note(
        "the other owner has not decided yet: there, spl aitl list shows the request, and spl aitl "
        "approve ID approves it; spl sync goes on asking");
  std::ranges::sort(question.namespaces);
  if (pair.state == PairState::kActive && !question.namespaces.empty() && pair.namespaces != question.namespaces)
    session.out().note(
        "the pair stays as it is until the other owner has agreed to these namespaces, too: then give this command "
        "again");
  return 0;
}

Result<int> run_pair_list(Session& session, const Arguments&) {
  const auto pairs = TRY(TRY(session.looking())->pairs());
  Output& out = session.out();
  ListOutput list(out);
  for (const PairSummary& pair : pairs) TRY(list.item(out.text() ? pair_line(pair) : codec::shape_json(pair).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_pair_show(Session& session, const Arguments& arguments) {
  const auto pairs = TRY(TRY(session.looking())->pairs());
  const std::string& name = arguments.at("PEER");
  std::vector<substrate::Pair> known;
  for (const PairSummary& pair : pairs) {
    substrate::Pair& one = known.emplace_back();
    one.pair_id = pair.pair_id;
    one.peer_did = pair.peer_did;
  }
  const std::string peer = TRY(substrate::find_pair(known, name)).peer_did;
  const PairSummary& pair = *std::ranges::find(pairs, peer, &PairSummary::peer_did);
  Output& out = session.out();
  if (!out.text()) {
    TRY(out.document(codec::shape_json(pair)));
    return 0;
  }
  TRY(out.line("pair:         " + shown(pair.pair_id)));
  TRY(out.line("peer:         " + shown(pair.peer_did)));
  TRY(out.line("state:        " + state_text(pair)));
  TRY(out.line("address:      " + (pair.peer_base_url.empty() ? "none" : shown(pair.peer_base_url))));
  TRY(out.line("shares:       " + joined(pair.namespaces)));
  TRY(out.line("last contact: " + pair.last_contact.value_or("never")));
  TRY(out.line("up to date:   " + pair.last_success.value_or("never")));
  TRY(out.line("received:     " + counted(pair.received, "record") + ", " + std::to_string(pair.refused) + " refused" +
               (pair.last_refusal ? ": " + shown(*pair.last_refusal) : "")));
  if (pair.last_error) TRY(out.line("last error:   " + shown(*pair.last_error)));
  return 0;
}

Result<int> run_pause(Session& session, const Arguments& arguments) {
  TRY(show_pair(session.out(), TRY(TRY(session.changing())->pause_pair({.peer = arguments.at("PEER")}))));
  return 0;
}

Result<int> run_resume(Session& session, const Arguments& arguments) {
  TRY(show_pair(session.out(), TRY(TRY(session.changing())->resume_pair({.peer = arguments.at("PEER")}))));
  return 0;
}

Result<int> run_revoke(Session& session, const Arguments& arguments) {
  const operation::PairName name{arguments.at("PEER"), arguments.has("--insecure-localhost")};
  TRY(show_pair(session.out(), TRY(TRY(session.changing())->revoke_pair(name, session.progress()))));
  return 0;
}

Result<int> run_refresh(Session& session, const Arguments& arguments) {
  operation::RefreshQuestion question{arguments.at("PEER"), arguments.value("--url"),
                                      arguments.has("--insecure-localhost")};
  TRY(show_pair(session.out(), TRY(TRY(session.changing())->refresh_pair(question, session.progress()))));
  return 0;
}

std::string sync_line(const PeerSync& peer) {
  if (peer.error) return shown(peer.peer_did) + "  " + shown(*peer.error) + (peer.hint ? "; " + shown(*peer.hint) : "");
  return shown(peer.peer_did) + "  " + std::to_string(peer.inserted) + " new, " + std::to_string(peer.deduplicated) +
         " here already" + (peer.redacted > 0 ? ", " + std::to_string(peer.redacted) + " without their bodies" : "") +
         (peer.refused > 0 ? ", " + std::to_string(peer.refused) + " refused" : "");
}

bool all_failed(const SyncReport& report) {
  return !report.peers.empty() &&
         std::ranges::all_of(report.peers, [](const PeerSync& peer) { return peer.error.has_value(); });
}

// One round for who watches: what is new, and what is wrong.
Result<void> show_round(Output& out, const SyncReport& report) {
  if (out.format() == Format::kJson) return out.content(codec::shape_json(report).text() + "\n");
  if (!out.text()) {
    out.step(
        {.phase = "synced", .done = report.inserted, .unit = "records", .message = codec::shape_json(report).text()});
    return {};
  }
  for (const PeerSync& peer : report.peers) {
    if (peer.inserted > 0 || peer.redacted > 0 || peer.refused > 0 || peer.error) TRY(out.line(sync_line(peer)));
  }
  return {};
}

Result<int> watch(Session& session, const federation::SyncQuestion& question) {
  auto pause = kWatchPause;
  for (;;) {
    const auto report = TRY(session.changing())->sync(question, session.progress());
    if (!report && report.error().code != ErrorCode::kUnavailable) return std::unexpected(report.error());
    if (report) {
      TRY(show_round(session.out(), *report));
      TRY(session.out().show_result());
    } else {
      session.out().note(report.error());
    }
    const bool failed = !report || all_failed(*report);
    pause = failed ? std::min(2 * pause, kWatchPauseMax) : kWatchPause;
    constexpr std::chrono::milliseconds kStep{100};
    for (std::chrono::milliseconds slept{0}; slept < pause; slept += kStep) {
      if (session.progress().cancelled()) return base::fail_cancelled("what has come stays");
      session.env().clock.sleep_for(kStep);
    }
  }
}

Result<int> run_sync(Session& session, const Arguments& arguments) {
  federation::SyncQuestion question;
  question.peer = arguments.value("PEER");
  question.from_start = arguments.has("--from-start");
  question.thread = arguments.value("--thread");
  question.insecure_localhost = arguments.has("--insecure-localhost");
  if (arguments.has("--watch")) return watch(session, question);
  const SyncReport report = TRY(TRY(session.changing())->sync(question, session.progress()));
  Output& out = session.out();
  if (out.text()) {
    for (const PeerSync& peer : report.peers) TRY(out.line(sync_line(peer)));
    if (report.peers.empty()) TRY(out.line("there is no active pair; spl federation pair URL makes one"));
  } else {
    TRY(out.document(codec::shape_json(report)));
  }
  const bool failed = std::ranges::any_of(report.peers, [](const PeerSync& peer) { return peer.error.has_value(); });
  return failed ? static_cast<int>(ErrorCode::kUnavailable) : 0;
}

std::string request_line(const PairRequest& request) {
  return request.id.substr(0, kIdDigitsShown) + "  " + shown(request.kind) + "  " + shown(request.peer_did) + "  " +
         (request.peer_base_url.empty() ? "no address" : shown(request.peer_base_url)) + "  shares " +
         joined(request.namespaces) + (request.predecessor ? "  successor of " + shown(*request.predecessor) : "") +
         "  since " + shown(request.asked_at);
}

Result<int> run_aitl_list(Session& session, const Arguments&) {
  const auto requests = TRY(TRY(session.looking())->pair_requests());
  Output& out = session.out();
  ListOutput list(out);
  for (const PairRequest& request : requests)
    TRY(list.item(out.text() ? request_line(request) : codec::shape_json(request).text()));
  TRY(list.end());
  return 0;
}

Result<int> run_aitl_approve(Session& session, const Arguments& arguments) {
  TRY(show_pair(session.out(), TRY(TRY(session.changing())->approve_request({arguments.at("ID")}))));
  return 0;
}

Result<int> run_aitl_reject(Session& session, const Arguments& arguments) {
  const PairRequest request = TRY(TRY(session.changing())->reject_request({arguments.at("ID")}));
  Output& out = session.out();
  TRY(out.text() ? out.line("rejected " + request.id.substr(0, kIdDigitsShown))
                 : out.document(codec::shape_json(request)));
  return 0;
}

Option insecure_option() {
  return {.name = "--insecure-localhost",
          .value = "",
          .help = "believe any certificate of a peer on this machine's loopback"};
}

Command federation_command() {
  Command federation{.name = "federation",
                     .summary = "The pairs of this instance: with whom it shares records",
                     .details =
                         "Peers share by pulling: spl sync fetches what the other side lets pass. A pair survives "
                         "a move of either side.",
                     .examples = {"spl federation pair https://peer.example.org", "spl federation list"}};
  const Positional peer{
      .name = "PEER", .help = "the peer's DID, or the pair's id or its first digits", .names = Names::kPeer};
  federation.commands = {
      {.name = "pair",
       .summary = "Ask another instance for a pair, and wait until its owner has decided",
       .details = "Both owners have to want the pair, and the same namespaces. Where the other one has not decided in "
                  "time the command ends well, and spl sync goes on asking.",
       .options = {{.name = "--namespace",
                    .value = "NAME",
                    .help = "a namespace that is shared whole; default where none is given",
                    .times = Times::kAny},
                   {.name = "--wait", .value = "SECONDS", .help = "how long; 60 where it is not given"},
                   insecure_option()},
       .positionals = {{.name = "URL", .help = "the other instance's address"}},
       .examples = {"spl federation pair https://peer.example.org",
                    "spl federation pair http://127.0.0.1:9101 --namespace research --wait 0"},
       .run = run_pair,
       .schema = codec::schema_of<PairSummary>},
      {.name = "list",
       .summary = "List the pairs: state, address, how long ago all was fetched, what went wrong",
       .examples = {"spl federation list -o json"},
       .run = run_pair_list,
       .schema = codec::list_schema_of<PairSummary>},
      {.name = "show",
       .summary = "Show one pair",
       .positionals = {peer},
       .examples = {"spl federation show did:key:z6Mk..."},
       .run = run_pair_show,
       .schema = codec::schema_of<PairSummary>},
      {.name = "pause",
       .summary = "Let nothing pass in either direction until the pair is resumed",
       .positionals = {peer},
       .examples = {"spl federation pause did:key:z6Mk..."},
       .run = run_pause,
       .schema = codec::schema_of<PairSummary>},
      {.name = "resume",
       .summary = "Go on with a pair that was paused",
       .positionals = {peer},
       .examples = {"spl federation resume did:key:z6Mk..."},
       .run = run_resume,
       .schema = codec::schema_of<PairSummary>},
      {.name = "revoke",
       .summary = "End a pair; the peer is told, if it can be",
       .options = {insecure_option()},
       .positionals = {peer},
       .examples = {"spl federation revoke did:key:z6Mk..."},
       .run = run_revoke,
       .schema = codec::schema_of<PairSummary>},
      {.name = "refresh",
       .summary = "Look for a peer that has moved",
       .details =
           "Without --url those who may know are asked: the directory of config.toml, and the other peers. After "
           "a peer lived twice this says that the one that answers is the one that goes on.",
       .options = {{.name = "--url", .value = "URL", .help = "where it is said to be"}, insecure_option()},
       .positionals = {peer},
       .examples = {"spl federation refresh did:key:z6Mk... --url https://new.example.org"},
       .run = run_refresh,
       .schema = codec::schema_of<PairSummary>},
  };
  return federation;
}

Command aitl_command() {
  Command aitl{
      .name = "aitl", .summary = "What waits for a decision of this instance's owner", .examples = {"spl aitl list"}};
  const Positional id{
      .name = "ID", .help = "its id as the list shows it, or the first 8 digits or more", .names = Names::kRequest};
  aitl.commands = {
      {.name = "list",
       .summary = "List what waits",
       .examples = {"spl aitl list -o json"},
       .run = run_aitl_list,
       .schema = codec::list_schema_of<PairRequest>},
      {.name = "approve",
       .summary = "Approve a request",
       .positionals = {id},
       .examples = {"spl aitl approve 0f3a9c1b"},
       .run = run_aitl_approve,
       .schema = codec::schema_of<PairSummary>},
      {.name = "reject",
       .summary = "Reject a request",
       .positionals = {id},
       .examples = {"spl aitl reject 0f3a9c1b"},
       .run = run_aitl_reject,
       .schema = codec::schema_of<PairRequest>},
  };
  return aitl;
}

}  // namespace

std::vector<Command> federation_commands() {
  std::vector<Command> commands;
  commands.push_back(federation_command());
  commands.push_back(
      {.name = "sync",
       .summary = "Fetch what peers have, until there is no more",
       .details =
           "Where a peer has moved it is looked for, and found by its key. What was fetched stays when the command "
           "is ended, and the next one goes on from there. Code 6 where a peer could not be had.",
       .options = {{.name = "--watch", .value = "", .help = "go on, until it is ended"},
                   {.name = "--from-start",
                    .value = "",
                    .help = "again from the beginning, for what a new grant lets pass"},
                   {.name = "--thread", .value = "THREAD", .help = "this thread alone", .names = Names::kThread},
                   insecure_option()},
       .positionals = {{.name = "PEER",
                        .help = "the peer's DID, or the pair's id or its first digits; all, where it is not given",
                        .need = Positional::Need::kOptional,
                        .names = Names::kPeer}},
       .examples = {"spl sync", "spl sync did:key:z6Mk... --from-start", "spl sync --watch"},
       .run = run_sync,
       .schema = codec::schema_of<SyncReport>});
  commands.push_back(aitl_command());
  return commands;
}

}  // namespace spl::cli
