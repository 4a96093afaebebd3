import type { Answer, DecodedPacket } from "dns-packet";

/**
 * A decoded message as `perch dig` shows it: the code's name, and every record's data as zone files write it (pure).
 */
export function toDigAnswer(packet: DecodedPacket): {
  status: string;
  answers: { name: string; type: string; ttl: number; data: string }[];
} {
  const answers = (packet.answers ?? []).flatMap((record) =>
    record.type === "OPT"
      ? []
      : [{ name: record.name, type: record.type, ttl: record.ttl ?? 0, data: dataText(record) }],
  );
  return { status: (packet as DecodedPacket & { rcode: string }).rcode, answers };
}

type Data = Exclude<Answer, { type: "OPT" }>;

function dataText(record: Data): string {
  switch (record.type) {
    case "TXT": {
      // Long texts come in pieces of 255 bytes and are one text.
      const strings = Array.isArray(record.data) ? record.data : [record.data];
      return Buffer.concat(strings.map((string) => Buffer.from(string))).toString("utf8");
    }
    case "SOA": {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      return [mname, rname, serial, refresh, retry, expire, minimum].join(" ");
    }
    case "MX":
      return `${record.data.preference ?? 0} ${record.data.exchange}`;
    case "SRV":
      return [record.data.priority ?? 0, record.data.weight ?? 0, record.data.port, record.data.target].join(" ");
    default:
      return typeof record.data === "string"
        ? record.data
        : Buffer.isBuffer(record.data)
          ? record.data.toString("hex")
          : JSON.stringify(record.data);
  }
}
