import { text } from "node:stream/consumers";
import type { Request } from "./certificate.ts";
import { selfSigned, signed } from "./issuer.ts";

/**
 * A program that makes one certificate: the request comes as JSON on stdin, because it may hold the authority's key, and the credentials go out as JSON on
 * stdout. It is a process of its own so that the library's 20 MB are not perchd's for ever.
 */
async function issue(): Promise<void> {
  const request = JSON.parse(await text(process.stdin)) as Request;
  const now = new Date(request.now);
  const made =
    request.authority === undefined
      ? selfSigned(request.commonName, now, request.days)
      : signed(request.authority, request.subject, now, request.days);
  process.stdout.write(JSON.stringify(await made));
}

issue().catch((error: Error) => process.stderr.write(`${error.message}\n`, () => process.exit(1)));
