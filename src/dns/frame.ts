/** DNS over TCP (RFC 1035, 4.2.2): every message follows its length in two bytes. */

export function toFrame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 2);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}

/** The whole messages at the front of what was received, and what is left. */
export function takeFrames(received: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames: Buffer[] = [];
  let at = 0;
  while (at + 2 <= received.length) {
    const end = at + 2 + received.readUInt16BE(at);
    if (end > received.length) break;
    frames.push(received.subarray(at + 2, end));
    at = end;
  }
  return { frames, rest: received.subarray(at) };
}
