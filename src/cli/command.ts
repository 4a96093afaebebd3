/**
 * A command is data and a handler. From the data come the parser (`parse.ts`), the help (`help.ts`), docs/commands.md
 * and the shell completion; the handler gets exactly what it declared. The room knows the API through `client/` and
 * nothing of how the daemon works: if a command lacks something, the API does.
 *
 * Start here, then `commands.ts` (all of them), `find.ts` (from words to a command), `context.ts` (what handlers get)
 * and `main.ts`.
 */
import type { Socket } from "node:net";
import type { Answer as ApiAnswer, CallName, FeedName, Input } from "../client/client.ts";
import type { TunnelTo } from "../client/tunnel.ts";
import type { Home } from "../host/system/home.ts";
import type { Terminal } from "./output/terminal.ts";

export interface Arg {
  readonly summary: string;
  readonly optional?: true;
  /** Takes all that follow. */
  readonly many?: true;
}

export interface Flag {
  /** `strings` may be given several times. */
  readonly type: "boolean" | "string" | "strings" | "integer";
  readonly short?: string;
  readonly summary: string;
  /** How the value is called in the help. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly default?: string | number;
}

export type Args = Readonly<Record<string, Arg>>;
export type Flags = Readonly<Record<string, Flag>>;

/**
 * What a handler needs beside its own arguments and flags. `app` and `cluster` add `-a`, and `cluster` is also met by
 * an argument of that name; `json` adds `--json`. A need that is not met is an error before the handler begins.
 */
export type Need = "daemon" | "app" | "cluster" | "json";

type ArgValue<A extends Arg> = A extends { many: true }
  ? string[]
  : A extends { optional: true }
    ? string | undefined
    : string;
type Plain<F extends Flag> = F["type"] extends "boolean"
  ? boolean
  : F["type"] extends "integer"
    ? number
    : F["type"] extends "strings"
      ? string[]
      : string;
type FlagValue<F extends Flag> = F["type"] extends "boolean" | "strings"
  ? Plain<F>
  : F extends { default: string | number }
    ? Plain<F>
    : Plain<F> | undefined;

export interface Daemon {
  /** One call; progress goes to the terminal, Ctrl-C interrupts and waits until all is undone. */
  call<N extends CallName>(name: N, input: Input<N>): Promise<ApiAnswer<N>>;
  feed<N extends FeedName>(name: N, input: Input<N>): AsyncGenerator<ApiAnswer<N>>;
  /** A connection into the network. */
  tunnel(to: TunnelTo): Promise<Socket>;
}

export type Context<A extends Args, F extends Flags, N extends Need> = {
  args: { [K in keyof A]: ArgValue<A[K]> };
  flags: { [K in keyof F]: FlagValue<F[K]> } & ("json" extends N ? { json: boolean } : unknown);
  terminal: Terminal;
  /** That of the network that was named, else of the default. */
  home: Home;
  /** No network was named: what acts on whole networks acts on all. */
  allNetworks: boolean;
  /** Aborts at Ctrl-C and SIGTERM. */
  signal: AbortSignal;
} & ("daemon" extends N ? { daemon: Daemon } : unknown) &
  ("app" extends N ? { app: string } : unknown) &
  ("cluster" extends N ? { cluster: string } : unknown);

/** What a command answers: the same thing for people and for programs. */
export interface Answer {
  /** Lines for people, on stdout. */
  text?: string;
  /** The value that --json prints. */
  json?: unknown;
  /** Where it is not 0. */
  exit?: number;
}

export interface Definition<A extends Args, F extends Flags, N extends Need> {
  /** `postgres create` */
  readonly name: string;
  readonly summary: string;
  /** What the summary has no room for; whole sentences. */
  readonly details?: string;
  readonly args?: A;
  readonly flags?: F;
  readonly examples: readonly string[];
  readonly needs?: readonly N[];
  /** Routes of the API it uses. */
  readonly routes?: readonly (CallName | FeedName)[];
  /** Everything after the first argument belongs to it, flags too. */
  readonly passThrough?: true;
  /** It does its work on this host, so that --host means nothing to it. */
  readonly machineOnly?: true;
  /** It is about no network and no perchd: --network and --host mean nothing to it, and none is looked for. */
  readonly alone?: true;
  /** It hands the terminal to another program, which gets the signals: Ctrl-C is not ours then. */
  readonly ownsTerminal?: true;
  run(context: Context<A, F, N>): Promise<Answer | undefined> | Answer | undefined;
}

/** A command with its types forgotten, as the parser and the help see it. */
export interface Command extends Omit<Definition<Args, Flags, Need>, "run"> {
  readonly args: Args;
  readonly flags: Flags;
  readonly needs: readonly Need[];
  run(context: unknown): Promise<Answer | undefined> | Answer | undefined;
}

const appFlag: Flag = {
  type: "string",
  short: "a",
  value: "APP",
  summary: "The app (default the one that perch.toml or fly.toml names)",
};
const clusterFlag: Flag = { type: "string", short: "a", value: "CLUSTER", summary: "The cluster" };
const configFlag: Flag = {
  type: "string",
  short: "c",
  value: "FILE",
  summary: "The file that names the app, in place of perch.toml or fly.toml",
};
const jsonFlag: Flag = { type: "boolean", short: "j", summary: "Print one JSON value and nothing else" };

/** For commands that ask before they do what cannot be undone. */
export const yesFlag = { type: "boolean", short: "y", summary: "Do not ask for confirmation" } as const satisfies Flag;

/** Given to every command, before its name or after it. */
export const globalFlags = {
  network: {
    type: "string",
    value: "NAME",
    summary: "The network (default PERCH_NETWORK, else the network named default)",
  },
  host: {
    type: "string",
    value: "HOST:PORT",
    summary: "The perchd of another host, after perch login (default PERCH_REMOTE, else this host's)",
  },
} as const satisfies Flags;

export type Globals = { readonly [K in keyof typeof globalFlags]?: string };

export function command<
  const A extends Args = Record<never, never>,
  const F extends Flags = Record<never, never>,
  const N extends Need = never,
>(definition: Definition<A, F, N>): Command {
  const needs: readonly Need[] = definition.needs ?? [];
  return {
    ...definition,
    args: definition.args ?? {},
    flags: {
      ...(needs.includes("app") ? { app: appFlag, config: configFlag } : {}),
      ...(needs.includes("cluster") ? { app: clusterFlag } : {}),
      ...definition.flags,
      ...(needs.includes("json") ? { json: jsonFlag } : {}),
    },
    needs,
    run: (context) => definition.run(context as Context<A, F, N>),
  };
}
