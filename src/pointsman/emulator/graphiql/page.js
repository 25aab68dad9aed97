// GraphiQL over ./helium. What is typed into the header stays in this tab.
"use strict";

const field = (name) => document.getElementById(name);
const EXAMPLES = [
  `# Record progress for the learner who is logged in above.
mutation RecordProgress {
  UpdateTopicAndCourseProgress(topicId: "topic_demo_1", progress: 62)
}`,
  `query CourseProgress {
  UserCourseProgress(id: "course_demo") { totalViews percentComplete }
  PagesCompletedByCourse(courseId: "course_demo") { __typename ... on PageEntity { id title } }
}`,
  `query LearningPath {
  LearningPathBySlug(slug: "data-science-professional-certificate") {
    name
    status
    currentUserStartActionDate
    milestones { id name requirement completionCriteriaDescription }
  }
}`,
];

showToken();

async function ask(params, headers, key = sessionStorage.getItem("key")) {
  const answer = await fetch("helium?" + new URLSearchParams({ apiKey: key }), {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(params),
  });
  return answer.json();
}

function showToken(words) {
  const email = sessionStorage.getItem("email");
  field("who").textContent = words || (email ? `authToken of ${email}` : "no authToken");
}

field("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const variables = { email: field("email").value, password: field("password").value };
  const query =
    "mutation Login($email: String!, $password: String!) { Login(email: $email, password: $password) }";
  const { data, errors } = await ask({ query, variables }, {});
  if (data && data.Login) {
    sessionStorage.setItem("token", data.Login);
    sessionStorage.setItem("email", variables.email);
    showToken();
  } else {
    showToken(errors ? errors[0].message : "no answer");
  }
});

function fetcher(params, options) {
  const token = sessionStorage.getItem("token");
  return ask(params, { ...(token ? { authToken: token } : {}), ...((options || {}).headers || {}) });
}

// Nothing is asked before the key is known: a first answer that is an error frightens people.
async function open(key) {
  const { data, errors } = await ask({ query: "query Key { __typename }" }, {}, key);
  if (!data) {
    field("key-error").textContent = errors ? errors[0].message : "no answer";
    return;
  }
  sessionStorage.setItem("key", key);
  field("ask-key").remove();
  field("header").hidden = false;
  ReactDOM.createRoot(field("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher,
      defaultEditorToolsVisibility: true,
      defaultTabs: EXAMPLES.map((query) => ({ query })),
      shouldPersistHeaders: false,
    }),
  );
}

field("ask-key").hidden = false;
field("ask-key").addEventListener("submit", (event) => {
  event.preventDefault();
  open(field("key").value.trim());
});
if (sessionStorage.getItem("key")) {
  open(sessionStorage.getItem("key"));
}
