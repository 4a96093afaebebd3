import type { AnyHandler } from "./call.ts";
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Frame, Route } from "../../api/route.ts";
import { actingAs } from "../../base/actor.ts";
import type { Log } from "../../base/log.ts";
import { fail, toPerchError } from "../../errors/error.ts";
import { callerOf } from "./caller.ts";
import { logged } from "./refusal.ts";
import type { Admission } from "../remote/guard.ts";
import type { Asked } from "../remote/permit.ts";

export interface Around {
  log: Log;
  admission: Admission | undefined;
}

/** Answers one request: its input checked, its token asked again now that it is known what is wanted. */
export function answer(
  route: Route,
  handler: AnyHandler,
  request: FastifyRequest,
  reply: FastifyReply,
  around: Around,
): Promise<unknown> {
  return actingAs(around.admission?.actor ?? callerOf(request.headers), () =>
    answerWhole(route, handler, request, reply, around),
  );
}

async function answerWhole(
  route: Route,
  handler: AnyHandler,
  request: FastifyRequest,
  reply: FastifyReply,
  around: Around,
): Promise<unknown> {
  const { admission } = around;
  admission?.permit(route);
  const input = {
    params: namesIn(request.params as Record<string, string>),
    query: parse(route.query, request.query, "query"),
    body: parse(route.body, request.body, "body"),
  };
  await admission?.permitInput(route, input as Asked);
  const hangUp = hangUpSignal(request, reply);
  const signal = admission === undefined ? hangUp : AbortSignal.any([hangUp, admission.cut]);
  if (route.kind === "plain") {
    return orCut(
      handler(input, { signal, progress: () => undefined, elsewhere: admission !== undefined }) as Promise<unknown>,
      admission,
    );
  }
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  reply.raw.flushHeaders();
  if (route.kind === "stream") await sendStream(handler, input, reply, signal, around);
  else await sendFeed(handler, input, reply, signal, around);
  return undefined;
}

/**
 * A client writes NUL before what cannot be a segment of a path by itself: an empty name, "." and "..". No name holds a
 * NUL.
 */
const namesIn = (params: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(params).map(([name, text]) => [name, text.replace(/^\0(?=\.{0,2}$)/, "")]));

/** The answer, unless the caller's token ends before it is there: then that, and what was begun is undone behind it. */
function orCut<T>(working: Promise<T>, admission: Admission | undefined): Promise<T> {
  if (admission === undefined) return working;
  const { cut } = admission;
  return new Promise((resolve, reject) => {
    const onCut = () => reject(toPerchError(cut.reason));
    if (cut.aborted) onCut();
    cut.addEventListener("abort", onCut, { once: true });
    void working.then(resolve, reject).finally(() => cut.removeEventListener("abort", onCut));
  });
}

/**
 * Aborts when the caller's side of the connection ends. A caller that only stops sending still hears how its operation
 * was undone.
 */
function hangUpSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const hangUp = new AbortController();
  const { socket } = request.raw;
  const onEnd = () => {
    if (!reply.raw.writableFinished) hangUp.abort(new Error("the caller hung up"));
  };
  socket.once("end", onEnd);
  reply.raw.once("close", () => {
    socket.off("end", onEnd);
    onEnd();
  });
  if (socket.readableEnded) onEnd();
  return hangUp.signal;
}

async function sendStream(
  handler: AnyHandler,
  input: Parameters<AnyHandler>[0],
  reply: FastifyReply,
  signal: AbortSignal,
  around: Around,
): Promise<void> {
  const send = (frame: Frame<unknown>) => {
    if (!reply.raw.writableEnded) reply.raw.write(`${JSON.stringify(frame)}\n`);
  };
  const elsewhere = around.admission !== undefined;
  try {
    const result = handler(input, {
      signal,
      progress: (sentence) => send({ progress: sentence }),
      elsewhere,
    }) as Promise<unknown>;
    send({ result: await orCut(result, around.admission) });
  } catch (error) {
    send({ error: logged(toPerchError(error), around.log).toBody() });
  }
  reply.raw.end();
}

async function sendFeed(
  handler: AnyHandler,
  input: Parameters<AnyHandler>[0],
  reply: FastifyReply,
  signal: AbortSignal,
  around: Around,
): Promise<void> {
  const { log } = around;
  const call = { signal, progress: () => undefined, elsewhere: around.admission !== undefined };
  const cut = around.admission?.cut;
  const lines = async function* () {
    try {
      for await (const item of handler(input, call) as AsyncIterable<unknown>) yield `${JSON.stringify(item)}\n`;
    } catch (error) {
      if (!signal.aborted) yield `${JSON.stringify({ error: logged(toPerchError(error), log).toBody() })}\n`;
    }
  };
  const stream = Readable.from(lines());
  stream.on("error", () => undefined);
  stream.pipe(reply.raw);
  const stop = () => {
    stream.destroy();
    if (cut?.aborted === true && !reply.raw.writableEnded)
      reply.raw.write(`${JSON.stringify({ error: toPerchError(cut.reason).toBody() })}\n`);
    reply.raw.end();
    // Whoever does not read does not keep the connection either.
    if (cut?.aborted === true) setTimeout(() => reply.raw.destroy(), lastWordMs).unref();
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
}

const lastWordMs = 1_000;

export function parse(schema: Route["body"], value: unknown, where: string): unknown {
  if (schema === undefined) return {};
  const result = schema.strict().safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? where : `${where}.${issue.path.join(".")}`;
  throw fail("request_invalid", { why: `${path}: ${issue?.message ?? "wrong shape"}` });
}
