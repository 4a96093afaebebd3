import { once } from "node:events";
import { fail } from "../../errors/error.ts";
import { command } from "../command.ts";
import { forward } from "../proxy/forward.ts";
import { proxyWords } from "../proxy/local.ts";

export const proxyCommand = command({
  name: "proxy",
  summary: "Forward a port or a unix socket of this host into the private network",
  details:
    "It needs access to the daemon's socket and nothing else, and runs until Ctrl-C. Without REMOTE it leads to port 5432 of the app: to the member that leads when a connection is made. With --region it leads to port 5433 of the region's nearest member itself. Addresses of the network and names in it can be reached, and nothing else.",
  args: {
    local: {
      summary:
        "LOCAL[:REMOTE]: a port (0: any that is free) or a path with a slash; then a port, host or host:port of the network",
    },
    host: { summary: "The host, where REMOTE has none (default the app's)", optional: true },
  },
  flags: {
    app: { type: "string", short: "a", value: "APP", summary: "The app or cluster to reach" },
    bindAddr: {
      type: "string",
      short: "b",
      value: "ADDRESS",
      summary: "The address of this host to listen at",
      default: "127.0.0.1",
    },
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "Names are nearest first as seen from there, and the port is 5433 unless it is given",
    },
    quiet: { type: "boolean", short: "q", summary: "Say nothing but errors" },
  },
  examples: [
    "perch proxy 15432 -a pg",
    "perch proxy 15433 -a pg --region lhr",
    "perch proxy 8080:3000 -a web",
    "perch proxy /tmp/pg/.s.PGSQL.5432 -a pg",
    "perch proxy 0:pg.internal:5432 --json",
  ],
  needs: ["json", "daemon"],
  routes: ["proxy"],
  async run({ args, flags, daemon, terminal, signal }) {
    const words = proxyWords(args.local, args.host);
    const host = words.host ?? (flags.app === undefined ? undefined : `${flags.app}.internal`);
    if (host === undefined) throw fail("usage_invalid", { reason: "perch proxy: name an app with -a, or a host" });
    const query = {
      host,
      ...(words.port === undefined ? {} : { port: words.port }),
      ...(flags.region === undefined ? {} : { region: flags.region }),
    };
    const found = await daemon.call("proxy", { query });
    const local = "path" in words.local ? words.local : { address: flags.bindAddr, port: words.local.port };
    const open = await forward(local, () => daemon.tunnel(query), terminal.note);
    const target = `${found.host.includes(":") ? `[${found.host}]` : found.host}:${found.port}`;
    if (flags.json)
      process.stdout.write(`${JSON.stringify({ listen: open.at, host: found.host, port: found.port })}\n`);
    else if (!flags.quiet) terminal.print(`Proxying ${open.at} to ${target}; Ctrl-C ends it`);
    if (!signal.aborted) await once(signal, "abort");
    await open.close();
    return { exit: 0 };
  },
});
