/**
 * The passwords that SQL names: `PASSWORD` and a literal in any way PostgreSQL reads one, with comments between the two. A literal or comment that is cut off
 * hides all that follows; so does a backslash before a quote, which ends a literal in one setting of PostgreSQL and not in another. Text in which the word
 * stands again and again within its own comments would be read as often: its rest is hidden, too.
 */
export function hidePasswords(text: string): string {
  const word = /\bPASSWORD\b(?!["'])|\bPASSWORD(?=')/gi;
  let shown = "";
  let from = 0;
  let patience = 2 * text.length + 65_536;
  for (let found = word.exec(text); found !== null; found = word.exec(text)) {
    const gap = afterGap(text, word.lastIndex);
    const assigned = /^:?=/.exec(text.slice(gap, gap + 2))?.[0] ?? "";
    const start = assigned === "" || gap === cutOff ? gap : afterGap(text, gap + assigned.length);
    patience -= Math.min(start, text.length) - word.lastIndex;
    // `password='x'` is a pair like any other, and hidden as one.
    if (patience >= 0 && assigned !== "" && text[start] === "'") continue;
    const end = patience < 0 || start === cutOff ? text.length : literalEnd(text, start);
    if (end === undefined) continue;
    shown += `${text.slice(from, found.index)}PASSWORD '***'`;
    from = end;
    word.lastIndex = end;
  }
  return shown + text.slice(from);
}

const cutOff = Number.POSITIVE_INFINITY;

/** Where spaces and comments end, which nest. */
function afterGap(text: string, from: number): number {
  const mark = /\/\*|\*\//g;
  const space = /\s+/y;
  let at = from;
  for (;;) {
    space.lastIndex = at;
    if (space.test(text)) at = space.lastIndex;
    else if (text.startsWith("--", at) && /\s/.test(text[at + 2] ?? " ")) {
      const line = text.indexOf("\n", at);
      if (line === -1) return text.length;
      at = line + 1;
    } else if (text.startsWith("/*", at)) {
      let depth = 0;
      mark.lastIndex = at;
      do {
        const met = mark.exec(text);
        if (met === null) return cutOff;
        depth += met[0] === "/*" ? 1 : -1;
      } while (depth > 0);
      at = mark.lastIndex;
    } else return at;
  }
}

/** Where the literal ends that begins there; undefined where none does. */
function literalEnd(text: string, start: number): number | undefined {
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]{0,62})?\$/u.exec(text.slice(start, start + 66))?.[0];
  if (tag !== undefined) {
    const end = text.indexOf(tag, start + tag.length);
    return end === -1 ? text.length : end + tag.length;
  }
  const prefix = /^(?:U&|[ENBX])?'/i.exec(text.slice(start, start + 3))?.[0];
  if (prefix === undefined) return undefined;
  let at = start + prefix.length;
  for (;;) {
    const one = text[at];
    if (one === undefined) return text.length;
    if (one === "\\" || (one === "'" && text[at + 1] === "'")) at += 2;
    else if (one === "'") {
      // A literal goes on in a later line.
      const on = /^\s*\n\s*'/.exec(text.slice(at + 1, at + 200))?.[0];
      if (on === undefined) return at + 1;
      at += 1 + on.length;
    } else at++;
  }
}
