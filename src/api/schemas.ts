/**
 * The shapes that cross the API, one schema a noun. The daemon checks every request against them and the OpenAPI
 * document is written from them; the CLI's types are inferred from them. Times are RFC 3339 in UTC, sizes bytes, lags
 * bytes of WAL.
 */
export * from "./schemas/answer.ts";
export * from "./schemas/app.ts";
export * from "./schemas/cluster.ts";
export * from "./schemas/diagnosis.ts";
export * from "./schemas/door.ts";
export * from "./schemas/values.ts";
