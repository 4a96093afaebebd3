import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { fail } from "../errors/error.ts";
import { parseAddress } from "../model/address.ts";
import * as der from "./der.ts";

/**
 * The network's own certificate authority, and a server certificate for each member (RFC 5280, P-256). Written with node:crypto: the library for it takes
 * 20 MB of perchd's 90 and 90 ms to load, for two fixed shapes.
 */
export interface Credentials {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
}

/** Whom a server's certificate is for. */
export interface Subject {
  commonName: string;
  names: readonly string[];
  addresses: readonly string[];
}

const day = 86_400_000;

/** Ten years. */
export function makeAuthority(commonName: string, now: Date = new Date()): Credentials {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = [
    extension("2.5.29.19", der.sequence(der.boolean(true), der.integer(Buffer.from([0]))), "critical"),
    extension("2.5.29.15", der.bits(Buffer.from([0b0000_0110]), 1), "critical"), // keyCertSign, cRLSign
    extension("2.5.29.14", der.octets(keyId(keys.publicKey))),
  ];
  const body = { issuer: commonName, subject: commonName, from: now, days: 3650, publicKey: keys.publicKey, extensions };
  return { certificate: issue(body, keys.privateKey), key: pem(keys.privateKey) };
}

/** One year. */
export function issueCertificate(authority: Credentials, subject: Subject, now: Date = new Date()): Credentials {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = [
    ...subject.names.map((name) => der.implicit(2, Buffer.from(name))),
    ...subject.addresses.map((address) => der.implicit(7, addressBytes(address))),
  ];
  const extensions = [
    extension("2.5.29.19", der.sequence(), "critical"),
    extension("2.5.29.15", der.bits(Buffer.from([0b1000_0000]), 7), "critical"), // digitalSignature
    extension("2.5.29.37", der.sequence(der.objectId("1.3.6.1.5.5.7.3.1"))), // serverAuth
    extension("2.5.29.17", der.sequence(...names)),
    extension("2.5.29.14", der.octets(keyId(keys.publicKey))),
    extension("2.5.29.35", der.sequence(der.implicit(0, keyId(createPublicKey(authority.certificate))))),
  ];
  const body = {
    issuer: commonNameOf(authority.certificate),
    subject: subject.commonName,
    from: now,
    days: 365,
    publicKey: keys.publicKey,
    extensions,
  };
  return { certificate: issue(body, createPrivateKey(authority.key)), key: pem(keys.privateKey) };
}

/** Whether a certificate must be made anew: less than 30 days are left, it is another authority's, or does not name all it should. */
export function renewalDue(certificate: string, authority: string, subject: Subject, now: Date = new Date()): boolean {
  try {
    const found = new X509Certificate(certificate);
    const dns = new Set(found.subjectAltName?.split(", ").map((name) => name.replace(/^DNS:/, "")));
    const named = subject.names.every((name) => dns.has(name)) && subject.addresses.every((address) => found.checkIP(address) !== undefined);
    return Date.parse(found.validTo) - now.getTime() < 30 * day || !found.verify(createPublicKey(authority)) || !named;
  } catch {
    return true; // no certificate at all
  }
}

interface Body {
  issuer: string;
  subject: string;
  from: Date;
  days: number;
  publicKey: KeyObject;
  extensions: Buffer[];
}

function issue(body: Body, signer: KeyObject): string {
  const algorithm = der.sequence(der.objectId("1.2.840.10045.4.3.2")); // ecdsa-with-SHA256
  const signed = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))), // version 3
    der.integer(Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    algorithm,
    name(body.issuer),
    // An hour ago: the other side's clock may be behind.
    der.sequence(der.time(new Date(body.from.getTime() - 3_600_000)), der.time(new Date(body.from.getTime() + body.days * day))),
    name(body.subject),
    body.publicKey.export({ type: "spki", format: "der" }),
    der.explicit(3, der.sequence(...body.extensions)),
  );
  const certificate = der.sequence(signed, algorithm, der.bits(sign("sha256", signed, signer)));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const name = (commonName: string): Buffer => der.sequence(der.set(der.sequence(der.objectId("2.5.4.3"), der.text(commonName))));

const commonNameOf = (certificate: string): string => /^CN=(.*)$/m.exec(new X509Certificate(certificate).subject)?.[1] ?? "";

const extension = (id: string, value: Buffer, critical?: "critical"): Buffer =>
  der.sequence(der.objectId(id), ...(critical === undefined ? [] : [der.boolean(true)]), der.octets(value));

/** RFC 7093: 160 bits of the hash of the public key, which is the last 65 bytes of its SPKI. */
const keyId = (key: KeyObject): Buffer =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }).subarray(-65))
    .digest()
    .subarray(0, 20);

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const groups = parseAddress(address);
  if (groups === undefined) throw fail("internal", { why: `${address} is no address` });
  return Buffer.from(groups.flatMap((group) => [group >>> 8, group & 0xff]));
}
