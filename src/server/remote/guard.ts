/**
 * Who calls from another host: a token is looked up by its hash, compared in constant time, and holds for as long as
 * it is neither expired nor revoked, which also ends what is under way. A source that gives wrong tokens is shut out
 * for a while, before any token of it is looked at again.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Route } from "../../api/route.ts";
import type { Log } from "../../base/log.ts";
import { steadyNow } from "../../base/clock.ts";
import { gate, type Gate } from "../../host/sockets/admission.ts";
import { fail, type PerchError } from "../../errors/error.ts";
import { doorAddress, sourceOf } from "../../model/door-address.ts";
import type { TokenRecord } from "../../model/records.ts";
import type { State } from "../../store/records.ts";
import { type Asked, refusedByCluster, refusedByInput, refusedByScope } from "./permit.ts";

export interface Admission {
  /** `token ci`: for the events. */
  readonly actor: string;
  /** Throws where the token's scope is not enough. */
  permit(route: Route): void;
  /** Throws where what is asked for is not the token's. */
  permitInput(route: Route, asked: Asked): Promise<void>;
  /** Aborts, with the error as its reason, when the token ends. */
  readonly cut: AbortSignal;
  /** The request is over. */
  release(): void;
}

export interface Guard {
  /** `authorization` is the header. Throws token_missing, token_invalid, token_expired, too_many_requests. */
  admit(authorization: string | undefined, address: string): Admission;
  close(): void;
}

export const guardLimits = {
  total: 400,
  perSource: 200,
  perSecond: 100,
  failures: 10,
  failuresWithin: 60,
  shutFor: 60,
};

interface Options {
  state: Pick<State, "attachments" | "tokens" | "machines">;
  log: Log;
  say(sentence: string): void;
  /** Whether PostgreSQL runs as perchd's own user. */
  oneUser: boolean;
  now?: () => number;
}

export const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex");

export async function openGuard({ state, log, say, oneUser, now = Date.now }: Options): Promise<Guard> {
  const { revision, records } = await state.tokens.snapshot();
  const tokens = new Map(records.map((record) => [record.name, record]));
  /** What is under way, by token. */
  const open = new Map<string, Set<(why: PerchError) => void>>();
  const keeper: Gate = gate(guardLimits, steadyNow);
  const stop = await state.tokens.watch(revision, (change) => {
    if (change.type === "put") {
      // Another one under an old name is another one.
      if (tokens.get(change.record.name)?.hash !== change.record.hash) cutAll(change.record.name);
      tokens.set(change.record.name, change.record);
    } else {
      tokens.delete(change.of.name);
      cutAll(change.of.name);
    }
  });

  function cutAll(name: string): void {
    for (const cut of open.get(name) ?? []) cut(fail("token_revoked", { token: name }));
  }

  /** All are compared, however early one agrees. */
  function find(text: string): TokenRecord | undefined {
    const hash = Buffer.from(hashOf(text), "hex");
    let found: TokenRecord | undefined;
    for (const record of tokens.values()) if (timingSafeEqual(hash, Buffer.from(record.hash, "hex"))) found = record;
    return found;
  }

  const expired = (record: TokenRecord): boolean =>
    record.expiresAt !== undefined && Date.parse(record.expiresAt) <= now();

  function noteUse(record: TokenRecord): void {
    if (record.lastUsedAt !== undefined && now() - Date.parse(record.lastUsedAt) < 60_000) return;
    const used = { ...record, lastUsedAt: new Date(now()).toISOString() };
    tokens.set(record.name, used);
    state.tokens
      .update(record, (current) =>
        current.hash === record.hash ? { ...current, lastUsedAt: used.lastUsedAt } : current,
      )
      .catch((error: unknown) => log.error({ err: error }, "the use of a token could not be noted"));
  }

  function wrong(source: string): PerchError {
    log.warn({ source }, "a request with a wrong token was refused");
    if (keeper.failed(source) !== undefined)
      say(
        `${source} gave ${guardLimits.failures} wrong tokens within a minute and is shut out for ${guardLimits.shutFor} s`,
      );
    return fail("token_invalid", {});
  }

  function recognise(authorization: string | undefined, source: string): TokenRecord {
    const [, text] = /^bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
    if (text === undefined) throw fail("token_missing", {});
    const record = find(text);
    if (record === undefined) throw wrong(source);
    if (expired(record)) throw fail("token_expired", { token: record.name });
    noteUse(record);
    return record;
  }

  function admission(token: TokenRecord, source: string): Admission {
    const end = new AbortController();
    const cut = (why: PerchError) => end.abort(why);
    const others = open.get(token.name) ?? new Set();
    open.set(token.name, others.add(cut));
    const timer = expiryTimer(token, now, () => cut(fail("token_expired", { token: token.name })));
    return {
      actor: `token ${token.name}`,
      cut: end.signal,
      permit(route) {
        const refusal = refusedByScope(token, route);
        if (refusal !== undefined) throw refusal;
      },
      async permitInput(route, asked) {
        const machines = token.app === undefined ? [] : await state.machines.list();
        const refusal = refusedByInput(
          token,
          route,
          asked,
          (id) => machines.find((machine) => machine.id === id)?.app,
          oneUser,
        );
        if (refusal !== undefined) throw refusal;
        const own = route.remote?.attachedOnly === true ? await state.attachments.list() : [];
        const clusters = own
          .filter(({ app, phase }) => app === token.app && phase === "ready")
          .map(({ cluster }) => cluster);
        const elsewhere = refusedByCluster(token, route, asked, clusters);
        if (elsewhere !== undefined) throw elsewhere;
      },
      release() {
        clearTimeout(timer);
        others.delete(cut);
        keeper.left(source);
      },
    };
  }

  return {
    admit(authorization, address) {
      const source = sourceOf(doorAddress("fdaa:0:0", address)) ?? address;
      const refusal = keeper.admit(source);
      if (refusal !== undefined) throw fail("too_many_requests", { source, why: refusals[refusal] });
      try {
        return admission(recognise(authorization, source), source);
      } catch (error) {
        keeper.left(source);
        throw error;
      }
    },
    close: stop,
  };
}

const refusals = {
  full: "too many requests are under way",
  "too many": "too many of its requests are under way",
  "too quick": "its requests come too quickly",
  "shut out": "it gave too many wrong tokens",
};

/** Where the end is further away than a timer can be set, no request lives so long. */
function expiryTimer({ expiresAt }: TokenRecord, now: () => number, ended: () => void): NodeJS.Timeout | undefined {
  const left = expiresAt === undefined ? Infinity : Date.parse(expiresAt) - now();
  return left > 2 ** 31 - 1 ? undefined : setTimeout(ended, left).unref();
}
