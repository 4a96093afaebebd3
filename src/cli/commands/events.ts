import { perchItself } from "../../base/actor.ts";
import type { EventRecord } from "../../model/records.ts";
import { command } from "../command.ts";
import { printFeed } from "../output/feed.ts";
import { moment } from "../output/columns.ts";

/** Who asked is named where that was not Perch itself. */
const line = ({
  at,
  subject,
  sentence,
  actor,
}: Pick<EventRecord, "at" | "subject" | "sentence"> & { actor?: string | undefined }): string =>
  `${moment(at)}  ${subject}: ${sentence}${actor === undefined || actor === perchItself ? "" : `  (by ${actor})`}`;

export const eventsCommand = command({
  name: "events",
  summary: "Show what Perch did and why",
  flags: {
    follow: { type: "boolean", short: "f", summary: "Go on with what happens from now on" },
    last: {
      type: "integer",
      short: "n",
      value: "COUNT",
      summary: "How many of the past",
      min: 0,
      max: 10_000,
      default: 100,
    },
    app: { type: "string", short: "a", value: "APP", summary: "Only those about this app or cluster" },
  },
  examples: ["perch events", "perch events -f --app pg", "perch events -n 5 --json"],
  needs: ["json", "daemon"],
  routes: ["events"],
  async run({ daemon, flags, terminal }) {
    const { follow, last, app } = flags;
    const items = daemon.feed("events", {
      query: { follow: String(follow), last, ...(app === undefined ? {} : { subject: app }) },
    });
    return printFeed(items, { follow, json: flags.json, terminal, line });
  },
});
