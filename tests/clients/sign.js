// node sign.js SCENARIO {"secret", "body"}: the signature that a sender's own library makes.
"use strict";

const SIGNERS = {
  octokit: async ({ secret, body }) =>
    (await import("@octokit/webhooks-methods")).sign(secret, body),
};

const [name, settings] = process.argv.slice(2);

SIGNERS[name](JSON.parse(settings)).then(
  (signature) => console.log(JSON.stringify(signature)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
