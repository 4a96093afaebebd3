import type { From, Own } from "./own.ts";
import { withOwn } from "./own.ts";
import type { Written } from "./read.ts";

/**
 * A recipe as Markdown: for a terminal, where what stands in fences can be copied as it is, and for docs/clients/.
 * Pure.
 */
export function recipeText(written: Written, own: Own, from: From): string {
  const { title, about, install, files, run, notes } = withOwn(written, own, from);
  return [
    `# ${title}`,
    ...paragraph(about),
    ...(install.length === 0 ? [] : ["", "## Install", "", ...fence("sh", install.join("\n"))]),
    "",
    "## Write",
    ...files.flatMap(({ path, text }) => ["", `\`${path}\``, "", ...fence(languageOf(path), text.trimEnd())]),
    "",
    "## Run",
    ...(from.way === "inside" ? [] : ["", "Where the program runs, with the password in place of `***`:"]),
    "",
    ...fence(
      "sh",
      [
        ...(from.way === "inside" ? [] : [`export ${own.variable}='${urlFrom(own.url, from).replaceAll("'", "%27")}'`]),
        ...run,
      ].join("\n"),
    ),
    ...paragraph(notes),
    "",
    "## Where it connects",
    ...paragraph(whereText(own, from)),
    "",
  ].join("\n");
}

/** The URL as it leads to the leader from there. */
export function urlFrom(url: string, from: From): string {
  return from.way === "external" ? url.replace(/@(?:\[[^\]]*\]|[^/:@]*):\d+/, () => `@${from.host}`) : url;
}

/** The hosts, and what is to be known about the way. */
function whereText(own: Own, from: From): string {
  const { variable, app, cluster } = own;
  const password = `\`perch run -a ${app} -- printenv ${variable}\` prints the URL with its password.`;
  if (from.way === "inside") {
    const hosts = isPortable(own)
      ? " This network is in portable mode: the URL leads to the leader from this host, and 5433 for reads is not there."
      : insideText(own);
    const is = own.state === "attached" ? "is" : "will be";
    return `The secret \`${variable}\` ${is} \`${own.url}\`; \`perch run\` gives it to the program, with its password.${hosts}`;
  }
  if (isPortable(own))
    return `This network is in portable mode: the leader listens on this host's \`127.0.0.1\` only. ${password}`;
  if (from.way === "tunnel") {
    const forwarded = own.url.replace(/@[^/]*/, "@localhost:PORT");
    return [
      `Over a WireGuard tunnel into the private network, \`${cluster}.internal\` is reached as from inside: \`perch wireguard create laptop laptop.conf\``,
      "writes what `wg-quick up ./laptop.conf` and the apps of WireGuard take. Through a port forward to",
      `\`${cluster}.internal:5432\`, which you make yourself, the URL is \`${forwarded}\`. ${password}`,
    ].join("\n");
  }
  return [
    `\`${from.host}\` must lead to \`${cluster}.internal:5432\`: Perch publishes no port by itself, and PostgreSQL admits connections from the private`,
    "network only, so whatever forwards them must connect from inside it. `sslmode=require` in the URL asks for TLS",
    `(\`no-verify\` for node-postgres and what is built on it, which takes \`require\` for more); the certificate is for \`.internal\` names, so \`verify-full\` does not fit another host. ${password}`,
  ].join("\n");
}

function insideText({ cluster, regions, pool }: Own): string {
  const members = regions === undefined ? "" : ` (members in ${regions.join(", ")})`;
  return [
    ...(pool?.preparedStatements === false
      ? [" Its pooler must have no prepared statements, which the lines above see to."]
      : [""]),
    "",
    "| address | leads to |",
    "| --- | --- |",
    ...(pool === undefined ? [] : [`| \`${cluster}.internal:6432\` | the leader, through the pooler |`]),
    `| \`${cluster}.internal:5432\` | the leader, for reads and writes, from every region |`,
    `| \`${cluster}.internal:5433\` | the nearest member, for reads${members} |`,
  ].join("\n");
}

const isPortable = ({ url }: Own): boolean => /@127\.0\.0\.1:\d+\//.test(url);
const paragraph = (text: string): string[] => (text === "" ? [] : ["", text]);
const fence = (language: string, text: string): string[] => [`\`\`\`${language}`, text, "```"];

const languages: Readonly<Record<string, string>> = {
  cjs: "js",
  sequelizerc: "js",
  Gemfile: "ruby",
  rb: "ruby",
  rs: "rust",
  py: "python",
  mod: "",
  txt: "",
  prisma: "",
};

function languageOf(path: string): string {
  const last = path.split(/[./]/).at(-1) ?? "";
  return languages[last] ?? last;
}
