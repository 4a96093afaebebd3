import assert from "node:assert/strict";
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { built, texts, type Target } from "../target.ts";

/** Everything that people type and the API takes as text. The first letter says which reader is meant. */
export const readers: Target = {
  name: "readers",
  claim:
    "a name, address, CIDR, endpoint, duration or token of any text is one that the system takes, or an error of Perch without a control character",
  covers: [
    ...[
      "address",
      "door-address",
      "duration",
      "endpoint",
      "exposure",
      "name",
      "proxy-target",
      "region",
      "secret",
      "token",
    ].map((part) => `model/${part}`),
    "dns/resolv-conf",
  ],
  seeds: texts(
    ..."a90d a12h bvpn.example.com:51820 b[2001:db8::1]:51820 b203.0.113.7 c203.0.113.7:5432 c[2001:db8::1]:5432 c0.0.0.0:1 d203.0.113.0/24".split(
      " ",
    ),
    ..."d2001:db8::/32 d::1 edb.example.com eDB.example.com. fpg fa-1 gams hweb_1 ipg.internal ifdaa:3f9a:12bc:1::10 i[fdaa::3] ilocalhost".split(
      " ",
    ),
    ..."jfdaa:3f9a:12bc:: j::ffff k203.0.113.7 k2001:db8:1:2::9 k::ffff:203.0.113.7 kfe80::1%eth0 lDATABASE_URL lFLY_X pvalue".split(
      " ",
    ),
    `mperch_${"a".repeat(43)}.${"b".repeat(43)}`,
    "npass word",
    "o# x\nnameserver 127.0.0.1\noptions edns0\nnameserver ::1\n",
  ),
  tokens: [
    "::",
    ":",
    "/",
    ".",
    "[",
    "]",
    "%",
    "0",
    "00",
    "256",
    "255",
    "65536",
    "fdaa:3f9a:12bc",
    ".internal",
    ".flycast",
    "\u{202e}",
    "\u{d7ff}",
    "\0",
    "\n",
    "-",
    "é",
  ],
  longest: 400,
  runs: 12_000,
  async open() {
    const model = <T>(part: string) => built<T>(`model/${part}`);
    const [
      { parseDuration },
      { parseEndpoint, endpointText },
      exposure,
      name,
      { proxyTarget },
      { parseAddress, formatAddress },
      door,
    ] = await Promise.all([
      model<typeof import("../../../src/model/duration.ts")>("duration"),
      model<typeof import("../../../src/model/endpoint.ts")>("endpoint"),
      model<typeof import("../../../src/model/exposure.ts")>("exposure"),
      model<typeof import("../../../src/model/name.ts")>("name"),
      model<typeof import("../../../src/model/proxy-target.ts")>("proxy-target"),
      model<typeof import("../../../src/model/address.ts")>("address"),
      model<typeof import("../../../src/model/door-address.ts")>("door-address"),
    ]);
    const [secret, token, { nameservers }, { PerchError }] = await Promise.all([
      model<typeof import("../../../src/model/secret.ts")>("secret"),
      model<typeof import("../../../src/model/token.ts")>("token"),
      built<typeof import("../../../src/dns/resolv-conf.ts")>("dns/resolv-conf"),
      built<typeof import("../../../src/errors/error.ts")>("errors/error"),
    ]);
    const prefix = "fdaa:3f9a:12bc";
    const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;

    const read: Record<string, (word: string) => void> = {
      a(word) {
        const ms = parseDuration(word, "--expires");
        assert.ok(ms > 0 && ms <= 3_650 * 86_400_000);
      },
      b(word) {
        const { host, port = 51_820 } = parseEndpoint(word);
        assert.ok(isPort(port) && (isIP(host) !== 0 || /^[a-z0-9.-]+$/i.test(host)));
        assert.deepEqual(parseEndpoint(endpointText({ host, port })), { host, port });
      },
      c(word) {
        const listen = exposure.parseListen(word, "--listen");
        assert.ok(isPort(listen.port) && isIP(listen.host) !== 0, `${listen.host} is no address`);
        exposure.isEverywhere(listen);
      },
      d(word) {
        const { address, bits, family } = exposure.parseCidr(word);
        new BlockList().addSubnet(address, bits, family);
      },
      e: (word) => assert.match(exposure.checkHostname(word), /^(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/),
      f: (word) => assert.match(name.checkAppName(word), /^[a-z][a-z0-9-]{0,62}$/),
      g: (word) => assert.match(name.checkRegion(word), /^[a-z]{3}$/),
      h: (word) => assert.ok(Buffer.byteLength(name.checkIdentifier(word, "database")) <= 63 && !word.includes("\0")),
      i(word) {
        const target = proxyTarget(prefix, word);
        if (target.kind === "address")
          assert.ok(
            isIPv6(target.address) &&
              /^fdaa:(3f9a:12bc:|:3$|0*:)/.test(formatAddress(parseAddress(target.address) ?? [])),
          );
        if (target.kind === "name") assert.match(target.name, /^[a-z0-9_.-]+\.(internal|flycast)$/);
      },
      j(word) {
        const groups = parseAddress(word);
        assert.equal(groups !== undefined, isIPv6(word) && !/[.%]/.test(word), `"${word}" is read in two ways`);
        if (groups !== undefined) assert.deepEqual(parseAddress(formatAddress(groups)), groups);
      },
      k(word) {
        const inside = door.doorAddress(prefix, word);
        assert.ok(isIPv6(inside) && door.isDoorAddress(prefix, inside) && door.sourceOf(inside) !== undefined);
        const portable = door.doorAddress(undefined, word);
        assert.ok(isIPv4(portable) && door.isDoorAddress(undefined, portable));
      },
      l: (word) => assert.match(secret.checkSecretName(word), /^(?!(FLY|PERCH)_)[A-Za-z_]\w{0,254}$/),
      m: (word) => assert.equal(token.fingerprintIn(word).length, 43),
      n: (word) =>
        void new URL(
          secret.databaseUrl({
            user: word,
            password: secret.checkPassword(word),
            host: "::1",
            port: 5432,
            database: word,
          }),
        ),
      o(word) {
        const found = nameservers(word);
        assert.ok(found.length >= 1 && found.length <= 3 && found.every((address) => isIP(address) !== 0));
      },
      p: (word) => assert.ok(!secret.checkSecretValue("X", word).includes("\0")),
    };
    return {
      run(input) {
        const reader = read[input.toString("latin1", 0, 1)] ?? read["j"];
        try {
          reader?.(input.toString("utf8", 1));
        } catch (error) {
          if (!(error instanceof PerchError)) throw error;
          assert.ok(error.message.length < 400, "a long error");
          assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u, "control characters in an error");
        }
      },
    };
  },
};
