#include "operation/context_moves.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/words.h"
#include "operation/context_data.h"
#include "surface/tree_walk.h"

namespace spl::operation {
namespace {

using service::SurfaceKind;

std::unexpected<Error> in_the_way(const std::string& what, const std::string& why, std::string hint) {
  return fail(ErrorCode::kRefused, Cause::kFileExists,
              "the context cannot be renamed: " + base::escaped(what, 200) + why, std::move(hint));
}

// A file's name that a pattern matches, as the same pattern of the new name has it.
std::optional<std::string> renamed_by(const std::string& pattern, const std::string& new_pattern,
                                      const std::string& name) {
  const std::size_t head = pattern.find('*');
  const std::size_t tail = pattern.size() - pattern.rfind('*') - 1;
  const std::size_t new_head = new_pattern.find('*');
  const std::size_t new_tail = new_pattern.size() - new_pattern.rfind('*') - 1;
  // Between two stars nobody can tell what is the context's.
  if (pattern.substr(head, pattern.size() - tail - head) !=
      new_pattern.substr(new_head, new_pattern.size() - new_tail - new_head))
    return std::nullopt;
  return new_pattern.substr(0, new_head) + name.substr(head, name.size() - head - tail) +
         new_pattern.substr(new_pattern.size() - new_tail);
}

class Moves {
 public:
  Moves(env::Env env, const service::ServiceSet& set, const service::Context& context, const std::string& new_name)
      : env_(env), set_(set), context_(context), new_{new_name, context.id, context.label} {}

  Result<std::vector<ContextMove>> find() {
    for (const service::Declaration& service : set_.services()) {
      for (const service::SurfaceDeclaration& surface : service.surfaces) {
        if (!surface.path.empty() && surface.is_split())
          own_.push_back(TRY(service::expand(surface.path, set_.values(service, &context_))));
      }
    }
    others_ = TRY(places_of_others(set_, context_));
    for (const service::Declaration& service : set_.services()) {
      for (const service::SurfaceDeclaration& surface : service.surfaces) {
        if (surface.is_split()) TRY(add_surface(service, surface));
      }
    }
    return std::move(moves_);
  }

 private:
  Result<void> add_surface(const service::Declaration& service, const service::SurfaceDeclaration& surface) {
    const auto old_words = base::split(TRY(service::expand(surface.path, set_.values(service, &context_))), '/');
    const auto new_words = base::split(TRY(service::expand(surface.path, set_.values(service, &new_))), '/');
    std::string now;   // where it is as yet
    std::string then;  // after the moves so far
    for (std::size_t i = 0; i < old_words.size(); ++i) {
      const std::string& before = old_words[i];
      const std::string& after = new_words[i];
      if (before.empty()) continue;
      const bool last = i + 1 == old_words.size();
      if (before != after && last && before.find('*') != std::string::npos) {
        TRY(add_matching(service, before, after, now, then));
      } else if (before != after) {
        const bool is_database = last && surface.kind == SurfaceKind::kSqlite;
        for (std::size_t j = 0; j < (is_database ? kBesideDatabase.size() : 1); ++j) {
          const std::string beside(kBesideDatabase.at(j));
          TRY(add(service, now, then, before + beside, after + beside));
        }
      }
      now += "/" + before;
      then += "/" + after;
    }
    return {};
  }

  // Databases of a pattern.
  Result<void> add_matching(const service::Declaration& service, const std::string& pattern,
                            const std::string& new_pattern, const std::string& now, const std::string& then) {
    for (const std::string& name : TRY(databases_in(env_.fs, now, pattern))) {
      std::string_view database = name;
      for (const std::string_view beside : kBesideDatabase) {
        if (!beside.empty() && database.ends_with(beside)) database.remove_suffix(beside.size());
      }
      const auto renamed = renamed_by(pattern, new_pattern, std::string(database));
      if (!renamed)
        return fail(
            ErrorCode::kRefused, Cause::kNotImplemented,
            "the context cannot be renamed: in " + base::escaped(pattern, 200) + " its name stands between two stars");
      TRY(add(service, now, then, name, *renamed + name.substr(database.size())));
    }
    return {};
  }

  Result<void> add(const service::Declaration& service, const std::string& now, const std::string& then,
                   const std::string& before, const std::string& after) {
    ContextMove move{then + "/" + before, then + "/" + after, service.name};
    const auto same = [&move](const ContextMove& other) { return other.from == move.from && other.to == move.to; };
    if (std::ranges::any_of(moves_, same)) return {};
    const std::string path = now + "/" + before;
    const std::string target = now + "/" + after;
    const auto info = TRY(env_.fs.info(path));
    if (TRY(env_.fs.info(target))) return in_the_way(target, " is in the way", "move it away, or choose another name");
    if (info) {
      TRY(check(path, *info));
      move.inode = info->inode;
    }
    moves_.push_back(std::move(move));
    return {};
  }

  Result<void> check(const std::string& path, const env::FileInfo& info) {
    const auto parent = TRY(env_.fs.info(env::parent_of(path)));
    if (parent && parent->device != info.device)
      return in_the_way(path, " is a mount point", "mount it at a place that does not bear the context's name");
    for (const std::string& other : others_) {
      if (surface::is_at_or_below(other, path))
        return in_the_way(path, " holds " + base::escaped(other, 200) + ", which is not the context's",
                          "have that surface elsewhere first");
    }
    // Below data/ all that bears a context's name is its own; elsewhere somebody else's may stand beside it.
    if (info.type == env::FileType::kDirectory && !surface::is_at_or_below(path, set_.paths().data()))
      return check_only_own(path);
    return {};
  }

  Result<void> check_only_own(const std::string& path) {
    const auto is_own = [&path](const std::string& own) { return surface::is_at_or_below(path, own); };
    const auto leads = [&path](const std::string& own) { return own.starts_with(path + "/"); };
    if (std::ranges::any_of(own_, is_own)) return {};
    const auto info = TRY(env_.fs.info(path));
    if (!info) return {};
    if (std::ranges::none_of(own_, leads) || info->type != env::FileType::kDirectory)
      return in_the_way(path, " is no surface's, and would be moved along", "declare it, or move it away");
    for (const std::string& name : TRY(env_.fs.list(path))) TRY(check_only_own(env::join(path, name)));
    return {};
  }

  env::Env env_;
  const service::ServiceSet& set_;
  const service::Context& context_;
  const service::Context new_;
  std::vector<std::string> own_;     // parts of the context
  std::vector<std::string> others_;  // what is not its own
  std::vector<ContextMove> moves_;
};

}  // namespace

Result<std::vector<ContextMove>> moves_of_context(env::Env env, const service::ServiceSet& set,
                                                  const service::Context& context, const std::string& new_name) {
  return Moves(env, set, context, new_name).find();
}

}  // namespace spl::operation
