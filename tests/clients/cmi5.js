// Sessions of @xapi/cmi5, written once for Node and for a browser. Each answers with what it saw; the
// test that starts it knows what that must be.
//
// In a browser the launch is in the page's address. In Node: node cmi5.js SCENARIO SETTINGS, with
// { launchUrl, … }.
"use strict";

const cmi5Sessions = {
  async passed(cmi5) {
    await cmi5.initialize();
    await cmi5.progress(25);
    await cmi5.interactionTrueFalse("t1", "q1", true, true);
    await cmi5.progress(75);
    await cmi5.pass({ scaled: 0.9, raw: 90, min: 0, max: 100 });
    await cmi5.complete();
    await cmi5.terminate();
    return { mode: cmi5.launchData.launchMode, preferences: cmi5.getLearnerPreferences() };
  },

  async failed(cmi5) {
    await cmi5.initialize();
    await cmi5.progress(60);
    // it throws before there is a promise
    const pass = async () => cmi5.pass({ scaled: 0.4 });
    const below = await pass().then(() => "taken", (error) => error.message);
    await cmi5.fail({ scaled: 0.4 });
    await cmi5.complete();
    await cmi5.terminate();
    return { below };
  },

  async movedOn(cmi5) {
    await cmi5.initialize();
    const ids = await cmi5.moveOn({ score: { scaled: 0.9 } });
    return { statements: ids.length };
  },

  // Leaves in the middle, and keeps its place.
  async began(cmi5) {
    await cmi5.initialize();
    await cmi5.progress(40);
    await cmi5.xapi.setState({ ...place(cmi5), state: { page: 3 } });
    return { authToken: cmi5.getAuthToken(), initializedDate: cmi5.initializedDate };
  },

  // The same session after the page was loaded again.
  async wentOn(cmi5, { authToken, initializedDate }) {
    await cmi5.initialize({ authToken, initializedDate: new Date(initializedDate) });
    const kept = await cmi5.xapi.getState(place(cmi5));
    await cmi5.progress(70);
    return { bookmark: kept.data };
  },

  // A new session of the same registration.
  async cameBack(cmi5) {
    await cmi5.initialize();
    const kept = await cmi5.xapi.getState(place(cmi5));
    await cmi5.pass({ scaled: 0.8 });
    await cmi5.complete();
    await cmi5.terminate();
    return { bookmark: kept.data };
  },

  // Fetches again what was fetched.
  async late(cmi5) {
    return cmi5.initialize().then(
      () => ({ began: true }),
      (error) => ({ status: error.response.status }),
    );
  },

  // Says more after its end.
  async unending(cmi5) {
    await cmi5.initialize();
    await cmi5.terminate();
    return cmi5.complete().then(
      () => ({ taken: true }),
      (error) => ({ status: error.response.status, reason: error.response.data.error.reason }),
    );
  },
};

function place(cmi5) {
  const { actor, activityId, registration } = cmi5.getLaunchParameters();
  return { agent: actor, activityId, registration, stateId: "bookmark" };
}

if (typeof module !== "undefined") {
  // it is built for browsers alone
  globalThis.XMLHttpRequest = require("xhr2");
  const Cmi5 = require("@xapi/cmi5/dist/Cmi5.umd.js");
  const [name, given] = process.argv.slice(2);
  const settings = JSON.parse(given);
  const query = Object.fromEntries(new URL(settings.launchUrl).searchParams);
  const cmi5 = new Cmi5({ ...query, actor: JSON.parse(query.actor) });
  cmi5Sessions[name](cmi5, settings).then(
    (saw) => console.log(JSON.stringify(saw)),
    (error) => {
      console.error(error, error.response?.data);
      process.exitCode = 1;
    },
  );
}
