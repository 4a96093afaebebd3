import { type Command, type Flag, globalFlags } from "./command.ts";
import { aliasesOf, below } from "./find.ts";
import { columns } from "./output/columns.ts";
import { argText, flagText } from "./parse.ts";

/** Help as text. Pure; docs/commands.md is written from the same pieces. */

export const usageLine = (command: Command, words = `perch ${command.name}`): string =>
  [
    words,
    ...(Object.keys(command.flags).length > 0 ? ["[flags]"] : []),
    ...Object.entries(command.args).map(([name, arg]) => argText(name, arg)),
  ].join(" ");

/** Two columns: how an argument or flag is written, and what it means. */
export const argRows = (command: Command): [string, string][] =>
  Object.entries(command.args).map(([name, arg]) => [argText(name, arg), arg.summary]);

export const flagRows = (command: Pick<Command, "flags">): [string, string][] =>
  Object.entries<Flag>(command.flags).map(([key, flag]) => {
    const notes = [
      ...(flag.choices === undefined ? [] : [`one of ${flag.choices.join(", ")}`]),
      ...(flag.default === undefined ? [] : [`default ${flag.default}`]),
      ...(flag.type === "strings" ? ["may be repeated"] : []),
    ];
    const text = flagText(key, flag);
    return [
      flag.short === undefined ? `    ${text}` : text,
      `${flag.summary}${notes.length === 0 ? "" : ` (${notes.join("; ")})`}`,
    ];
  });

export const globalRows = (): [string, string][] => flagRows({ flags: globalFlags });

export function commandHelp(command: Command): string {
  const aliases = aliasLines(command.name);
  return [
    command.summary,
    ...(command.details === undefined ? [] : ["", wrap(command.details, 100)]),
    "",
    `Usage:\n  ${usageLine(command)}`,
    ...(aliases.length === 0 ? [] : ["", `Aliases:\n  ${aliases.join(", ")}`]),
    ...section("Arguments", argRows(command)),
    ...section("Flags", [...flagRows(command), ["-h, --help", "Show this"]]),
    ...section("Flags of every command", globalRows()),
    "",
    `Examples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`,
  ].join("\n");
}

/** Help for `perch`, `perch postgres`, `perch postgres db`: what stands below. */
export function groupHelp(prefix: string, commands: readonly Command[]): string {
  const names = commands.map((command) => command.name);
  const rows = [...below(prefix, names)].map((word): [string, string] => {
    const name = prefix === "" ? word : `${prefix} ${word}`;
    const command = commands.find((candidate) => candidate.name === name);
    return [name, command?.summary ?? `${groupSummaries[name] ?? ""} (${[...below(name, names)].join(", ")})`];
  });
  const head =
    prefix === ""
      ? "PostgreSQL clusters with read replicas on a private network, attached to your apps by one DATABASE_URL"
      : (groupSummaries[prefix] ?? prefix);
  return [
    head,
    "",
    `Usage:\n  perch ${prefix === "" ? "" : `${prefix} `}<command> [flags]`,
    ...section("Commands", rows),
    "",
    prefix === ""
      ? "Begin with:\n  perch quickstart\n\nMore about a command:\n  perch <command> --help"
      : `More about a command:\n  perch ${prefix} <command> --help`,
  ].join("\n");
}

export const groupSummaries: Readonly<Record<string, string>> = {
  apps: "Apps: names that own secrets and a primary region",
  secrets: "Secrets of an app: encrypted, and given to it as environment variables",
  postgres: "PostgreSQL clusters: a leader and its read replicas",
  "postgres db": "Databases of a cluster",
  "postgres users": "Users of a cluster",
  "postgres pool": "PgBouncer before a cluster",
  "postgres config": "PostgreSQL settings of a cluster",
  machine: "Machines: members of clusters, and running apps",
  platform: "What Perch offers everywhere",
  network: "Networks on this host that cannot reach each other",
  wireguard: "WireGuard peers: laptops and other hosts that join the network",
  "host-access": "This host itself in the network: its own route and names",
  remote: "The API for a perch on another host, off until it is asked for",
  tokens: "Tokens that let another host in",
  certs: "Certificates of the network",
  systemd: "Perch as a service of systemd: at boot, and upgraded by a restart",
};

export function aliasLines(name: string): string[] {
  const words = name.split(" ");
  return words.flatMap((word, index) =>
    aliasesOf(word, index).map((alias) => `perch ${words.with(index, alias).join(" ")}`),
  );
}

const section = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
  rows.length === 0 ? [] : ["", `${title}:\n${columns(rows, { indent: 2 })}`];

/** Lines of at most `width` characters, cut at spaces. */
export function wrap(text: string, width: number): string {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.join("\n");
}
