import { fail } from "../errors/error.ts";
import { checkSecretName, checkSecretValue } from "../model/secret.ts";
import { sealedSecret } from "../store/sealed-secret.ts";
import { requireApp } from "./apps.ts";
import type { Deps } from "./deps.ts";
import type { Call, Handlers } from "./http.ts";

type SecretHandlers = Pick<Handlers, "listSecrets" | "setSecrets" | "unsetSecrets" | "watchSecrets">;

export function secretHandlers(deps: Deps): SecretHandlers {
  const { state, vault, events } = deps;
  const ofApp = (app: string) => state.secrets.list({ app });
  const list = async (app: string) => (await ofApp(app)).map(({ name, digest, updatedAt }) => ({ name, digest, updatedAt }));

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
      const records = pairs.map(([name, value]) => sealedSecret(vault, app, name, value));
      await state.commit(
        [],
        records.map((record) => state.secrets.put(record)),
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

    watchSecrets: ({ params }, call) => changes(deps, params.app, call),
  };
}

/** One item a change, those of one moment together, until the caller hangs up. */
async function* changes(deps: Deps, app: string, call: Call): AsyncGenerator<{ revision: number }> {
  await requireApp(deps, app);
  let latest = 0;
  let wake: () => void = () => undefined;
  const { revision } = await deps.state.secrets.snapshot({ app });
  const stop = await deps.state.secrets.watch(revision, (change) => {
    if ((change.type === "put" ? change.record : change.of).app !== app) return;
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
