import { join } from "node:path";
import { namesIn, removeTree } from "../../host/files/files.ts";
import type { Home } from "../../host/system/home.ts";

/**
 * What is made beside its place, or renamed before it is removed; each name is used once, so that what an ended process
 * left is nobody's.
 */
const member = /\.gone-[0-9a-f]{8}$/;
const inMember = /^(data\.(new|gone)-[0-9a-f]{8}|trial-\d+-\d+|inherited-[0-9A-F]+(\.history)?)$/;
const tool = /\.new-[0-9a-f]{8}$/;

/**
 * What a perchd that was killed left half made or half removed. Asked before anything is made anew; removing it may
 * take its time. A program that still fills such a directory fails when it is gone.
 */
export async function leftovers({ postgres }: Pick<Home, "postgres">): Promise<string[]> {
  const members = await namesIn(postgres);
  const within = await Promise.all(
    members.map((name) => found(join(postgres, name), name === "tools" ? tool : inMember)),
  );
  return [...members.filter((name) => member.test(name)).map((name) => join(postgres, name)), ...within.flat()];
}

export async function removeLeftovers(paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeTree(path);
}

const found = async (directory: string, pattern: RegExp): Promise<string[]> =>
  (await namesIn(directory)).filter((name) => pattern.test(name)).map((name) => join(directory, name));
