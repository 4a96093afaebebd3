import { run } from "../../host/process/command.ts";
import { giveOver, type Handing } from "../../host/files/give-over.ts";
import { endOccupants } from "../../host/process/occupants.ts";
import { asOwnerOf } from "../../host/process/place.ts";
import { command, type Layout, type Member } from "./directory.ts";
import { find } from "./postmaster.ts";

/**
 * A server of an older Perch runs as another user. When it is stopped anyhow, its files are given to the user that
 * servers run as now; the data last, for whose that is tells as whom the member runs. `member.place` is the one of
 * today's user. Gives why they stay the former's: then all of them do.
 */
export async function changeUser(member: Member): Promise<"moved" | "nothing" | { stays: string }> {
  const { layout: at, place } = member;
  const { owner, former } = place;
  if (owner === undefined || former === undefined || (await find(at)) !== undefined) return "nothing";
  // What a killed server left would go on making files.
  await endOccupants(at.data, "postgres");
  const moves = asOwnerOf(place, at.data).successor !== undefined;
  try {
    if (moves) await run(command(member, "postgres", ["--version"]), { cwd: "/", timeoutMs: 15_000 });
    const obstacle = await giveParts(at, { from: former.owner, to: owner });
    if (obstacle === undefined) return moves ? "moved" : "nothing";
    if (moves) await giveParts(at, { from: owner, to: former.owner });
    return { stays: obstacle };
  } catch (error) {
    // A file system without owners, a program that is shut to the new user: it can start as it did.
    if (moves) await giveParts(at, { from: owner, to: former.owner }).catch(() => undefined);
    return { stays: error instanceof Error ? error.message : String(error) };
  }
}

/** Up to the first that cannot be given: then why. */
async function giveParts({ sockets, tls, log, data }: Layout, handing: Handing): Promise<string | undefined> {
  for (const part of [sockets, tls, log, data]) {
    const obstacle = await giveOver(part, handing);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}
