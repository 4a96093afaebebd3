import { namedNetworks, wantNetwork } from "../../host/system/networks.ts";
import { command } from "../command.ts";
import { each } from "../networks/each.ts";
import { reportUp, up } from "../start.ts";

export const upCommand = command({
  name: "up",
  summary: "Start Perch, or reconnect to what is already running",
  details:
    "Starts perchd in the background, makes the private network and brings back every cluster that was there; so for each network of the home that was not sent down by name. After a crash of perchd it adopts what still runs. Where no network namespace is available, it works in portable mode: ports on 127.0.0.1, and no private network. A home that was started with --portable stays so until --no-portable. Where a cluster cannot be started, it says why and ends with 1; the others run. A cluster that recovers, or was stopped on purpose, is no failure.",
  flags: {
    foreground: {
      type: "boolean",
      summary: "Stay in the foreground with one network until Ctrl-C, which stops everything in it",
    },
    portable: { type: "boolean", summary: "Use ports on 127.0.0.1 instead of a private network, from now on" },
    noPortable: { type: "boolean", summary: "Make the private network again after --portable" },
  },
  examples: ["perch up", "perch up --network blue", "perch up --portable", "PERCH_HOME=./state perch up --foreground"],
  routes: ["status"],
  machineOnly: true,
  async run({ flags, home, allNetworks, terminal, signal }) {
    const { foreground } = flags;
    const portable = wishOf(flags);
    const result = await up({ home, terminal, signal, foreground, portable });
    await wantNetwork(home, "up");
    if (!flags.foreground) {
      const others = allNetworks ? (await namedNetworks(home.base)).filter(({ made }) => made?.wanted === "up") : [];
      await each([home, ...others.map((network) => network.home)], async (one) =>
        reportUp(
          one === home ? result : await up({ home: one, terminal, signal, foreground, portable }),
          terminal,
          flags,
        ),
      );
      return undefined;
    }
    await reportUp(result, terminal, flags);
    if (result.started === undefined) return undefined;
    const { started } = result;
    signal.addEventListener("abort", () => started.signal("SIGTERM"), { once: true });
    if (signal.aborted) started.signal("SIGTERM");
    return { exit: await started.ended };
  },
});

const wishOf = ({ portable, noPortable }: { portable: boolean; noPortable: boolean }): boolean | undefined =>
  portable ? true : noPortable ? false : undefined;
