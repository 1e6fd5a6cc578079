/** The endpoint as a library: what a test or a tool needs to start and stop one. */
export type { FaultInput } from "./jobs/faults.ts";
export { type Server, type ServerOptions, startServer } from "./server.ts";
