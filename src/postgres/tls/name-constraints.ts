import { parseAddress } from "../../model/address.ts";

/**
 * What an authority may sign for (RFC 5280, 4.2.1.10): names below these domains, and addresses of these networks.
 * `fdaa:3f9a:12bc::/48`, `127.0.0.0/8`.
 */
export interface Constraints {
  domains: readonly string[];
  networks: readonly string[];
}

export const nameConstraintsId = "2.5.29.30";

/** The value of the extension, DER. Pure. */
export function nameConstraintsDer({ domains, networks }: Constraints): Buffer {
  const names = domains.map((domain) => der(0x82, Buffer.from(domain, "ascii")));
  const addresses = networks.map((network) => der(0x87, addressAndMask(network)));
  const subtrees = [...names, ...addresses].map((base) => der(0x30, base));
  return der(0x30, der(0xa0, Buffer.concat(subtrees)));
}

/** Whether an authority with these constraints may sign for all of these. Pure. */
export function permits(
  { domains, networks }: Constraints,
  subject: { names: readonly string[]; addresses: readonly string[] },
): boolean {
  const named = (name: string) => domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
  const within = (address: string) => networks.some((network) => isWithin(bytesOf(address), addressAndMask(network)));
  return subject.names.every(named) && subject.addresses.every(within);
}

function isWithin(address: Buffer, network: Buffer): boolean {
  const [base, mask] = [network.subarray(0, network.length / 2), network.subarray(network.length / 2)];
  return address.length === base.length && address.every((byte, at) => (byte & (mask[at] ?? 0)) === (base[at] ?? 0));
}

/** The base and then the mask, as the extension has them. */
function addressAndMask(network: string): Buffer {
  const [base = "", bits = ""] = network.split("/");
  const bytes = bytesOf(base);
  const mask = Buffer.from(
    bytes.map((_byte, at) => (0xff00 >> Math.min(8, Math.max(0, Number(bits) - at * 8))) & 0xff),
  );
  return Buffer.concat([bytes, mask]);
}

/** 4 or 16 bytes. */
function bytesOf(address: string): Buffer {
  if (/^\d+(\.\d+){3}$/.test(address)) return Buffer.from(address.split(".").map(Number));
  const groups = parseAddress(address);
  if (groups === undefined) throw new Error(`${address} is no address`);
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
