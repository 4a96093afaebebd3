import { z } from "zod";
import type { Route } from "../../src/api/route.ts";
import { type RouteName, routes } from "../../src/api/routes.ts";
import type { Choices } from "./choices.ts";
import { junk, strange, wordsOf } from "./words.ts";

/** Requests to every route, made of choices: right in most parts, so that they get far, and wrong in some. */

export interface Asked {
  name: RouteName;
  method: string;
  target: string;
  /** Undefined: none. */
  body: Buffer | undefined;
  type: string;
}

/** Its answer is the end of what is fuzzed. */
const ends: readonly RouteName[] = ["shutdown"];
/**
 * What they do at their best costs seconds, changes the cluster that the others are tried on, or reaches out of the
 * network: they are asked about what is not there.
 */
const dear: readonly RouteName[] = [
  ...(["destroyCluster", "restartCluster", "setPool", "setSynchronous", "createCluster"] as const),
  ...([
    "cloneMachine",
    "startMachine",
    "stopMachine",
    "destroyMachine",
    "openRemote",
    "setHostAccess",
    "createPeer",
    "createRun",
  ] as const),
];
/** Each starts a program, for a third of a second. */
const slow: readonly RouteName[] = ["dig", "doctor"];
const fuzzed = (Object.keys(routes) as RouteName[]).filter((name) => !ends.includes(name));
const quick = fuzzed.filter((name) => !slow.includes(name));

/** No process has these: a run lives as long as its process, and `perch down` ends it. */
const pids = [0, -1, 1.5, 4_194_305, 2 ** 31, 2 ** 53];
const text = (choices: Choices, also: readonly string[]): string =>
  choices.once(10)
    ? choices.pick(strange)
    : choices.once(30)
      ? choices.take(choices.below(90)).toString("utf8")
      : choices.pick(also);

interface Shape {
  type?: string;
  enum?: unknown[];
  properties?: Record<string, Shape>;
  items?: Shape;
  additionalProperties?: Shape | boolean;
  required?: string[];
}
const shapeOf = (schema: Route["body"]): Shape =>
  schema === undefined ? {} : (z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape);

function value(choices: Choices, shape: Shape, key: string, words: (key: string) => readonly string[]): unknown {
  if (key === "pid")
    return choices.once(3) ? choices.pick(junk.filter((each) => typeof each !== "number")) : choices.pick(pids);
  if (choices.once(20)) return choices.pick(junk);
  if (shape.enum !== undefined) return choices.pick(shape.enum);
  switch (shape.type) {
    case "object": {
      const fixed = Object.entries(shape.properties ?? {}).filter(
        ([name]) => choices.once(3) !== (shape.required?.includes(name) ?? false) || !choices.once(5),
      );
      const free =
        typeof shape.additionalProperties === "object"
          ? Array.from({ length: choices.below(3) }, () => text(choices, words(key)))
          : [];
      const pairs = [
        ...fixed.map(([name, each]): [string, unknown] => [name, value(choices, each, name, words)]),
        ...free.map((name): [string, unknown] => [
          name,
          value(choices, shape.additionalProperties as Shape, "", words),
        ]),
      ];
      if (choices.once(20)) pairs.push([choices.pick(strange), choices.pick(junk)]);
      return Object.fromEntries(pairs);
    }
    case "array":
      return Array.from({ length: choices.below(4) }, () => value(choices, shape.items ?? {}, key, words));
    case "boolean":
      return choices.once(2);
    case "integer":
    case "number":
      return choices.pick([1, 2, 15, 100, 0, -1, 5432, 65_536]);
    default:
      return text(choices, words(key));
  }
}

/** The text of a body, sometimes with what JSON.stringify would not write. */
function written(choices: Choices, body: unknown): string {
  const right = JSON.stringify(body) ?? "null";
  switch (choices.below(24)) {
    case 0:
      return right.replace("{", '{"name":"x","name":1,');
    case 1:
      return right.replace("{", '{"__proto__":{"name":"x"},');
    case 2:
      return `${"[".repeat(choices.pick([10, 20_000, 400_000]))}${right}`;
    case 3:
      return right.replace(/"(\w)/, `"${"x".repeat(choices.pick([100, 70_000, 1_100_000]))}$1`);
    case 4:
      return right.slice(0, choices.below(right.length + 1));
    case 5:
      return `\u{feff}${right}`;
    case 6:
      return right.replace(/[aeiou]/, "\\u0000");
    default:
      return right;
  }
}

const plain = (given: unknown): string => (typeof given === "string" ? given : (JSON.stringify(given) ?? ""));

/** Half a surrogate pair cannot be written in a URL. */
const inUrl = (word: string): string => encodeURIComponent(word.replace(/\p{Surrogate}/gu, "?"));

export function requestOf(choices: Choices): Asked {
  const first = choices.pick(fuzzed);
  const name = slow.includes(first) && !choices.once(8) ? choices.pick(quick) : first;
  const route: Route = routes[name];
  const words = dear.includes(name) ? () => strange : wordsOf;
  const path = route.path.replace(/:(\w+)/g, (_, key: string) => inUrl(text(choices, words(key))));
  const query = Object.entries(shapeOf(route.query).properties ?? {})
    .filter(() => choices.once(2))
    .map(([key, shape]) => `${key}=${inUrl(plain(value(choices, shape, key, wordsOf)))}`);
  if (choices.once(20))
    query.push(choices.pick(["%", "a=1", "last=1&last=2", "follow=perhaps", "__proto__=1", "=", "&&"]));
  const given = route.body === undefined ? undefined : value(choices, shapeOf(route.body), "", words);
  const body = given === undefined ? undefined : (safe(name, given) as object);
  return {
    name,
    method: choices.once(40) ? choices.pick(["PUT", "PATCH", "HEAD", "OPTIONS", "GET"]) : route.method,
    target: `${path}${query.length === 0 ? "" : `?${query.join("&")}`}`,
    body: body === undefined ? undefined : Buffer.from(written(choices, body), choices.once(30) ? "utf16le" : "utf8"),
    type: choices.once(25)
      ? choices.pick(["text/plain", "application/json; charset=x", "multipart/form-data", "*/*", "application/jsonp"])
      : "application/json",
  };
}

/** The host's own interface stays as it is, and no cluster is made: their first check is one they do not pass. */
function safe(name: RouteName, body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  if (name === "setHostAccess")
    return { ...body, on: (body as { on?: unknown }).on === true ? "yes" : (body as { on?: unknown }).on };
  return name === "createCluster" && "region" in body ? { ...body, region: `no ${typeof body.region}` } : body;
}
