import { scopes } from "../../../api/route.ts";
import { fail } from "../../../errors/error.ts";
import { parseDuration } from "../../../model/duration.ts";
import { tokenLasts } from "../../../model/token.ts";
import { command } from "../../command.ts";

export const tokensCreate = command({
  name: "tokens create",
  summary: "Make a token for another host; its text is shown once",
  details:
    "read sees what there is, deploy also sets secrets and attaches and detaches apps, admin may all but what needs this host. With --app it is good for that app or cluster alone. Tokens are made on this host only: one that is stolen cannot make itself a successor.",
  args: { token: { summary: "Its name: lower-case letters, digits and dashes" } },
  flags: {
    scope: { type: "string", value: "SCOPE", summary: "What it may do", choices: scopes, default: "read" },
    app: { type: "string", short: "a", value: "APP", summary: "The only app or cluster it is good for" },
    expires: {
      type: "string",
      value: "TIME",
      summary: "How long it is good: 30m, 12h, 90d, at most 365d",
      default: "90d",
    },
  },
  examples: [
    "perch tokens create laptop --scope admin",
    "perch tokens create ci --scope deploy --app web --expires 30d",
  ],
  needs: ["json", "daemon"],
  routes: ["createToken"],
  async run({ args, flags, daemon }) {
    const scope = scopes.find((name) => name === flags.scope) ?? "read";
    if (flags.expires === "never")
      throw fail("token_endless", { days: tokenLasts.mostMs / 86_400_000, value: "never" });
    const expiresAt = new Date(Date.now() + parseDuration(flags.expires, "--expires")).toISOString();
    const made = await daemon.call("createToken", {
      body: { name: args.token, scope, ...(flags.app === undefined ? {} : { app: flags.app }), expiresAt },
    });
    const whose = made.app === null ? "every app" : `app ${made.app}`;
    return {
      json: made,
      text: `Token ${made.name}: ${made.scope} for ${whose}, expires ${made.expiresAt ?? "never"}\n${made.token}\nIt is not shown again.`,
    };
  },
});
