// Completion for shells. The scripts know nothing: they ask the program at every key (complete.h).
#include "cli/help.h"

namespace spl::cli {
namespace {

// bash quotes what is offered itself where it takes it for names of files.
constexpr const char* kBash = R"sh(# bash completion for spl; put it into ~/.local/share/bash-completion/completions/spl
_spl() {
  local offer
  COMPREPLY=()
  while IFS= read -r offer; do
    case $offer in
      :files) compopt -o default 2>/dev/null ;;
      :directories) compopt -o dirnames 2>/dev/null ;;
      *)
        COMPREPLY+=("$offer")
        [[ $offer != *[!A-Za-z0-9_.,:=/-]* ]] || compopt -o filenames 2>/dev/null
        ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -F _spl spl
)sh";

constexpr const char* kZsh = R"sh(#compdef spl
# zsh completion for spl; put it as _spl into a directory of $fpath
_spl() {
  local offer
  local -a offers shown
  for offer in "${(@f)$("${(Q)words[1]}" __complete zsh "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $offer in
      :files) _files; return ;;
      :directories) _files -/; return ;;
      ?*) offers+=("${offer%%$'\t'*}"); shown+=("${offer/$'\t'/  -- }") ;;
    esac
  done
  compadd -l -d shown -a offers
}
if [[ ${funcstack[1]} == _spl ]]; then _spl "$@"; else compdef _spl spl; fi
)sh";

constexpr const char* kFish = R"sh(# fish completion for spl; put it into ~/.config/fish/completions/spl.fish
function __spl_offers
    set -l words (commandline -opc)
    set -l offers ($words[1] __complete fish $words[2..] (commandline -ct) 2>/dev/null)
    switch "$offers[1]"
        case :files
            __fish_complete_path (commandline -ct)
        case :directories
            __fish_complete_directories (commandline -ct)
        case '*'
            printf '%s\n' $offers
    end
end
complete -c spl -f -a '(__spl_offers)'
)sh";

}  // namespace

std::string completion_script(Shell shell) {
  switch (shell) {
    case Shell::kBash:
      return kBash;
    case Shell::kZsh:
      return kZsh;
    case Shell::kFish:
      break;
  }
  return kFish;
}

}  // namespace spl::cli
