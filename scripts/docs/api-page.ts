import type { JsonSchema, OpenApiDocument, Operation } from "../../src/server/http/openapi.ts";
import { cell, tableOf } from "./markdown.ts";

/** docs/api.md: the OpenAPI document for people. Pure. */
export function apiPage({ paths, info }: OpenApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return [
    "# The API of perchd",
    "",
    "Written from the code by `npm run docs`. perchd listens on a unix socket that only its user can open, and by TLS for those with a",
    "[token](security.md#remote-control) once that is asked for. The OpenAPI 3.1 document is served on both:",
    "",
    "```sh",
    "curl --unix-socket /run/perch/<id>/perchd.sock http://perchd/openapi.json",
    "```",
    "",
    info.description,
    'Errors are `{"error": {"code", "message", "next"}}` with the status of [the register](errors.md). A **stream** answers with one JSON frame a line:',
    '`{"progress": "…"}` any number of times, then one `{"result": …}` or one `{"error": …}`; whoever closes the sending side of the connection interrupts the',
    "operation, which is undone before the last frame. A **feed** answers with one JSON item a line until either side closes.",
    ...operations.flatMap(({ path, method, operation }) => section(path, method, operation)),
    "",
  ].join("\n");
}

function section(path: string, method: string, operation: Operation): string[] {
  const { responses, requestBody, parameters, operationId, summary, security } = operation;
  const [[type, answer] = ["", { schema: {} }]] = Object.entries(responses["200"]?.content ?? {});
  const kind =
    type === "application/json"
      ? ""
      : ` (${operation.description?.startsWith("Answers with one JSON frame") === true ? "stream" : "feed"})`;
  const fields = [
    ...parameters.map(({ name, in: where, required, schema }) => [name, where, typeOf(schema), note(schema, required)]),
    ...fieldsOf(requestBody?.content["application/json"]?.schema).map(([name, schema, required]) => [
      name,
      "body",
      typeOf(schema),
      note(schema, required),
    ]),
  ];
  return [
    "",
    `## ${method.toUpperCase()} ${path}`,
    "",
    `\`${operationId}\`${kind}: ${summary}.`,
    "",
    security === undefined
      ? "From another host: never."
      : `From another host: with the scope ${security[0]?.token.join(", ")}.`,
    ...(fields.length === 0
      ? []
      : [
          "",
          ...tableOf(
            ["field", "in", "type", ""],
            fields.map((row) => row.map(cell)),
          ),
        ]),
    "",
    `Answer: ${answerText(answer.schema)}`,
  ];
}

function fieldsOf(schema: JsonSchema | undefined): [string, JsonSchema, boolean][] {
  const required = new Set((schema?.["required"] as string[] | undefined) ?? []);
  return Object.entries((schema?.["properties"] as Record<string, JsonSchema> | undefined) ?? {}).map(
    ([name, field]) => [name, field, required.has(name)],
  );
}

const note = (schema: JsonSchema, required: boolean): string =>
  required ? "required" : schema["default"] === undefined ? "" : `default \`${JSON.stringify(schema["default"])}\``;

/** The answer itself, out of the frames of a stream or feed. */
function answerText(schema: JsonSchema): string {
  const frames = schema["oneOf"] as JsonSchema[] | undefined;
  const result = frames
    ?.map((frame) => (frame["properties"] as Record<string, JsonSchema> | undefined)?.["result"])
    .find((found) => found !== undefined);
  const type = typeOf(result ?? frames?.[0] ?? schema);
  return type === "{}" ? "nothing" : `\`${type}\``;
}

/** A schema as a type is written: `{name, members: {id, role}[]}`. */
function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => JSON.stringify(value)).join(" | ");
  if (Array.isArray(schema["anyOf"])) return (schema["anyOf"] as JsonSchema[]).map(typeOf).join(" | ");
  if (schema["type"] === "array") return `${typeOf(schema["items"] as JsonSchema)}[]`;
  if (schema["type"] !== "object")
    return Array.isArray(schema["type"])
      ? schema["type"].join(" | ")
      : ((schema["type"] as string | undefined) ?? "any");
  const fields = fieldsOf(schema);
  if (fields.length === 0 && typeof schema["additionalProperties"] === "object")
    return `{[name]: ${typeOf(schema["additionalProperties"] as JsonSchema)}}`;
  return `{${fields.map(([name, field, required]) => `${name}${required ? "" : "?"}: ${typeOf(field)}`).join(", ")}}`;
}
