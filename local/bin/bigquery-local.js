#!/usr/bin/env node
import { load } from "../entry.js";

await load("cli");
