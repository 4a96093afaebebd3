/**
 * A route as data: enough for the daemon to check and answer it, for the client to call it with types, and for the
 * OpenAPI document. A `stream` route answers 200 with NDJSON, one frame a line: `{"progress": "…"}` any number of
 * times, then one `{"result": …}` or one `{"error": {code, message, next}}`. A `feed` route answers with NDJSON items
 * until either side closes.
 */
import type { z } from "zod";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/v1/apps/:app`; every `:name` is a string. */
  readonly path: string;
  readonly summary: string;
  readonly kind: "plain" | "stream" | "feed";
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly answer: z.ZodType;
  /** Who may call it over the network; absent: nobody, it is for the machine itself. */
  readonly remote?: Access;
}

/** What a token may do: `deploy` may all that `read` may, `admin` all that `deploy` may. */
export const scopes = ["read", "deploy", "admin"] as const;
export type Scope = (typeof scopes)[number];

export interface Access {
  readonly scope: Scope;
  /**
   * Where the request names the app it is about, for tokens that are limited to one; `any`: it is about none and tells
   * nothing; absent: not for them.
   */
  readonly app?: `params.${string}` | `query.${string}` | `body.${string}` | "any";
  /** Fields of the body that, given or switched on, take more than the scope: only `admin` may set them. */
  readonly adminFor?: readonly string[];
  /** What no token may give at all, for perchd would run a program by it. */
  readonly machineFor?: readonly string[];
  /** The same where PostgreSQL runs as perchd's own user: there a superuser of SQL runs programs as perchd. */
  readonly machineForWhereOneUser?: readonly string[];
  /** A field of settings by name: there no token gives one by which PostgreSQL runs a program. */
  readonly settingsWhereOneUser?: string;
  /** It changes the cluster of its path, too: a token of one app may only where that app is attached already. */
  readonly attachedOnly?: true;
}

type PathParams<P extends string> = P extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathParams<`/${Rest}`>
  : P extends `${string}:${infer Name}`
    ? Name
    : never;

/** What a handler gets and the client gives. */
export interface RouteInput<R extends Route> {
  params: Record<PathParams<R["path"]>, string>;
  query: R["query"] extends z.ZodType ? z.infer<R["query"]> : Record<string, never>;
  body: R["body"] extends z.ZodType ? z.infer<R["body"]> : Record<string, never>;
}

/** The same before defaults are filled in: what a caller must write. */
export interface CallInput<R extends Route> {
  params: Record<PathParams<R["path"]>, string>;
  query: R["query"] extends z.ZodType ? z.input<R["query"]> : Record<string, never>;
  body: R["body"] extends z.ZodType ? z.input<R["body"]> : Record<string, never>;
}

export type RouteAnswer<R extends Route> = z.infer<R["answer"]>;

export type Frame<T> =
  | { progress: string }
  | { result: T }
  | { error: { code: string; message: string; next: string } };

/** In every answer over the unix socket: the version of perchd. */
export const versionHeader = "perch-version";

/**
 * Over the unix socket perch says whose command it is: `uid 1000 (ann)`. Who may open the socket may do all there is,
 * so it is believed, for the events.
 */
export const callerHeader = "perch-caller";

/** Requests above this are refused with 413. */
export const maxBodyBytes = 1_048_576;
