import { resolve } from "node:path";
import { makeKeyPair } from "../../../base/x25519.ts";
import { newFile } from "../../../host/files/files.ts";
import { command } from "../../command.ts";
import { wireguardConfig, writtenText } from "../../output/wireguard-text.ts";

export const wireguardCreate = command({
  name: "wireguard create",
  summary: "Let a laptop or a phone join the network by WireGuard",
  details:
    "Keys are made here; perchd learns the public one alone. The configuration goes to FILE, which must not exist, or to stdout, as text and on a terminal as a QR code, too. Perch must run as root. The first peer's endpoint decides the UDP port: the one it names, else 51820, else a free one.",
  args: {
    name: { summary: "The peer's name; it is NAME._peer.internal then" },
    file: {
      summary: "Where its configuration is written, with mode 0600; stdout or nothing prints it",
      optional: true,
    },
  },
  flags: {
    endpoint: {
      type: "string",
      value: "HOST:PORT",
      summary:
        "How the peer reaches this host, where that is not by the address it goes out with: a public name, a router's port",
    },
    region: {
      type: "string",
      short: "r",
      value: "REGION",
      summary: "Where it is, so that names lead to the nearest member",
    },
    qr: { type: "boolean", summary: "Show the configuration as a QR code for a phone, also where this is no terminal" },
  },
  examples: [
    "perch wireguard create laptop laptop.conf",
    "perch wireguard create laptop laptop.conf --endpoint vpn.example.com:51820 --region lhr",
    "perch wireguard create phone --qr",
  ],
  needs: ["json", "daemon"],
  routes: ["createPeer", "removePeer"],
  async run({ args, flags, daemon, terminal }) {
    const { privateKey, publicKey } = makeKeyPair();
    const { name } = args;
    const path = args.file === undefined || args.file === "stdout" ? undefined : resolve(args.file);
    const file = path === undefined ? undefined : await newFile(path);
    const given = {
      ...(flags.endpoint === undefined ? {} : { endpoint: flags.endpoint }),
      ...(flags.region === undefined ? {} : { region: flags.region }),
    };
    const peer = await daemon
      .call("createPeer", { body: { name, publicKey, ...given } })
      .catch(async (error: unknown) => {
        await file?.discard();
        throw error;
      });
    const config = wireguardConfig(peer, privateKey);
    await file?.write(config).catch(async (error: unknown) => {
      await daemon.call("removePeer", { params: { peer: name } });
      throw error;
    });
    if (flags.qr || (path === undefined && process.stdout.isTTY && !flags.json)) terminal.note(await qrCode(config));
    if (path !== undefined) return { json: { ...peer, file: path }, text: writtenText(peer, path) };
    terminal.note("What follows holds the peer's private key, which is nowhere else.");
    return { json: { ...peer, config }, text: config };
  },
});

async function qrCode(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import("uqr");
  return renderUnicodeCompact(text, { ecc: "L", border: 2 });
}
