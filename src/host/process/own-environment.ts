/**
 * How a command gets variables that no helper before it may meet: LD_PRELOAD, NODE_OPTIONS or PATH of an app would else
 * be obeyed by the programs that still have rights. Each pair travels as the value of a variable with a harmless name,
 * and `env` makes the environment of it in the last exec. As an argument a pair would be in `ps`; an environment is
 * read by root and the same user only. Pure.
 */
export interface Carried {
  /** argv to put before the command. */
  argv: string[];
  /** The variables that carry the pairs. */
  env: Record<string, string>;
}

export function carryEnvironment(variables: NodeJS.ProcessEnv, command: string): Carried {
  const pairs = Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const env = Object.fromEntries(pairs.map((pair, index) => [`PERCH_PAIR_${index}`, pair]));
  const names = Object.keys(env).map((name) => `\${${name}}`);
  // env would take a command with a "=" in its name for one more pair.
  const plain = command.includes("=") ? ["sh", "-c", 'exec "$0" "$@"'] : [];
  return { argv: ["env", "-i", "-S", ["--", ...names].join(" "), ...plain], env };
}
