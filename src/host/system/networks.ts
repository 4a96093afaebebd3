import { mkdir, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectory, readText, removeTree, writeWhole } from "../files/files.ts";
import { defaultNetwork, type Home, homeOf } from "./home.ts";

/**
 * The networks of a home as directories: `networks/NAME`, each a home of its own. One is made when its `network.json`
 * is there, which is written last; until then it is half made, and is resumed or taken away by whoever comes next. One
 * that is destroyed gets another name first, in one step.
 */
export interface Made {
  /** What `perch up` without a network makes of it. */
  wanted: "up" | "down";
  prefix: string;
  createdAt: string;
}

export interface NetworkPlace {
  home: Home;
  /** Undefined: half made. */
  made: Made | undefined;
}

const noteOf = (home: Home): string => join(home.root, "network.json");
/** No name of a network begins with a dot. */
const goneMark = ".destroyed-";

/** All but the default, by name. */
export async function namedNetworks(base: string): Promise<NetworkPlace[]> {
  const found = await readdir(join(base, "networks"), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  const names = found.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
  return Promise.all(names.toSorted().map((name) => networkPlace(homeOf(base, name))));
}

export async function networkPlace(home: Home): Promise<NetworkPlace> {
  const text = await readText(noteOf(home));
  return { home, made: text === undefined ? undefined : madeIn(text) };
}

function madeIn(text: string): Made | undefined {
  try {
    const { wanted, prefix, createdAt } = JSON.parse(text) as Partial<Made>;
    return prefix === undefined || createdAt === undefined
      ? undefined
      : { wanted: wanted === "down" ? "down" : "up", prefix, createdAt };
  } catch {
    return undefined; // a note cut short: as good as none
  }
}

/** False: the directory was there, so somebody began before. */
export async function beginNetwork(home: Home): Promise<boolean> {
  await removeDestroyed(home.base);
  await makeDirectory(dirname(home.root));
  return mkdir(home.root, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

export const completeNetwork = (home: Home, made: Made): Promise<void> =>
  writeWhole(noteOf(home), `${JSON.stringify(made)}\n`);

/** Nothing of the default network, which `perch up` always means. */
export async function wantNetwork(home: Home, wanted: Made["wanted"]): Promise<void> {
  if (home.network === defaultNetwork) return;
  const { made } = await networkPlace(home);
  if (made !== undefined && made.wanted !== wanted) await completeNetwork(home, { ...made, wanted });
}

/** The directory and all that is in it. What ran there must have ended. */
export async function removeNetwork(home: Home): Promise<void> {
  await rename(home.root, join(dirname(home.root), `${goneMark}${home.network}-${process.pid}`));
  await removeDestroyed(home.base);
}

async function removeDestroyed(base: string): Promise<void> {
  const directory = join(base, "networks");
  // Without the directory there are no networks.
  for (const name of await readdir(directory).catch(() => []))
    if (name.startsWith(goneMark)) await removeTree(join(directory, name));
}
