import { clientOf } from "../../client/client.ts";
import { fetchAuthority, remoteName } from "../../client/remote.ts";
import { command } from "../command.ts";
import { readSecret } from "../input.ts";
import { keepLogin, parseRemote } from "../remotes.ts";

export const loginCommand = command({
  name: "login",
  summary: "Keep a token for the perchd of another host, for --host",
  details:
    "The token is typed unseen, or comes by stdin, or by PERCH_TOKEN; it is kept in a file that only you can read. It names the authority of its network: a server without a certificate of that authority gets nothing.",
  args: { remote: { summary: "HOST:PORT of that host" } },
  examples: ["perch login db.example.com:6643", "perch login db.example.com:6643 <token.txt"],
  needs: ["json"],
  routes: ["authority"],
  async run({ args, home }) {
    const place = parseRemote(args.remote);
    const { PERCH_TOKEN: given = "" } = process.env;
    const token = given === "" ? (await readSecret("Token")).trim() : given;
    const remote = { ...place, token, authority: await fetchAuthority(place, token) };
    await clientOf(remote).call("authority", {}); // whether the token is taken there
    await keepLogin(home.base, remote);
    const name = remoteName(place);
    return { json: { remote: name }, text: `Logged in to ${name}; try: perch --host ${name} status` };
  },
});
