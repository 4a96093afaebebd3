import { readFileSync, rmSync, writeSync } from "node:fs";
import { ask } from "../base/deadline.ts";
import { makeAnswerer } from "./answerer.ts";
import { serveControl } from "../host/sockets/control-server.ts";
import { makeForwarder } from "./forward.ts";
import { watchNameservers } from "./resolv-conf.ts";
import { serve } from "./server.ts";
import { readSettings } from "./settings.ts";
import { openMissing } from "./sockets.ts";
import { handOver, inherit, isSuccessor, takenOver } from "./succession.ts";
import { readZoneData } from "./zone-data.ts";

/**
 * The name server's process. Its one argument is the path of a settings file. It is nobody's child for long: perchd may
 * die and come back, and finds it by the control socket. The sockets come first, for they are what there can be only
 * one of: opened anew, or from the name server before (`succession.ts`).
 */

/** One line of JSON to whatever perchd gave as output. A log that cannot be written is no reason to stop answering. */
function say(level: "info" | "error", msg: string): void {
  try {
    writeSync(1, `${JSON.stringify({ level, time: new Date().toISOString(), room: "dns", msg })}\n`);
  } catch {
    return; // as it says above
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

/** How long one that has a successor goes on with what it was asked before. */
const partingMs = 5_000;

async function main(): Promise<void> {
  const settings = readSettings(readFileSync(process.argv[2] ?? "", "utf8"));
  const inherited = isSuccessor() ? await inherit() : undefined;
  let zone = inherited?.zone ?? settings.zone;
  const { prefix } = zone;
  const answerer = makeAnswerer(zone);
  const forwarder = makeForwarder({
    servers: watchNameservers(settings.resolvConf),
    prefix,
    port: settings.resolverPort,
    tryMs: 1_000,
  });
  const sockets = await openMissing(inherited?.sockets, settings);
  const server = serve({ sockets, answerer, forwarder, report: makeReport() });
  inherited?.replay();

  const end = (why: string) => {
    say("info", `the name server of ${prefix}::/48 stops: ${why}`);
    server.close();
    process.exit(0);
  };
  const stop = (why: string) => {
    if (succession !== "done") rmSync(settings.control, { force: true });
    end(why);
  };

  let succession: "none" | "under way" | "done" | "failed" = "none";
  async function succeed(argv: readonly string[]): Promise<void> {
    succession = "under way";
    try {
      await handOver(argv, sockets, zone);
      succession = "done";
      await ask(() => (server.pending === 0 ? true : undefined), { everyMs: 5, withinMs: partingMs });
      end("another has taken over");
    } catch (error) {
      succession = "failed";
      say("error", `it was not taken over: ${(error as Error).message}`);
    }
  }

  await serveControl(settings.control, (request) => {
    if ("set" in request) {
      const next = readZoneData(request["set"]);
      const { serial } = answerer.set(next);
      zone = next;
      return { serial };
    }
    if ("ping" in request)
      return {
        pid: process.pid,
        version: settings.version,
        serial: answerer.zone.serial,
        queries: server.queries,
        succession,
      };
    if ("succeed" in request) {
      if (succession === "under way") return { error: "another is taking over already" };
      void succeed(request["succeed"] as string[]);
      return { begun: true };
    }
    if ("stop" in request) {
      setImmediate(stop, "it was told to");
      return { stopped: true };
    }
    return { error: "there is set, ping, succeed and stop" };
  });
  if (inherited !== undefined) takenOver();
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("SIGHUP", () => undefined);
  say("info", `the name server of ${prefix}::/48 answers at ${settings.bindings.length} sockets (pid ${process.pid})`);
}

main().catch((error: Error) => {
  say("error", `the name server did not start: ${error.message}`);
  process.exit(1);
});
