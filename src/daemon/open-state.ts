import { randomBytes } from "node:crypto";
import { actingAs, perchItself } from "../base/actor.ts";
import type { Log } from "../base/log.ts";
import { fail } from "../errors/error.ts";
import type { Home } from "../host/system/home.ts";
import { networkPrefix } from "../model/address.ts";
import type { NetworkRecord } from "../model/records.ts";
import { openEvents, type Reports, reports } from "../store/events.ts";
import { type State, state as stateOf } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { keyFile } from "../vault/key-file.ts";
import { openVault } from "../vault/open-vault.ts";
import { forgetOldKey } from "../vault/rekey.ts";
import type { Vault } from "../vault/vault.ts";
import { dropManagedSettings } from "./former-settings.ts";

/** Into the log and the events; `by`: who asked for it, where that is somebody else than Perch. */
export type Tell = (subject: string, sentence: string, by?: string) => void;

export interface Kept {
  state: State;
  vault: Vault;
  events: Reports;
  /** The network's record as it was found, or made just now. */
  network: NetworkRecord;
  tell: Tell;
}

/** What is kept, opened; what an older Perch or an ended perchd left in it is told, or put right. */
export async function openState({ home, store, log }: { home: Home; store: Store; log: Log }): Promise<Kept> {
  const state = stateOf(store);
  const vault = await openVault(keyFile(home.key), state);
  const events = reports(await openEvents(store), (error) => log.error({ err: error }, "an event could not be kept"));
  const network = await networkRecord(state, home.network);
  const tell: Tell = (subject, sentence, by = perchItself) => {
    log.info({ subject }, sentence);
    actingAs(by, () => void events.append(subject, sentence));
  };
  forgetOldKey({ state, store }).then(
    (left) => left && tell("network", "the change of the secret key that an ended perchd had begun is through"),
    (error: unknown) => log.warn({ err: error }, "what the old secret key opens is still in perch.db"),
  );
  for (const { name, expiresAt } of await state.tokens.list())
    if (expiresAt === undefined)
      tell(
        "network",
        `token ${name} has no end, as 0.1.0 allowed: make another with perch tokens create, then: perch tokens revoke ${name}`,
      );
  await dropManagedSettings(state, tell);
  return { state, vault, events, network, tell };
}

async function networkRecord(state: State, name: string): Promise<NetworkRecord> {
  const found = await state.network.get({});
  if (found !== undefined) return found;
  const made: NetworkRecord = {
    name,
    prefix: networkPrefix(randomBytes(4).readUInt32BE()),
    nextMachine: 16,
    createdAt: new Date().toISOString(),
  };
  if (!(await state.network.create(made))) throw fail("internal", { why: "the network's record cannot be made" });
  return made;
}
