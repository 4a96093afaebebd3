import type { Answer } from "../../client/client.ts";
import { fail, isCode } from "../../errors/error.ts";
import { printable } from "../../model/name.ts";
import type { Daemon } from "../command.ts";
import { type Forward, forward } from "../proxy/forward.ts";

/**
 * Ports of this host that lead to a command inside the network: each connection is a tunnel, as those of `perch
 * proxy` are.
 */
export interface Publishing {
  ports: readonly PublishedPort[];
  /** Where on this host. */
  address: string;
  note(text: string): void;
}

export interface PublishedPort {
  outside: number;
  inside: number;
}

export interface Published {
  close(): Promise<void>;
}

/** `3000` or `8080:3000`. Throws `publish_invalid`. Pure. */
export function publishedPort(text: string): PublishedPort {
  const [outside = "", inside = outside, ...more] = text.split(":");
  const port = (word: string, least: number): number => {
    if (more.length === 0 && /^\d{1,5}$/.test(word) && Number(word) >= least && Number(word) <= 65_535)
      return Number(word);
    throw fail("publish_invalid", { value: printable(text), why: "ports are numbers from 1 to 65535" });
  };
  const within = port(inside, 1);
  return { outside: port(outside, 0), inside: within };
}

/** All of them or, where one port is taken, none. */
export async function publish(
  daemon: Pick<Daemon, "tunnel">,
  run: Answer<"createRun">,
  { ports, address, note }: Publishing,
): Promise<Published> {
  if (ports.length > 0 && run.enter.length === 0) throw fail("portable_mode", { what: "perch run --publish" });
  const open: Forward[] = [];
  const close = async () => void (await Promise.all(open.map((each) => each.close())));
  try {
    for (const { outside, inside } of ports) {
      const led = await forward({ address, port: outside }, tunnelTo(daemon, run.machine?.address, inside), note);
      open.push(led);
      note(`Published: ${led.at} leads to port ${inside}`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

/**
 * A command may listen at its own address, or only at localhost, of the network or of IPv4. What answered last is asked
 * first.
 */
function tunnelTo(
  { tunnel }: Pick<Daemon, "tunnel">,
  address: string | undefined,
  port: number,
): () => ReturnType<Daemon["tunnel"]> {
  let hosts = address === undefined ? ["localhost"] : [address, "localhost"];
  return async () => {
    const [first = "localhost", ...others] = hosts;
    try {
      return await tunnel({ host: first, port });
    } catch (error) {
      const [second] = others;
      if (second === undefined || !isCode(error, "target_unreachable")) throw error;
      const answered = await tunnel({ host: second, port });
      hosts = [second, first];
      return answered;
    }
  };
}
