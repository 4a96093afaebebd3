import { basename } from "node:path";

/**
 * The name that perch was called by: `fly` and `flyctl`, too, where `perch install-cli --as fly` made those links. What
 * we tell somebody to type begins with the word they type.
 */
export const calledAsVariable = "PERCH_CALLED_AS";

/** `./perch` says it in a variable; an installed package is called by its link itself. Pure. */
export function programName(env: NodeJS.ProcessEnv, path: string | undefined): string {
  const name = env[calledAsVariable] ?? basename(path ?? "");
  return /^[A-Za-z0-9][\w-]{0,62}$/.test(name) ? name : "perch";
}

/** Our own text with that name in place of perch where a command line begins. Pure. */
export const inNameOf = (program: string, text: string): string =>
  program === "perch" ? text : text.replace(/(?<![\w./-])perch(?= [a-z<-]|: )/g, () => program);
