/**
 * Asks a name server the same question every 20 ms, over UDP and once each, until SIGTERM; then says how many were
 * asked, and how many nobody answered within a second. What is lost on the way is not asked again, so each packet that
 * was lost counts.
 *
 *     node asker.mjs SERVER NAME
 */
import { createSocket } from "node:dgram";
import packet from "dns-packet";

const [server, name] = process.argv.slice(2);
const everyMs = 20;
const patienceMs = 1_000;

const socket = createSocket("udp6");
const waiting = new Set();
let asked = 0;
let answered = 0;

socket.on("message", (message) => {
  if (waiting.delete(packet.decode(message).id) && ++answered === 1) process.stdout.write("answered\n");
});
socket.on("error", () => undefined);

const asking = setInterval(() => {
  const id = asked++ % 65_536;
  waiting.add(id);
  socket.send(
    packet.encode({ type: "query", id, flags: packet.RECURSION_DESIRED, questions: [{ type: "AAAA", name }] }),
    53,
    server,
    () => undefined,
  );
}, everyMs);

process.stdout.write("asking\n");
process.on("SIGTERM", () => {
  clearInterval(asking);
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify({ asked, lost: waiting.size })}\n`);
    process.exit(0);
  }, patienceMs);
});
