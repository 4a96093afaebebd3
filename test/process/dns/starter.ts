import { connectNameServer } from "../../../src/dns/control.ts";
import { startNameServer } from "../../../src/dns/start.ts";
import type { Settings } from "../../../src/dns/settings.ts";

/** Starts a name server as perchd does, prints its pid, and is then there to be killed. */
const settings = JSON.parse(process.argv[2] ?? "{}") as Settings;
await startNameServer(settings, 1);
const { pid } = await (await connectNameServer(settings.control)).ping();
process.stdout.write(`pid ${pid}\n`);
setInterval(() => undefined, 60_000);
