import { connect } from "node:net";

/** Run inside a namespace: makes the connections it is asked for and hands them over. See `internet.ts`. */
process.on("message", ({ id, ...to }) => {
  const socket = connect({ ...to, pauseOnConnect: true });
  socket.once("error", (error) => process.send({ id, error: error.code ?? error.message }));
  socket.once("connect", () => process.send({ id }, socket));
});
process.on("disconnect", () => process.exit(0));
