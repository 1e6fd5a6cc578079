import { load } from "./entry.js";

export const { startServer } = await load("index");
