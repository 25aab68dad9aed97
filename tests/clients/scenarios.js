// Sessions of published clients, written once for Node and for a browser. Each answers with what it
// saw; the test that starts it knows what that must be.
//
// settings: { endpoint, auth: "Basic …", wrong: "Basic …", lenient: "Basic …" }
"use strict";

const LESSON = "http://example.com/course/1";
const REGISTRATION = "0f0b1c1e-7a54-4c0c-8f2e-5a4f9b2a1c11";
const VERBS = "http://adlnet.gov/expapi/verbs/";

const scenarios = {
  // TinCanJS: a course that keeps its place, and ends.
  async tincanjs(TinCan, settings) {
    const lrs = (auth) =>
      new TinCan.LRS({ endpoint: settings.endpoint, auth, version: "1.0.2", allowFail: false });
    const good = lrs(settings.auth);
    const call = (target, name, ...args) =>
      new Promise((done) => {
        const callback = (error, result) => done({ error, result });
        const last = args.pop();
        target[name](...args, { ...last, callback });
      });
    const agent = new TinCan.Agent({ mbox: "mailto:ana@example.com", name: "Ana" });
    const activity = new TinCan.Activity({ id: LESSON });
    const key = { agent, activity, registration: REGISTRATION };
    const said = (verb, more) =>
      new TinCan.Statement({
        actor: { mbox: "mailto:ana@example.com" },
        verb: { id: VERBS + verb },
        target: { id: LESSON },
        context: { registration: REGISTRATION },
        ...more,
      });
    const saw = {};

    saw.fresh = (await call(good, "retrieveState", "bookmark", key)).result;
    saw.attempted = (await call(good, "saveStatement", said("attempted"), {})).error;
    const batch = [said("experienced"), said("progressed", { result: { completion: false } })];
    saw.batch = (await call(good, "saveStatements", batch, {})).error;
    saw.saved = (await call(good, "saveState", "bookmark", "page=3&ü", key)).error;
    const kept = (await call(good, "retrieveState", "bookmark", key)).result;
    saw.kept = [kept.contents, kept.contentType, kept.etag.length];
    const again = { ...key, lastSHA1: kept.etag.replaceAll('"', "") };
    saw.replaced = (await call(good, "saveState", "bookmark", "page=4", again)).error;
    saw.stale = (await call(good, "saveState", "bookmark", "page=5", again)).error;
    const json = { ...key, contentType: "application/json" };
    await call(good, "saveState", "data", JSON.stringify({ a: 1 }), json);
    await call(good, "saveState", "data", JSON.stringify({ b: 2 }), { ...json, method: "POST" });
    saw.merged = (await call(good, "retrieveState", "data", key)).result.contents;
    saw.states = (await call(good, "retrieveStateIds", key)).result;
    const profile = { agent, contentType: "application/json" };
    saw.profile = (await call(good, "saveAgentProfile", "p", '{"language":"de"}', profile)).error;
    saw.profiles = (await call(good, "retrieveAgentProfileIds", { agent })).result;
    const note = { activity, contentType: "text/plain" };
    saw.note = (await call(good, "saveActivityProfile", "n", "hello", note)).error;
    saw.long = (await call(good, "saveState", "x".repeat(2100), "long", key)).error;
    saw.longKept = (await call(good, "retrieveState", "x".repeat(2100), key)).result.contents;

    const attachment = {
      usageType: "http://example.com/usage/note",
      display: { en: "a note" },
      contentType: "text/plain; charset=utf-8",
    };
    const withNote = said("commented", { attachments: [attachment] });
    withNote.attachments[0].setContentFromString("naïve note");
    saw.attached = (await call(good, "saveStatement", withNote, {})).error;
    const params = { attachments: true };
    const back = (await call(good, "retrieveStatement", withNote.id, { params })).result;
    saw.attachment = back.attachments[0].getContentAsString();

    const done = said("completed", { result: { completion: true, success: true } });
    saw.completed = (await call(good, "saveStatement", done, {})).error;
    const query = { agent, registration: REGISTRATION, limit: 2 };
    const page = (await call(good, "queryStatements", { params: query })).result;
    saw.newest = page.statements.map((one) => one.verb.id.slice(VERBS.length));
    const more = (await call(good, "moreStatements", { url: page.more })).result;
    saw.older = more.statements.map((one) => one.verb.id.slice(VERBS.length));
    saw.about = (await call(good, "about", {})).result.version.includes("1.0.2");

    saw.stranger = (await call(lrs(settings.wrong), "saveStatement", said("x"), {})).error;
    const bad = said("x");
    bad.verb.id = "no IRI";
    saw.refused = (await call(good, "saveStatement", bad, {})).error;
    const launched = (auth) => {
      const made = lrs(auth);
      made.extended = { utm: "1" };
      return made;
    };
    saw.strict = (await call(launched(settings.auth), "saveStatement", said("x"), {})).error;
    saw.lenient = (await call(launched(settings.lenient), "saveStatement", said("x"), {})).error;
    return saw;
  },

  // The same player, started again.
  async "tincanjs-resumed"(TinCan, settings) {
    const lrs = new TinCan.LRS({ endpoint: settings.endpoint, auth: settings.auth });
    const found = await new Promise((done) => {
      lrs.retrieveState("bookmark", {
        agent: new TinCan.Agent({ mbox: "mailto:ana@example.com" }),
        activity: new TinCan.Activity({ id: LESSON }),
        registration: REGISTRATION,
        callback: (error, result) => done({ error, result }),
      });
    });
    return { bookmark: found.result.contents };
  },

  // @xapi/xapi, with each of its two ways to send.
  async xapi(XAPI, settings) {
    const saw = {};
    for (const adapter of ["axios", "fetch"]) {
      for (const version of ["1.0.3", "2.0.0"]) {
        saw[`${adapter} ${version}`] = await session(XAPI, settings, adapter, version);
      }
    }
    return saw;
  },

  async "xapi-resumed"(XAPI, settings) {
    const { endpoint, auth } = settings;
    const lrs = new XAPI({ endpoint, auth });
    const agent = { objectType: "Agent", mbox: "mailto:axios1.0.3@example.com" };
    const kept = await lrs.getState({ agent, activityId: LESSON, stateId: "bookmark" });
    return { bookmark: kept.data };
  },
};

async function session(XAPI, settings, adapter, version) {
  const { endpoint, auth } = settings;
  const lrs = new XAPI({ endpoint, auth, adapter, version });
  const agent = { objectType: "Agent", mbox: `mailto:${adapter}${version}@example.com` };
  const said = (verb, more) => ({
    actor: agent,
    verb: { id: VERBS + verb },
    object: { objectType: "Activity", id: LESSON, definition: { name: { en: "Lesson" } } },
    ...more,
  });
  const failed = (promise) => promise.then(() => "taken", () => "refused");
  const saw = {};

  saw.about = (await lrs.getAbout()).data.version.includes(version);
  const key = { agent, activityId: LESSON, stateId: "bookmark" };
  saw.fresh = await failed(lrs.getState(key));
  const [first] = (await lrs.sendStatement({ statement: said("attempted") })).data;
  const ids = (await lrs.sendStatements({ statements: [said("a"), said("b")] })).data;
  saw.ids = ids.length;
  saw.read = (await lrs.getStatement({ statementId: first })).data.actor.mbox === agent.mbox;

  await lrs.createState({ ...key, state: { page: 1 } });
  await lrs.createState({ ...key, state: { quiz: 2 } });
  const kept = await lrs.getState(key);
  saw.merged = kept.data;
  const etag = kept.headers.etag;
  await lrs.setState({ ...key, state: { page: 9 }, etag, matchHeader: "If-Match" });
  const stale = lrs.setState({ ...key, state: {}, etag, matchHeader: "If-Match" });
  saw.stale = await failed(stale);
  saw.states = (await lrs.getStates({ agent, activityId: LESSON })).data;
  const profile = { agent, profileId: "p", profile: { language: "de" } };
  await lrs.createAgentProfile(profile);
  saw.profile = (await lrs.getAgentProfile({ agent, profileId: "p" })).data;
  saw.person = (await lrs.getAgent({ agent })).data.objectType;
  saw.activity = (await lrs.getActivity({ activityId: LESSON })).data.definition.name;

  await lrs.voidStatement({ actor: agent, statementId: first });
  saw.voided = await failed(lrs.getStatement({ statementId: first }));
  saw.void = (await lrs.getVoidedStatement({ voidedStatementId: first })).data.id === first;

  const content = new TextEncoder().encode("naïve note");
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const attachment = {
    usageType: "http://example.com/usage/note",
    display: { en: "a note" },
    contentType: "text/plain",
    length: content.length,
    sha2: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""),
  };
  const withNote = said("commented", { attachments: [attachment] });
  const attachments = [content.buffer];
  saw.attached = await failed(lrs.sendStatement({ statement: withNote, attachments }));
  const found = await lrs.getStatements({ agent, attachments: true, limit: 1 });
  saw.parts = found.data.length;
  const page = (await lrs.getStatements({ agent, limit: 2, verb: VERBS + "a" })).data;
  saw.found = page.statements.length;
  const all = (await lrs.getStatements({ agent, limit: 1 })).data;
  saw.more = (await lrs.getMoreStatements({ more: all.more })).data.statements.length;

  saw.refused = await failed(lrs.sendStatement({ statement: { ...said("x"), verb: {} } }));
  const stranger = new XAPI({ endpoint, auth: settings.wrong, adapter, version });
  saw.stranger = await failed(stranger.sendStatement({ statement: said("x") }));
  return saw;
}

if (typeof module !== "undefined") module.exports = scenarios;
