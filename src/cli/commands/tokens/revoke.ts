import { command } from "../../command.ts";

export const tokensRevoke = command({
  name: "tokens revoke",
  summary: "Revoke tokens, at once: what they have under way ends",
  args: { tokens: { summary: "Their names", many: true } },
  examples: ["perch tokens revoke ci"],
  needs: ["json", "daemon"],
  routes: ["revokeToken"],
  async run({ args, flags, daemon, terminal }) {
    for (const token of args.tokens) {
      await daemon.call("revokeToken", { params: { token } });
      if (!flags.json) terminal.print(`Revoked token ${token}`);
    }
    return { json: args.tokens.map((name) => ({ name })) };
  },
});
