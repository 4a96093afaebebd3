import { body, requests } from "./api.ts";
import { count, crowd, leave, pieces } from "./connections.ts";
import type { Deed, Doers } from "./deeds.ts";
import { datagrams, names, stop } from "./names.ts";

/** The rude client's process: does what it is told over Node's IPC, and is gone with who started it. */
const doers: Doers = { crowd, count, leave, pieces, datagrams, names, stop, body, requests };

process.on("message", ({ id, deed, args }: { id: number; deed: Deed; args: never }) => {
  doers[deed](args).then(
    (result) => process.send?.({ id, result }),
    (error: Error) => process.send?.({ id, error: error.message }),
  );
});
process.on("disconnect", () => process.exit(0));
