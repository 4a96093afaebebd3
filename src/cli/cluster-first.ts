import type { Command } from "./command.ts";
import { flagText, globalFlagEntries } from "./parse.ts";

/**
 * `perch pg connect pg` means `perch pg connect -a pg`: where a cluster is needed, none is named, and one word more stands there than the command takes,
 * the first word is the cluster. Pure: words of a command line in and out; all others stay as they are.
 */
export function clusterFirst(command: Command, words: readonly string[]): readonly string[] {
  if (!command.needs.includes("cluster") || "cluster" in command.args) return words;
  const plain = plainWords(command, words);
  if (plain === undefined) return words;
  // What takes "further arguments" has them behind --.
  const takes = Object.values(command.args).filter((arg) => arg.many !== true).length;
  const [first] = plain;
  if (first === undefined || plain.length !== takes + 1) return words;
  return ["-a", words[first] ?? "", ...words.filter((_, index) => index !== first)];
}

/** The places of the words before -- that are neither a flag nor the value of one; undefined where -a is among the flags. */
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
