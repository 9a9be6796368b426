import { unknownName } from "../core/index.js";

/** The shells that there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/**
 * The script that makes a shell complete `lightcone`, for `source <(…)`; throws a `UsageError` for another shell.
 *
 * Each asks `lightcone complete -- WORDS…` at a Tab and never evaluates what is on the line: a `$(…)` there may be
 * anything that was pasted. Sourcing one twice is harmless, and none needs more than the shell itself.
 */
export function completionScript(shell: string): string {
  const known = SHELLS.find((one) => one === shell);
  if (known === undefined) throw unknownName("shell", shell, SHELLS);
  return SCRIPTS[known];
}

// Bash 3.2, which macOS still has, knows no compopt: it gets the files without a shell's care for blanks in them.
const BASH = `# Completes lightcone in bash: source <(lightcone completion bash)
_lightcone() {
  local line current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line != :files ]]; then
      COMPREPLY+=("\${line%%$'\\t'*}")
    elif type compopt >/dev/null 2>&1; then
      compopt -o default 2>/dev/null
    else
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    fi
  done < <(command lightcone complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
}
complete -F _lightcone lightcone`;

const ZSH = `#compdef lightcone
# Completes lightcone in zsh: source <(lightcone completion zsh), or this text as a file _lightcone in $fpath
_lightcone() {
  local line word about files=0
  local -a found
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    word=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    found+=("\${word//:/\\\\:}:$about")
  done < <(command lightcone complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null </dev/null)
  (( \${#found} )) && _describe -t lightcone lightcone found
  (( files )) && _files
}
if [[ \${funcstack[1]} == _lightcone ]]; then
  _lightcone "$@"
else
  (( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit; }
  compdef _lightcone lightcone
fi`;

const FISH = `# Completes lightcone in fish: lightcone completion fish | source
function __lightcone_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command lightcone complete -- $words[2..-1] "$current" 2>/dev/null </dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            printf '%s\\n' $line
        end
    end
end
complete -c lightcone -e
complete -c lightcone -f -a '(__lightcone_complete)'`;

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = { bash: BASH, zsh: ZSH, fish: FISH };
