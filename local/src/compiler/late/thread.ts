import { parentPort } from "node:worker_threads";
import type { Answer, Order, Started } from "../../javascript/messages.ts";
import { UDF_FORMS } from "../functions/register.ts";
import { errorText } from "../functions/udf/define.ts";
import type { LateRows } from "./rows.ts";

const port = parentPort;
if (port === null) throw new Error("thread.ts is no program of its own");

port.on("message", (order: Order) => {
  if (order.kind !== "task") return;
  const started: Started = { kind: "started", id: order.id };
  port.postMessage(started);
  port.postMessage(answer(order.id, order.rows as LateRows));
});

function answer(id: number, { name, values }: LateRows): Answer {
  const form = UDF_FORMS.get(name);
  try {
    return { kind: "answer", id, results: values.map((row) => form?.call(row.map(received))) };
  } catch (error) {
    return { kind: "answer", id, error: errorText(error) };
  }
}

/** Between threads a Buffer becomes the array that it is made of. */
function received(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Array.isArray(value) ? value.map(received) : value;
}
