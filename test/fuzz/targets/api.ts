import assert from "node:assert/strict";
import http from "node:http";
import { routes } from "../../../src/api/routes.ts";
import { checkError, checkStatus } from "../answers.ts";
import { choicesOf } from "../choices.ts";
import { networkTools, openNetwork } from "../network.ts";
import { type Asked, requestOf } from "../requests.ts";
import { randomOf } from "../random.ts";
import type { Target } from "../target.ts";

interface Heard {
  status: number;
  text: string;
}

/** One request and its whole answer; of a feed that never ends its head. */
function ask(socketPath: string, { method, target, body, type }: Asked, endless: boolean): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": type, "content-length": body.length };
    const outgoing = http.request({ socketPath, method, path: target, agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      const heard = () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", heard);
      response.on("error", reject);
      if (!endless || response.statusCode !== 200) return;
      heard();
      response.on("error", () => undefined);
      outgoing.destroy();
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

export const api: Target = {
  name: "api",
  claim:
    "every route answers any query and body as it is documented to, or with an error of the register, and does to the cluster only what was asked for",
  covers: [
    ...["http/answer", "http/proxy", "http/refusal", "remote/handlers", "remote/tokens"].map(
      (part) => `server/${part}`,
    ),
    ...[
      "apps",
      "attachments",
      "cluster",
      "clusters",
      "databases",
      "doctor",
      "exposures",
      "host-access",
      "leadership",
      "machines",
    ].map((part) => `server/handlers/${part}`),
    ...["network", "peers", "pool", "restart", "rotate", "runs", "secrets", "sessions", "settings"].map(
      (part) => `server/handlers/${part}`,
    ),
  ],
  seeds: Array.from({ length: 400 }, (_, index) => randomOf(index).bytes(60)),
  tokens: [],
  longest: 400,
  needs: networkTools,
  runs: 500,
  async open(coverage) {
    const network = await openNetwork(coverage);
    let executions = 0;
    let before = network.memory();
    const statuses = new Map<number, number>();
    return {
      elsewhere: true,
      async run(input) {
        const asked = requestOf(choicesOf(input));
        const route = routes[asked.name];
        const what = `${asked.method} ${asked.target.slice(0, 300)} ${asked.body?.toString("utf8", 0, 300) ?? ""}`;
        const endless = route.kind === "feed" && (asked.name === "watchSecrets" || /follow/.test(asked.target));
        const { status, text } = await ask(network.home.socket, asked, endless);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        checkStatus(status, what);
        if (status !== 200 && asked.method !== "HEAD")
          checkError((JSON.parse(text) as { error?: unknown }).error, status, `${what}: ${text}`);
        if (status === 200 && asked.method === route.method && !endless) checkAnswer(asked.name, text, what);
        if (++executions % 20 === 0) assert.equal((await network.client.call("status", {})).daemon.pid, network.pid);
        if (executions === 400) before = network.memory();
      },
      async close() {
        const after = network.memory();
        await network.end();
        // Between two collections: bodies of a megabyte are among what is sent. After them it comes back to 200.
        assert.ok(after < 450, `perchd has ${after} MB in memory`);
        const shares = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
        return { answers: shares.join(", "), "perchd's MB": `${before} → ${after}` };
      },
    };
  },
};

/** What succeeded is of the shape that the route documents; a stream says how it ended in its last line. */
function checkAnswer(name: Asked["name"], text: string, what: string): void {
  const route = routes[name];
  const fits = (value: unknown) => {
    const parsed = route.answer.safeParse(value);
    assert.ok(
      parsed.success,
      `${what} is answered by what is not documented: ${JSON.stringify(value).slice(0, 300)} ${parsed.error?.message ?? ""}`,
    );
  };
  if (route.kind === "plain") return fits(JSON.parse(text));
  const lines = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const line of lines) {
    if ("error" in line) checkError(line["error"], undefined, what);
    else if (route.kind === "feed") fits(line);
    else if ("result" in line) fits(line["result"]);
    else assert.equal(typeof line["progress"], "string", what);
  }
  const last = lines.at(-1) ?? {};
  if (route.kind === "stream") assert.ok("error" in last || "result" in last, `${what} did not say how it ended`);
}
