#include "surface/command/part_command.h"

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/words.h"

namespace spl::surface {
namespace {

constexpr std::size_t kNameBytesShown = 200;
constexpr std::size_t kSaidBytesShown = 300;
constexpr std::size_t kCheckedBytesMax = 64u << 10;
constexpr std::size_t kCountsMax = 16;
constexpr std::size_t kCountNameBytesMax = 63;

bool is_count_name(std::string_view name) {
  return !name.empty() && name.size() <= kCountNameBytesMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '_' ||
           c == '-';
  });
}

// "12 notes" is a count; of any other line nothing is known.
std::optional<Count> count_in(std::string_view line) {
  Count count;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), count.number);
  if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') return std::nullopt;
  const std::string_view name = line.substr(static_cast<std::size_t>(end - line.data()) + 1);
  if (!is_count_name(name)) return std::nullopt;
  count.what = name;
  return count;
}

}  // namespace

Result<void> run_part_command(const Surroundings& surroundings, const Place& place,
                              const std::vector<std::string>& command, Source& input, Sink& output,
                              const CommandWaits& waits) {
  const std::string name = place.subject + ": " + base::escaped(command.front(), kNameBytesShown);
  env::ChildOptions options = TRY_IN(place.subject, place.commands->surroundings(surroundings.env));
  options.arguments = command;
  auto started = env::ChildProcess::start(options);
  for (std::string& entry : options.environment) explicit_bzero(entry.data(), entry.size());
  const auto child = TRY_IN(place.subject, std::move(started));
  child->limit_waits(waits.at_most, waits.progress);
  const auto exchanged = child->exchange(input, output);
  const auto exit = exchanged ? child->wait() : std::unexpected(exchanged.error());
  const std::string said = child->said();
  place.commands->log(surroundings.env, said);
  if (!exit) return std::unexpected(Error(exit.error()).in(place.subject));
  if (exit->ok()) return {};
  return fail(name + " " + exit->text() + (said.empty() ? "" : ": " + base::escaped(said, kSaidBytesShown)),
              "the service's log has what it said");
}

Result<void> LimitedSink::write(std::string_view octets) {
  if (octets.size() > bytes_max_ - bytes_)
    return fail(Cause::kTooLarge, whose_ + " writes more than " + std::to_string(bytes_max_) + " bytes");
  bytes_ += octets.size();
  return sink_.write(octets);
}

Result<std::uint64_t> dump_bytes_max(const Surroundings& surroundings, const std::string& directory) {
  const std::uint64_t free = TRY(surroundings.env.fs.free_bytes(directory));
  return std::min(kDumpBytesMax, std::max<std::uint64_t>(free / 2, surroundings.spool.held_bytes_max));
}

Result<CommandContent> content_of_dump(const Surroundings& surroundings, const Place& place, Source& dump,
                                       std::uint64_t bytes, const CommandWaits& waits) {
  CommandContent content;
  const auto& check = place.commands->check;
  if (check.empty()) {
    content.counts.push_back({"dumps", bytes == 0 ? 0U : 1U});
    return content;
  }
  base::StringSink said;
  LimitedSink limited(said, "its check", kCheckedBytesMax);
  TRY(run_part_command(surroundings, place, check, dump, limited, waits));
  content.text = std::move(said.text);
  for (const std::string& line : base::split(content.text, '\n')) {
    auto count = count_in(line);
    const bool is_new = count && std::ranges::find(content.counts, count->what, &Count::what) == content.counts.end();
    if (is_new && content.counts.size() < kCountsMax) content.counts.push_back(std::move(*count));
  }
  if (content.counts.empty()) content.counts.push_back({"dumps", bytes == 0 ? 0U : 1U});
  return content;
}

}  // namespace spl::surface
