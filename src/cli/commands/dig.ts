import { counted } from "../../base/count.ts";
import { fail } from "../../errors/error.ts";
import { command } from "../command.ts";
import { columns } from "../output/columns.ts";

const types = ["AAAA", "A", "TXT", "PTR", "SOA", "NS", "ANY"] as const;
type Type = (typeof types)[number];

const typeOf = (word: string | undefined): Type | undefined => types.find((type) => type === word?.toUpperCase());

/** The name and the type in either order, as flyctl takes them. Pure. */
export function question(first: string, second: string | undefined): { name: string; type: Type } {
  if (second === undefined) return { name: first, type: "AAAA" };
  const type = typeOf(second);
  if (type !== undefined) return { name: first, type };
  const leading = typeOf(first);
  if (leading !== undefined) return { name: second, type: leading };
  throw fail("usage_invalid", { reason: `"${second}" is no record type; known are ${types.join(", ")}` });
}

export const digCommand = command({
  name: "dig",
  summary: "Ask the network's name server, from inside the network",
  args: {
    name: { summary: "The name, or an address for PTR" },
    type: { summary: `${types.join(", ")}; default AAAA`, optional: true },
  },
  flags: {
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "Ask as a machine of that region would: nearest first",
    },
    tcp: { type: "boolean", summary: "Ask over TCP" },
    short: { type: "boolean", short: "s", summary: "Print the answers only" },
  },
  examples: [
    "perch dig pg.internal",
    "perch dig vms.pg.internal TXT",
    "perch dig top1.nearest.of.pg.internal --region lhr --short",
  ],
  needs: ["json", "daemon"],
  routes: ["dig"],
  async run({ args, flags, daemon }) {
    const { region, tcp, short } = flags;
    const answer = await daemon.call("dig", {
      body: { ...question(args.name, args.type), tcp, ...(region === undefined ? {} : { region }) },
    });
    const { answers, server, milliseconds, status } = answer;
    if (short) return { json: answer, text: answers.map(({ data }) => data).join("\n") };
    const rows = answers.map(({ name, type, ttl, data }) => [name, String(ttl), type, data]);
    return {
      json: answer,
      text: [
        ...(rows.length === 0 ? [] : [columns(rows)]),
        `; ${status}, ${counted(answers.length, "answer")} from ${server} in ${milliseconds.toFixed(1)} ms`,
      ].join("\n"),
    };
  },
});
