import { z } from "zod";
import { maxBodyBytes, type Route, scopes } from "../../api/route.ts";
import { routes } from "../../api/routes.ts";
import * as schemas from "../../api/schemas.ts";

/**
 * The OpenAPI 3.1 document of the API, written from the routes. Pure. Served at /openapi.json, and what docs/api.md is
 * written from.
 */

export interface OpenApiDocument {
  openapi: string;
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, JsonSchema> };
}

export interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  /** The scopes of a token that will do; absent where the operation is for the machine itself. */
  security?: { token: string[] }[];
  parameters: { name: string; in: "path" | "query"; required: boolean; schema: JsonSchema }[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, { description: string; content: Record<string, { schema: JsonSchema }> }>;
}

export type JsonSchema = Record<string, unknown>;

const ndjson = "application/x-ndjson";
const json = "application/json";
const errorSchema = z.object({ error: schemas.errorBody });

export function openApiDocument(version: string): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const [name, route] of Object.entries<Route>(routes)) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "perchd",
      version,
      description: `The API of one Perch network, over HTTP on a unix socket, and where it is asked for by TLS with a bearer token. Request bodies are JSON, ${maxBodyBytes} bytes at most; unknown fields are refused.`,
    },
    paths,
    components: {
      schemas: { Error: jsonSchema(errorSchema, "output") },
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "From another host. The unix socket asks for none." },
      },
    },
  };
}

function operation(name: string, route: Route): Operation {
  const frames = { stream: streamSchema, feed: feedSchema, plain: (answer: JsonSchema) => answer }[route.kind];
  return {
    operationId: name,
    summary: route.summary,
    ...(route.kind === "plain" ? {} : { description: kinds[route.kind] }),
    ...(route.remote === undefined ? {} : { security: [{ token: scopes.slice(scopes.indexOf(route.remote.scope)) }] }),
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { [json]: { schema: jsonSchema(route.body, "input") } } } }),
    responses: {
      "200": {
        description: route.summary,
        content: { [route.kind === "plain" ? json : ndjson]: { schema: frames(jsonSchema(route.answer, "output")) } },
      },
      default: {
        description: "An error of the register",
        content: { [json]: { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}

const kinds = {
  stream:
    "Answers with one JSON frame a line: {progress} any number of times, then one {result} or one {error}. Closing the sending side of the connection interrupts the operation: it is undone, and the last frame says so.",
  feed: "Answers with one JSON item a line, until either side closes. A line {error} is the last.",
};

const errorReference: JsonSchema = { $ref: "#/components/schemas/Error" };

const streamSchema = (answer: JsonSchema): JsonSchema => ({
  oneOf: [
    { type: "object", properties: { progress: { type: "string" } }, required: ["progress"] },
    { type: "object", properties: { result: answer }, required: ["result"] },
    errorReference,
  ],
});

const feedSchema = (item: JsonSchema): JsonSchema => ({ oneOf: [item, errorReference] });

const pathParameters = (path: string): Operation["parameters"] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));

function queryParameters(query: Route["query"]): Operation["parameters"] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: false,
    schema: jsonSchema(schema as z.ZodType, "output"),
  }));
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    // The format says it all; zod adds a pattern of 300 characters.
    override: ({ jsonSchema: written }) => {
      if (written.format === "date-time") delete written.pattern;
    },
  }) as JsonSchema;
  return rest;
}
