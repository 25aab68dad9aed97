// node run.js SCENARIO SETTINGS: runs it with the published client, and prints what it saw.
"use strict";

const CLIENTS = {
  tincanjs: () => require("tincanjs"),
  xapi: () => require("@xapi/xapi").default,
  scorm: () => {
    globalThis.window = globalThis; // it is made for browsers, and leaves its parts there
    require("scorm-again");
    return globalThis;
  },
};

const [name, settings] = process.argv.slice(2);
const [family] = name.split("-");
const scenarios = require(family === "scorm" ? "./scorm.js" : "./scenarios.js");

scenarios[name](CLIENTS[family](), JSON.parse(settings)).then(
  (saw) => console.log(JSON.stringify(saw)),
  (error) => {
    console.error(error, error.response?.data);
    process.exitCode = 1;
  },
);
