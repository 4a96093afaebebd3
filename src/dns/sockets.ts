import { Socket as UdpSocket } from "node:dgram";
import type { Server } from "node:net";
import { type Handle, receiveHandles } from "../host/sockets/handles.ts";
import { ourProgram } from "../host/process/program.ts";

/**
 * The name server's sockets: opened by `bind.ts` inside the namespace, used from outside it. One a binding, so that
 * answers come from the address that was asked.
 */

export interface Binding {
  address: string;
  port: number;
  /** The region of those who ask here. */
  region?: string | undefined;
  /** Nothing is forwarded for them. */
  inside?: boolean | undefined;
  protocol: "udp" | "tcp";
}

export interface Sockets {
  udp: { binding: Binding; socket: UdpSocket }[];
  tcp: { binding: Binding; server: Server }[];
}

const openWithinMs = 20_000;

/** `enter` is the argv that puts a program inside the namespace; empty where that is not needed. */
async function openSockets(enter: readonly string[], bindings: readonly Binding[]): Promise<Sockets> {
  const sockets: Sockets = { udp: [], tcp: [] };
  const take = (message: unknown, handle: Handle) => {
    const binding = message as Binding;
    if (handle instanceof UdpSocket) sockets.udp.push({ binding, socket: handle });
    else sockets.tcp.push({ binding, server: handle });
  };
  await receiveHandles(
    [...enter, ...ourProgram(import.meta.url, "bind"), JSON.stringify(bindings)],
    openWithinMs,
    take,
  );
  return sockets;
}

/** Those that were inherited, and those that the one before did not have. */
export async function openMissing(
  inherited: Sockets | undefined,
  { enter, bindings }: { enter: readonly string[]; bindings: readonly Binding[] },
): Promise<Sockets> {
  const had = new Set([...(inherited?.udp ?? []), ...(inherited?.tcp ?? [])].map(({ binding }) => keyOf(binding)));
  const missing = bindings.filter((binding) => !had.has(keyOf(binding)));
  if (inherited === undefined) return openSockets(enter, missing);
  if (missing.length === 0) return inherited;
  const more = await openSockets(enter, missing);
  return { udp: [...inherited.udp, ...more.udp], tcp: [...inherited.tcp, ...more.tcp] };
}

const keyOf = ({ protocol, address, port }: Binding): string => `${protocol} ${address} ${port}`;
