import { command } from "../../command.ts";
import { moment, table } from "../../output/columns.ts";

export const tokensList = command({
  name: "tokens list",
  summary: "List the tokens, what they may do and when they were last used",
  examples: ["perch tokens list", "perch tokens list --json"],
  needs: ["json", "daemon"],
  routes: ["listTokens"],
  async run({ daemon }) {
    const tokens = await daemon.call("listTokens", {});
    const rows = tokens.map(({ name, scope, app, expiresAt, lastUsedAt }) => [
      name,
      scope,
      app ?? "every app",
      expiresAt === null ? "never" : moment(expiresAt),
      lastUsedAt === null ? "never" : moment(lastUsedAt),
    ]);
    return {
      json: tokens,
      text: table(
        ["Name", "Scope", "App", "Expires", "Last used"],
        rows,
        "No tokens. Make one with: perch tokens create NAME",
      ),
    };
  },
});
