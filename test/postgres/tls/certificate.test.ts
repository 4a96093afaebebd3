import { createPrivateKey, X509Certificate } from "node:crypto";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import { once } from "node:events";
import { afterAll, describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority, renewalDue } from "../../../src/postgres/tls/certificate.ts";

const authority = await makeAuthority("Perch of home");
const subject = {
  commonName: "pg.internal",
  names: ["pg.internal", "*.pg.internal", "localhost"],
  addresses: ["127.0.0.1", "fdaa:1:2:3::10"],
};
const server = await issueCertificate(authority, subject);
const strange = await issueCertificate(await makeAuthority("Another"), subject);
const day = 86_400_000;

describe("the network's authority", () => {
  it("signs itself for ten years, and is an authority", () => {
    const found = new X509Certificate(authority.certificate);
    expect(found.ca).toBe(true);
    expect(found.subject).toBe("CN=Perch of home");
    expect(found.verify(found.publicKey)).toBe(true);
    expect(Math.round((Date.parse(found.validTo) - Date.now()) / day)).toBe(3650);
  });

  it("issues certificates for every name and address, whose keys fit, under ever new numbers", async () => {
    const found = new X509Certificate(server.certificate);
    expect(found.ca).toBe(false);
    expect(found.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
    expect(found.checkPrivateKey(createPrivateKey(server.key))).toBe(true);
    expect(found.subjectAltName).toBe(
      "DNS:pg.internal, DNS:*.pg.internal, DNS:localhost, IP Address:127.0.0.1, IP Address:FDAA:1:2:3:0:0:0:10",
    );
    expect(found.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(new X509Certificate((await issueCertificate(authority, subject)).certificate).serialNumber).not.toBe(
      found.serialNumber,
    );
  });
});

describe("a certificate is renewed", () => {
  it.each([
    ["not while it is fresh", server, subject, 0, false],
    ["not with 31 days left", server, subject, 334, false],
    ["with 29 days left", server, subject, 336, true],
    ["for a new name", server, { ...subject, names: ["other.internal"] }, 0, true],
    ["for a new address", server, { ...subject, addresses: ["fdaa::9"] }, 0, true],
    ["when it is another authority's", strange, subject, 0, true],
    ["when its key is another's", { ...server, key: strange.key }, subject, 0, true],
    ["when it is none at all", { ...server, certificate: "nonsense" }, subject, 0, true],
  ])("%s", (_title, credentials, wanted, days, due) => {
    expect(renewalDue(credentials, authority.certificate, wanted, new Date(Date.now() + days * day))).toBe(due);
  });

  it("past 2049, where certificates write the year with four digits", async () => {
    const later = new Date("2055-01-01T00:00:00Z");
    expect(new X509Certificate((await makeAuthority("Later", later)).certificate).validTo).toBe(
      "Dec 29 00:00:00 2064 GMT",
    );
  });
});

describe("OpenSSL, by way of Node,", () => {
  const servers: Server[] = [];
  afterAll(() => void servers.map((one) => one.close()));

  async function shake(host: string): Promise<string> {
    const listening = createServer({ cert: server.certificate, key: server.key }, (socket) => socket.end());
    servers.push(listening);
    await once(listening.listen(0, "127.0.0.1"), "listening");
    const { port } = listening.address() as { port: number };
    const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername: host, ca: authority.certificate });
    const outcome = await once(socket, "secureConnect").then(
      () => "trusted",
      (error: NodeJS.ErrnoException) => String(error.code),
    );
    socket.destroy();
    return outcome;
  }

  it("trusts the chain for the names in it, and for no others", async () => {
    expect(await shake("pg.internal")).toBe("trusted");
    expect(await shake("lhr.pg.internal")).toBe("trusted");
    expect(await shake("web.internal")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });
});
