import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "../../src/base/deadline.ts";
import { nameservers, watchNameservers } from "../../src/dns/resolv-conf.ts";
import { temporaryDirectory } from "../support/temporary.ts";

describe("the host's resolvers", () => {
  it.each<[string, string, string[]]>([
    [
      "one a line, with comments and options around",
      "# by hand\nsearch example.com\nnameserver 192.0.2.1 # first\n  nameserver\t2001:db8::1\noptions edns0\n",
      ["192.0.2.1", "2001:db8::1"],
    ],
    [
      "the first three",
      "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n",
      ["1.1.1.1", "2.2.2.2", "3.3.3.3"],
    ],
    ["with a zone", "nameserver fe80::1%lo\n", ["fe80::1%lo"]],
    ["the stub of systemd-resolved", "nameserver 127.0.0.53\n", ["127.0.0.53"]],
    ["the host itself where there are none", "nameserver example.com\n;nameserver 1.1.1.1\n", ["127.0.0.1"]],
  ])("are read as glibc reads them: %s", (_, text, expected) => {
    expect(nameservers(text)).toEqual(expected);
  });

  it("are read again when the file changes", async () => {
    const path = join(temporaryDirectory(), "resolv.conf");
    const servers = watchNameservers(path);
    expect(await servers()).toEqual(["127.0.0.1"]);
    await writeFile(path, "nameserver 192.0.2.7\n");
    expect(
      await ask(async () => ((await servers())[0] === "192.0.2.7" ? true : undefined), {
        everyMs: 50,
        withinMs: 3_000,
      }),
    ).toBe(true);
  });
});
