import { regions } from "../model/region.ts";
import { type Command, globalFlags } from "./command.ts";
import { aliasesOf, below } from "./find.ts";
import { flagName } from "./parse.ts";

/** Shell completion, written from the commands. Pure: the script needs no perch to answer. */

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

interface Place {
  /** The words typed before, `postgres db`; aliases have places of their own. */
  path: string;
  words: string[];
}

/** What may follow each beginning of a command line. */
export function places(commands: readonly Command[]): Place[] {
  const names = commands.map((command) => command.name);
  const prefixes = new Set(
    names.flatMap((name) => name.split(" ").map((_, count, words) => words.slice(0, count).join(" "))),
  );
  const groups = [...prefixes].map((path): Place => ({ path, words: [...below(path, names)] }));
  const leaves = commands.map((command): Place => ({ path: command.name, words: flagWords(command) }));
  return [...groups, ...leaves].flatMap((place) => spellings(place.path).map((path) => ({ path, words: place.words })));
}

const flagWords = (command: Command): string[] => [
  ...Object.keys({ ...command.flags, ...globalFlags }).map((key) => `--${flagName(key)}`),
  "--help",
];

/** A path and every way to write it with aliases: `pg db`, `pg databases`, … */
function spellings(path: string): string[] {
  if (path === "") return [""];
  return path
    .split(" ")
    .reduce<string[]>(
      (heads, word, at) =>
        heads.flatMap((head) => [word, ...aliasesOf(word, at)].map((spelled) => `${head} ${spelled}`.trim())),
      [""],
    );
}

/** Values of flags that are known beforehand: regions and choices. */
function flagValues(commands: readonly Command[]): Map<string, string> {
  const values = new Map([["--region", regions.map((region) => region.code).join(" ")]]);
  for (const command of commands) {
    for (const [key, flag] of Object.entries(command.flags))
      if (flag.choices !== undefined) values.set(`--${flagName(key)}`, flag.choices.join(" "));
  }
  return values;
}

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

function bashScript(commands: readonly Command[]): string {
  const values = [...flagValues(commands)].map(
    ([flag, words]) => `    ${flag}) COMPREPLY=($(compgen -W "${words}" -- "$word")); return ;;`,
  );
  const cases = places(commands).map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`);
  return `# bash completion of perch: source <(perch completion bash)
_perch() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" index next
  case "$before" in
${values.join("\n")}
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="\${COMP_WORDS[index]}"
    [[ "$next" == -* ]] && break
    _perch_words "\${path:+$path }$next" || break
    path="\${path:+$path }$next"
  done
  _perch_words "$path"
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
_perch_words() {
  case "$1" in
${cases.join("\n")}
    *) return 1 ;;
  esac
}
complete -o default -F _perch perch ./perch
`;
}

const zshScript = (commands: readonly Command[]): string => `#compdef perch
# zsh completion of perch: source <(perch completion zsh)
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bashScript(commands)}`;

function fishScript(commands: readonly Command[]): string {
  const cases = places(commands).map(
    ({ path, words }) => `    case '${path}'\n      printf '%s\\n' ${words.join(" ")}`,
  );
  const values = [...flagValues(commands)].map(
    ([flag, words]) => `complete -c perch -f -n '__perch_after ${flag}' -a '${words}'`,
  );
  return `# fish completion of perch: perch completion fish | source
function __perch_at
  switch "$argv"
${cases.join("\n")}
  end
end
function __perch_words
  set -l path
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; and break
    test -n "$(__perch_at $path $word)"; or break
    set -a path $word
  end
  __perch_at $path
end
function __perch_after
  test "$(commandline -opc)[-1]" = "$argv"
end
complete -c perch -f -a '(__perch_words)'
${values.join("\n")}
`;
}
