import { PerchError, fail } from "../errors/error.ts";
import type { WishLoop } from "../cluster/cluster-loop.ts";
import type { ClusterView } from "../cluster/view.ts";
import type { Call } from "./http/call.ts";

/** What a caller waits for: the loop has made it so, or it failed and was undone. */
export interface Wish<T, V = ClusterView> {
  /** The things (see `touches`) whose failure is the caller's failure. */
  things: readonly string[];
  /** The answer once the wish is fulfilled. `view` is undefined once the cluster is gone. */
  done(view: V | undefined): T | undefined;
  /** After a failure or an interruption: whether everything is undone. Absent: nothing is to be undone. */
  undone?(view: V | undefined): boolean;
  /** Called when the caller hangs up: marks for undoing. Absent: the work goes on without the caller. */
  cancel?(): Promise<void>;
  /** What was interrupted, for the error. */
  what: string;
}

/** How long the undoing of what failed is waited for. */
const undoMs = 10_000;

const unfinished = (error: PerchError): PerchError => {
  const first = error.code === "disk_full" ? "Make room and repeat. " : "";
  return new PerchError(
    {
      ...error.toBody(),
      next: `${first}What was half made is taken away as soon as that can be done; look at: perch events`,
    },
    error.cause,
  );
};

/**
 * Progress sentences go to the caller while it waits. Rejects with the failing step's error once what it left is
 * undone.
 */
export function settle<T, V = ClusterView>(
  loop: Pick<WishLoop<V>, "wake" | "watch">,
  call: Call,
  wish: Wish<T, V>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let failure: PerchError | undefined;
    let patience: NodeJS.Timeout | undefined;
    const finish = (end: () => void) => {
      clearTimeout(patience);
      unwatch();
      call.signal.removeEventListener("abort", onHangUp);
      end();
    };
    const check = (view: V | undefined) => {
      if (failure !== undefined) {
        const error = failure;
        if (wish.undone?.(view) ?? true) finish(() => reject(error));
        return;
      }
      const answer = wish.done(view);
      if (answer !== undefined) finish(() => resolve(answer));
    };
    /**
     * What cannot be undone now, as on a disk that is full, is not waited for: the caller is told, and the loop goes
     * on.
     */
    const failed = (error: PerchError) => {
      failure ??= error;
      const said = failure;
      patience ??= setTimeout(() => finish(() => reject(unfinished(said))), undoMs);
    };
    const onHangUp = () => {
      failure ??= fail("cancelled", { what: wish.what });
      const cancelled = wish.cancel?.() ?? Promise.resolve();
      void cancelled.then(() => loop.wake(), reject);
    };
    const unwatch = loop.watch({
      onPass: check,
      onSentence: (sentence) => call.progress(sentence),
      onFailure: (thing, error) => {
        if (wish.things.includes(thing)) failed(error);
        // Something that it needs cannot be made, and there will not be room by itself.
        else if (wish.cancel !== undefined && failure === undefined && error.code === "disk_full") {
          failed(error);
          wish.cancel().then(() => loop.wake(), reject);
        }
      },
    });
    call.signal.addEventListener("abort", onHangUp, { once: true });
    if (call.signal.aborted) onHangUp();
    loop.wake();
  });
}
