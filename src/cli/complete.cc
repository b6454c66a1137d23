#include "cli/complete.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "api/open_operations.h"
#include "base/encoding.h"
#include "base/progress.h"
#include "cli/command.h"
#include "cli/session.h"
#include "env/streams.h"
#include "service/service_set.h"
#include "substrate/accounts.h"

namespace spl::cli {
namespace {

constexpr std::size_t kOffersMax = 100;
constexpr std::uint64_t kThreadsSeenMax = 2000;
constexpr std::size_t kAboutBytesMax = 80;

struct Offer {
  std::string word;
  std::string about = {};
};

// The word under the cursor, with what stands before it.
class Completion {
 public:
  explicit Completion(std::vector<std::string> words) : words_(std::move(words)) {
    if (words_.empty()) words_.emplace_back();
    current_ = words_.back();
    for (std::size_t i = 0; i + 1 < words_.size(); ++i) pass(words_[i]);
  }

  void make() {
    const std::size_t equals = current_.find('=');
    if (value_of_ != nullptr) {
      offer_value(value_of_->choices, value_of_->names, "", current_);
    } else if (!only_positionals_ && current_.starts_with("--") && equals != std::string::npos) {
      const Option* option = find_option(current_.substr(0, equals));
      if (option != nullptr)
        offer_value(option->choices, option->names, current_.substr(0, equals + 1), current_.substr(equals + 1));
    } else if (!only_positionals_ && current_.starts_with("-")) {
      offer_options();
    } else if (const Command& command = *path_.back(); !command.commands.empty()) {
      offer_below(command);
    } else {
      offer_positional();
    }
  }
  [[nodiscard]] const std::vector<Offer>& offers() const { return offers_; }
  [[nodiscard]] const std::string& files() const { return files_; }

 private:
  void offer_positional() {
    const Positional* positional = next_positional();
    if (positional == nullptr) {
      if (!only_positionals_) offer_options();
    } else if (positional->names == Names::kCommand) {
      offer_named_commands();
    } else {
      offer_value(positional->choices, positional->names, "", current_);
    }
  }

  // A word that is whole.
  void pass(const std::string& word) {
    if (const Option* option = std::exchange(value_of_, nullptr)) {
      if (key_of(*option) == "--home") home_ = word;
      return;
    }
    if (!only_positionals_ && word == "--") {
      only_positionals_ = true;
      return;
    }
    if (!only_positionals_ && word.starts_with('-') && word.size() > 1) {
      pass_option(word);
      return;
    }
    const auto& commands = path_.back()->commands;
    const auto found = std::ranges::find(commands, word, &Command::name);
    const bool may_stand = positionals_.empty() || (found != commands.end() && found->subject_first);
    if (found != commands.end() && may_stand && positionals_.size() < 2) {
      path_.push_back(&*found);
    } else {
      positionals_.push_back(word);
    }
  }

  void pass_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const Option* option = find_option(word.substr(0, equals));
    if (option == nullptr) return;
    given_.push_back(option);
    if (option->value.empty()) return;
    if (equals == std::string::npos) {
      value_of_ = option;
    } else if (key_of(*option) == "--home") {
      home_ = word.substr(equals + 1);
    }
  }

  static std::vector<std::string> spellings(const Option& option) {
    const std::size_t comma = option.name.find(',');
    if (comma == std::string::npos) return {option.name};
    return {option.name.substr(0, comma), option.name.substr(comma + 1)};
  }

  [[nodiscard]] std::vector<const Option*> options() const {
    std::vector<const Option*> options;
    for (const Option& option : path_.back()->options) options.push_back(&option);
    if (path_.size() == 1) return options;
    for (const Option& option : path_.front()->options) options.push_back(&option);
    return options;
  }

  [[nodiscard]] const Option* find_option(std::string_view spelling) const {
    for (const Option* option : options()) {
      const auto names = spellings(*option);
      if (std::ranges::find(names, spelling) != names.end()) return option;
    }
    return nullptr;
  }

  [[nodiscard]] const Positional* next_positional() const {
    const auto& known = path_.back()->positionals;
    if (known.empty()) return nullptr;
    if (positionals_.size() < known.size()) return &known[positionals_.size()];
    const Positional& last = known.back();
    const bool more = last.need == Positional::Need::kSome || last.need == Positional::Need::kAny;
    return more ? &last : nullptr;
  }

  void offer(std::string word, std::string about = {}) {
    if (offers_.size() < kOffersMax && word.starts_with(current_))
      offers_.push_back({std::move(word), std::move(about)});
  }

  void offer_options() {
    for (const Option* option : options()) {
      const bool again = option->times == Times::kAny;
      if (!again && std::ranges::find(given_, option) != given_.end()) continue;
      for (const std::string& spelling : spellings(*option)) offer(spelling, option->help);
    }
  }

  void offer_commands(const Command& command) {
    for (const Command& below : command.commands) offer(below.name, below.summary);
  }

  // What it is to be done with may stand before the command: spl service X start.
  void offer_below(const Command& command) {
    const auto subject = std::ranges::find(command.commands, true, &Command::subject_first);
    if (positionals_.empty()) {
      offer_commands(command);
      if (subject != command.commands.end()) offer_value({}, subject->positionals.front().names, "", current_);
      return;
    }
    for (const Command& below : command.commands) {
      if (below.subject_first && positionals_.size() == 1) offer(below.name, below.summary);
    }
  }

  // The words of a command that stand as arguments: those of help.
  void offer_named_commands() {
    const Command* at = &program();
    for (const std::string& word : positionals_) {
      const auto found = std::ranges::find(at->commands, word, &Command::name);
      if (found == at->commands.end()) return;
      at = &*found;
    }
    offer_commands(*at);
  }

  void offer_value(const std::vector<std::string>& choices, Names names, const std::string& before,
                   const std::string& begun) {
    for (const std::string& choice : choices) offer(before + choice);
    switch (names) {
      case Names::kFile:
        files_ = ":files";
        break;
      case Names::kDirectory:
        files_ = ":directories";
        break;
      case Names::kScope:
        for (const std::string_view scope : substrate::known_scopes()) offer(before + std::string(scope));
        break;
      case Names::kThread:
      case Names::kRecord:
      case Names::kAccount:
      case Names::kToken:
      case Names::kService:
      case Names::kContext:
      case Names::kPeer:
      case Names::kRequest:
      case Names::kConsent:
      case Names::kAdapter:
      case Names::kRule:
      case Names::kSecret:
      case Names::kSchedule:
        (void)offer_from_home(names, before, begun);
        break;
      case Names::kAnything:
      case Names::kCommand:
        break;
    }
  }

  Result<void> offer_from_home(Names names, const std::string& before, const std::string& begun) {
    Machine machine;
    base::NoProgress silent;
    const home::HomePaths paths{TRY(find_home(home_))};
    const auto home = TRY(api::open_for_reading(machine.env(), paths, silent));
    if (names == Names::kThread) {
      std::uint64_t seen = 0;
      return home->threads([&](const store::ThreadSummary& summary) -> Result<void> {
        if (++seen > kThreadsSeenMax || offers_.size() == kOffersMax) return fail("enough");
        if (!summary.thread.empty())
          offer(before + summary.thread,
                std::string(record::thread_state_name(summary.state)) + ", " + counted(summary.records, "record"));
        return {};
      });
    }
    switch (names) {
      case Names::kRecord:
        for (const RecordId& id : TRY(home->recent_ids(begun, kOffersMax))) offer(before + id.hex());
        return {};
      case Names::kAccount:
        for (const auto& account : TRY(home->accounts())) offer(before + account.name, account.active ? "" : "revoked");
        return {};
      case Names::kToken:
        for (const auto& token : TRY(home->tokens())) offer(before + base::to_hex(token.id.view()), token.account);
        return {};
      case Names::kService:
        for (const auto& service : TRY(service::ServiceSet::load(machine.env(), paths)).services())
          offer(before + service.name, "service");
        offer(before + "all", "every service");
        return {};
      case Names::kContext:
        for (const auto& context : TRY(home->contexts())) offer(before + context.name, context.label);
        return {};
      case Names::kPeer:
        for (const auto& pair : TRY(home->pairs())) offer(before + pair.peer_did, pair.peer_base_url);
        return {};
      case Names::kRequest:
        for (const auto& request : TRY(home->pair_requests())) offer(before + request.id, request.peer_did);
        return {};
      case Names::kConsent:
        for (const auto& grant : TRY(home->consents())) offer(before + grant.id.hex());
        return {};
      case Names::kAdapter:
        for (const auto& adapter : TRY(home->adapters())) offer(before + adapter.did);
        return {};
      case Names::kRule:
        for (const auto& rule : TRY(home->engine_config()).rules) offer(before + rule.name);
        return {};
      case Names::kSecret:
        for (const std::string& handle : TRY(home->secrets())) offer(before + handle);
        return {};
      case Names::kSchedule:
        for (const auto& schedule : TRY(home->schedules())) offer(before + schedule.name);
        return {};
      default:
        return {};
    }
  }

  std::vector<std::string> words_;
  std::string current_;
  std::vector<const Command*> path_{&program()};
  std::vector<std::string> positionals_;
  std::vector<const Option*> given_;
  const Option* value_of_ = nullptr;  // the word under the cursor is its value
  bool only_positionals_ = false;
  std::optional<std::string> home_;
  std::vector<Offer> offers_;
  std::string files_;
};

bool is_one_line(std::string_view text) {
  return text.find_first_of("\n\r\t") == std::string_view::npos;
}

std::string answer(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  const bool bash = words[0] == "bash";
  TypedLine typed;
  if (bash) {
    typed = words_of_line(words.size() > 1 ? words[1] : "", words.size() > 2 ? words[2] : "");
    if (!typed.words.empty()) typed.words.erase(typed.words.begin());
  } else {
    typed.words.assign(words.begin() + 1, words.end());
  }
  Completion completion(std::move(typed.words));
  completion.make();
  if (!completion.files().empty()) return completion.files() + "\n";
  std::string text;
  for (const Offer& offer : completion.offers()) {
    // What cannot be a line, or would be taken for something else, is not offered.
    if (!is_one_line(offer.word) || offer.word.starts_with(':')) continue;
    text += bash ? offer.word.substr(std::min(typed.kept_bytes, offer.word.size())) : offer.word;
    if (!bash && !offer.about.empty()) text += "\t" + base::escaped(offer.about, kAboutBytesMax);
    text += "\n";
  }
  return text;
}

}  // namespace

TypedLine words_of_line(std::string_view line, std::string_view breaks) {
  TypedLine typed;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == '\'') {
      c == '\'' ? static_cast<void>(quote = '\0') : word.push_back(c);
    } else if (c == '\\' && i + 1 < line.size() &&
               (quote == '\0' || std::string_view("\"\\$`").find(line[i + 1]) != std::string_view::npos)) {
      word.push_back(line[++i]);
      in_word = true;
    } else if (c == '"') {
      quote = quote == '"' ? '\0' : '"';
      in_word = true;
    } else if (quote == '"') {
      word.push_back(c);
    } else if (c == '\'') {
      quote = '\'';
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) typed.words.push_back(std::exchange(word, {}));
      in_word = false;
      typed.kept_bytes = 0;
    } else {
      word.push_back(c);
      in_word = true;
      if (breaks.find(c) != std::string_view::npos) typed.kept_bytes = word.size();
    }
  }
  typed.words.push_back(std::move(word));
  return typed;
}

int complete(const std::vector<std::string>& words) {
  try {
    env::DescriptorSink sink(STDOUT_FILENO, "standard output", nullptr);
    (void)sink.write(answer(words));
  } catch (...) {
    // A shell that asks in the middle of a line can do nothing with an error.
    return 0;
  }
  return 0;
}

}  // namespace spl::cli
