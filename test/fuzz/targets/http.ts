import assert from "node:assert/strict";
import { checkConnection } from "../answers.ts";
import { choicesOf } from "../choices.ts";
import { networkTools, openNetwork } from "../network.ts";
import { converse, cut, eventually } from "../sockets.ts";
import type { Target } from "../target.ts";

const request = (head: string, body = "", ...headers: string[]) =>
  Buffer.from(
    [
      "\0" + head + " HTTP/1.1",
      "Host: perchd",
      ...(body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
      ...headers,
      "",
      body,
    ].join("\r\n"),
  );
const json = "Content-Type: application/json";
const upgrade = ["Connection: Upgrade", "Upgrade: perch-proxy"];
const end = Buffer.from("\r\n");
const chunks = Buffer.from('5;x=y\r\n{"nam\r\nc\r\ne":"New\\u0000"}\r\n0\r\nTrailer: x\r\n\r\n');

/**
 * Bytes on perchd's socket, cut anywhere, broken off or ended. Nothing here asks for what ends the network or the
 * cluster.
 */
export const http: Target = {
  name: "http",
  claim:
    "whatever bytes come to perchd's socket, each request is answered by a documented status and code, never by a fault, and perchd goes on and keeps no connection",
  covers: [
    "server/http/http",
    "server/http/answer",
    "server/http/refusal",
    "server/http/proxy",
    "model/proxy-target",
    "network/dialler",
  ],
  seeds: [
    request("GET /v1/apps", "", end.toString()),
    request("GET /v1/events?last=3&subject=pg", "", "Connection: close", ""),
    Buffer.concat([request("POST /v1/apps", "", json, "Transfer-Encoding: chunked"), end, chunks]),
    request("POST /v1/apps", '{"name":"New"}', json),
    Buffer.concat([
      request("PUT /v1/apps/web/secrets", '{"secrets":{"1":"x"}}', json),
      request("GET /openapi.json", "", "").subarray(1),
      end,
    ]),
    request("PATCH /v1/clusters/pg/settings", '{"set":{"nothing":"x"}}', json),
    request("HEAD /v1/status", "", "Accept: */*", ""),
    request("OPTIONS *", "", "Expect: 100-continue", ""),
    request("GET http://perchd/v1/clusters/pg", "", "Accept-Encoding: gzip", ""),
    request("POST /v1/proxy?host=pg.internal", "", ...upgrade, "", "\0\0\0\x08\x04\xd2\x16\x2f"),
    request("POST /v1/proxy?host=localhost&port=1", "", ...upgrade, ""),
    request("POST /v1/proxy?host=%5Bfdaa::3%5D&port=53", "", ...upgrade, "", "\0\x03abc"),
  ],
  tokens: [
    ..."\r\n|\r\n\r\n|\n|Content-Length: 5|Content-Length: -1|Transfer-Encoding: chunked|Transfer-Encoding: gzip|Content-Type: text/plain|Connection: close".split(
      "|",
    ),
    ..."Content-Type: application/json; charset=utf-16|Connection: keep-alive, Upgrade|Upgrade: websocket|Expect: x|HTTP/1.0|HTTP/2.0|%00|%2e%2e/|%|?|#|//|..".split(
      "|",
    ),
    ...'HEAD |CONNECT |TRACE |POST |GET |0\r\n\r\n|ffffffffffffffff\r\n|host=|host=pg.internal|region=lhr|port=0|&&|__proto__|\u{1f600}|\0|{|[|"'.split(
      "|",
    ),
    `X: ${"y".repeat(20_000)}`,
    "[".repeat(5_000),
    "../".repeat(400),
  ],
  longest: 40_000,
  needs: networkTools,
  runs: 1_500,
  async open(coverage) {
    const network = await openNetwork(coverage);
    const path = network.home.socket;
    const files = network.files();
    let executions = 0;
    let before = network.memory();
    return {
      elsewhere: true,
      async run(input) {
        const choices = choicesOf(input);
        const lengths = Array.from({ length: choices.below(5) }, () => choices.below(400));
        const stream = input.subarray(input.length - choices.left);
        const heard = await converse({ path }, cut(stream, lengths), choices.once(17));
        checkConnection(heard.toString("utf8"), stream.toString("latin1"));
        if (++executions % 20 === 0) assert.equal((await network.client.call("status", {})).daemon.pid, network.pid);
        if (executions === 500) before = network.memory();
      },
      async close() {
        const closed = eventually("perchd has no more files open than before", () => network.files() <= files + 2);
        await closed.catch(() => undefined);
        const after = network.memory();
        await network.end();
        await closed;
        assert.ok(after < 250, `perchd has ${after} MB in memory`);
        return { "perchd's MB": `${before} → ${after}` };
      },
    };
  },
};
