#include "service/contexts.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/names.h"
#include "codec/json.h"
#include "service/toml_table.h"

namespace spl::service {
namespace {

constexpr std::size_t kContextsBytesMax = 16u << 20;
constexpr std::uint64_t kIdMax = (std::uint64_t{1} << 53) - 1;
constexpr std::string_view kHead = "# The contexts (tenants) of this instance: a name and an id each.\n";

// A basic string of TOML is one of JSON, but for DEL.
std::string toml_text(std::string_view text) {
  std::string quoted = codec::Json(std::string(text)).text();
  for (std::size_t at = quoted.find('\x7f'); at != std::string::npos; at = quoted.find('\x7f', at))
    quoted.replace(at, 1, "\\u007F");
  return quoted;
}

std::unexpected<Error> taken(const std::string& what) {
  return fail(ErrorCode::kRefused, Cause::kFileExists, "there is a context " + what + " already",
              "spl context list shows them");
}

Result<void> check_name(std::string_view name) {
  if (base::is_name(name)) return {};
  return fail(ErrorCode::kUsage, "\"" + base::escaped(name, 80) + "\" is no name of a context",
              "lowercase letters, digits, _ and -, at most 63, not beginning with _ or -");
}

Result<Context> parse_context(TomlTable table) {
  Context context;
  context.name = TRY(table.required_text("name"));
  if (!base::is_name(context.name)) return table.wrong("name", "is no name: [a-z0-9][a-z0-9_-]*, at most 63");
  const auto id = TRY(table.whole_number("id"));
  if (!id || static_cast<std::uint64_t>(*id) > kIdMax)
    return table.wrong("id", "is missing, or no number of a context");
  context.id = static_cast<std::uint64_t>(*id);
  context.label = TRY(table.text("label")).value_or("");
  TRY(table.end());
  return context;
}

}  // namespace

Result<Contexts> Contexts::load(env::Env env, const home::HomePaths& paths) {
  Contexts contexts(env, paths.contexts());
  if (!TRY(env.fs.info(contexts.path_))) return contexts;
  const std::string text = TRY(env::read_followed(env.fs, contexts.path_, kContextsBytesMax));
  const auto parsed = codec::parse_toml(text);
  if (!parsed) return wrong_at({contexts.path_, parsed.error().line}, parsed.error().why);
  TomlTable root(*parsed, contexts.path_, "");
  for (TomlTable& table : TRY(root.tables("context"))) {
    const FilePlace at = table.place();
    Context context = TRY(parse_context(std::move(table)));
    if (contexts.find(context.name) != nullptr) return wrong_at(at, "context.name is there twice: " + context.name);
    if (contexts.find(context.id) != nullptr)
      return wrong_at(at, "context.id is there twice: " + std::to_string(context.id));
    contexts.contexts_.push_back(std::move(context));
  }
  TRY(root.end());
  std::ranges::sort(contexts.contexts_, {}, &Context::id);
  return contexts;
}

Contexts Contexts::none(env::Env env, const home::HomePaths& paths) {
  return {env, paths.contexts()};
}

const Context* Contexts::find(std::string_view name) const {
  const auto found = std::ranges::find(contexts_, name, &Context::name);
  return found == contexts_.end() ? nullptr : &*found;
}

const Context* Contexts::find(std::uint64_t id) const {
  const auto found = std::ranges::find(contexts_, id, &Context::id);
  return found == contexts_.end() ? nullptr : &*found;
}

Result<const Context*> Contexts::require(std::string_view name) const {
  if (const Context* context = find(name)) return context;
  std::string known;
  for (const Context& context : contexts_) known += (known.empty() ? "" : ", ") + context.name;
  return fail(ErrorCode::kUsage, Cause::kNotFound, "there is no context \"" + base::escaped(name, 80) + "\"",
              known.empty() ? "this instance has no contexts: spl context add makes one"
                            : "the contexts are: " + base::escaped(known, 400));
}

std::uint64_t Contexts::free_id() const {
  std::uint64_t id = 1;
  for (const Context& context : contexts_) {
    if (context.id == id) ++id;
  }
  return id;
}

Result<void> Contexts::save(std::vector<Context> contexts) {
  std::ranges::sort(contexts, {}, &Context::id);
  std::string text(kHead);
  for (const Context& context : contexts) {
    text += "\n[[context]]\nname = " + toml_text(context.name) + "\nid = " + std::to_string(context.id) + "\n";
    if (!context.label.empty()) text += "label = " + toml_text(context.label) + "\n";
  }
  TRY(env::write_file_atomically(env_.fs, TRY(env::follow_links(env_.fs, path_)), text));
  contexts_ = std::move(contexts);
  return {};
}

Result<void> Contexts::add(Context context) {
  TRY(check_name(context.name));
  if (context.id > kIdMax) return fail(ErrorCode::kUsage, "the id of a context is at most " + std::to_string(kIdMax));
  if (find(context.name) != nullptr) return taken("\"" + context.name + "\"");
  if (find(context.id) != nullptr) return taken("with the id " + std::to_string(context.id));
  std::vector<Context> contexts = contexts_;
  contexts.push_back(std::move(context));
  return save(std::move(contexts));
}

Result<void> Contexts::remove(std::string_view name) {
  TRY(require(name));
  std::vector<Context> contexts = contexts_;
  std::erase_if(contexts, [name](const Context& context) { return context.name == name; });
  return save(std::move(contexts));
}

Result<std::vector<Context>> Contexts::renamed(std::string_view from, std::string_view to) const {
  TRY(require(from));
  std::vector<Context> contexts = contexts_;
  if (from == to) return contexts;
  TRY(check_name(to));
  if (find(to) != nullptr) return taken("\"" + std::string(to) + "\"");
  std::ranges::find(contexts, from, &Context::name)->name = to;
  return contexts;
}

Result<void> Contexts::rename(std::string_view from, std::string_view to) {
  return save(TRY(renamed(from, to)));
}

Result<void> Contexts::rename_unsaved(std::string_view from, std::string_view to) {
  contexts_ = TRY(renamed(from, to));
  return {};
}

}  // namespace spl::service
