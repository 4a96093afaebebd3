import http from "node:http";
import { connect, type Socket } from "node:net";
import { calls } from "../api/calls.ts";
import { fail, type PerchError } from "../errors/error.ts";
import { refuseStranger } from "../host/files/chain.ts";
import type { Home } from "../host/system/home.ts";
import { connectionError } from "./connection.ts";
import { errorIn } from "./frames.ts";
import { targetOf } from "./target.ts";

export interface TunnelTo {
  host: string;
  port?: number | undefined;
  region?: string | undefined;
}

/**
 * A connection into the network: one to the daemon's socket, upgraded. It is half-open, so each side says for itself
 * when it has said everything. Rejects with whatever the daemon refuses it for.
 */
export async function openTunnel(home: Pick<Home, "socket" | "root">, to: TunnelTo): Promise<Socket> {
  refuseStranger(home.socket);
  return new Promise((resolve, reject) => {
    const request = http.request({
      createConnection: () => connect({ path: home.socket, allowHalfOpen: true }),
      method: calls.proxy.method,
      path: targetOf(calls.proxy, {}, { ...to }),
      headers: { connection: "Upgrade", upgrade: "perch-proxy" },
    });
    request.on("upgrade", (_response, socket: Socket, head) => {
      socket.on("error", () => undefined);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.on("response", (response) => {
      refusal(response).then(reject, (error: NodeJS.ErrnoException) => reject(connectionError(error, home)));
    });
    request.on("error", (error) => reject(connectionError(error, home)));
    request.end();
  });
}

async function refusal(response: http.IncomingMessage): Promise<PerchError> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const error = errorIn(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  return error ?? fail("daemon_lost", { why: `it answered with HTTP ${response.statusCode}` });
}
