import { counted } from "../../base/count.ts";
import { serialise } from "../../base/serialise.ts";
import { fail } from "../../errors/error.ts";
import { checkSecretName, checkSecretValue } from "../../model/secret.ts";
import { keyFile } from "../../vault/key-file.ts";
import { rekey } from "../../vault/rekey.ts";
import { sealedSecret } from "../../vault/sealed-secret.ts";
import { requireApp } from "./apps.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";

type SecretHandlers = Pick<Handlers, "listSecrets" | "setSecrets" | "unsetSecrets" | "watchSecrets" | "rekey">;

export function secretHandlers(deps: Deps): SecretHandlers {
  const { state, vault, events } = deps;
  const oneAtATime = serialise();
  const ofApp = (app: string) => state.secrets.list({ app });
  const list = async (app: string) =>
    (await ofApp(app)).map(({ name, digest, updatedAt }) => ({ name, digest, updatedAt }));

  return {
    async listSecrets({ params }) {
      await requireApp(deps, params.app);
      return list(params.app);
    },

    async setSecrets({ params, body }) {
      const { name: app } = await requireApp(deps, params.app);
      const pairs = Object.entries(body.secrets);
      if (pairs.length === 0) throw fail("secret_pair_invalid", { what: "none was given" });
      for (const [name, value] of pairs) checkSecretValue(checkSecretName(name), value);
      await vault.sealing((sealer) =>
        state.commit(
          [],
          pairs.map(([name, value]) => state.secrets.put(sealedSecret(sealer, app, name, value))),
        ),
      );
      await events.append(app, `secrets of ${app} were set: ${pairs.map(([name]) => name).join(", ")}`);
      return list(app);
    },

    async unsetSecrets({ params, body }) {
      const { name: app } = await requireApp(deps, params.app);
      const present = new Set((await ofApp(app)).map((secret) => secret.name));
      const removed = [...new Set(body.names)].filter((name) => present.has(name));
      if (removed.length > 0) {
        await state.commit(
          [],
          removed.map((name) => state.secrets.drop({ app, name })),
        );
        await events.append(app, `secrets of ${app} were unset: ${removed.join(", ")}`);
      }
      return { removed };
    },

    async rekey() {
      const sealed = await oneAtATime(() => rekey({ ...deps, file: keyFile(deps.home.key) }));
      await events.append(
        "network",
        `every secret is sealed with a new key (${counted(sealed, "value")}); the old key is gone`,
      );
      return { sealed, key: deps.home.key };
    },

    watchSecrets: ({ params }, call) => changes(deps, params.app, call),
  };
}

/** One item a change, those of one moment together, until the caller hangs up. */
async function* changes(deps: Deps, app: string, call: Call): AsyncGenerator<{ revision: number }> {
  await requireApp(deps, app);
  let latest = 0;
  let wake: () => void = () => undefined;
  const { revision, records } = await deps.state.secrets.snapshot({ app });
  const setAt = new Map(records.map((record) => [record.name, record.updatedAt]));
  const stop = await deps.state.secrets.watch(revision, (change) => {
    const { app: of, name } = change.type === "put" ? change.record : change.of;
    if (of !== app) return;
    // A value that is sealed with another key was not set anew.
    const at = change.type === "put" ? change.record.updatedAt : "";
    if (setAt.get(name) === at) return;
    setAt.set(name, at);
    latest = change.revision;
    wake();
  });
  call.signal.addEventListener("abort", () => wake(), { once: true });
  try {
    for (let seen = 0; !call.signal.aborted;) {
      if (latest === seen) await new Promise<void>((resolve) => (wake = resolve));
      if (latest === seen) continue;
      seen = latest;
      yield { revision: seen };
    }
  } finally {
    stop();
  }
}
