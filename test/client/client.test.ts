import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { clientOf } from "../../src/client/client.ts";

/** Servers on real unix sockets that speak the contract, and break it in the ways a dying daemon does. */
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function daemon(
  answer: (request: http.IncomingMessage, response: http.ServerResponse) => void,
  patience = { plain: 5_000, undo: 2_000 },
) {
  const root = mkdtempSync(join(tmpdir(), "perch-client-"));
  const socket = join(root, "s");
  // As perchd does: a caller that has said its last word still hears the answer.
  const server = Object.assign(http.createServer(answer), { httpAllowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
    rmSync(root, { recursive: true });
  });
  return clientOf({ root, socket }, patience);
}

const create = { body: { name: "pg", region: "ams" } };
const frame = (value: unknown) => `${JSON.stringify(value)}\n`;

describe("a call", () => {
  it("sends the body as JSON and gives the answer", async () => {
    const seen: unknown[] = [];
    const client = await daemon((request, response) => {
      request.on("data", (chunk: Buffer) => seen.push([request.method, request.url, JSON.parse(chunk.toString())]));
      request.on("end", () => response.setHeader("content-type", "application/json").end('{"removed":["A"]}'));
    });
    expect(await client.call("unsetSecrets", { params: { app: "web" }, body: { names: ["A"] } })).toEqual({
      removed: ["A"],
    });
    expect(seen).toEqual([["POST", "/v1/apps/web/secrets/unset", { names: ["A"] }]]);
  });

  it("says that Perch is not running where there is no socket, or nobody behind it", async () => {
    const root = mkdtempSync(join(tmpdir(), "perch-client-"));
    closers.push(() => rmSync(root, { recursive: true }));
    await expect(clientOf({ root, socket: join(root, "absent") }).call("status", {})).rejects.toMatchObject({
      code: "daemon_not_running",
    });
  });

  it("throws the daemon's error by its code", async () => {
    const client = await daemon((_, response) => {
      response
        .writeHead(404, { "content-type": "application/json" })
        .end(JSON.stringify({ error: { code: "app_not_found", message: "no", next: "list" } }));
    });
    await expect(client.call("destroyApp", { params: { app: "x" } })).rejects.toMatchObject({
      code: "app_not_found",
      message: "no",
      next: "list",
    });
  });

  it("counts a daemon that is silent for too long as lost", async () => {
    const client = await daemon(() => undefined, { plain: 50, undo: 50 });
    await expect(client.call("status", {})).rejects.toMatchObject({
      code: "daemon_lost",
      message: expect.stringContaining("0.05 s") as string,
    });
  });

  it("counts an answer that is no JSON, or no success and no error, as a lost daemon", async () => {
    const client = await daemon(
      (request, response) =>
        void (request.url === "/v1/status" ? response.end("<html>") : response.writeHead(502).end("{}")),
    );
    await expect(client.call("status", {})).rejects.toMatchObject({ code: "daemon_lost" });
    await expect(client.call("listApps", {})).rejects.toMatchObject({
      code: "daemon_lost",
      message: expect.stringContaining("502") as string,
    });
  });
});

describe("a stream", () => {
  it("hands out progress in order and gives the result", async () => {
    const client = await daemon((_, response) => {
      response.write(frame({ progress: "one" }));
      response.write(frame({ progress: "two" }));
      response.end(frame({ result: { username: "postgres" } }));
    });
    const heard: string[] = [];
    expect(await client.call("createCluster", create, { onProgress: (sentence) => heard.push(sentence) })).toEqual({
      username: "postgres",
    });
    expect(heard).toEqual(["one", "two"]);
  });

  it("that ends without a result is a lost daemon, whether it was closed or cut", async () => {
    for (const end of [(r: http.ServerResponse) => void r.end(), (r: http.ServerResponse) => void r.destroy()]) {
      const client = await daemon((_, response) => response.write(frame({ progress: "one" }), () => end(response)));
      await expect(client.call("createCluster", create)).rejects.toMatchObject({ code: "daemon_lost" });
    }
  });

  it("when aborted tells the daemon by half-closing, and waits for its word that all is undone", async () => {
    const stop = new AbortController();
    const heard: string[] = [];
    const client = await daemon((request, response) => {
      response.write(frame({ progress: "making" }));
      request.socket.once("end", () => {
        response.write(frame({ progress: "undoing" }));
        response.end(
          frame({ error: { code: "cancelled", message: "creating pg was interrupted and undone", next: "" } }),
        );
      });
    });
    const onProgress = (sentence: string) => {
      heard.push(sentence);
      stop.abort();
    };
    await expect(client.call("createCluster", create, { signal: stop.signal, onProgress })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(heard).toEqual(["making", "undoing"]);
  });

  it("when aborted gives up waiting after a while, or when the daemon hangs up without a word", async () => {
    for (const onEnd of [() => undefined, (response: http.ServerResponse) => void response.destroy()]) {
      const stop = new AbortController();
      const client = await daemon(
        (request, response) => {
          response.write(frame({ progress: "making" }));
          request.socket.once("end", () => onEnd(response));
        },
        { plain: 5_000, undo: 100 },
      );
      await expect(
        client.call("createCluster", create, { signal: stop.signal, onProgress: () => stop.abort() }),
      ).rejects.toMatchObject({
        code: "interrupted",
      });
    }
  });

  it("that was done before the abort arrived is done", async () => {
    const stop = new AbortController();
    const client = await daemon((request, response) => {
      response.write(frame({ progress: "nearly" }));
      request.socket.once("end", () => response.end(frame({ result: {} })));
    });
    expect(
      await client.call(
        "restartCluster",
        { params: { cluster: "pg" } },
        { signal: stop.signal, onProgress: () => stop.abort() },
      ),
    ).toEqual({});
  });

  it("that is aborted before its answer begins says that it may be done, and no number of seconds", async () => {
    const stop = new AbortController();
    const client = await daemon(() => stop.abort());
    const error: unknown = await client
      .call("createApp", { body: { name: "web" } }, { signal: stop.signal })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "interrupted_unanswered",
      message: expect.not.stringMatching(/\d s\b/) as string,
    });
  });

  it("is not begun when the signal has aborted before", async () => {
    const client = await daemon(() => undefined);
    await expect(client.call("createCluster", create, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "interrupted_unanswered",
    });
  });
});

describe("a feed", () => {
  it("gives items as they come and closes the connection when the reader has enough", async () => {
    let closed: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (closed = resolve));
    const client = await daemon((request, response) => {
      request.socket.once("end", closed);
      for (const id of [1, 2, 3]) response.write(frame({ id }));
    });
    const ids: number[] = [];
    for await (const event of client.feed("events", { query: { follow: "true" } })) {
      ids.push(event.id);
      if (ids.length === 2) break;
    }
    expect(ids).toEqual([1, 2]);
    await gone;
  });

  it("ends quietly when the signal aborts", async () => {
    const stop = new AbortController();
    const client = await daemon((_, response) => response.write(frame({ id: 1 })));
    const ids: number[] = [];
    for await (const { id } of client.feed("events", {}, stop.signal)) {
      ids.push(id);
      stop.abort();
    }
    expect(ids).toEqual([1]);
  });

  it("throws an error that comes in the middle, and a loss", async () => {
    const client = await daemon((request, response) => {
      response.write(frame({ id: 1 }), () => {
        if (request.url === "/v1/events")
          response.end(frame({ error: { code: "shutting_down", message: "down", next: "" } }));
        else response.destroy();
      });
    });
    const drain = async (items: AsyncIterable<unknown>) => {
      for await (const _ of items);
    };
    await expect(drain(client.feed("events", {}))).rejects.toMatchObject({ code: "shutting_down" });
    await expect(drain(client.feed("clusterLogs", { params: { cluster: "pg" } }))).rejects.toMatchObject({
      code: "daemon_lost",
    });
  });
});
