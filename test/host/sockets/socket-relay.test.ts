import { execFile, execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isRoot } from "../../../src/host/system/home.ts";
import { throughRelay } from "../../../src/host/sockets/socket-relay.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

it.skipIf(!isRoot())(
  "leads one user to a socket that is shut to it, for as long as the work goes on, and no third",
  async () => {
    const root = temporaryDirectory();
    execFileSync("chmod", ["711", root]);
    mkdirSync(join(root, "shut"), { mode: 0o700 });
    const to = join(root, "shut", "socket");
    const server = createServer((socket) => socket.on("data", (data) => socket.write(`heard ${String(data)}`)));
    await new Promise<void>((resolve) => void server.listen(to, resolve));
    const directory = join(root, "relay", "one");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, ".s"), "of a process that was killed");
    const asks = (uid: number) => {
      const program = `require("net").connect(${JSON.stringify(join(directory, ".s"))}).on("error",(e)=>console.log(e.code)).on("data",(d)=>{console.log(String(d));process.exit()}).write("hello")`;
      const argv = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups", process.execPath, "-e", program];
      // Not execFileSync: the relay is in this process.
      return new Promise<string>((resolve) => void execFile("setpriv", argv, (_, stdout) => resolve(stdout)));
    };
    let closed: Promise<void> | undefined;
    const heard = await throughRelay({ directory, name: ".s", to, owner: { uid: 54_321, gid: 54_321 } }, async () => {
      expect(lstatSync(join(directory, ".s")).mode & 0o777).toBe(0o600);
      const staying = createConnection(join(directory, ".s"));
      closed = new Promise((resolve) => staying.once("close", () => resolve()));
      await new Promise((resolve) => staying.once("connect", resolve));
      return [await asks(54_321), await asks(54_322)];
    });
    expect(heard).toEqual(["heard hello\n", "EACCES\n"]);
    await closed;
    expect(existsSync(directory)).toBe(false);
    await expect(
      throughRelay({ directory, name: ".s", to, owner: { uid: 0, gid: 0 } }, () => Promise.reject(new Error("no"))),
    ).rejects.toThrow("no");
    expect(existsSync(directory)).toBe(false);
    server.close();
  },
);
