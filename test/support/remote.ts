import https from "node:https";
import { freePort } from "../../src/host/sockets/ports.ts";
import { perchdName } from "../../src/model/token.ts";
import type { World } from "./world.ts";

/** The API of a world as another host reaches it: by TLS, with a token or without. */
export interface Reply {
  status: number;
  /** The lines of the body, parsed. */
  frames: { error?: { code: string; message: string; next: string } }[];
  text: string;
}

export interface Asking {
  method?: string;
  path: string;
  token?: string | undefined;
  body?: unknown;
  /** Where it comes from, of 127.0.0.0/8. */
  from?: string;
  headers?: Record<string, string>;
  /** Called with each piece that comes. */
  heard?: (piece: string) => void;
}

export interface RemoteSide {
  port: number;
  name: string;
  authority: string;
  ask(asking: Asking): Promise<Reply>;
  token(name: string, ...flags: string[]): Promise<string>;
}

/** Opens the API on a free port of the loopback. */
export async function openRemote(world: Pick<World, "ok" | "json">): Promise<RemoteSide> {
  const port = (await freePort()) ?? 0;
  const name = `127.0.0.1:${port}`;
  await world.ok("remote", "on", "--listen", name);
  const { pem: authority } = await world.json<{ pem: string }>("certs", "ca");
  return {
    port,
    name,
    authority,
    ask: (asking) => ask({ port, authority }, asking),
    token: async (token, ...flags) => (await world.json<{ token: string }>("tokens", "create", token, ...flags)).token,
  };
}

function ask(
  to: { port: number; authority: string },
  { method = "GET", path, token, body, from = "127.0.0.1", headers: more = {}, heard }: Asking,
): Promise<Reply> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...more,
  };
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port: to.port,
      ca: to.authority,
      servername: perchdName,
      localAddress: from,
      agent: false,
    };
    const outgoing = https.request({ ...options, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        heard?.(chunk.toString("utf8"));
      });
      response.on("error", reject);
      response.on("end", () => {
        const all = Buffer.concat(chunks).toString("utf8");
        const frames = all
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as Reply["frames"][number]);
        resolve({ status: response.statusCode ?? 0, frames, text: all });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}
