#include "schedule/schedule.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "base/words.h"
#include "crypto/age_keys.h"
#include "schedule/calendar.h"

namespace spl::schedule {
namespace {

constexpr std::size_t kPathBytesMax = 4000;
constexpr std::array kKeepNames{std::pair{"last", &Keep::last}, std::pair{"daily", &Keep::daily},
                                std::pair{"weekly", &Keep::weekly}, std::pair{"monthly", &Keep::monthly}};

std::unexpected<Error> bad_keep(std::string_view text) {
  return fail(ErrorCode::kUsage, "\"" + base::escaped(text, 80) + "\" does not say what to keep",
              "such as last=3,daily=7,weekly=4,monthly=12: each name once, numbers up to 100000");
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name.front() != '-' && name.front() != '.' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string_view::npos;
}

Result<void> check_recipients(const Schedule& schedule) {
  if (schedule.plaintext && !schedule.recipients.empty())
    return fail(ErrorCode::kUsage, "a schedule is plain, or it has recipients: not both", "leave out one of them");
  if (schedule.recipients.size() > kRecipientsMax)
    return fail(ErrorCode::kUsage, "a schedule has at most " + std::to_string(kRecipientsMax) + " recipients");
  for (const std::string& recipient : schedule.recipients) TRY(crypto::Recipient::parse(recipient));
  return {};
}

}  // namespace

Result<Keep> parse_keep(std::string_view text) {
  Keep keep;
  std::vector<std::string_view> seen;
  if (text.empty()) return bad_keep(text);
  const std::vector<std::string> parts = base::split(text, ',');
  for (const std::string& part : parts) {
    const std::size_t equals = part.find('=');
    const auto known = std::ranges::find(kKeepNames, part.substr(0, equals), [](const auto& one) { return one.first; });
    if (equals == std::string::npos || known == kKeepNames.end() || std::ranges::find(seen, known->first) != seen.end())
      return bad_keep(text);
    seen.emplace_back(known->first);
    const char* end = part.data() + part.size();
    std::uint64_t& number = keep.*known->second;
    const auto [stopped, fault] = std::from_chars(part.data() + equals + 1, end, number);
    if (fault != std::errc() || stopped != end || number > kKeepMax) return bad_keep(text);
  }
  return keep;
}

std::string keep_text(const Keep& keep) {
  std::string text;
  for (const auto& [name, number] : kKeepNames) {
    if (keep.*number > 0) text.append(text.empty() ? "" : ",").append(name).append("=" + std::to_string(keep.*number));
  }
  return text.empty() ? "all" : text;
}

Result<void> check_schedule(const Schedule& schedule) {
  if (!is_name(schedule.name))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(schedule.name, 80) + "\" is no name of a schedule",
                "take up to 64 of a-z A-Z 0-9 . _ -, and begin with a letter or a digit");
  TRY(parse_time(schedule.at));
  TRY(check_zone(schedule.zone));
  for (const auto& [name, number] : kKeepNames) {
    if (schedule.keep.*number > kKeepMax)
      return fail(ErrorCode::kUsage, std::string("keep: ") + name + " is more than 100000");
  }
  TRY(check_recipients(schedule));
  if (!schedule.to.empty() && (!schedule.to.starts_with('/') || schedule.to.size() > kPathBytesMax ||
                               schedule.to.find('\0') != std::string::npos))
    return fail(ErrorCode::kUsage, "\"" + base::escaped(schedule.to, 80) + "\" is no absolute path of a directory");
  return {};
}

}  // namespace spl::schedule
