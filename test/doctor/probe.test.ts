import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { knock } from "../../src/doctor/probing.ts";

/** A URL is an app's, so whoever it leads to may be the app's own program, which says what it likes. */
describe("a server that is none", () => {
  const longMessage = "S".concat(
    "FATAL\0",
    `C28P01${"0".repeat(5_000_000)}\0`,
    `M${"password=hunter2 ".repeat(1_000_000)}\0`,
    "\0",
  );
  const server = createServer((socket) =>
    socket
      .on("error", () => undefined)
      .once("data", () => {
        const head = Buffer.from("E\0\0\0\0");
        head.writeUInt32BE(longMessage.length + 4, 1);
        socket.end(Buffer.concat([head, Buffer.from(longMessage)]));
      }),
  );
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
  afterAll(() => server.close());

  it("has no more of its words kept than a sentence, and no secret in them", async () => {
    const { port } = server.address() as { port: number };
    const target = { user: "web", password: "x", host: "127.0.0.1", port, database: "web", sslmode: "disable" };
    const { login } = (await knock([], { authority: "", target })) as { login?: { state: string; error: string } };
    expect(login?.state).toMatch(/^28P01.{0,15}$/);
    expect(login?.error.length).toBeLessThan(3_000);
    expect(login?.error).not.toContain("hunter2");
  });
});
