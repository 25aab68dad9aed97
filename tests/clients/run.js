// node run.js SCENARIO SETTINGS: runs it with the published client, and prints what it saw.
"use strict";

const scenarios = require("./scenarios.js");

const [name, settings] = process.argv.slice(2);
const client = name.startsWith("tincanjs") ? require("tincanjs") : require("@xapi/xapi").default;

scenarios[name](client, JSON.parse(settings)).then(
  (saw) => console.log(JSON.stringify(saw)),
  (error) => {
    console.error(error, error.response?.data);
    process.exitCode = 1;
  },
);
