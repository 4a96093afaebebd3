import { clientOf } from "../../client/client.ts";
import { fail } from "../../errors/error.ts";
import { portableWished } from "../../host/system/portable-wish.ts";
import { ourProgram } from "../../host/process/program.ts";
import { command } from "../command.ts";
import { daemonOf } from "../context.ts";
import { secondsText } from "../output/progress.ts";
import { ensureTools } from "../quickstart/install.ts";
import { ensureApp, ensureAttachment, ensureCluster, ensureReplica, goOnText, names } from "../quickstart/steps.ts";
import { runCommand } from "../run/run-command.ts";
import { standingFor } from "../output/standing-text.ts";
import { statusIfRunning, up, upText } from "../start.ts";

export const quickstartCommand = command({
  name: "quickstart",
  summary: "From nothing to an app that queries a leader and its nearest replica",
  details:
    "As root on Debian and Ubuntu it installs what is missing of iproute2, nftables, util-linux, postgresql-client (psql) and passt (the way to the Internet for apps); elsewhere it names them. It starts Perch, makes the cluster pg with its leader in ams and a replica in lhr, makes the app hello, attaches it, and runs a small program as that app in both regions. What is there already is left as it is: it may be repeated.",
  flags: {
    noInstall: { type: "boolean", summary: "Install no system packages; name them if they are missing" },
    portable: { type: "boolean", summary: "Use ports on 127.0.0.1 instead of a private network" },
  },
  examples: ["perch quickstart", "perch quickstart --no-install", "perch quickstart --portable"],
  routes: [
    "status",
    "listClusters",
    "createCluster",
    "showCluster",
    "cloneMachine",
    "listApps",
    "createApp",
    "attach",
    "createRun",
    "endRun",
  ],
  machineOnly: true,
  async run({ flags, home, terminal, signal }) {
    const begun = performance.now();
    const daemon = daemonOf(clientOf(home), terminal, signal);
    const step = async (doing: string, work: () => Promise<string>) => {
      terminal.progress.say(doing);
      const since = performance.now();
      const done = await work();
      terminal.print(
        `${terminal.style.green("✓")} ${done} ${terminal.style.dim(`(${secondsText(performance.now() - since)})`)}`,
      );
    };

    const namespace = !flags.portable && !(await portableWished(home)) && process.platform === "linux";
    const running = (await statusIfRunning(home)) !== undefined;
    const missing = await ensureTools(terminal, {
      install: !flags.noInstall,
      namespace: namespace && !running,
      signal,
    });
    const started = up({ home, terminal, signal, portable: flags.portable || undefined, foreground: false });
    await step("Starting Perch", async () => upText(await started));
    const { network, clusters } = (await started).status;
    const { error, notes } = standingFor(names.cluster, clusters);
    for (const note of notes) terminal.note(note);
    if (error !== undefined) throw error;
    await step(`Making cluster ${names.cluster}`, () => ensureCluster(daemon));
    await step(`Making a read replica in ${names.replica}`, () => ensureReplica(daemon));
    await step(`Making app ${names.app}`, () => ensureApp(daemon));
    await step(`Attaching ${names.app} to ${names.cluster}`, () => ensureAttachment(daemon));

    const onePort =
      network.mode === "portable" ? " (in portable mode that is one port on 127.0.0.1, which leads to the leader)" : "";
    terminal.print(`The app, run in both regions with the same DATABASE_URL${onePort}:`);
    for (const region of [names.primary, names.replica]) {
      const program = ourProgram(import.meta.url, "../quickstart/query");
      const exit = await runCommand(daemon, { app: names.app, region, config: undefined, given: {}, command: program });
      if (signal.aborted) {
        terminal.note("Interrupted. What was made stays; perch quickstart goes on from there");
        return undefined;
      }
      if (exit !== 0)
        throw fail("internal", { why: `the app of the quickstart ended with exit code ${exit} in ${region}` });
    }
    terminal.print(`Done in ${secondsText(performance.now() - begun)}.\n`);
    for (const sentence of missing) terminal.note(sentence);
    return { text: goOnText() };
  },
});
