import { createServer, type Server } from "node:https";
import type { FastifyInstance } from "fastify";
import { serialise } from "../base/serialise.ts";
import type { Log } from "../base/log.ts";
import { fail } from "../errors/error.ts";
import type { Home } from "../host/system/home.ts";
import { parseListen } from "../model/exposure.ts";
import type { RemoteRecord } from "../model/records.ts";
import type { Authority } from "../postgres/tls/authority.ts";
import type { Credentials } from "../postgres/tls/certificate.ts";
import { certificateFor, hostsOf, subjectOf } from "./remote-certificate.ts";
import { type Handlers, httpServer } from "../server/http/http.ts";
import { openGuard } from "../server/remote/guard.ts";
import type { RemoteDoor } from "../server/remote/listener.ts";
import type { State } from "../store/records.ts";

/**
 * The API for other hosts: a second server with the same handlers, TLS 1.3 by the network's authority, and a guard.
 * Shut until it is asked for.
 */
export interface OpenRemoteDoor extends RemoteDoor {
  /** From now on it can be open, and is where that was asked for. */
  serve(handlers: Handlers): Promise<void>;
  /** Tries again what could not listen, and renews the certificate. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

interface Options {
  home: Home;
  version: string;
  state: State;
  log: Log;
  authority: Authority;
  /** Whether PostgreSQL runs as perchd's own user. */
  oneUser: boolean;
  say(sentence: string): void;
}

interface Listening {
  wish: RemoteRecord;
  app: FastifyInstance;
  server: Server;
  credentials: Credentials;
}

/** A stranger's connection costs no more than this. */
const strangers = { handshakeTimeout: 5_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };
/** A caller that has said its last word still hears the answer. */
const halfOpen = { allowHalfOpen: true };

export async function remoteDoor(options: Options): Promise<OpenRemoteDoor> {
  const { version, state, log, oneUser, say } = options;
  const guard = await openGuard({ state, log, oneUser, say });
  const inTurn = serialise();
  let handlers: Handlers | undefined;
  let now: Listening | undefined;
  let note: string | undefined;

  async function set(wish: RemoteRecord | undefined): Promise<void> {
    if (wish === undefined || handlers === undefined) {
      await shut();
      return;
    }
    const credentials = await certificateFor(options, wish);
    if (now?.wish.listen === wish.listen) {
      now.server.setSecureContext(tlsOf(credentials, options.authority));
      now = { ...now, wish, credentials };
      return;
    }
    // The old one ends only when the new one listens.
    const next = await listen(wish, handlers, credentials);
    await shut();
    now = next;
  }

  async function listen(wish: RemoteRecord, serving: Handlers, credentials: Credentials): Promise<Listening> {
    const server = tlsServer(credentials, options.authority);
    const hosts = (local: string | undefined) => hostsOf(now?.server === server ? now.wish : wish, local);
    const app = httpServer(serving, {
      log,
      version,
      remote: { guard, hosts, server: (listener) => server.on("request", listener) },
    });
    try {
      await app.listen(parseListen(wish.listen, "--listen"));
    } catch (error) {
      await app.close();
      throw fail(
        "listen_refused",
        { listen: wish.listen, why: error instanceof Error ? error.message : String(error) },
        error,
      );
    }
    return { wish, app, server, credentials };
  }

  async function shut(): Promise<void> {
    const was = now;
    [now, note] = [undefined, undefined];
    await was?.app.close();
  }

  async function keep(): Promise<void> {
    const wish = await state.remote.get({});
    if (handlers === undefined || wish === undefined) return;
    if (now !== undefined && !options.authority.due(now.credentials, subjectOf(now.wish))) return;
    await set(wish).then(
      () => (note = undefined),
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        if (why !== note) say(`the API is shut to other hosts: ${why}`);
        note = why;
      },
    );
  }

  return {
    set: (wish) => inTurn(() => set(wish)),
    keep: () => inTurn(keep),
    async serve(serving) {
      handlers = serving;
      await inTurn(keep);
    },
    state: () => ({ open: now !== undefined, ...(note === undefined ? {} : { note }) }),
    async close() {
      handlers = undefined;
      await inTurn(shut);
      guard.close();
    },
  };
}

function tlsServer(credentials: Credentials, authority: Authority): Server {
  const server = createServer({
    ...tlsOf(credentials, authority),
    minVersion: "TLSv1.3",
    keepAliveTimeout: 5_000,
    requestTimeout: 30_000,
    ...strangers,
    ...halfOpen,
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/** The authority's certificate goes with it: a caller knows it by its fingerprint, and needs it whole. */
const tlsOf = (credentials: Credentials, authority: Authority) => ({
  cert: `${credentials.certificate.trimEnd()}\n${authority.trusted}`,
  key: credentials.key,
});
