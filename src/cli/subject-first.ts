import type { Command } from "./command.ts";
import { flagText, globalFlagEntries } from "./parse.ts";

/**
 * `perch pg connect pg` means `perch pg connect -a pg`, `perch secrets list web` means `-a web`, and `perch pg attach
 * pg web` means `pg --app web`: where a cluster or an app is needed, none is named by -a, and one word more stands
 * there than the command takes, that word is it. Such a line would be an error otherwise, so nothing that has a meaning
 * changes it. Pure: words of a command line in and out; all others stay as they are.
 */
export function subjectFirst(command: Command, words: readonly string[]): readonly string[] {
  const at = placeOfSubject(command);
  const plain = at === undefined ? undefined : plainWords(command, words);
  if (at === undefined || plain === undefined || plain.length !== fixedArgs(command) + 1) return words;
  const subject = plain[at];
  return subject === undefined ? words : ["-a", words[subject] ?? "", ...words.filter((_, index) => index !== subject)];
}

// What takes "further arguments" has them behind --.
const fixedArgs = (command: Command): number => Object.values(command.args).filter((arg) => arg.many !== true).length;

/** Which of the plain words names the subject; undefined where that could be another thing. */
function placeOfSubject({ args, flags, needs, passThrough }: Command): number | undefined {
  if (!("app" in flags) || passThrough === true) return undefined;
  const names = Object.keys(args);
  if (needs.includes("cluster")) return names.includes("cluster") ? undefined : 0;
  if (names.length === 0) return 0;
  return needs.includes("app") && names.join() === "cluster" ? 1 : undefined;
}

/**
 * The places of the words before -- that are neither a flag nor the value of one; undefined where -a is among the
 * flags.
 */
function plainWords(command: Command, words: readonly string[]): number[] | undefined {
  const plain: number[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") break;
    if (!word.startsWith("-") || word === "-") plain.push(index);
    else if (/^(-a|--app(=|$))/.test(word)) return undefined;
    else if (takesNext(command, word)) index++;
  }
  return plain;
}

function takesNext(command: Command, word: string): boolean {
  const flags = [...Object.entries(command.flags), ...globalFlagEntries];
  return flags.some(([key, flag]) => flag.type !== "boolean" && flagText(key, flag).split(/[ ,]+/).includes(word));
}
