import { randomBytes } from "node:crypto";
import { fail } from "../../errors/error.ts";
import { checkAppName, printable } from "../../model/name.ts";
import type { TokenRecord } from "../../model/records.ts";
import { tokenLasts, tokenText } from "../../model/token.ts";
import { requireApp } from "../handlers/apps.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { hashOf } from "./guard.ts";

/** By so much the clock of the one who asks may be ahead. */
const clockMs = 60_000;

type TokenHandlers = Pick<Handlers, "listTokens" | "createToken" | "revokeToken">;

export function tokenHandlers(deps: Deps): TokenHandlers {
  const { state, events } = deps;
  return {
    listTokens: async () => (await state.tokens.list()).map(shape),

    async createToken({ body }) {
      const name = checkAppName(body.name, "token name");
      if (body.app !== undefined) await requireApp(deps, body.app);
      if (body.expiresAt !== undefined && Date.parse(body.expiresAt) <= Date.now())
        throw fail("request_invalid", { why: "body.expiresAt: it is in the past" });
      const expiresAt = body.expiresAt ?? new Date(Date.now() + tokenLasts.defaultMs).toISOString();
      if (Date.parse(expiresAt) > Date.now() + tokenLasts.mostMs + clockMs)
        throw fail("token_endless", { days: tokenLasts.mostMs / 86_400_000, value: expiresAt });
      const token = tokenText(randomBytes(32).toString("base64url"), deps.context.authority.fingerprint);
      const record: TokenRecord = {
        name,
        scope: body.scope,
        hash: hashOf(token),
        createdAt: new Date().toISOString(),
        ...(body.app === undefined ? {} : { app: body.app }),
        expiresAt,
      };
      if (!(await state.tokens.create(record))) throw fail("token_exists", { token: name });
      const whose = body.app === undefined ? "every app" : `app ${body.app}`;
      await events.append("network", `token ${name} was made: it may ${body.scope} for ${whose}, ${untilText(record)}`);
      return { ...shape(record), token };
    },

    async revokeToken({ params }) {
      if (!(await state.tokens.remove({ name: params.token })))
        throw fail("token_not_found", { token: printable(params.token) });
      await events.append("network", `token ${params.token} was revoked`);
      return {};
    },
  };
}

const untilText = ({ expiresAt }: TokenRecord): string =>
  expiresAt === undefined ? "for as long as it is not revoked" : `until ${expiresAt}`;

const shape = ({ name, scope, app, createdAt, expiresAt, lastUsedAt }: TokenRecord) => ({
  name,
  scope,
  app: app ?? null,
  createdAt,
  expiresAt: expiresAt ?? null,
  lastUsedAt: lastUsedAt ?? null,
});
