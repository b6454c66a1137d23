#include "surface/git/git.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/words.h"
#include "env/child_process.h"
#include "surface/conformance.h"
#include "surface/driver_test_util.h"
#include "surface/git/git_program.h"
#include "surface/git/repository.h"

namespace spl::surface {
namespace {

using ::testing::HasSubstr;

// Repositories made by git itself.
class Repositories : public DriverRoom {
 public:
  std::string git(const std::string& repository, std::vector<std::string> words, std::string_view input = {}) {
    base::NoProgress progress;
    words.insert(words.begin(), {"-c", "user.name=A", "-c", "user.email=a@example.org"});
    std::string text = must(run_git(fs_, repository, words, progress, input));
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  // With `commits` commits on the branch main, a tag, a note and a ref of an odd name.
  void make(const std::string& repository, int commits, const std::string& text) {
    if (must(fs_.info(repository))) {
      // Objects stay, as in a repository that is used: only the refs go.
      for (const std::string& ref : base::split(git(repository, {"for-each-ref", "--format=%(refname)"}), '\n'))
        git(repository, {"update-ref", "--no-deref", "-d", ref});
    } else {
      must(env::make_directories(fs_, env::parent_of(repository)));
      git(repository, {"init", "--bare", "--quiet", "--initial-branch=trunk", repository});
    }
    std::string parent;
    for (int i = 0; i < commits; ++i) {
      const std::string blob = git(repository, {"hash-object", "-w", "--stdin"}, text + std::to_string(i));
      const std::string tree =
          git(repository, {"mktree"}, "100644 blob " + blob + "\tfile " + std::to_string(i) + "\n");
      std::vector<std::string> words{"commit-tree", tree, "-m", text};
      if (!parent.empty()) words.insert(words.end(), {"-p", parent});
      parent = git(repository, words);
    }
    if (parent.empty()) return;
    git(repository, {"update-ref", "refs/heads/trunk", parent});
    git(repository, {"update-ref", "refs/pull/7/head", parent});
    git(repository, {"tag", "-a", "-m", text, "v1", parent});
    git(repository, {"pack-refs", "--all"});
    git(repository, {"update-ref", "refs/heads/\xC3\xA4\xC3\xB6/x", parent});
    git(repository, {"symbolic-ref", "refs/remotes/origin/HEAD", "refs/heads/trunk"});
  }

  std::string state_of(const std::string& repository) {
    return git(repository, {"for-each-ref", "--format=%(objectname) %(refname) %(symref) %(contents:subject)"}) + "\n" +
           git(repository, {"symbolic-ref", "HEAD"}) + "\n" +
           (must(fs_.info(repository + "/description")) ? must(env::read_file(fs_, repository + "/description", 4096))
                                                        : "");
  }

  std::string traces() {
    std::string names;
    for (const char* below : {"/data", "/spool", "/scratch"}) {
      for (const std::string& name : must(fs_.list(directory_.path() + below))) {
        if (!name.starts_with("place")) names += name + "\n";
      }
    }
    return names;
  }

  std::unique_ptr<BackupPart> backup(Place place) { return git_backup(surroundings_, std::move(place)); }
  std::unique_ptr<RestorePart> restore(Place place, RestoreRequest request) {
    return git_restore(surroundings_, std::move(place), std::move(request));
  }
};

class OneRepository : public Repositories {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kGit;
    place.subject = "forge/code";
    place.path = data() + "/place" + std::to_string(n) + ".git";
    return place;
  }
  void fill(const Place& place, int variant) {
    make(place.path, 3 * variant, "variant " + std::to_string(variant));
    must(env::write_file_atomically(fs(), place.path + "/description", "repository " + std::to_string(variant)));
  }
  std::string state(const Place& place) { return must(fs().info(place.path)) ? state_of(place.path) : ""; }
};

// Some repositories below a directory, one of them empty; the second state has one more.
class ManyRepositories : public Repositories {
 public:
  Place place(int n) {
    Place place;
    place.kind = bundle::SurfaceKind::kGit;
    place.subject = "forge/code";
    place.path = data() + "/place" + std::to_string(n);
    return place;
  }
  void fill(const Place& place, int variant) {
    const std::string text = "variant " + std::to_string(variant);
    make(place.path + "/a.git", 2, text);
    make(place.path + "/a.git.b", 1, text);
    make(place.path + "/deep/er/b c.git", 2, text);
    if (variant == 2) make(place.path + "/deep/other.git", 2, text);
    make(place.path + "/empty.git", 0, text);
  }
  std::string state(const Place& place) {
    std::string text;
    for (const std::string& name : must(find_repositories(fs(), place.path, {})))
      text += name + ":\n" + state_of(place.path + "/" + name);
    return text;
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(GitRepository, DriverConformance, OneRepository);
INSTANTIATE_TYPED_TEST_SUITE_P(GitRepositories, DriverConformance, ManyRepositories);

class GitDriver : public ::testing::Test {
 protected:
  static Place copy(const Place& place) {
    Place made;
    made.kind = place.kind;
    made.subject = place.subject;
    made.path = place.path;
    made.hooks_template = place.hooks_template;
    return made;
  }
  Result<SpooledPart> taken(const Place& place) {
    const auto part = fixture_.backup(copy(place));
    base::NoProgress progress;
    TRY(part->plan(progress));
    TRY(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
    auto files = TRY(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool));
    TRY(part->stream(files, progress));
    files.rewind();
    return files;
  }
  std::string stage(SpooledPart& files) {
    files.rewind();
    const auto part = fixture_.restore(fixture_.place(1), {.id = "0123456789abcdef", .engine = {}});
    base::NoProgress progress;
    const auto mark = part->stage(files, progress);
    Result<void> outcome;
    if (!mark) outcome = std::unexpected(mark.error());
    if (mark) {
      const auto checked = part->check(*mark, progress);
      if (!checked) outcome = std::unexpected(checked.error());
    }
    must(part->discard(""));
    return outcome ? "taken" : outcome.error().message;
  }
  SpooledPart spool() { return must(SpooledPart::make(fixture_.surroundings().env, fixture_.surroundings().spool)); }
  std::string bundle_of(const std::string& repository) {
    return fixture_.git(repository, {"bundle", "create", "--quiet", "-", "--all"});
  }
  OneRepository fixture_;
};

TEST_F(GitDriver, AShallowRepositoryIsStoppedBeforeAnyPause) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  must(env::write_file_atomically(fixture_.fs(), place.path + "/shallow", ""));
  base::NoProgress progress;
  const auto plan = fixture_.backup(copy(place))->plan(progress);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("shallow"));
}

TEST_F(GitDriver, ObjectsThatAreGoneFailTheBackup) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  const auto part = fixture_.backup(copy(place));
  base::NoProgress progress;
  must(part->plan(progress));
  must(part->open(Writers::kPaused, fixture_.surroundings().env.clock.since_boot() + std::chrono::seconds(60)));
  for (const std::string& name : must(fixture_.fs().list(place.path + "/objects"))) {
    if (name.size() == 2) must(env::remove_tree(fixture_.fs(), place.path + "/objects/" + name));
  }
  SpooledPart files = spool();
  EXPECT_FALSE(part->stream(files, progress));
}

TEST_F(GitDriver, HooksAndConfigurationAreTheLiveRepositorysOrTheTemplates) {
  fixture_.fill(fixture_.place(0), 1);
  must(env::write_file_atomically(fixture_.fs(), fixture_.place(0).path + "/hooks/post-receive", "theirs", 0755));
  SpooledPart files = must(taken(fixture_.place(0)));
  const auto restored = [&](Place place) {
    files.rewind();
    const auto part = fixture_.restore(std::move(place), {.id = "0123456789abcdef", .engine = {}});
    base::NoProgress progress;
    const std::string mark = must(part->stage(files, progress));
    must(part->swap(mark));
    must(part->discard(mark));
  };
  const std::string hook = fixture_.place(1).path + "/hooks/post-receive";
  must(env::make_directories(fixture_.fs(), fixture_.data() + "/template"));
  must(env::write_file_atomically(fixture_.fs(), fixture_.data() + "/template/post-receive", "the template's", 0755));
  Place place = fixture_.place(1);
  place.hooks_template = fixture_.data() + "/template";
  restored(std::move(place));
  EXPECT_EQ(must(env::read_file(fixture_.fs(), hook, 100)), "the template's");
  must(env::write_file_atomically(fixture_.fs(), hook, "live", 0755));
  fixture_.git(fixture_.place(1).path, {"config", "receive.denyDeletes", "true"});
  restored(fixture_.place(1));
  EXPECT_EQ(must(env::read_file(fixture_.fs(), hook, 100)), "live");
  EXPECT_EQ(fixture_.git(fixture_.place(1).path, {"config", "receive.denyDeletes"}), "true");
}

// The mark is of a repository that is not there any more.
TEST_F(GitDriver, WhatWasReplacedComesBackThoughTheServiceHasMadeItsRepositoryAnew) {
  const Place place = fixture_.place(1);
  fixture_.fill(place, 1);
  const std::string before = fixture_.state(place);
  fixture_.fill(fixture_.place(0), 2);
  SpooledPart files = must(taken(fixture_.place(0)));
  const auto part = fixture_.restore(copy(place), {.id = "0123456789abcdef", .engine = {}});
  base::NoProgress progress;
  const std::string mark = must(part->stage(files, progress));
  must(part->swap(mark));
  must(fixture_.fs().rename(place.path, place.path + ".old"));
  fixture_.git(place.path, {"init", "--bare", "--quiet", place.path});
  for (int i = 0; i < 2; ++i) must(part->swap_back(mark));
  must(part->discard(mark));
  EXPECT_EQ(fixture_.state(place), before);
}

TEST_F(GitDriver, ADetachedHeadComesBack) {
  const Place place = fixture_.place(0);
  fixture_.fill(place, 1);
  const std::string id = fixture_.git(place.path, {"rev-parse", "refs/heads/trunk"});
  must(env::write_file_atomically(fixture_.fs(), place.path + "/HEAD", id + "\n"));
  SpooledPart files = must(taken(place));
  const auto part = fixture_.restore(fixture_.place(1), {.id = "0123456789abcdef", .engine = {}});
  base::NoProgress progress;
  const std::string mark = must(part->stage(files, progress));
  must(part->swap(mark));
  EXPECT_EQ(fixture_.git(fixture_.place(1).path, {"rev-parse", "HEAD"}), id);
}

TEST_F(GitDriver, BundlesThatLieAreRefused) {
  const std::string repository = fixture_.place(0).path;
  fixture_.fill(fixture_.place(0), 1);
  base::NoProgress progress;
  const std::string good =
      must(run_git(fixture_.fs(), repository, {"bundle", "create", "--quiet", "-", "--all"}, progress));
  const auto with = [&](const std::string& bundle, const std::string& facts) {
    SpooledPart files = spool();
    must(files.add("%.bundle", bundle));
    must(files.add("%.json", facts));
    return stage(files);
  };
  const std::string facts = R"({"head":"refs/heads/trunk"})";
  EXPECT_EQ(with(good, facts), "taken");
  EXPECT_THAT(with("# v2 git bundle\nnonsense\n", facts), HasSubstr("none of a bundle"));
  EXPECT_THAT(with(good.substr(0, good.size() - 30), facts), HasSubstr("does not take"));
  const auto line_end = good.find('\n') + 1;
  const std::string id(40, 'a');
  EXPECT_THAT(with(good.substr(0, line_end) + "-" + id + " x\n" + good.substr(line_end), facts),
              HasSubstr("wants history"));
  EXPECT_THAT(with(good.substr(0, line_end) + id + " refs/../config\n" + good.substr(line_end), facts),
              HasSubstr("does not take"));
  EXPECT_THAT(with(good.substr(0, line_end) + id + " refs/heads/none\n" + good.substr(line_end), facts),
              HasSubstr("fsck"));
  EXPECT_THAT(with(good, R"({"head":"../../etc/passwd"})"), HasSubstr("head names nothing"));
  EXPECT_THAT(
      with(good,
           R"({"head":"refs/heads/trunk","symbolic_refs":[{"name":"refs/../../x","target":"refs/heads/trunk"}]})"),
      HasSubstr("symbolic ref"));
}

TEST_F(GitDriver, WhatEndangersAReaderIsRefused) {
  const std::string repository = fixture_.place(0).path;
  fixture_.fill(fixture_.place(0), 1);
  const std::string blob = fixture_.git(repository, {"hash-object", "-w", "--stdin"},
                                        "[submodule \"x\"]\n\tpath = x\n\turl = -u./payload\n");
  const std::string tree = fixture_.git(repository, {"mktree"}, "100644 blob " + blob + "\t.gitmodules\n");
  const std::string commit = fixture_.git(repository, {"commit-tree", tree, "-m", "x"});
  fixture_.git(repository, {"update-ref", "refs/heads/evil", commit});
  SpooledPart files = must(taken(fixture_.place(0)));
  EXPECT_THAT(stage(files), HasSubstr("gitmodules"));
}

TEST(RefNames, AreThoseThatGitTakes) {
  for (const char* name : {"refs/heads/a", "refs/x", "refs/heads/\xC3\xA4", "refs/heads/a@b"})
    EXPECT_TRUE(is_ref_name(name)) << name;
  for (const char* name : {"HEAD", "refs", "refs/", "refs//a", "refs/a/", "refs/.a", "refs/a.lock", "refs/a..b",
                           "refs/a b", "refs/a.", "refs/@{", "refs/a\\b", "refs/a\n", "refs/a~1"})
    EXPECT_FALSE(is_ref_name(name)) << name;
  for (const char* name : {"", "a", "a/b.git"}) EXPECT_TRUE(is_repository_name(name)) << name;
  for (const char* name : {"/a", "a/", "../a", "a/..", ".", ".spl-x"}) EXPECT_FALSE(is_repository_name(name)) << name;
}

}  // namespace
}  // namespace spl::surface
