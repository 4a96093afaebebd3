import { readFileSync, rmSync, writeSync } from "node:fs";
import { makeAnswerer } from "./answerer.ts";
import { serveControl } from "../host/control-server.ts";
import { makeForwarder } from "./forward.ts";
import { watchNameservers } from "./resolv-conf.ts";
import { serve } from "./server.ts";
import { readSettings } from "./settings.ts";
import { openSockets } from "./sockets.ts";
import { readZoneData } from "./zone-data.ts";

/**
 * The name server's process. Its one argument is the path of a settings file. It is nobody's child for long: perchd may die and come back, and finds
 * it by the control socket. The sockets come first, for they are what there can be only one of.
 */

/** One line of JSON to whatever perchd gave as output. A log that cannot be written is no reason to stop answering. */
function say(level: "info" | "error", msg: string): void {
  try {
    writeSync(1, `${JSON.stringify({ level, time: new Date().toISOString(), room: "dns", msg })}\n`);
  } catch {
    return;
  }
}

/** The same trouble a thousand times a second is one line a second. */
function makeReport(): (sentence: string) => void {
  let last = -Infinity;
  return (sentence) => {
    if (performance.now() - last < 1_000) return;
    last = performance.now();
    say("error", sentence);
  };
}

async function main(): Promise<void> {
  const settings = readSettings(readFileSync(process.argv[2] ?? "", "utf8"));
  const { prefix } = settings.zone;
  const answerer = makeAnswerer(settings.zone);
  const forwarder = makeForwarder({ servers: watchNameservers(settings.resolvConf), prefix, port: settings.resolverPort, tryMs: 1_000 });
  const sockets = await openSockets(settings.enter, settings.bindings);
  const server = serve({ sockets, answerer, forwarder, report: makeReport() });

  const stop = (why: string) => {
    say("info", `the name server of ${prefix}::/48 stops: ${why}`);
    server.close();
    rmSync(settings.control, { force: true });
    process.exit(0);
  };
  await serveControl(settings.control, (request) => {
    if ("set" in request) return { serial: answerer.set(readZoneData(request["set"])).serial };
    if ("ping" in request) return { pid: process.pid, version: settings.version, serial: answerer.zone.serial, queries: server.queries };
    if ("stop" in request) {
      setImmediate(stop, "it was told to");
      return { stopped: true };
    }
    return { error: "there is set, ping and stop" };
  });
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("SIGHUP", () => undefined);
  say("info", `the name server of ${prefix}::/48 answers at ${settings.bindings.length} sockets (pid ${process.pid})`);
}

main().catch((error: Error) => {
  say("error", `the name server did not start: ${error.message}`);
  process.exit(1);
});
