import { join } from "node:path";
import { type KeyFile, keyFile } from "../../src/vault/key-file.ts";
import { openVault } from "../../src/vault/open-vault.ts";
import { type State, state as stateOf } from "../../src/store/records.ts";
import type { Keeping } from "../../src/vault/rekey.ts";
import { everySealed } from "../../src/vault/sealed.ts";
import { sealedSecret } from "../../src/vault/sealed-secret.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { sealWireGuardKey } from "../../src/vault/wireguard-key.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { storeAt } from "./open.ts";

const at = "2026-11-24T06:30:00.000Z";

export interface SealedState extends Keeping {
  path: string;
  /** Closes the store and opens all again, as a perchd that starts does. */
  restart(): Promise<SealedState>;
}

/** A store with one of everything that is sealed, and its key file, as perchd keeps them. */
export async function sealedState(): Promise<SealedState> {
  const directory = temporaryDirectory();
  const keeping = await openIn(join(directory, "perch.db"), keyFile(join(directory, "secret.key")));
  await fill(keeping.state, keeping.vault);
  return keeping;
}

async function openIn(path: string, file: KeyFile): Promise<SealedState> {
  const store = await storeAt(path);
  const state = stateOf(store);
  const opened = openVault(file, state);
  opened.catch(() => store.close()); // whoever cannot open does not keep the lock
  const vault = await opened;
  const restart = async () => {
    await store.close();
    return openIn(path, file);
  };
  return { path, file, store, state, vault, restart };
}

const fill = (state: State, vault: Vault) =>
  vault.sealing(async (sealer) =>
    state.commit(
      [],
      [
        state.secrets.put({ ...sealedSecret(sealer, "web", "TOKEN", "value of TOKEN"), updatedAt: at }),
        state.secrets.put({ ...sealedSecret(sealer, "pg", "SU_PASSWORD", "value of SU_PASSWORD"), updatedAt: at }),
        state.rotations.put({
          cluster: "pg",
          user: "a%2Fb",
          sealed: sealer.seal("pg/a%2Fb", "value of a rotation"),
          createdAt: at,
        }),
        state.network.put({
          name: "default",
          prefix: "fdaa:1:2",
          nextMachine: 16,
          wireguard: {
            publicKey: "cHVibGlj",
            sealed: sealWireGuardKey(sealer, "value of a key"),
            port: 51_820,
            nextPeer: 1,
          },
          createdAt: at,
        }),
      ],
    ),
  );

/** Every value by its context, as the vault opens it. */
export const valuesOf = async ({
  state,
  vault,
}: Pick<SealedState, "state" | "vault">): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await everySealed(state))
      .flatMap(({ parts }) => parts)
      .map(({ context, sealed }) => [context, vault.open(context, sealed)]),
  );

export const values = {
  "web/TOKEN": "value of TOKEN",
  "pg/SU_PASSWORD": "value of SU_PASSWORD",
  "pg/a%2Fb": "value of a rotation",
  "network/wireguard": "value of a key",
};
