import { once } from "node:events";
import { connect, createServer, type Server } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import {
  type Chain,
  chainDue,
  chainText,
  constraintsOf,
  endsWithin,
  fingerprintOf,
  trustedText,
} from "../../../src/postgres/tls/authority.ts";
import {
  type Credentials,
  crossSign,
  issueBelow,
  issueCertificate,
  makeAuthority,
  type Subject,
} from "../../../src/postgres/tls/certificate.ts";

const constraints = constraintsOf("fdaa:1:2");
const first = await makeAuthority("Perch first");
const root = await makeAuthority("Perch second");
const cross = await crossSign(first, root.certificate);
const below = await issueBelow(root, "Perch below", constraints);
const plain: Chain = { root: root.certificate, below: below.certificate, former: [] };
const rotated: Chain = { ...plain, former: [{ certificate: first.certificate, cross }] };

const inside: Subject = {
  commonName: "pg.internal",
  names: ["pg.internal", "*.pg.internal", "pg.flycast", "localhost"],
  addresses: ["127.0.0.1", "fdaa:1:2::9"],
};
const outside: Subject = {
  commonName: "pg.internal",
  names: [...inside.names, "db.example.com"],
  addresses: inside.addresses,
};
const issue = async (by: Credentials, subject: Subject, chain: string): Promise<Credentials> => {
  const made = await issueCertificate(by, subject);
  return { ...made, certificate: `${made.certificate.trimEnd()}\n${chain}` };
};
const servers: Server[] = [];
afterAll(() => void servers.map((server) => server.close()));

/** What a client that trusts `ca` says of a server, asked by that name. */
async function shake(served: Credentials, ca: string, host: string): Promise<string> {
  const server = createServer({ cert: served.certificate, key: served.key }, (socket) => socket.end());
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  const socket = connect({ host: "127.0.0.1", port, servername: host, ca });
  const outcome = await once(socket, "secureConnect").then(
    () => "trusted",
    (error: NodeJS.ErrnoException) => String(error.code),
  );
  socket.destroy();
  return outcome;
}

describe("an authority below the root", () => {
  it("is trusted by who trusts the root, for the network's names", async () => {
    const served = await issue(below, inside, chainText(plain, true));
    for (const name of ["pg.internal", "lhr.pg.internal", "localhost"])
      expect(await shake(served, root.certificate, name)).toBe("trusted");
    expect(await shake(served, first.certificate, "pg.internal")).not.toBe("trusted");
  });

  it("is believed for no other name, whoever has its key", async () => {
    const stolen = await issue(
      below,
      { commonName: "bank.example", names: ["bank.example"], addresses: [] },
      chainText(plain, true),
    );
    expect(await shake(stolen, root.certificate, "bank.example")).not.toBe("trusted");
    const address = await issue(
      below,
      { commonName: "x.internal", names: ["x.internal"], addresses: ["203.0.113.7"] },
      chainText(plain, true),
    );
    expect(await shake(address, root.certificate, "x.internal")).not.toBe("trusted");
    const another = await issueBelow(below, "Perch below that", { domains: ["example"], networks: [] });
    const deeper = await issue(
      another,
      { commonName: "bank.example", names: ["bank.example"], addresses: [] },
      `${another.certificate}\n${chainText(plain, true)}`,
    );
    expect(await shake(deeper, root.certificate, "bank.example")).not.toBe("trusted");
  });
});

describe("a root that was replaced", () => {
  it("vouches for the next one: who trusts either trusts the servers", async () => {
    for (const [by, subject, constrained] of [
      [below, inside, true],
      [root, outside, false],
    ] as const) {
      const served = await issue(by, subject, chainText(rotated, constrained));
      for (const ca of [first.certificate, root.certificate, trustedText(rotated)])
        expect(await shake(served, ca, "pg.internal")).toBe("trusted");
    }
  });

  it("stays the one by which tokens name the network", () => {
    expect(fingerprintOf(rotated)).toBe(fingerprintOf({ root: first.certificate, below: "", former: [] }));
    expect(fingerprintOf(rotated)).not.toBe(fingerprintOf(plain));
  });
});

describe("a certificate is due again", async () => {
  const now = await issue(below, inside, chainText(plain, true));
  const named = await issue(root, outside, chainText(plain, false));
  const of010 = await issueCertificate(root, inside);

  it.each([
    ["not while it is as it would be made now", now, plain, inside, false],
    ["not when the root signed for a public name", named, plain, outside, false],
    ["when the root signed what the authority below it may, as in 0.1.0", of010, plain, inside, true],
    ["when its cluster got a public name", now, plain, outside, true],
    ["when its cluster lost its public name", named, plain, inside, true],
    ["when the root was replaced", now, rotated, inside, true],
    [
      "when the authority below was replaced",
      now,
      { ...plain, below: (await issueBelow(root, "Perch other", constraints)).certificate },
      inside,
      true,
    ],
  ])("%s", (_title, served, chain, subject, due) => {
    expect(chainDue(served, chain, constraints, subject)).toBe(due);
  });

  it("before what signed it ends", () => {
    const later = new Date(Date.now() + 700 * 86_400_000);
    expect([endsWithin(below.certificate, 400), endsWithin(below.certificate, 400, later)]).toEqual([false, true]);
  });
});
