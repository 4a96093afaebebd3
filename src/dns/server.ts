import type { Socket as UdpSocket } from "node:dgram";
import type { Answerer, Asker } from "./answerer.ts";
import type { Forwarder } from "./forward.ts";
import type { Query } from "./query.ts";
import type { Binding, Sockets } from "./sockets.ts";
import { makeTcpService } from "./tcp.ts";

/** Questions from the sockets to the answerer and the forwarder, and back. */

export interface ServerParts {
  sockets: Sockets;
  answerer: Answerer;
  forwarder: Forwarder;
  /** One line about something that should not have happened. */
  report: (sentence: string) => void;
}

export interface NameServer {
  /** Messages received since the start. */
  readonly queries: number;
  /** Questions that wait for the host's resolvers. */
  readonly pending: number;
  close(): void;
}

/**
 * Room for what comes while the machine is busy elsewhere: whose question is lost asks again after two seconds only.
 * The kernel may grant less. Bytes.
 */
const receiveBuffer = 2_097_152;

export function serve({ sockets, answerer, forwarder, report }: ServerParts): NameServer {
  let queries = 0;
  let pending = 0;

  /** Answers at once from the zone, later from elsewhere, or never. A fault of ours costs that one question. */
  function respond(message: Buffer, asker: Asker, source: string, reply: (answer: Buffer) => void): void {
    queries++;
    try {
      const said = answerer.say(message, asker);
      if (Buffer.isBuffer(said)) reply(said);
      else if (said !== undefined) elsewhere(message, said.forward, asker, source).then(reply).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  const failed = (error: unknown) => report(`a question could not be answered: ${(error as Error).message}`);

  async function elsewhere(message: Buffer, query: Query, { over }: Asker, source: string): Promise<Buffer> {
    pending++;
    const answer = await forwarder.forward(message, query, over, source).finally(() => pending--);
    return answer ?? answerer.refuse(query, "SERVFAIL");
  }

  function serveUdp(socket: UdpSocket, { region, inside }: Binding): void {
    const asker: Asker = { region, inside, over: "udp" };
    // The asker may be gone before its answer; with a callback that is no event of the socket.
    const unheard = () => undefined;
    socket.setRecvBufferSize(receiveBuffer);
    socket.on("error", (error) => report(`a UDP socket failed: ${error.message}`));
    socket.on("message", (message, from) =>
      respond(message, asker, from.address, (answer) => socket.send(answer, from.port, from.address, unheard)),
    );
  }

  const tcp = makeTcpService(respond);
  for (const { binding, socket } of sockets.udp) serveUdp(socket, binding);
  for (const { binding, server } of sockets.tcp) {
    const asker: Asker = { region: binding.region, inside: binding.inside, over: "tcp" };
    server.on("error", (error) => report(`a TCP server failed: ${error.message}`));
    server.on("connection", (socket) => tcp.take(socket, asker));
  }

  return {
    get queries() {
      return queries;
    },
    get pending() {
      return pending;
    },
    close() {
      for (const { socket } of sockets.udp) socket.close();
      for (const { server } of sockets.tcp) server.close();
      tcp.close();
    },
  };
}
