// A SCORM course's session, played by scorm-again as published, in Node and in a browser.
//
// settings: { commit, version: "1.2" | "2004", how: settings of scorm-again, cmi: what was left,
//             ends: whether the course ends itself }
"use strict";

const KEPT = "page=3;quiz=ü&x=1 2";
const PARTS = {
  1.2: {
    api: "Scorm12API",
    calls: ["LMSInitialize", "LMSSetValue", "LMSCommit", "LMSFinish", "LMSGetValue"],
    under_way: {
      "cmi.core.lesson_status": "incomplete",
      "cmi.core.lesson_location": "page-3",
      "cmi.core.score.min": "0",
      "cmi.core.score.raw": "40",
      "cmi.interactions.0.id": "q1",
      "cmi.interactions.0.type": "choice",
      "cmi.core.session_time": "00:12:34.5",
      "cmi.core.exit": "suspend",
    },
    done: { "cmi.core.score.raw": "95", "cmi.core.lesson_status": "passed", "cmi.core.exit": "" },
    left: ["cmi.suspend_data", "cmi.core.lesson_location", "cmi.core.lesson_status"],
  },
  2004: {
    api: "Scorm2004API",
    calls: ["Initialize", "SetValue", "Commit", "Terminate", "GetValue"],
    under_way: {
      "cmi.completion_status": "incomplete",
      "cmi.progress_measure": "0.45",
      "cmi.location": "page-3",
      "cmi.score.scaled": "0.4",
      "cmi.interactions.0.id": "q1",
      "cmi.interactions.0.type": "choice",
      "cmi.session_time": "PT12M34.5S",
      "cmi.exit": "suspend",
    },
    done: {
      "cmi.score.scaled": "0.95",
      "cmi.progress_measure": "1",
      "cmi.completion_status": "completed",
      "cmi.success_status": "passed",
      "cmi.exit": "normal",
    },
    left: ["cmi.suspend_data", "cmi.location", "cmi.completion_status"],
  },
};

const scenarios = {
  // Half of the course, a commit, and the rest of it where it ends.
  async scorm(all, { commit, version, how, cmi, ends }) {
    const { api, calls, under_way, done, left } = PARTS[version];
    const player = new all[api]({ lmsCommitUrl: commit, logLevel: "NONE", ...how });
    const [initialize, set, store, terminate, get] = calls;
    const saw = { refused: [], errors: [] };
    // Requests at once may overtake each other; the sync mode has its answer when it returns.
    const settled = () =>
      how.useAsynchronousCommits &&
      new Promise((resolve) => {
        player.on("CommitSuccess", resolve);
        player.on("CommitError", () => resolve(saw.errors.push("CommitError")));
      });
    const put = (values) => {
      for (const [name, value] of Object.entries(values)) {
        if (player[set](name, value) !== "true") saw.refused.push(name);
      }
    };
    if (cmi) player.loadFromJSON({ cmi });
    player[initialize]("");
    saw.left = left.map((name) => player[get](name));
    put({ "cmi.suspend_data": KEPT, ...under_way });
    let answered = settled();
    saw.stored = player[store]("");
    await answered;
    if (ends) {
      put(done);
      answered = settled();
      saw.ended = player[terminate]("");
      await answered;
    }
    return saw;
  },
};

if (typeof module !== "undefined") module.exports = scenarios;
