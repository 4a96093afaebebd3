import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { lookup } from "node:dns/promises";
import { connect as dial, isIP, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as secure, type TLSSocket } from "node:tls";
import pg from "pg";
import { within } from "../base/deadline.ts";
import { redact } from "../base/redact.ts";
import type { Knock, Target } from "./facts.ts";
import type { Order } from "./probing.ts";

/**
 * A program that goes an app's way, step by step: looks up the name as the system does, opens the port, asks for TLS,
 * logs in. Its order comes on stdin, for it holds a password; what it met goes to stdout as JSON. It stops where an app
 * would. `probing.ts` runs it inside the network.
 */

const patience = { nameMs: 8_000, portMs: 3_000, tlsMs: 3_000, loginMs: 8_000 };

/** What PostgreSQL wants to be asked before TLS begins: SSLRequest, length and code. */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Whoever answers there may be anybody, and say as much as he likes. */
const said = (error: unknown): string => redact((error as Error).message.slice(0, longest));
const longest = 2_000;

const why = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? said(error);

async function attempt<T>(ms: number, work: Promise<T>): Promise<T | { error: string }> {
  return (
    (await within(ms, work).catch((error: unknown) => ({ error: why(error) }))) ?? {
      error: `no answer within ${ms / 1000} s`,
    }
  );
}

const failed = (part: unknown): part is { error: string } =>
  typeof part === "object" && part !== null && "error" in part;

async function go({ target, authority }: Order): Promise<Knock> {
  if (target === undefined) return {};
  const addresses = await attempt(
    patience.nameMs,
    lookup(target.host, { all: true }).then((found) => found.map(({ address }) => address)),
  );
  if (failed(addresses)) return { addresses };
  const port = await openAny(addresses, target.port);
  if (!("socket" in port)) return { addresses, port };
  const { socket, address } = port;
  const tls =
    target.sslmode === "disable"
      ? ("off" as const)
      : await attempt(patience.tlsMs, askForTls(socket, target, authority));
  socket.destroy();
  const knock: Knock = { addresses, port: { address }, tls };
  if (
    failed(tls) ||
    (tls === "none" && needsTls(target)) ||
    (typeof tls === "object" && !tls.verified && verifies(target))
  )
    return knock;
  return { ...knock, login: await logIn(target, address, typeof tls === "object") };
}

const verifies = ({ sslmode }: Target): boolean => sslmode.startsWith("verify-");
const needsTls = (target: Target): boolean => verifies(target) || target.sslmode === "require";

/** The first address whose port opens, as drivers do; the first refusal where none does. */
async function openAny(
  addresses: readonly string[],
  port: number,
): Promise<{ socket: Socket; address: string } | { error: string }> {
  let first: { error: string } | undefined;
  for (const address of addresses) {
    const socket = dial({ host: address, port });
    const opened = await attempt(patience.portMs, once(socket, "connect"));
    if (!failed(opened)) return { socket, address };
    socket.destroy();
    first ??= { error: `${address}: ${opened.error}` };
  }
  return first ?? { error: "the name has no address" };
}

const once = (socket: Socket | TLSSocket, event: string): Promise<true> =>
  new Promise((resolve, reject) => {
    socket.once(event, () => resolve(true));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
  });

async function askForTls(
  socket: Socket,
  target: Target,
  authority: string,
): Promise<Exclude<Knock["tls"], "off" | undefined>> {
  const first = new Promise<string>((resolve, reject) => {
    socket.once("data", (data) => resolve(data.toString("latin1")));
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once("error", reject);
  });
  socket.write(sslRequest);
  const answer = await first;
  if (answer === "N") return "none";
  if (answer !== "S") throw new Error("what listens there is not PostgreSQL");
  const named = target.sslrootcert?.startsWith("/") === true ? await authorityIn(target.sslrootcert) : authority;
  const tls = secure({
    socket,
    ca: named,
    rejectUnauthorized: false,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
  });
  await once(tls, "secureConnect");
  const wrongName = target.sslmode === "verify-ca" && String(tls.authorizationError) === "ERR_TLS_CERT_ALTNAME_INVALID";
  return { protocol: tls.getProtocol() ?? "TLS", verified: tls.authorized || wrongName };
}

/** The path is the app's: a FIFO, a device or a file of any size may stand there. */
async function authorityIn(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > authorityBytes)
      throw new Error(`${path} is no file of at most ${authorityBytes} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

const authorityBytes = 1_048_576;

async function logIn(target: Target, address: string, encrypted: boolean): Promise<NonNullable<Knock["login"]>> {
  const { user, password, port, database } = target;
  // The certificate was looked at already.
  const ssl = encrypted ? { rejectUnauthorized: false } : false;
  const client = new pg.Client({
    host: address,
    user,
    password,
    port,
    database,
    ssl,
    connectionTimeoutMillis: patience.loginMs,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const asked = client.query<{ recovering: boolean; readOnly: boolean }>(
      `SELECT pg_is_in_recovery() AS recovering, current_setting('transaction_read_only') = 'on' AS "readOnly"`,
    );
    const row = (await within(patience.loginMs, asked))?.rows[0];
    return row ?? { state: "", error: "it does not answer a query" };
  } catch (error) {
    return { state: (error as { code?: string }).code?.slice(0, 20) ?? "", error: said(error) };
  } finally {
    await within(1_000, client.end());
  }
}

async function tell(): Promise<void> {
  const met = await go(JSON.parse(await text(process.stdin)) as Order);
  process.stdout.write(JSON.stringify(met), () => process.exit(0));
}

void tell();
