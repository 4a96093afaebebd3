import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fail } from "../../errors/error.ts";
import { searchPath } from "../../host/files/files.ts";
import { isRoot } from "../../host/system/home.ts";
import { link, ownStarter, placeOf, unlink } from "../../host/files/own-links.ts";
import { command } from "../command.ts";

export const installCliCommand = command({
  name: "install-cli",
  summary: "Put perch on the PATH: a link to this one",
  details:
    "As root the link lies in /usr/local/bin, as an ordinary user in ~/.local/bin. With --as fly the same program answers to fly and flyctl, so that lines written for Fly Postgres run as they stand. A file that is no link to a Perch is never replaced. It may be repeated, for example after the checkout was moved.",
  flags: {
    as: { type: "strings", value: "NAME", summary: "Another name for it; fly stands for fly and flyctl" },
    dir: {
      type: "string",
      value: "DIR",
      summary: "Where the links lie (default /usr/local/bin as root, else ~/.local/bin)",
    },
    remove: { type: "boolean", summary: "Remove the link, or with --as those names" },
  },
  examples: [
    "perch install-cli",
    "perch install-cli --as fly",
    "perch install-cli --dir ~/bin",
    "perch install-cli --as fly --remove",
  ],
  needs: ["json"],
  machineOnly: true,
  async run({ flags, terminal }) {
    const directory = resolve(flags.dir ?? (isRoot() ? "/usr/local/bin" : join(homedir(), ".local/bin")));
    const paths = namesOf(flags.as, flags.remove).map((name) => join(directory, name));
    // All are looked at before one is changed.
    const places = await Promise.all(paths.map(placeOf)).catch((error: Error) => {
      throw fail("file_refused", { path: directory, why: error.message }, error);
    });
    const taken = paths.find((_, index) => places[index] === "taken");
    if (taken !== undefined)
      throw fail("file_refused", { path: taken, why: "something that is not a link to Perch is there already" });
    const program = await ownStarter();
    try {
      for (const [index, path] of paths.entries()) {
        if (!flags.remove) await link(path, program);
        else if (places[index] === "ours") await unlink(path);
      }
    } catch (error) {
      throw fail("file_refused", { path: directory, why: (error as Error).message }, error);
    }
    if (!flags.remove && !searchPath().includes(directory))
      terminal.note(
        `${directory} is not on your PATH yet. Add it in your shell's profile: export PATH="${directory}:$PATH"`,
      );
    const gone = paths.filter((_, index) => places[index] === "ours");
    return flags.remove
      ? {
          json: { removed: gone },
          text:
            gone.length === 0
              ? `There is no link to Perch in ${directory}`
              : gone.map((path) => `Removed ${path}`).join("\n"),
        }
      : { json: { links: paths, program }, text: paths.map((path) => `${path} starts ${program}`).join("\n") };
  },
});

/**
 * `perch` and the other names; where links are removed, the other names alone if there are any. A name is a file's
 * name, not a path.
 */
function namesOf(as: readonly string[], remove: boolean): string[] {
  for (const name of as)
    if (!/^[A-Za-z0-9][\w.-]{0,62}$/.test(name))
      throw fail("usage_invalid", {
        reason: `perch install-cli: --as "${name.slice(0, 40)}" is not the name of a program`,
      });
  const others = as.flatMap((name) => (name === "fly" || name === "flyctl" ? ["fly", "flyctl"] : [name]));
  return [...new Set(remove && others.length > 0 ? others : ["perch", ...others])];
}
