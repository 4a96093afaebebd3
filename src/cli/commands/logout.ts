import { remoteName } from "../../client/remote.ts";
import { command } from "../command.ts";
import { forgetLogin, parseRemote } from "../remotes.ts";

export const logoutCommand = command({
  name: "logout",
  summary: "Forget the token for another host; it is not revoked",
  args: { remote: { summary: "HOST:PORT of that host" } },
  examples: ["perch logout db.example.com:6643"],
  needs: ["json"],
  async run({ args, home }) {
    const place = parseRemote(args.remote);
    const was = await forgetLogin(home.base, place);
    const host = remoteName(place);
    return { json: { host, removed: was }, text: was ? `Logged out of ${host}` : `There was no login for ${host}` };
  },
});
