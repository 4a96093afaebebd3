/**
 * Lines out of chunks, for newline JSON over a socket. Gives the function to feed; calls with undefined when a line has
 * more than `longest` bytes.
 */
export function readLines(longest: number, onLine: (line: string | undefined) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let over = false;
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0 && !over; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...chunks, chunk.subarray(start, end)]).toString("utf8");
      [chunks, held, start] = [[], 0, end + 1];
      onLine(line);
    }
    if (over) return;
    chunks.push(chunk.subarray(start));
    held += chunk.length - start;
    if (held <= longest) return;
    over = true;
    chunks = [];
    onLine(undefined);
  };
}
