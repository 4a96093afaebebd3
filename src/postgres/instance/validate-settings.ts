import { totalmem } from "node:os";
import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { printable } from "../../model/name.ts";
import { CommandError, run } from "../../host/process/command.ts";
import { copyFromBelow } from "../../host/files/below.ts";
import { hugePages } from "../../host/system/machine.ts";
import { makePrivate, removeTree, writeWhole } from "../../host/files/files.ts";
import { command, makeOwned, type Member } from "./directory.ts";
import { configurationText, managedSettings } from "./settings.ts";

/**
 * Whether PostgreSQL would start with new settings, asked of PostgreSQL itself before anything is changed: `postgres -C
 * shared_memory_size` reads a configuration as a start does, checks every value and their combinations, loads the
 * libraries, reckons the memory and exits. It takes 15 ms and a directory with two files of the real one, so the
 * running server is not touched.
 */
export interface Trial {
  /** Those the user changes, name → value. */
  changes: Readonly<Record<string, string>>;
  /** All of the server's, the changes among them. */
  settings: Readonly<Record<string, string>>;
}

/** Rejects with `setting_managed`, `setting_unknown` or `setting_invalid`. */
export async function trySettings(member: Member, trial: Trial): Promise<void> {
  for (const name of Object.keys(trial.changes)) checkName(member, name);
  const scratch = join(member.layout.root, `trial-${process.pid}-${++trials}`);
  const { owner } = member.place;
  try {
    // perchd's own until all is in it: PostgreSQL's user would have it give away what a link there leads to.
    await makePrivate(scratch);
    await makeOwned(join(scratch, "global"), member.place);
    for (const file of ["PG_VERSION", "global/pg_control"])
      await copyFromBelow(member.layout.data, file, join(scratch, file), owner);
    await writeWhole(
      join(scratch, "postgresql.conf"),
      configurationText(trial.settings),
      owner === undefined ? {} : { owner },
    );
    await makeOwned(scratch, member.place);
    const asked = async (name: string): Promise<string> =>
      (
        await run(command(member, "postgres", ["-C", name, "-D", member.place.seen(scratch)]), {
          cwd: "/",
          timeoutMs: 15_000,
        })
      ).stdout.trim();
    checkMemory(member, trial.changes, Number(await asked("shared_memory_size")));
    // By its name, because the reader of the file knows words that are no settings. What has a dot is an extension's,
    // or an app's own.
    for (const name of Object.keys(trial.changes)) if (!name.includes(".")) await asked(name);
    if ((await asked("huge_pages")) === "on") await checkHugePages(member, trial.changes, asked);
  } catch (error) {
    throw error instanceof CommandError ? refusal(member, trial.changes, error) : error;
  } finally {
    await removeTree(scratch);
  }
}

let trials = 0;

function checkName(member: Member, name: string): void {
  const why = managedSettings[name.toLowerCase()];
  if (why !== undefined) throw fail("setting_managed", { name, why });
  if (!/^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)*$/i.test(name))
    throw fail("setting_unknown", { name: printable(name), version: member.major, app: member.app });
}

function checkMemory(member: Member, changes: Trial["changes"], megabytes: number): void {
  const present = Math.floor(totalmem() / 1_048_576);
  const [name, value] =
    Object.entries(changes).find(([key]) => key === "shared_buffers") ?? Object.entries(changes)[0] ?? [];
  if (name === undefined || value === undefined || !(megabytes > present * 0.9)) return;
  throw fail("setting_invalid", {
    name,
    value: printable(value),
    why: `${megabytes} MB of shared memory would be needed, of ${present} MB`,
    app: member.app,
  });
}

/**
 * With `huge_pages = on` it does not start without them. They are counted, not taken: the running server may have them.
 */
async function checkHugePages(
  member: Member,
  changes: Trial["changes"],
  asked: (name: string) => Promise<string>,
): Promise<void> {
  const needed = Number(await asked("shared_memory_size_in_huge_pages"));
  const present = await hugePages(Number(await asked("huge_page_size")));
  const name = "huge_pages" in changes ? "huge_pages" : Object.keys(changes)[0];
  if (name === undefined || (needed >= 0 && needed <= present)) return;
  const why = needed < 0 ? "this host has no huge pages" : `${needed} huge pages would be needed, of ${present}`;
  throw fail("setting_invalid", { name, value: printable(changes[name] ?? ""), why, app: member.app });
}

/** What PostgreSQL said, as an error about one of the changes. */
export function refusal(member: Pick<Member, "app" | "major">, changes: Trial["changes"], error: CommandError): Error {
  const said = error.stderr
    .split("\n")
    .map((line) => line.replace(/^.*?\b(LOG|FATAL|ERROR|HINT|DETAIL|WARNING): +/, ""))
    .map((line) => line.replace(/^postgres: /, "").replace(/ in file ".*" line \d+$/, ""))
    .filter((line) => line !== "" && !/postgresql\.auto\.conf|configuration file ".*" contains errors/.test(line));
  const unknown = /unrecognized configuration parameter "([^"]+)"/.exec(said[0] ?? "")?.[1];
  if (unknown !== undefined)
    return fail("setting_unknown", { name: unknown, version: member.major, app: member.app }, error);
  // The setting it names; where it names none of ours (a library that is not there), the only one that was changed, or
  // all of them.
  const names = Object.keys(changes);
  const name =
    names.find((one) => said.some((line) => line.toLowerCase().includes(one.toLowerCase()))) ?? names.join(", ");
  return fail(
    "setting_invalid",
    {
      name,
      value: printable(changes[name] ?? Object.values(changes).join(", ")),
      why: said.join("; "),
      app: member.app,
    },
    error,
  );
}
