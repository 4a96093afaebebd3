import assert from "node:assert/strict";
import { built, texts, type Target } from "../target.ts";

const key =
  "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHcHbQpzGxV9vR3lBoTR/8NIuZ+MNcPPZbRrKWfDxn0l\n-----END PRIVATE KEY-----\n";
const control = (): Buffer => {
  const bytes = Buffer.alloc(296);
  bytes.writeBigUInt64LE(7_400_000_000_000_000_000n, 0);
  bytes.writeUInt32LE(6, 16);
  bytes.writeUInt32LE(3, 48);
  return Buffer.concat([Buffer.from("b"), bytes]);
};

/**
 * What perchd reads of files that PostgreSQL's user owns and may have written. The first letter says which one is
 * meant.
 */
export const serverFiles: Target = {
  name: "server-files",
  claim:
    "a postmaster.pid, pg_control, timeline history, list of WAL or certificate of any bytes is one that PostgreSQL could have written, or none, and is read quickly",
  covers: [
    "instance/postmaster",
    "instance/control-file",
    "replication/timeline",
    "replication/salvage-wal",
    "tls/certificate",
  ].map((part) => `postgres/${part}`),
  seeds: [
    ...texts(
      "a4242\n/data\n1764000000\n5433\n/run/pg\nfdaa::1\n  1234 5\nready   \n",
      "a-4242\n",
      "a99999999999999999999\n\n\n\n\n\n\nstandby \n",
      "c1\t0/3000148\tno recovery target specified\n\n2\t1/A0\tbefore 2000-01-01\n",
      `c${"\n".repeat(20_000)}1`,
      `c1 ${"F".repeat(2_000)}/${"F".repeat(2_000)}`,
      "d000000010000000000000003\n000000010000000000000004\n00000002.history\n000000010000000000000003.partial",
      "e-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
      `f${key}`,
    ),
    control(),
  ],
  tokens: [
    "\n",
    "\t",
    " ",
    "0x",
    "1e9",
    "-",
    "ready",
    "standby",
    "stopping",
    "FFFFFFFF",
    "/",
    "-----BEGIN CERTIFICATE-----\n",
    "MIIB",
    "\0",
  ],
  longest: 65_536,
  runs: 8_000,
  async open() {
    const room = <T>(part: string) => built<T>(`postgres/${part}`);
    const [
      { parsePidFile },
      { parseControlFile, standbySettings },
      { parseHistory, isPartOf },
      { segmentsAfter },
      { renewalDue },
    ] = await Promise.all([
      room<typeof import("../../../src/postgres/instance/postmaster.ts")>("instance/postmaster"),
      room<typeof import("../../../src/postgres/instance/control-file.ts")>("instance/control-file"),
      room<typeof import("../../../src/postgres/replication/timeline.ts")>("replication/timeline"),
      room<typeof import("../../../src/postgres/replication/salvage-wal.ts")>("replication/salvage-wal"),
      room<typeof import("../../../src/postgres/tls/certificate.ts")>("tls/certificate"),
    ]);
    const subject = { commonName: "pg.internal", names: ["pg.internal"], addresses: ["fdaa::1"] };
    const read: Record<string, (bytes: Buffer) => void> = {
      a(bytes) {
        const found = parsePidFile(bytes.toString("utf8"));
        if (found === undefined) return;
        assert.ok(Number.isInteger(found.pid) && found.pid > 0 && found.pid < 2 ** 31, `${found.pid} is no pid`);
        assert.match(found.status, /^(starting|ready|standby|stopping)$/);
      },
      b(bytes) {
        if (bytes.length < 200) return;
        const found = parseControlFile(bytes);
        assert.deepEqual(Object.keys(found.floors), standbySettings);
        for (const floor of Object.values(found.floors))
          assert.ok(Number.isInteger(floor) && Math.abs(floor) <= 2 ** 31);
      },
      c(bytes) {
        const forks = parseHistory(bytes.toString("utf8"));
        for (const [timeline, position] of forks) {
          assert.ok(
            Number.isSafeInteger(timeline) && position >= 0n && position < 2n ** 64n,
            `${timeline} was left at ${position}`,
          );
          assert.ok(isPartOf({ timeline: -1, forks }, { timeline, position }));
        }
      },
      d(bytes) {
        const names = bytes.toString("utf8").split("\n");
        // They become arguments of a shell's script: nothing but digits may come through.
        for (const name of segmentsAfter(names, { received: 0n, timeline: 1 }, 16_777_216n))
          assert.match(name, /^00000001[0-9A-F]{16}$/);
      },
      // No certificate of theirs is good: whatever is wrong with it, it is made again.
      e: (bytes) =>
        assert.equal(renewalDue({ certificate: bytes.toString("utf8"), key }, bytes.toString("latin1"), subject), true),
      f: (bytes) => assert.equal(renewalDue({ certificate: "", key: bytes.toString("utf8") }, "", subject), true),
    };
    return { run: (input) => (read[input.toString("latin1", 0, 1)] ?? read["c"])?.(input.subarray(1)) };
  },
};
