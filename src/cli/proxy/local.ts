import { fail } from "../../errors/error.ts";
import { printable } from "../../model/name.ts";

/** `LOCAL[:REMOTE] [HOST]` of `perch proxy`. Pure. */
export interface ProxyWords {
  /** A port of this host, 0 for any that is free, or the path of a unix socket. */
  local: { port: number } | { path: string };
  /** Where it leads; undefined: the app's leader. */
  host: string | undefined;
  port: number | undefined;
}

/**
 * LOCAL is a port or a path (it has a slash, and no colon), REMOTE a port, a host or both. As flyctl has it the host
 * may also stand by itself, as the second word. Throws `proxy_invalid`.
 */
export function proxyWords(word: string, host?: string): ProxyWords {
  const invalid = (why: string) => fail("proxy_invalid", { value: printable(word), why });
  const cut = word.indexOf(":");
  const [left, right] = cut < 0 ? [word, ""] : [word.slice(0, cut), word.slice(cut + 1)];
  if (cut >= 0 && right === "") throw invalid("there is nothing behind the colon");
  const remote = remoteOf(right);
  if (remote === undefined) throw invalid(`${printable(right)} is no port, host or host:port`);
  if (host !== undefined && remote.host !== undefined) throw invalid("the host was given twice");
  const given = { host: host ?? remote.host, port: remote.port };
  if (left.includes("/")) return { local: { path: left }, ...given };
  const port = portOf(left, 0);
  if (port === undefined) throw invalid(`${printable(left)} is neither a port nor a path with a slash`);
  return { local: { port }, ...given };
}

function remoteOf(text: string): { host: string | undefined; port: number | undefined } | undefined {
  if (text === "") return { host: undefined, port: undefined };
  const [, bracketed, behind] = /^(\[[^\]]+\])(?::(\d+))?$/.exec(text) ?? [];
  if (bracketed !== undefined)
    return behind === undefined ? { host: bracketed, port: undefined } : withPort(bracketed, behind);
  if (/^\d+$/.test(text)) return withPort(undefined, text);
  const parts = text.split(":");
  const [name = "", port] = parts;
  // An address without brackets has no port behind it.
  if (parts.length > 2) return { host: text, port: undefined };
  if (name === "") return undefined;
  return port === undefined ? { host: name, port: undefined } : withPort(name, port);
}

function withPort(host: string | undefined, text: string): { host: string | undefined; port: number } | undefined {
  const port = portOf(text, 1);
  return port === undefined ? undefined : { host, port };
}

function portOf(text: string, least: number): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port >= least && port <= 65_535 ? port : undefined;
}
