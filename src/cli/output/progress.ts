import { forTerminal, type Style } from "./style.ts";

/**
 * Progress on stderr: on a terminal the current sentence turns and the finished ones stay, with their time; elsewhere
 * one plain line a sentence.
 */
export interface Progress {
  say(sentence: string): void;
  /** The last sentence is finished. */
  done(): void;
  /** The last sentence ended in an error, which will be printed. */
  stop(): void;
}

const faces = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const clearLine = "\r\u001b[K";

export function progressOn(stream: NodeJS.WriteStream, style: Style): Progress {
  return stream.isTTY ? turning(stream, style) : plain(stream);
}

function plain(stream: NodeJS.WritableStream): Progress {
  return {
    say: (sentence) => void stream.write(forTerminal(`${sentence}\n`)),
    done: () => undefined,
    stop: () => undefined,
  };
}

function turning(stream: NodeJS.WriteStream, style: Style): Progress {
  let current: { sentence: string; since: number; timer: NodeJS.Timeout } | undefined;
  let face = 0;
  const draw = () => {
    if (current === undefined) return;
    face = (face + 1) % faces.length;
    const seconds = Math.floor((performance.now() - current.since) / 1000);
    const line = `${current.sentence}${seconds < 2 ? "" : ` (${seconds} s)`}`;
    const cut = [...forTerminal(line)].slice(0, Math.max(20, (stream.columns || 80) - 3)).join("");
    stream.write(`${clearLine}${forTerminal(style.dim(faces[face] ?? ""))} ${cut}`);
  };
  const finish = (mark: string) => {
    if (current === undefined) return;
    clearInterval(current.timer);
    const { sentence, since } = current;
    current = undefined;
    stream.write(
      `${clearLine}${forTerminal(`${mark} ${sentence} ${style.dim(secondsText(performance.now() - since))}`)}\n`,
    );
  };
  return {
    say(sentence) {
      finish(style.green("✓"));
      current = { sentence, since: performance.now(), timer: setInterval(draw, 80).unref() };
      draw();
    },
    done: () => finish(style.green("✓")),
    stop: () => finish(style.red("✗")),
  };
}

/** Milliseconds as `0.42 s` or `12.3 s`. */
export const secondsText = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
