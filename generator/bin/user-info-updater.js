#!/usr/bin/env node
import "./early-signals.js";
import { load } from "../entry.js";

await load("cli/main");
