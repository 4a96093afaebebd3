import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import tls from "node:tls";

/** The first bytes that a client of TLS says, as OpenSSL writes them: a record with a ClientHello. */
export async function clientHello(servername: string): Promise<Buffer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = tls.connect({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    servername,
    minVersion: "TLSv1.3",
  });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  const [hello] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

/** The same with a server's name of so many bytes, in as many records as that takes. */
export function withLongName(hello: Buffer, servername: string, bytes: number): Buffer {
  const at = hello.indexOf(servername, 0, "latin1");
  const grown = bytes - servername.length;
  const message = Buffer.concat([
    hello.subarray(5, at),
    Buffer.alloc(bytes, "n"),
    hello.subarray(at + servername.length),
  ]);
  // Each length that has the name in it: of the message, of all extensions, of this one, of the list in it, of the
  // name.
  message.writeUIntBE(hello.readUIntBE(6, 3) + grown, 1, 3);
  const sessionId = 5 + 4 + 2 + 32;
  const ciphers = sessionId + 1 + (hello[sessionId] ?? 0);
  const compressions = ciphers + 2 + hello.readUInt16BE(ciphers);
  const extensions = compressions + 1 + (hello[compressions] ?? 0);
  for (const field of [extensions, at - 7, at - 5, at - 2])
    message.writeUInt16BE(hello.readUInt16BE(field) + grown, field - 5);
  const records: Buffer[] = [];
  for (let from = 0; from < message.length; from += 16_384) {
    const fragment = message.subarray(from, from + 16_384);
    records.push(Buffer.of(22, 3, 1, fragment.length >> 8, fragment.length & 255), fragment);
  }
  return Buffer.concat(records);
}
