/**
 * The typed client of perchd: `call` for one answer, `feed` for as many as come. It knows the contract in `api/`, the
 * unix socket and the way to another host, nothing of the terminal and nothing of how the daemon works. Start here;
 * `connection.ts` is the socket, `remote.ts` whom it trusts elsewhere, `frames.ts` what comes over it, `target.ts` the
 * URL.
 */
import type { Socket } from "node:net";
import { calls } from "../api/calls.ts";
import { type CallInput, type RouteAnswer, versionHeader } from "../api/route.ts";
import type { routes } from "../api/routes.ts";
import { pause } from "../base/deadline.ts";
import { fail, isCode, PerchError, toPerchError } from "../errors/error.ts";
import type { TunnelTo } from "./tunnel.ts";
import { type Connection, connectionError, open, type Where } from "./connection.ts";
import { errorIn, jsonLines } from "./frames.ts";
import { targetOf } from "./target.ts";

type Routes = typeof routes;
export type FeedName = { [N in keyof Routes]: Routes[N]["kind"] extends "feed" ? N : never }[keyof Routes];
export type CallName = Exclude<keyof Routes, FeedName>;

/** A part of a call: absent where the route has none, optional where every field of it is. */
type Part<K extends string, V> = string extends keyof V
  ? unknown
  : keyof V extends never
    ? unknown
    : Record<never, never> extends V
      ? { [P in K]?: V }
      : { [P in K]: V };
type Parts<I extends { params: unknown; query: unknown; body: unknown }> = Part<"params", I["params"]> &
  Part<"query", I["query"]> &
  Part<"body", I["body"]>;
export type Input<N extends keyof Routes> = Parts<CallInput<Routes[N]>>;
export type Answer<N extends keyof Routes> = RouteAnswer<Routes[N]>;

export interface CallOptions {
  /** Aborting a stream route closes our side: the daemon undoes the operation and says so, which the call waits for. */
  signal?: AbortSignal;
  onProgress?: (sentence: string) => void;
}

export interface Client {
  call<N extends CallName>(name: N, input: Input<N>, options?: CallOptions): Promise<Answer<N>>;
  /** Ends when either side closes; ends quietly when the signal aborts. */
  feed<N extends FeedName>(name: N, input: Input<N>, signal?: AbortSignal): AsyncGenerator<Answer<N>>;
  /** A connection into the network. */
  tunnel(to: TunnelTo): Promise<Socket>;
}

/** How long a daemon may be silent on a plain route, and how long it may take to undo. Milliseconds. */
const patience = { plain: 120_000, undo: 20_000 };

type AnyInput = { params?: Record<string, string>; query?: Record<string, unknown>; body?: unknown };

/** `heard` is told the version of a perchd of this host, at each answer. */
export function clientOf(where: Where, wait = patience, heard: (version: string) => void = () => undefined): Client {
  const connect = async (
    name: keyof Routes,
    input: AnyInput,
    signal: AbortSignal | undefined,
  ): Promise<Connection & { kind: string }> => {
    const route = calls[name];
    const connection = await open({
      to: where,
      method: route.method,
      target: targetOf(route, input.params ?? {}, input.query ?? {}),
      silenceMs: route.kind === "plain" ? wait.plain : 0,
      signal,
      ...(route.body ? { body: input.body ?? {} } : {}),
    });
    const version = connection.response.headers[versionHeader];
    if (typeof version === "string") heard(version);
    return { ...connection, kind: route.kind };
  };

  return {
    async tunnel(to) {
      if (!("socket" in where)) throw fail("machine_only", { what: "a connection into the network" });
      return (await import("./tunnel.ts")).openTunnel(where, to);
    },

    async call(name, input, options = {}) {
      const { signal, onProgress } = options;
      const connection = await connect(name, input as AnyInput, signal);
      const answer =
        connection.kind === "stream" ? streamAnswer(connection, where, onProgress) : plainAnswer(connection, where);
      return (await (signal === undefined ? answer : untilUndone(connection, answer, signal, wait.undo))) as Answer<
        typeof name
      >;
    },

    async *feed(name, input, signal) {
      if (signal?.aborted) return;
      const connection = await connect(name, input as AnyInput, signal);
      signal?.addEventListener("abort", connection.close, { once: true });
      try {
        await refuseErrors(connection, where);
        for await (const item of jsonLines(connection.response)) {
          const error = errorIn(item);
          if (error !== undefined) throw error;
          yield item as Answer<typeof name>;
        }
      } catch (error) {
        if (!signal?.aborted) throw known(error, where);
      } finally {
        signal?.removeEventListener("abort", connection.close);
        connection.close();
      }
    },
  };
}

async function plainAnswer(connection: Connection, where: Where): Promise<unknown> {
  await refuseErrors(connection, where);
  return readJson(connection, where);
}

async function streamAnswer(
  connection: Connection,
  where: Where,
  onProgress: CallOptions["onProgress"],
): Promise<unknown> {
  await refuseErrors(connection, where);
  try {
    for await (const frame of jsonLines(connection.response)) {
      const error = errorIn(frame);
      if (error !== undefined) throw error;
      if (typeof frame !== "object" || frame === null) continue;
      if ("result" in frame) return frame.result;
      if ("progress" in frame) onProgress?.(String(frame.progress));
    }
  } catch (error) {
    throw known(error, where);
  }
  throw fail("daemon_lost", { why: "it closed the connection before the result" });
}

/** Waits for the daemon's word after an abort, but not for ever. A result that came all the same is a result. */
async function untilUndone(
  connection: Connection,
  answer: Promise<unknown>,
  signal: AbortSignal,
  withinMs: number,
): Promise<unknown> {
  const settled = new AbortController();
  const interrupted = new Promise<never>((_, reject) => {
    const onAbort = () => {
      connection.halfClose();
      pause(withinMs, settled.signal).then(
        () => reject(fail("interrupted", { seconds: withinMs / 1000 })),
        () => undefined,
      );
    };
    signal.addEventListener("abort", onAbort, { once: true });
    settled.signal.addEventListener("abort", () => signal.removeEventListener("abort", onAbort));
  });
  try {
    return await Promise.race([answer, interrupted]);
  } catch (error) {
    throw signal.aborted && isCode(error, "daemon_lost")
      ? fail("interrupted", { seconds: withinMs / 1000 }, error)
      : error;
  } finally {
    settled.abort();
    // The caller that waits for the answer hears of it.
    answer.catch(() => undefined);
    connection.close();
  }
}

async function refuseErrors(connection: Connection, where: Where): Promise<void> {
  const status = connection.response.statusCode ?? 0;
  if (status >= 200 && status < 300) return;
  throw errorIn(await readJson(connection, where)) ?? fail("daemon_lost", { why: `it answered with HTTP ${status}` });
}

async function readJson(connection: Connection, where: Where): Promise<unknown> {
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of connection.response as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (error) {
    throw known(error, where);
  }
}

/** Whatever reading threw, as an error of the register. */
function known(error: unknown, where: Where): PerchError {
  if (error instanceof PerchError) return error;
  if (error instanceof SyntaxError) return fail("daemon_lost", { why: "it sent something that is not JSON" }, error);
  return error instanceof Error ? connectionError(error, where) : toPerchError(error);
}
